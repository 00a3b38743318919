"""`codsl check`, and what holds for every command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from shell import codsl, environment, started

import codsl as package
from codsl import mending
from codsl.cli.main import main
from codsl.cli.spec import LONGEST, parameter
from codsl.diagnostics import Edit


def test_a_sound_spec_is_fine_in_one_line(signal_spec: Path) -> None:
    ran = started("check", signal_spec.name, cwd=signal_spec.parent)
    assert ran.returncode == 0
    assert ran.stdout == "signal.yaml: fine: 2 layers, receptive field 7, delay 2\n"
    assert ran.stderr == ""


def test_all_mistakes_are_shown_on_stderr_and_counted(wrong_spec: Path) -> None:
    ran = codsl("check", wrong_spec)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "kernel_sise" in ran.stderr
    assert "convolve" in ran.stderr
    assert "\n2 errors\n" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_mistakes_as_json(wrong_spec: Path) -> None:
    ran = started("check", wrong_spec, "--format", "json")
    assert ran.returncode == 1
    assert ran.stderr == ""
    found = json.loads(ran.stdout)
    with pytest.raises(package.SpecError) as error:
        package.check(wrong_spec)
    assert found == {"diagnostics": [each.to_json() for each in error.value.diagnostics]}
    assert {each["labels"][0]["line"] for each in found["diagnostics"]} == {4, 5}


def test_no_mistakes_as_json(signal_spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(signal_spec), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"diagnostics": []}


def test_a_missing_spec_and_a_directory_are_mistakes(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        ran = codsl("check", path)
        assert ran.returncode == 1
        assert "cannot be read" in ran.stderr
        assert "Traceback" not in ran.stderr


def test_a_path_with_a_line_break_is_a_path(tmp_path: Path) -> None:
    ran = codsl("check", "codsl 1\nnetwork n { input (1, T) relu }", cwd=tmp_path)
    assert ran.returncode == 1
    assert "there is no such file" in ran.stderr


@pytest.mark.parametrize("command", ["check", "report"])
def test_torch_and_rich_stay_unloaded(command: str, signal_spec: Path) -> None:
    code = (
        "import sys; from codsl.cli.main import main\n"
        f"status = main(['{command}', sys.argv[1]])\n"
        "loaded = [name for name in ('torch', 'rich', 'av') if name in sys.modules]\n"
        "sys.exit(f'{status} {loaded}' if status or loaded else 0)"
    )
    line = [sys.executable, "-c", code, str(signal_spec)]
    ran = subprocess.run(line, capture_output=True, text=True, env=environment(), check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["check"],
        ["check", "a.yaml", "b.yaml"],
        ["check", "a.yaml", "-p", "width"],
        ["check", "a.yaml", "-p", "=3"],
        ["check", "a.yaml", "-p", "k=(1,"],
        ["check", "a.yaml", "-p", "k=(1, nowhere)"],
        ["check", "a.yaml", "-p", "act=leaky_relu(0.1)"],
        ["check", "a.yaml", "-p", f"k=({'1,' * LONGEST})"],
        ["check", "a.yaml", "-p", f"k=({'-' * 200}1,"],
        ["check", "a.yaml", "--format", "xml"],
        ["run", "a.yaml"],
        ["run", "a.yaml", "--input", "demo", "--frames", "0"],
        ["run", "a.yaml", "--input", "demo", "--frames", "1e3"],
        ["run", "a.yaml", "--input", "demo", "--seed", "-1"],
        ["run", "a.yaml", "--input", "demo", "--seed", "9" * 30],
    ],
)
def test_wrong_use_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("n=3", 3),
        ("n=1e-5", 1e-5),
        ("n=true", True),
        ("n=no", "no"),
        ("n=relu", "relu"),
        ("n=a=b", "a=b"),
        ("n=null", None),
        ("n=(1, 2)", (1, 2)),
        ("n=((1, 2), 2 * 3, true)", ((1, 2), 6, True)),
        ('n="3"', "3"),
        ("n=leaky_relu(negative_slope=0.1)", {"leaky_relu": {"negative_slope": 0.1}}),
        ("n=max(2, 3)", 3),
    ],
)
def test_values_of_parameters(written: str, value: object) -> None:
    name, found = parameter(written)
    assert name == "n"
    assert found == value
    assert type(found) is type(value)


def test_parameters_and_variants_reach_the_spec(video_spec: Path) -> None:
    def params(*arguments: str) -> int:
        ran = codsl("report", video_spec, "--json", *arguments)
        assert ran.returncode == 0, ran.stderr
        return int(json.loads(ran.stdout)["total"]["params"])

    plain = params()
    assert params("--variant", "wide") > plain
    assert params("--variant", "wide", "-p", "width=4") == plain
    assert params("-p", "kernel=(5, 3, 3)") > plain
    assert params("-p", "act=leaky_relu(negative_slope=0.2)") == plain
    for wrong in (["--variant", "narrow"], ["-p", "wdth=3"], ["-p", "act=3"]):
        ran = codsl("check", video_spec, *wrong)
        assert ran.returncode == 1
        assert "error[E0312]" in ran.stderr


def test_nothing_that_a_terminal_acts_on_is_printed(tmp_path: Path) -> None:
    sound = tmp_path / "a[red]\x1b[31m\u202e.yaml"
    sound.write_text("codsl: 1\ninput: [2, T]\nlayers: [relu]\n")
    ran = codsl("check", sound)
    assert ran.returncode == 0
    assert "a[red]\\x1b[31m\\u202e.yaml: fine" in ran.stdout
    for arguments in (
        ["check", tmp_path / "\x1b[31mno.yaml"],
        ["run", sound, "--input", "\x1b[2J"],
    ):
        ran = codsl(*arguments)
        assert ran.returncode in (1, 2)
        assert "\x1b" not in ran.stdout + ran.stderr
        assert "\\x1b" in ran.stderr


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.yaml")
    Path(path).write_text("codsl: 1\ninput: [2, T]\nlayers: [relu]\n")
    ran = started("check", path)
    assert ran.returncode == 0, ran.stderr
    assert "fine" in ran.stdout


def test_a_reader_that_goes_away_leaves_no_traceback(signal_spec: Path) -> None:
    line = [sys.executable, "-m", "codsl", "schema"]
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        ran = subprocess.run(
            line, stdout=gone, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert ran.returncode == 141
    assert ran.stderr == b""


def test_a_full_disk_is_one_line(signal_spec: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here to write to")
    line = [sys.executable, "-m", "codsl", "check", str(signal_spec)]
    with full.open("wb") as out:
        ran = subprocess.run(
            line, stdout=out, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert ran.returncode == 2
    assert ran.stderr.count(b"\n") == 1


def test_the_schema_is_json_and_names_the_layers() -> None:
    ran = codsl("schema")
    assert ran.returncode == 0
    assert "2020-12" in json.loads(ran.stdout)["$schema"]
    assert '"conv3d"' in ran.stdout


def test_the_version() -> None:
    ran = started("--version")
    assert (ran.returncode, ran.stdout) == (0, f"codsl {package.__version__}\n")


MENDABLE = "codsl: 1\ninput: [2, T]\nlayers:\n  - Conv1d: {out_channels: 3, kernel_size: 3}\n"


def test_fix_writes_the_file_and_checks_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MENDABLE.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    ran = codsl("check", path, "--fix")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == f"{path}: mended 1 mistake\n"
    assert "fine" in ran.stdout
    after = b"\xef\xbb\xbf" + MENDABLE.replace("Conv", "conv").replace("\n", "\r\n").encode()
    assert path.read_bytes() == after
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["n.yaml"]
    assert codsl("check", path, "--fix").stderr == ""


def test_fix_through_a_link_writes_what_it_leads_to(tmp_path: Path) -> None:
    path, link = tmp_path / "n.yaml", tmp_path / "link.yaml"
    path.write_text(MENDABLE)
    link.symlink_to(path)
    assert codsl("check", link, "--fix").returncode == 0
    assert link.is_symlink()
    assert "conv1d" in path.read_text()


def test_diff_shows_what_patch_takes_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text(MENDABLE.removesuffix("\n"))
    ran = codsl("check", "n.yaml", "--diff", cwd=tmp_path)
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[:2] == ["--- n.yaml", "+++ n.yaml"]
    assert "+  - conv1d: {out_channels: 3, kernel_size: 3}\n\\ No newline" in ran.stdout
    assert "would mend 1 mistake" in ran.stderr
    assert path.read_text() == MENDABLE.removesuffix("\n")


def test_without_fix_it_is_said_what_can_be_mended(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text(MENDABLE + "  - convolve\n")
    ran = codsl("check", path)
    assert "`codsl check --fix` mends 1 of them" in ran.stderr
    ran = codsl("check", path, "--fix")
    assert ran.returncode == 1
    assert "convolve" in ran.stderr
    assert "Conv1d" not in ran.stderr
    assert "- conv1d:" in path.read_text()


def test_likely_remedies_are_taken_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text("codsl: 1\ninput: [2, T]\nlayers: [reluu]\n")
    assert codsl("check", path, "--fix").returncode == 1
    assert codsl("check", path, "--fix", "--unsafe-fixes").returncode == 0
    assert "[relu]" in path.read_text()


def test_a_spec_that_would_be_worse_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    text = "codsl: 1\ninput: [2, T]\nlayers:\n\t- convolve\n  - convulse\n"
    path.write_text(text)
    ran = codsl("check", path, "--fix")
    assert ran.returncode == 1
    assert "1 error, but 2 after the next remedies, which are left out" in ran.stderr
    assert path.read_text() == text


def test_a_spec_that_would_break_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a remedy would make the text unreadable, that is not carried out, and it is said."""
    path = tmp_path / "n.yaml"
    text = "codsl: 1\ninput: [2, T]\nlayers: [Relu]\n"
    path.write_text(text)

    def breaking(text: str, edits: Iterable[Edit]) -> str:
        return text.replace("]", "") if list(edits) else text

    monkeypatch.setattr(mending, "edited", breaking)
    assert main(["check", str(path), "--fix"]) == 1
    assert (
        "1 error, but the next remedies would break the text and are left out"
        in capsys.readouterr().err
    )
    assert path.read_text() == text


