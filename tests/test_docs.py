"""The documents keep their word: what they show runs, checks, and prints what stands there.

A fenced block of Python runs, all of a document's in order; one of YAML or text that begins with
`codsl` is checked, and lies beside them under the name of its network. A block that names its file
(the second word of the fence) lies there; a spec of that kind has mistakes. In a console block
what follows `$ codsl ...` is what that command prints once the Python has run; a command without
`$`, for files that are not there, is one that the command line takes.
`python tests/test_docs.py` writes the console blocks anew.
"""

import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

import pytest

import codsl
from codsl.cli.main import COMMANDS, main, parser
from codsl.explanations import titles
from codsl.layers.table import table
from codsl.spec.values import FUNCTIONS
from codsl.syntax.words import ADAPTERS, LAYOUTS, RESERVED, TYPES
from codsl.weights.formats.table import FORMATS

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
README, INDEX, LANGUAGE = (
    ROOT / name for name in ("README.md", "docs/README.md", "docs/language.md")
)
DOCUMENTS = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *(page for page in PAGES if page.name != "errors.md"),
]
"""That of the errors is made of examples which `test_explanations.py` tries one by one."""
SURFACES = {"text": ".codsl", "yaml": ".yaml"}
FENCE = re.compile(r"^```(?P<words>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| [^|]+ \| `(?P<yaml>[^`]+)` \| `(?P<text>[^`]+)` \|$", re.MULTILINE)
LAST = "What is refused, and what to do"
FIGURE = re.compile(r"\d+\.\d+(e-?\d+)?|\d+e-?\d+")
"""What differs from one run to the next: seconds, rates, roundings."""

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


@dataclass(frozen=True)
class Block:
    language: str
    file: str
    body: str

    @property
    def is_spec(self) -> bool:
        lines = [line for line in self.body.splitlines() if line and not line.startswith("#")]
        return self.language in SURFACES and lines[:1] != [] and lines[0].startswith("codsl")


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> list[Block]:
    found = []
    for fence in FENCE.finditer(document.read_text(encoding="utf-8")):
        language, _, file = fence["words"].partition(" ")
        found.append(Block(language, file, fence["body"]))
    return found


def lay_out(document: Path, folder: Path) -> None:
    """Put the files of a document into a folder; two of one name are a mistake of the document."""
    (folder / "networks").symlink_to(ROOT / "networks")
    if any(block.file.startswith("codsl/") for block in blocks(document)):
        copytree(ROOT / "codsl", folder / "codsl", ignore=ignore_patterns("__pycache__"))
    for block in blocks(document):
        if block.file or block.is_spec:
            name = block.file or codsl.check(block.body).name + SURFACES[block.language]
            path = folder / name
            assert not path.exists(), f"{document.name} has {name} twice"
            path.write_text(block.body, encoding="utf-8")


