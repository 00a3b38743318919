"""`codsl fmt` and `codsl convert`."""

import io
import stat
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from shell import VIDEO, environment

import codsl as package
from codsl.cli.main import main

UGLY = "codsl 1 # one\nnetwork n { input (3,T)\n relu }\n"
NEAT = "codsl 1  # one\n\nnetwork n {\n  input (3, T)\n  relu\n}\n"
IN_YAML = "codsl: 1  # one\nname: n\ninput: [3, T]\n\nlayers:\n  - relu\n"
BROKEN = "codsl 1\nnetwork n { relu( }\n"


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    path = tmp_path / "ugly.codsl"
    path.write_text(UGLY)
    return path


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def codsl(*arguments: str | Path, cwd: Path | None = None) -> Ran:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(cwd or "."), redirect_stdout(out), redirect_stderr(err):
        status = main(list(map(str, arguments)))
    return Ran(status, out.getvalue(), err.getvalue())


def piped(*arguments: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run a command with its input piped."""
    command = [sys.executable, "-m", "codsl", *arguments]
    return subprocess.run(
        command, input=given, capture_output=True, env=environment(), timeout=60, check=False
    )


def test_files_are_formatted_in_place(ugly: Path) -> None:
    neat = ugly.with_name("neat.codsl")
    neat.write_text(NEAT)
    before = neat.stat()
    ran = codsl("fmt", "neat.codsl", "ugly.codsl", cwd=ugly.parent)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ugly.codsl: formatted\n", "")
    assert ugly.read_text() == NEAT
    assert (neat.stat().st_mtime_ns, neat.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert codsl("fmt", ugly).stdout == ""


def test_mode_and_links_stay(ugly: Path) -> None:
    ugly.chmod(0o640)
    link = ugly.with_name("link.codsl")
    link.symlink_to("ugly.codsl")
    assert codsl("fmt", link).returncode == 0
    assert link.is_symlink()
    assert ugly.read_text() == NEAT
    assert stat.S_IMODE(ugly.stat().st_mode) == 0o640


def test_check_names_what_would_change_and_writes_nothing(ugly: Path) -> None:
    ran = codsl("fmt", "--check", "ugly.codsl", cwd=ugly.parent)
    assert (ran.returncode, ran.stdout) == (1, "ugly.codsl: would change\n")
    assert ugly.read_text() == UGLY
    ugly.write_text(NEAT)
    assert codsl("fmt", "--check", ugly) == Ran(0, "", "")


def test_diff_shows_what_would_change(ugly: Path) -> None:
    ugly.write_text(UGLY.rstrip("\n"))
    ran = codsl("fmt", "--diff", "ugly.codsl", cwd=ugly.parent)
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    assert lines[:2] == ["--- ugly.codsl", "+++ ugly.codsl"]
    assert [line for line in lines if line.startswith("-")][1:] == [
        "-codsl 1 # one",
        "-network n { input (3,T)",
        "- relu }",
    ]
    assert lines[lines.index("- relu }") + 1] == "\\ No newline at end of file"
    assert ugly.read_text() == UGLY.rstrip("\n")
    assert codsl("fmt", "--diff", "--check", ugly).returncode == 1


def test_a_file_with_a_mistake_is_left_alone_and_the_others_are_not(ugly: Path) -> None:
    broken = ugly.with_name("broken.codsl")
    broken.write_text(BROKEN)
    ran = codsl("fmt", "broken.codsl", "nowhere.yaml", "ugly.codsl", cwd=ugly.parent)
    assert ran.returncode == 1
    assert ran.stdout == "ugly.codsl: formatted\n"
    assert "broken.codsl:2:19" in ran.stderr
    assert "`nowhere.yaml` cannot be read" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert broken.read_text() == BROKEN
    assert sorted(path.name for path in ugly.parent.iterdir()) == ["broken.codsl", "ugly.codsl"]


def test_standard_input_is_formatted_to_standard_output() -> None:
    ran = piped("fmt", "-", given=UGLY.replace("one", "一 é").replace("\n", "\r\n").encode())
    assert ran.returncode == 0
    assert ran.stdout.decode() == NEAT.replace("one", "一 é").replace("\n", "\r\n")
    assert piped("fmt", "-", "--check", given=UGLY.encode()).stdout == b"<stdin>: would change\n"
    assert b"not UTF-8 text: byte 3" in piped("fmt", "-", given=b"abc\xff").stderr
    assert b"<stdin>:2:19" in piped("fmt", "-", given=BROKEN.encode()).stderr


def test_a_file_that_cannot_be_written_is_said(ugly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", refuse)
    ran = codsl("fmt", ugly)
    assert ran.returncode == 2
    assert "ugly.codsl` cannot be written: Operation not permitted" in ran.stderr
    assert [path.name for path in ugly.parent.iterdir()] == ["ugly.codsl"]
    assert ugly.read_text() == UGLY


def test_layers_that_are_registered_have_their_arguments_named(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from dataclasses import dataclass\nimport codsl\n"
        "from codsl.layers.activation import LeakyReLU\n"
        "@dataclass(frozen=True)\nclass Steep(LeakyReLU):\n    '''Steep.'''\n"
        "codsl.register(Steep)\n"
    )
    (tmp_path / "a.codsl").write_text("codsl 1\nnetwork n { input (3, T)\n s = steep(0.5) }\n")
    alone = codsl("convert", "a.codsl", cwd=tmp_path)
    assert (alone.returncode, "E0109" in alone.stderr) == (1, True)
    ran = codsl("convert", "a.codsl", "--use", "own.py", cwd=tmp_path)
    assert ran.stdout.endswith("  - steep: {name: s, negative_slope: 0.5}\n"), ran.stderr


def test_a_spec_is_converted_to_standard_output_or_a_file(ugly: Path) -> None:
    assert codsl("convert", ugly).stdout == IN_YAML
    assert codsl("convert", ugly, "--to", "text").stdout == NEAT
    assert piped("convert", "-", given=IN_YAML.encode()).stdout.decode() == NEAT
    output = ugly.with_suffix(".yaml")
    ran = codsl("convert", ugly, "-o", output)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert output.read_text() == IN_YAML
    assert ugly.read_text() == UGLY


def test_an_output_is_not_lost(ugly: Path) -> None:
    output = ugly.with_suffix(".yml")
    output.write_text("mine")
    ran = codsl("convert", ugly, "-o", output)
    assert ran.returncode == 2
    assert "--force writes over it" in ran.stderr
    assert output.read_text() == "mine"
    assert codsl("convert", ugly, "-o", output, "--force").returncode == 0
    assert output.read_text() == IN_YAML
    ugly.write_text(BROKEN)
    assert codsl("convert", ugly, "-o", output, "--force").returncode == 1
    assert output.read_text() == IN_YAML
    for target in (ugly.parent, ugly.parent / "none" / "x.yaml"):
        assert codsl("convert", ugly, "-o", target, "--force").returncode == 2


def test_the_name_of_an_output_says_what_is_written(ugly: Path) -> None:
    codsl("convert", ugly, "-o", ugly.with_name("again.codsl"))
    assert ugly.with_name("again.codsl").read_text() == NEAT
    ran = codsl("convert", ugly, "-o", ugly.with_name("x.yaml"), "--to", "text")
    assert ran.returncode == 2
    assert "is named after yaml, not text" in ran.stderr


def test_what_is_converted_is_the_same_network(tmp_path: Path) -> None:
    (tmp_path / "v.codsl").write_text(VIDEO)
    codsl("convert", "v.codsl", "-o", "v.yaml", cwd=tmp_path)
    for params in ({}, {"width": 5}):
        one, other = (
            package.check(tmp_path / name, params=params) for name in ("v.codsl", "v.yaml")
        )
        assert one.fingerprint == other.fingerprint