def test_fix_where_it_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text(MENDABLE)
    assert codsl("check", path, "--unsafe-fixes").returncode == 2
    assert codsl("check", tmp_path / "w.safetensors", "--fix").returncode == 2
    ran = codsl("check", tmp_path / "none.yaml", "--fix")
    assert ran.returncode == 1
    assert "error[E0103]" in ran.stderr
    if os.geteuid():
        tmp_path.chmod(0o500)
        assert codsl("check", path, "--fix").returncode == 2
        tmp_path.chmod(0o700)


def test_the_formats_of_others(tmp_path: Path, wrong_spec: Path) -> None:
    ran = codsl("check", wrong_spec, "--format", "sarif")
    assert (ran.returncode, ran.stderr) == (1, "")
    (run,) = json.loads(ran.stdout)["runs"]
    assert [each["ruleId"] for each in run["results"]] == ["E0303", "E0302"]
    ran = codsl("check", wrong_spec, "--format", "github")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert [line[:8] for line in ran.stdout.splitlines()] == ["::error "] * 2
    sound = tmp_path / "n.yaml"
    sound.write_text(MENDABLE)
    ran = codsl("check", sound, "--fix", "--format", "github")
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.parametrize("command", ["check", "report", "fmt", "convert"])
def test_what_is_closed_leads_nowhere(command: str, tmp_path: Path) -> None:
    (tmp_path / "n.codsl").write_text("codsl 1\n\nnetwork n {\n  input (3, T)\n  relu\n}\n")
    line = f"{sys.executable} -m codsl {command} n.codsl <&- >&-"
    ran = subprocess.run(
        line, shell=True, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
