"""What a user says of a checkpoint: its rules, wherever they are, its layout, its exceptions."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from codsl.diagnostics import suggest
from codsl.spec.known import Known
from codsl.spec.renaming import BadRule, Pattern, Renaming
from codsl.weights.adapters import Adapter, adapter_of
from codsl.weights.folding import Folding
from codsl.weights.given import check_text
from codsl.weights.layouts import LAYOUTS
from codsl.weights.matching import Terms
from codsl.weights.refusal import refusal, unreadable

Rename = str | os.PathLike[str] | Mapping[str, str] | Iterable[str]
"""Rules: a mapping, texts `a -> b`, or the path of a file with one in each line."""

ARROW = "->"
LARGEST = 1024 * 1024
"""Bytes of a file of rules at most."""


def agree(
    rename: Rename | None = None,
    layout: str | None = None,
    envelope: str | None = None,
    allow_missing: Iterable[str] = (),
    allow_unexpected: Iterable[str] = (),
    adapt: Mapping[str, str] | None = None,
) -> Known:
    """What is said, as one; `layout` is torch's where it is not.

    Raises `WeightsError` (E0604) for a rule, a pattern or a word that cannot be, and `TypeError`.
    """
    check_text(layout, "layout")
    check_text(envelope, "envelope")
    if adapt is not None and not isinstance(adapt, Mapping):
        raise TypeError(f"adapt is a mapping of patterns to adapters, not {type(adapt).__name__}")
    try:
        return Known(
            name="",
            layout=_layout("torch" if layout is None else layout),
            renaming=Renaming.parse(_rules(rename)) if rename is not None else Renaming(),
            envelope=envelope,
            allow_missing=_patterns(allow_missing, "allow_missing"),
            allow_unexpected=_patterns(allow_unexpected, "allow_unexpected"),
            adapt=tuple(_adapted(adapt or {})),
        )
    except BadRule as bad:
        raise refusal("E0604", str(bad)) from None


def terms_of(known: Known) -> Terms:
    """The same with adapters instead of their words; the rules of a spec are for all its variants.

    Raises `WeightsError` (E0604).
    """
    adapters: list[tuple[Pattern, Adapter]] = []
    foldings: list[Folding] = []
    try:
        for pattern, word in known.adapt:
            folding = Folding.parse(pattern, word)
            if folding:
                foldings.append(folding)
            else:
                adapters.append((pattern, adapter_of(word)))
    except ValueError as error:
        raise refusal("E0604", str(error)) from None
    return Terms(
        known.renaming,
        _layout(known.layout),
        known.allow_missing,
        known.allow_unexpected,
        tuple(adapters),
        tuple(foldings),
        shared=bool(known.name),
    )


def _layout(name: str) -> str:
    if name in LAYOUTS:
        return name
    near = suggest(name, LAYOUTS)[:1]
    helps = [f"did you mean `{near[0]}`?"] if near else [f"there are {', '.join(LAYOUTS)}"]
    raise refusal("E0604", f"there is no layout `{name}`", helps=helps)


def _patterns(texts: Iterable[str], what: str) -> tuple[Pattern, ...]:
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"{what} is a list of patterns, not {type(texts).__name__}")
    return tuple(_pattern(text) for text in texts)


def _pattern(text: object) -> Pattern:
    if not isinstance(text, str):
        raise BadRule(f"`{text}` is no pattern, which is a text")
    return Pattern.parse(text)


def _adapted(adapt: Mapping[str, str]) -> Iterator[tuple[Pattern, str]]:
    for text, word in adapt.items():
        if not isinstance(word, str):
            raise BadRule(f"`{text}: {word}` is no pattern with the name of an adapter")
        yield _pattern(text), word


def _rules(rename: Rename) -> Iterator[tuple[str, str]]:
    if isinstance(rename, Mapping):
        for pair in rename.items():
            if not all(isinstance(each, str) for each in pair):
                raise BadRule(f"`{pair[0]}: {pair[1]}` is no pair of patterns")
            yield pair
        return
    if isinstance(rename, os.PathLike) or (isinstance(rename, str) and ARROW not in rename):
        rename = _lines(Path(rename))
    if isinstance(rename, bytes) or not isinstance(rename, Iterable):
        kind = type(rename).__name__
        raise TypeError(f"rename is a mapping, a list of rules, or the path of a file, not {kind}")
    for text in [rename] if isinstance(rename, str) else rename:
        if not isinstance(text, str):
            raise TypeError(f"a rule is a text `source {ARROW} target`, not {type(text).__name__}")
        source, arrow, target = text.partition(ARROW)
        if not arrow or ARROW in target:
            raise BadRule(f"`{text.strip()}` is no rule: write `source -> target`")
        yield source.strip(), target.strip()


def _lines(path: Path) -> Iterator[str]:
    """The rules of a file, without comments and empty lines."""
    try:
        if path.is_file() and path.stat().st_size > LARGEST:
            raise refusal("E0603", f"`{path}` is larger than {LARGEST // 1024} KiB of rules")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or "no file").lower()
        help = f"a rule, as opposed to a file of rules, is written `source {ARROW} target`"
        raise unreadable(path, reason, help) from None
    except UnicodeDecodeError:
        raise unreadable(path, "it is no text of rules `source -> target`") from None
    except ValueError as error:
        raise unreadable(path, str(error)) from None
    for line in text.splitlines():
        rule = line.partition("#")[0].strip()
        if rule:
            yield rule
