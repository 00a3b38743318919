"""The documents keep their word: what they show runs, checks, and prints what stands there.

A fenced block of Python runs, all of a document's in order; one of YAML or text that begins with
`codsl` is checked, and lies beside them under the name of its network. A block that names its file
(the second word of the fence) lies there; a spec of that kind has mistakes. In a console block
what follows `$ codsl ...` is what that command prints once the Python has run; a command without
`$`, for files that are not there, is one that the command line takes.
`python tests/test_docs.py` writes the console blocks anew.
"""

import io
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
import forked
from codsl.cli.main import COMMANDS, main, parser

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
README = ROOT / "README.md"
DOCUMENTS = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *(page for page in PAGES if page.name != "errors.md"),
]
"""That of the errors is made of examples which `test_explanations.py` tries one by one."""
SURFACES = {"text": ".codsl", "yaml": ".yaml"}
FENCE = re.compile(r"^```(?P<words>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"\d+\.\d+(e-?\d+)?|\d+e-?\d+")
"""What differs from one run to the next: seconds, rates, roundings."""


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
    if not (folder / "codsl").exists():
        done = forked.done(forked.script, str(code), folder=folder)
        assert done.returncode == 0, done.stderr.decode()
        return
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(code)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


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
    """But for the settings of Neovim: nothing here reads Lua. Who exports to C++ reads that."""
    kinds = {block.language for document in DOCUMENTS for block in blocks(document)}
    assert kinds <= {*SURFACES, "python", "console", "sh", "toml", "lua", "cpp"}


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
    for document in (README, ROOT / "docs" / "language.md"):
        by_name: dict[str, list[codsl.Graph]] = {}
        for block in blocks(document):
            if block.is_spec and not block.file:
                graph = codsl.check(block.body)
                by_name.setdefault(graph.name, []).append(graph)
        pairs |= {name: graphs for name, graphs in by_name.items() if len(graphs) == 2}
    assert set(pairs) == {"first", "resnet"}
    for text, other in pairs.values():
        assert text.report().to_dict() == other.report().to_dict()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_rows_of_tables_are_as_wide_as_their_heads(document: Path) -> None:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    for found in re.findall(r"(?:^\|.*\|$\n)+", text, flags=re.MULTILINE):
        widths = [len(re.findall(r"(?<!\\)\|", line)) for line in found.splitlines()]
        assert len(set(widths)) == 1, f"{document.name}: {found.splitlines()[0]}"


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
