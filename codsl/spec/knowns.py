"""The checkpoints of a file: their rules and patterns are read, and its settings looked at."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from codsl.diagnostics import Findings, Help, did_you_mean
from codsl.source import Span
from codsl.spec.declared import once
from codsl.spec.known import FOLD, Known
from codsl.spec.renaming import BadRule, Pattern, Renaming, Rule
from codsl.syntax import tree
from codsl.syntax.words import ADAPTER, ADAPTERS, LAYOUTS

TEXTS = ("layout", "sha256", "envelope")
LISTS = ("allow_missing", "allow_unexpected")


def knowns_of(document: tree.Document, findings: Findings) -> tuple[Known, ...]:
    """What a file says of the checkpoints that it knows; what cannot be is reported."""
    once("checkpoint", (each.name for each in document.checkpoints), findings)
    return tuple(_Reader(findings).known(each) for each in document.checkpoints)


class _Reader:
    """From the settings and pairs of one checkpoint to what they mean."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def known(self, node: tree.Checkpoint) -> Known:
        once("setting", (each.name for each in node.settings if each.name), self._findings)
        texts: dict[str, str] = {}
        lists: dict[str, tuple[Pattern, ...]] = {}
        for setting in node.settings:
            match setting:
                case tree.Argument(tree.Name(word), value) if word in TEXTS:
                    texts[word] = self._text(word, value)
                case tree.Argument(tree.Name(word), value) if word in LISTS:
                    lists[word] = tuple(self._patterns(word, value))
                case tree.Argument(tree.Name() as name, _):
                    self._unknown(name)
        return Known(
            node.name.text,
            texts.get("layout") or "torch",
            Renaming(tuple(self._rules(node.rules))),
            texts.get("sha256"),
            texts.get("envelope"),
            lists.get("allow_missing", ()),
            lists.get("allow_unexpected", ()),
            tuple(self._adapters(node.adapters)),
        )

    def _text(self, word: str, value: tree.Expression) -> str:
        text = value.value if isinstance(value, tree.Literal) else None
        if not isinstance(text, str):
            if not isinstance(value, tree.Broken):
                self._findings.add("E0201", f"`{word}` is a text", value.span)
            return ""
        if word == "layout" and text not in LAYOUTS:
            self._no_layout(text, value.span)
        if word == "sha256" and not re.fullmatch(r"[0-9a-f]{64}", text):
            message = "a SHA-256 has 64 digits of 0-9 and a-f"
            self._findings.add("E0305", message, value.span)
        return text

    def _no_layout(self, text: str, at: Span) -> None:
        helps = did_you_mean(text, LAYOUTS, at.within(text))
        listed = Help(f"there are {', '.join(f'`{each}`' for each in LAYOUTS)}")
        self._findings.add("E0604", f"there is no layout `{text}`", at, helps=helps or [listed])

    def _patterns(self, word: str, value: tree.Expression) -> Iterator[Pattern]:
        items = value.items if isinstance(value, tree.Tuple) else (value,)
        for item in items:
            if isinstance(item, tree.Literal) and isinstance(item.value, str):
                with self._reported(item):
                    yield Pattern.parse(item.value)
            elif not isinstance(item, tree.Broken):
                self._findings.add("E0201", f"`{word}` is a list of patterns, texts", item.span)

    def _rules(self, pairs: tuple[tree.Pair, ...]) -> Iterator[Rule]:
        for pair in pairs:
            with self._reported(pair.left, pair.right):
                yield Rule.parse(str(pair.left.value), str(pair.right.value))

    def _adapters(self, pairs: tuple[tree.Pair, ...]) -> Iterator[tuple[Pattern, str]]:
        for pair in pairs:
            word = str(pair.right.value)
            fold = re.fullmatch(FOLD, word)
            if not fold and not re.fullmatch(ADAPTER, word):
                helps = (f"there are {', '.join(f'`{each}`' for each in ADAPTERS)}",)
                message = f"there is no adapter `{word}`"
                self._findings.add("E0604", message, pair.right.span, helps=helps)
            with self._reported(pair.left, pair.right):
                pattern = Pattern.parse(str(pair.left.value))
                if fold:
                    Rule.onto(pattern, fold[2])
                yield pattern, word

    @contextmanager
    def _reported(self, *literals: tree.Literal) -> Iterator[None]:
        try:
            yield
        except BadRule as bad:
            wrong = (each for each in literals if each.value == bad.pattern)
            self._findings.add("E0604", str(bad), next(wrong, literals[0]).span)

    def _unknown(self, name: tree.Name) -> None:
        helps = did_you_mean(name.text, (*TEXTS, *LISTS), name.span)
        self._findings.add("E0203", f"unknown key `{name.text}`", name.span, helps=helps)
