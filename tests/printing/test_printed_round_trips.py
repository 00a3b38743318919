"""Nothing is lost by formatting or converting: trees, comments, and what a network is."""

import random
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from remarks import disturbed_text, disturbed_yaml, restyled
from trees import Trees, orders, printed

import codsl
from codsl.printing.lines import Line
from codsl.printing.positions import named
from codsl.source import Source, Span
from codsl.syntax import tree

NETWORKS = Path(__file__).parents[2] / "networks"
FILES = sorted(path for path in NETWORKS.iterdir() if path.suffix in (".codsl", ".yaml"))
OWN = {".codsl": "text", ".yaml": "yaml"}
REMARK = re.compile(r"(?:alone|far|level|beside) \d+")
ENOUGH = 15
"""Random trees, and random disturbances of files, that are tried."""
SMALL = 4000
"""Bytes of a file that is disturbed, at most."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_networks_are_formatted_and_convert_both_ways(path: Path) -> None:
    text = path.read_text("utf-8")
    assert codsl.format(text) == text
    converted = codsl.convert(text)
    assert codsl.convert(converted, OWN[path.suffix]) == text
    given, other = (codsl.check(each, root=NETWORKS).fingerprint for each in (text, converted))
    assert given == other


def test_random_trees_have_everything() -> None:
    """Every class of the tree, and each of its fields with more than nothing in it."""
    seen: set[tuple[str, str]] = set()
    pending: list[object] = [Trees(seed).document() for seed in range(6 * ENOUGH)]
    while pending:
        node = pending.pop()
        for field in getattr(node, "__dataclass_fields__", ()):
            if getattr(node, field) not in (None, ()):
                seen.add((type(node).__name__, field))
        pending += tree.children(node)
    classes = [
        each for each in vars(tree).values() if is_dataclass(each) and each not in (Source, Span)
    ]
    wanted = {(each.__name__, part.name) for each in classes for part in fields(each)}
    assert wanted - seen == {("Broken", part.name) for part in fields(tree.Broken)}


@pytest.mark.parametrize("seed", range(ENOUGH))
def test_random_trees_are_printed_and_read(seed: int) -> None:
    """The tree of what is printed is the tree; it is formatted; each surface gives the other."""
    trees = Trees(seed)
    document = named(trees.document(), orders())
    in_text, in_yaml = printed(document, trees.chosen())
    assert named(codsl.parse(in_text), orders()) == document
    assert named(codsl.parse(in_yaml), orders()) == document
    assert codsl.format(in_text) == in_text
    assert codsl.format(in_yaml) == in_yaml
    assert codsl.convert(in_text) == in_yaml
    assert codsl.convert(in_yaml) == in_text


def disturbed(chance: random.Random) -> tuple[str, str, str]:
    """A file, the same with comments and space anywhere, and its kind."""
    if chance.random() < 0.5:
        path = chance.choice([path for path in FILES if path.stat().st_size < SMALL])
        text, kind = path.read_text("utf-8"), path.suffix
    else:
        trees = Trees(chance.randrange(1000))
        both = printed(named(trees.document(), orders()), trees.chosen())
        at = chance.randrange(2)
        text, kind = both[at], (".codsl", ".yaml")[at]
    most = chance.choice([3, 12, 60])
    if kind == ".codsl":
        return text, disturbed_text(text, chance, most), kind
    again = restyled(text, chance) if chance.random() < 0.5 else text
    return text, disturbed_yaml(again, chance, most), kind


def test_disturbed_files_are_formatted_and_lose_no_comment() -> None:
    """Disturbances that break a file, as in the middle of a text, are left out."""
    chance, tried = random.Random(1), 0
    while tried < ENOUGH:
        text, noisy, kind = disturbed(chance)
        document = named(codsl.parse(text), orders())
        try:
            if named(codsl.parse(noisy), orders()) != document:
                continue
        except codsl.SpecError:
            continue
        tried += 1
        formatted = codsl.format(noisy)
        assert sorted(REMARK.findall(formatted)) == sorted(REMARK.findall(noisy))
        assert codsl.format(formatted) == formatted, noisy
        converted = codsl.convert(formatted)
        assert codsl.format(converted) == converted, noisy
        assert codsl.convert(converted, OWN[kind]) == formatted, noisy


def test_parts_that_get_lost_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codsl.printing.text_lines._pair", lambda pair, sign: [Line(2)])
    with pytest.raises(codsl.SpecError, match="E0109"):
        codsl.format(NETWORKS / "x3d.codsl")


def test_comments_that_get_lost_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codsl.printing.margins._Reader._place", lambda self, comment: None)
    with pytest.raises(RuntimeError, match="a comment was lost"):
        codsl.format(NETWORKS / "x3d.codsl")
