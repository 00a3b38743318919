"""The TextMate grammar: not stale, and it tells words apart as the parser does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codsl.syntax import colours
from codsl.syntax.colours import coloured, keywords
from codsl.syntax.grammar import grammar
from codsl.syntax.words import RESERVED

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "editors" / "vscode"
RULES = json.loads((FOLDER / "codsl.tmLanguage.json").read_text())["patterns"]
COMPILED = [(re.compile(rule["match"]), rule) for rule in RULES]
NETWORKS = sorted((ROOT / "networks").glob("*.codsl"))

Scopes = dict[int, str]
"""The scope of each character of a text that has one."""


def colour(text: str) -> Scopes:
    """The scopes that an editor gives, line by line, the first rule that matches earliest."""
    found: Scopes = {}
    start = 0
    for line in text.split("\n"):
        at = 0
        while at <= len(line):
            matches = [(match.start(), order) for order, match in _matches(line, at)]
            if not matches:
                break
            _, order = min(matches)
            pattern, rule = COMPILED[order]
            match = pattern.search(line, at)
            assert match is not None
            paint(match, rule, start, found)
            at = max(match.end(), at + 1) if match.end() == match.start() else match.end()
        start += len(line) + 1
    return found


def _matches(line: str, at: int) -> Iterator[tuple[int, re.Match[str]]]:
    for order, (pattern, _) in enumerate(COMPILED):
        if match := pattern.search(line, at):
            yield order, match


def paint(match: re.Match[str], rule: dict[str, Any], start: int, found: Scopes) -> None:
    if "name" in rule:
        found.update(dict.fromkeys(range(start + match.start(), start + match.end()), rule["name"]))
    for group, entry in rule.get("captures", {}).items():
        if "name" in entry:
            first, last = match.span(int(group))
            found.update(dict.fromkeys(range(start + first, start + last), entry["name"]))


def tokens(text: str) -> Iterator[Any]:
    yield from grammar().parse_interactive(text, start="document").iter_parse()


WORDS = {"constant.language.codsl", "keyword.operator.word.codsl", "keyword.control.codsl"}
OF = {
    "STRING": {"string.quoted.double.codsl"},
    "INT": {"constant.numeric.codsl"},
    "FLOAT": {"constant.numeric.codsl"},
    "COMPARE": {"keyword.operator.codsl"},
    "POWER": {"keyword.operator.codsl"},
    "TIMES": {"keyword.operator.codsl"},
}


def disagreements(text: str) -> list[str]:
    """The tokens of the parser that have another colour than they should."""
    scopes = colour(text)
    wrong = []
    for token in tokens(text):
        given = {scopes.get(at) for at in range(token.start_pos, token.end_pos)}
        if token == "input":
            fine = given == {"keyword.control.codsl"}  # also where `from` names it
        elif token.type == "NAME":
            fine = len(given) == 1 and None not in given and not given & WORDS
        elif str(token) in keywords():
            fine = len(given) == 1 and given <= WORDS
        else:
            fine = given <= OF.get(token.type, given)
        if not fine:
            wrong.append(f"{token!r} at {token.line}: {given}")
    return wrong


def test_it_is_not_stale() -> None:
    written = (FOLDER / "codsl.tmLanguage.json").read_text("utf-8")
    assert written == coloured(), "`make generated` writes it anew"


def test_the_words_are_those_of_the_parser() -> None:
    assert {"network", "template", "residual", "per_frame", "true"} <= keywords()
    assert keywords() - RESERVED == set(colours.BETWEEN)
    painted = " ".join(rule["match"] for rule in RULES)
    assert all(re.search(rf"\b{word}\b", painted) for word in keywords())


def test_a_new_word_asks_for_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colours, "keywords", lambda: keywords() | {"brandnew"})
    with pytest.raises(ValueError, match="brandnew"):
        coloured()


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.name)
def test_every_network_has_the_colours_of_the_parser(path: Path) -> None:
    assert disagreements(path.read_text()) == []


TRICKY = """codsl 1 # "no text" in here
doc "a \\"word\\" {i} # not a comment"
import "./blocks.codsl" as as
template unit(rate: int, weights = 0x1F, act: layer = "relu") {
  let step = rate ** -2, codsl = -1e-3
  a[i in 1..4 step 2] = conv1d(rate * 8 // 2, 3, padding=((1, 0),)) from input
  when not (rate >= 2 and true) or weights != 1 { as.unit(x=1) } else { relu }
  act
}
network two(import = 2.5) {
  inputs near (3, T, 4) rate 30, far (rate, T, 8) rate (30 if import == 2 else 15)
  b = parallel("concat") { left { silu } { relu } } from near
  join("sum") from b.left[*], far
  unit(rate=2)
  outputs b
}
variant rate { import = 3.0 }
weights "hub" { layout = "keras"; "a.{i}" -> "b.{i+1}" "c" = "rows[1:]" }
"""


def test_tricky_places_have_the_colours_of_the_parser() -> None:
    assert disagreements(TRICKY) == []
    scopes = colour(TRICKY)

    def of(word: str, skip: int = 0) -> str | None:
        return scopes.get([found.start() for found in re.finditer(word, TRICKY)][skip])

    assert of('# "no text"') == "comment.line.number-sign.codsl"
    assert of("conv1d") == of("silu") == of("act\n") == "entity.name.function.codsl"
    assert of("unit") == "entity.name.type.codsl"
    assert of("padding") == "variable.parameter.codsl"
    assert of("layer") == "support.type.codsl"


def test_a_wrong_colour_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [(pattern, rule) for pattern, rule in COMPILED if "keyword.control" not in str(rule)]
    monkeypatch.setattr("test_colours.COMPILED", rules)
    assert any("'template'" in each for each in disagreements(TRICKY))


def test_what_the_editor_is_told_is_there() -> None:
    whole = json.loads((FOLDER / "package.json").read_text())
    assert (FOLDER / whole["main"]).is_file()
    package = whole["contributes"]
    assert package["configuration"]["properties"]["codsl.command"]["default"] == ["codsl", "lsp"]
    (language,), (rules,) = package["languages"], package["grammars"]
    assert language["extensions"] == [".codsl"]
    json.loads((FOLDER / language["configuration"]).read_text())
    assert (FOLDER / rules["path"]).is_file()
    assert rules["language"] == language["id"]
