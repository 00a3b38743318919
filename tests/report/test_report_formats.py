"""Diagnostics as SARIF 2.1.0 and as annotations: what the standards ask for, each by itself."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest

import codsl
from codsl.diagnostics import Applicability, Diagnostic, Edit, Help, Label
from codsl.pipeline import inspect
from codsl.report.annotations import annotations
from codsl.report.sarif import sarif
from codsl.source import Source

TEXT = """codsl: 1
input: [3, T, 8, 8]
templates: {idle: {layers: [relu]}}
layers:
  - conv3d: {name: a, out_channels: 8, kernal_size: 3}
  - relu: {name: a}
  - convolve
"""
TITLES = {"E0302": "an unknown layer", "E0303": "an argument", "E0306": "a name", "E0103": "no"}


def found(text: str = TEXT, name: str = "some folder/n.yaml") -> tuple[Diagnostic, ...]:
    try:
        return inspect(Source(name, text))[1]
    except codsl.SpecError as error:
        return error.diagnostics


@pytest.fixture
def log() -> Any:
    return json.loads(json.dumps(sarif(found(), "n.yaml", TITLES, "1.2.3")))


def test_sarif_names_its_version_and_the_tool(log: Any) -> None:
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("codsl", "1.2.3")
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in driver["rules"]] == sorted({each.code for each in found()})
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] == TITLES[rule["id"]]


def test_every_result_has_its_rule_its_level_and_its_place(log: Any) -> None:
    (run,) = log["runs"]
    assert len(run["results"]) == len(found()) == 3
    for result, each in zip(run["results"], found(), strict=True):
        assert result["ruleId"] == each.code
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == each.code
        assert result["level"] == each.severity
        assert result["message"]["text"].startswith(each.message)
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert unquote(place["artifactLocation"]["uri"]) == "some folder/n.yaml"
        assert " " not in place["artifactLocation"]["uri"]
        assert cut(TEXT, place["region"]) == each.span.text


def test_the_other_places_are_related(log: Any) -> None:
    (result,) = (each for each in log["runs"][0]["results"] if each["ruleId"] == "E0306")
    (related,) = result["relatedLocations"]
    assert related["id"] == 1
    assert related["message"]["text"] == "first here"
    assert cut(TEXT, related["physicalLocation"]["region"]) == "a"


def test_remedies_are_fixes(log: Any) -> None:
    (result,) = (each for each in log["runs"][0]["results"] if each["ruleId"] == "E0303")
    (fix,) = result["fixes"]
    assert fix["description"]["text"] == "did you mean `kernel_size`?"
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    assert cut(TEXT, replacement["deletedRegion"]) == "kernal_size"
    assert replacement["insertedContent"]["text"] == "kernel_size"


def test_warnings_and_what_has_no_place() -> None:
    warnings = found(TEXT.split("  - conv3d", maxsplit=1)[0] + "  - relu\n")
    log = sarif(warnings, "n.yaml", {"W0702": "idle"}, "1")
    assert [each["level"] for each in log["runs"][0]["results"]] == ["warning"]
    nowhere = Diagnostic("E0103", "it cannot be read")
    (result,) = sarif([nowhere], "n.yaml", TITLES, "1")["runs"][0]["results"]
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "n.yaml"}}}]
    assert sarif([], "n.yaml", TITLES, "1")["runs"][0]["results"] == []


def test_absolute_paths_are_file_uris() -> None:
    (result, *_) = sarif(found(name="/a b/n.yaml"), "n.yaml", TITLES, "1")["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///a%20b/n.yaml"}


def cut(text: str, region: dict[str, int]) -> str:
    """What a region of a text holds."""
    lines = text.splitlines(keepends=True)
    start = sum(map(len, lines[: region["startLine"] - 1])) + region["startColumn"] - 1
    end = sum(map(len, lines[: region["endLine"] - 1])) + region["endColumn"] - 1
    return text[start:end]


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command, as the runner reads it."""
    kind, properties, message = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()
    pairs = (each.split("=", 1) for each in properties.split(","))
    return kind, {key: unescape(value) for key, value in pairs}, unescape(message)


def unescape(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_each_annotation_is_a_line_with_its_place() -> None:
    lines = annotations(found(), "n.yaml").splitlines()
    assert len(lines) == 3
    for line, each in zip(lines, found(), strict=True):
        kind, where, message = read(line)
        assert kind == each.severity == "error"
        assert where["file"] == "some folder/n.yaml"
        assert where["title"] == each.code
        place = (int(where["line"]), int(where["col"]), int(where["endColumn"]))
        span = each.span
        assert place == (span.line, span.column, span.column + len(span.text))
        assert message.split("\n")[0] == each.message
        assert all(f"help: {help_.text}" in message.split("\n") for help_ in each.helps)


def test_nothing_in_an_annotation_ends_it_or_starts_another() -> None:
    """Commas, colons, percent signs and line breaks in names are escaped, escapes are spelled."""
    source = Source("a,b:c%25\n::error::d", "x\ny")
    help_ = Help("50%\n::warning::no", (Edit(source.span(0, 1), "y"),), Applicability.SURE)
    each = Diagnostic("E0302", "\x1b[31m %0A", (Label(source.span(0, 3)),), (), (help_,))
    (line,) = annotations([each], "n.yaml").splitlines()
    _, where, message = read(line)
    assert where["file"] == "a,b:c%25\\n::error::d"
    assert (where["line"], where["endLine"], "endColumn" in where) == ("1", "2", False)
    assert message == "\\x1b[31m %0A\nhelp: 50%\\n::warning::no"


def test_an_annotation_without_a_place_is_of_the_spec() -> None:
    (line,) = annotations([Diagnostic("E0103", "no")], "n.yaml").splitlines()
    assert line == "::error file=n.yaml,title=E0103::no"