def run_python(document: Path, folder: Path) -> None:
    """Run the Python of a document where its files lie."""
    pieces = [each.body for each in blocks(document) if each.language == "python" and not each.file]
    if not pieces:
        return
    code = folder / "page.py"
    code.write_text("\n".join(pieces), encoding="utf-8")
    place = folder if (folder / "codsl").exists() else ROOT
    done = subprocess.run(
        [sys.executable, "-W", "error", str(code)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def printed(command: str, folder: Path) -> str:
    out = io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(out):
        main(shlex.split(command)[1:])
    return out.getvalue()


def transcripts(document: Path) -> Iterator[tuple[str, str]]:
    """The commands of the console blocks, and what is printed below each."""
    for block in blocks(document):
        if block.language == "console":
            for part in re.split(r"^\$ (?=codsl )", block.body, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield command, output


def steady(command: str, output: str) -> str:
    return FIGURE.sub("#", output) if command.startswith(("codsl run", "codsl export")) else output


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_specs_are_what_they_seem(document: Path) -> None:
    for block in blocks(document):
        if block.is_spec and block.file:
            with pytest.raises(codsl.SpecError):
                codsl.check(block.body)
        elif block.is_spec:
            codsl.check(block.body)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_python_runs_and_commands_print_what_stands_there(document: Path, tmp_path: Path) -> None:
    lay_out(document, tmp_path)
    run_python(document, tmp_path)
    for command, output in transcripts(document):
        now = printed(command, tmp_path)
        assert steady(command, now) == steady(command, output), f"{document.name}: {command}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_settings_of_other_tools_can_be_read(document: Path) -> None:
    for block in blocks(document):
        if block.language == "toml":
            assert tomllib.loads(block.body)


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    kinds = {block.language for document in DOCUMENTS for block in blocks(document)}
    assert kinds <= {*SURFACES, "python", "console", "sh", "toml"}


def test_the_readme_shows_commands() -> None:
    commands = [command.split()[1] for command, _ in transcripts(README)]
    assert {"check", "report", "run"} <= set(commands)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_commands_that_are_not_run_are_ones_that_there_are(document: Path) -> None:
    for block in blocks(document):
        if block.language in ("sh", "console"):
            for line in re.findall(r"^codsl .*$", block.body, flags=re.MULTILINE):
                parser().parse_args(shlex.split(re.split("[<>|]", line)[0], comments=True)[1:])


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_options_that_are_spoken_of_are_there(document: Path) -> None:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    for command in re.findall(rf"`codsl ((?:{'|'.join(COMMANDS)}) [^`]*)`", text):
        name, *words = re.split(r"[\s=]+", command)
        told = {word for word in words if word.startswith("--")}
        assert told <= options(name), f"{document.name}: codsl {command}"


def options(command: str) -> set[str]:
    """All options of a command and of its parts, by the page that is made of them."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    parts = re.findall(rf"^## codsl {command}\b.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`(--[\w-]+)", "".join(parts)))


def test_both_surfaces_of_a_network_are_one() -> None:
    pairs = {}
    for document in (README, LANGUAGE):
        by_name: dict[str, list[codsl.Graph]] = {}
        for block in blocks(document):
            if block.is_spec and not block.file:
                graph = codsl.check(block.body)
                by_name.setdefault(graph.name, []).append(graph)
        pairs |= {name: graphs for name, graphs in by_name.items() if len(graphs) == 2}
    assert set(pairs) == {"first", "resnet"}
    for text, other in pairs.values():
        assert text.report().to_dict() == other.report().to_dict()


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
    assert set(
        re.findall(r"\b[a-z_]{3,}(?=[ `(])", row.split("|")[2].split(", the rule")[0])
    ) >= set(FUNCTIONS)
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
    assert sorted(listed) == sorted(page.name for page in PAGES if page != INDEX)


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


def test_links_lead_somewhere() -> None:
    for document in DOCUMENTS:
        text = FENCE.sub("", document.read_text(encoding="utf-8"))
        for target, anchor in re.findall(r"\]\(([^)#:]*)#?([^):]*)\)", text):
            page = document.parent / target if target else document
            assert page.exists(), f"{document.name}: {target}"
            assert not anchor or anchor in anchors(page), f"{document.name}: {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """What a link can name in a page: its titles, as code hosts spell them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def rewrite(document: Path) -> None:
    """Print below each command of the console blocks what it prints now."""

    def anew(fence: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (codsl .*)$", fence["body"], flags=re.MULTILINE)
        if fence["words"] != "console" or not commands:
            return fence[0]
        parts = [f"$ {command}\n{printed(command, folder)}" for command in commands]
        return "```console\n" + "".join(parts) + "```"

    with TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(document, folder)
        run_python(document, folder)
        text = document.read_text(encoding="utf-8")
        document.write_text(FENCE.sub(anew, text), encoding="utf-8")


if __name__ == "__main__":
    for each in DOCUMENTS:
        rewrite(each)
