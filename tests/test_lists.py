"""The lists in the documents are whole: of constructs, words, layers, commands, formats, codes."""

import json
import re
from pathlib import Path

import pytest

import codsl
from codsl.cli.main import COMMANDS
from codsl.explanations import titles
from codsl.layers.table import table
from codsl.spec.arithmetic import FUNCTIONS
from codsl.syntax.words import ADAPTERS, LAYOUTS, RESERVED, TYPES
from codsl.weights.formats.table import FORMATS

ROOT = Path(__file__).parents[1]
README, INDEX, LANGUAGE = (
    ROOT / name for name in ("README.md", "docs/README.md", "docs/language.md")
)
ROW = re.compile(r"^\| [^|]+ \| `(?P<yaml>[^`]+)` \| `(?P<text>[^`]+)` \|$", re.MULTILINE)
LAST = "What is refused, and what to do"

CONTEXT = {
    "text": """codsl 1
template unit(out: int, act: layer = "relu") { conv3d(out, 1) act }
network row(n = 2) { input (8, T, 4, 4) a = conv3d(8, 1) b = conv3d(8, 1) %s }
""",
    "yaml": """codsl: 1
name: row
params: {n: 2}
input: [8, T, 4, 4]
templates:
  unit:
    params: {out: int, act: {type: layer, default: relu}}
    layers: [{conv3d: {out_channels: $out, kernel_size: 1}}, $act]
layers:
  - conv3d: {name: a, out_channels: 8, kernel_size: 1}
  - conv3d: {name: b, out_channels: 8, kernel_size: 1}
  - %s
""",
}


def constructs() -> str:
    """The table of what stands among the layers, below its head."""
    return (
        LANGUAGE.read_text(encoding="utf-8")
        .split("| construct | YAML | text |")[1]
        .split("\n\n")[0]
    )


def rows() -> list[tuple[str, str]]:
    return [(row["yaml"], row["text"]) for row in ROW.finditer(constructs())]


def test_the_table_of_constructs_is_read_whole() -> None:
    assert len(rows()) == constructs().count("\n") - 1


@pytest.mark.parametrize(("in_yaml", "in_text"), rows())
def test_a_construct_means_the_same_in_both_surfaces(in_yaml: str, in_text: str) -> None:
    reports = [
        codsl.check(CONTEXT[surface] % written).report().to_dict()
        for surface, written in (("yaml", in_yaml), ("text", in_text))
    ]
    assert reports[0] == reports[1]


def test_the_sections_of_a_file_are_listed() -> None:
    table = LANGUAGE.read_text("utf-8").split("## A file")[1].split("\n\n")[1]
    listed = re.findall(r"^\| [^|`]+ \| `(\w+):", table, flags=re.MULTILINE)
    schema = json.loads((ROOT / "schemas" / "codsl-1.schema.json").read_text("utf-8"))
    assert set(listed) == set(schema["properties"])


def test_the_words_of_the_language_are_listed() -> None:
    listed = re.search(r"except the language's own: `([^`]+)`", LANGUAGE.read_text("utf-8"))
    assert listed is not None
    assert set(listed[1].split()) == RESERVED


def test_the_functions_and_types_are_listed() -> None:
    text = LANGUAGE.read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| functions |"))
    assert set(FUNCTIONS) <= set(re.findall(r"[a-z_]+", row.split("|")[2]))
    listed = re.search(r"types are `([^`]+)`", text)
    assert listed is not None
    assert set(listed[1].split()) == TYPES


def test_the_list_of_layers_is_whole() -> None:
    section = README.read_text(encoding="utf-8").split("## Layers")[1].split("\n\n")[1]
    own = {name for name, row in table().items() if row.__module__.startswith("codsl.layers.")}
    assert set(re.findall(r"`(\w+)`", section)) == own


def test_every_command_is_listed() -> None:
    section = README.read_text(encoding="utf-8").split("## Command line")[1].split("\n\n")[1]
    assert set(re.findall(r"`codsl (\w+)", section)) == set(COMMANDS)


def test_every_page_is_in_the_index() -> None:
    listed = re.findall(r"^\| \[[^]]+\]\((\w+\.md)\)", INDEX.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(
        page.name for page in INDEX.parent.glob("*.md") if page != INDEX
    )


def section(title: str) -> str:
    """A section of the page on weights."""
    text = (ROOT / "docs" / "weights.md").read_text(encoding="utf-8")
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_envelopes_are_in_their_order() -> None:
    listed = re.findall(r"^\d+\. `(\w+)`$", section("Files"), flags=re.MULTILINE)
    assert tuple(listed) == codsl.weights.ENVELOPES


def test_the_formats_are_all_there() -> None:
    listed = {
        each for row in rows_of("Files") for each in re.findall(r"`(\.[\w.]+)`", row.split("|")[2])
    }
    assert listed == {suffix for format in FORMATS for suffix in format.suffixes}


def test_the_layouts_and_adapters_are_all_there() -> None:
    layouts = [
        each for row in rows_of("Layouts") for each in re.findall(r"`(\w+)`", row.split("|")[1])
    ]
    assert sorted(layouts) == sorted(LAYOUTS)
    adapters = {row.split("`")[1].replace("[a:b]", "[1:]") for row in rows_of("Other shapes")}
    assert adapters == set(ADAPTERS)


def test_the_codes_are_all_there() -> None:
    listed = [tuple(part.strip() for part in row.split("|")[1:3]) for row in rows_of(LAST)]
    assert listed == [(code, title) for code, title in titles().items() if code.startswith("E06")]


def rows_of(title: str) -> list[str]:
    """The rows of the first table of such a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return lines[2:]
