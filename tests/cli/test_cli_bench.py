"""`codsl bench`: what it measures, what it writes, and how it refuses; no timing decides."""

import json
from pathlib import Path

import pytest
from shell import codsl

from codsl.bench.result import Results
from codsl.cli import memory
from codsl.cli.main import main

QUICK = ("--backends", "eager", "--steps", "1", "--seconds", "0.5")


def test_a_spec_is_measured_and_written(signal_spec: Path, tmp_path: Path) -> None:
    data, picture = tmp_path / "speed.json", tmp_path / "speed.svg"
    ran = codsl(
        *("bench", signal_spec, *QUICK, "--streams", "1,2", "--chunk", "4", "--peer"),
        *("--json", data, "--svg", picture),
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    machine, _, rest = ran.stdout.partition("\n")
    assert "1 thread on" in machine
    for title in ("signal", "steps, 1 stream", "chunks of 4, 1 stream", "steps, 2 streams"):
        assert title in rest
    assert rest.count('best: compile_step("eager")') == 4
    results = Results.from_dict(json.loads(data.read_text()))
    assert [each.name for each in results.cases] == ["signal"]
    assert len(results.cases[0].outcomes) == 4
    assert str(results.machine) == machine
    assert picture.read_text().startswith("<svg")


def test_a_terminal_shows_what_is_being_done(
    signal_spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["bench", str(signal_spec), *QUICK, "--chunk", "0"]) == 0
    shown = capsys.readouterr()
    lines = shown.err.split("\r\x1b[K")
    assert "signal, steps, 1 stream: in turns ..." in lines
    assert max(map(len, lines)) < 40
    assert lines[-1] == ""
    assert "\x1b" not in shown.out


def test_the_networks_that_come_along_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["bench", "--only", "tcn_8x64", *QUICK, "--streams", "1", "--chunk", "0"])
    shown = capsys.readouterr().out
    assert status == 0
    assert "tcn_8x64" in shown
    assert "continual-inference" in shown


REFUSED = {
    "none of these backends has a lower precision: native": [
        *("SPEC", "--backends", "native", "--bfloat16")
    ],
    "--threads 99999 is more than the": ["SPEC", "--threads", "99999"],
    "on 999999 frames at once of 999999 streams needs": [
        *("SPEC", "--streams", "1,999999", "--chunk", "999999")
    ],
    "no backend `eagre`": ["SPEC", "--backends", "eagre"],
    "--only chooses among": ["SPEC", "--only", "x3d_s"],
    "no `x3d` to measure": ["--only", "x3d"],
    "--weights is for a SPEC": ["--weights", "w.pt"],
    "--variant is for a SPEC": ["--variant", "m"],
    "-p is for a SPEC": ["-p", "size=4"],
    "no folder that is there": ["SPEC", "--json", "nowhere/speed.json"],
    "is a directory": ["SPEC", "--svg", "."],
    "is the spec": ["SPEC", "--svg", "SPEC"],
    "is named after a spec": ["--json", "speed.yaml"],
}


@pytest.mark.parametrize(("why", "arguments"), REFUSED.items(), ids=REFUSED)
def test_wrong_use(
    why: str, arguments: list[str], signal_spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(signal_spec) if each == "SPEC" else each for each in arguments]
    assert main(["bench", *given]) == 2
    assert why in capsys.readouterr().err


def test_the_backends_that_are_named_in_bfloat16_too(
    signal_spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(signal_spec), *QUICK, "--chunk", "0", "--bfloat16"]) == 0
    assert "eager:bfloat16 " in capsys.readouterr().out


def test_frames_that_a_network_refuses_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "ids.codsl"
    spec.write_text("codsl 1\nnetwork ids {\n  input (1, T)\n  neg\n  embedding(5, 4)\n}\n")
    assert main(["bench", str(spec), *QUICK, "--chunk", "0"]) == 2
    assert "ids refuses random frames: ids are 0 to 4, found -" in capsys.readouterr().err


def test_an_allocator_that_refuses_is_told(
    signal_spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "there", lambda: None)
    line = ["bench", str(signal_spec), *QUICK, "--chunk", "0", "--streams", "999999999999"]
    assert main(line) == 2
    assert "this machine's memory is too small" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--backends", "a,,b"], ["--streams", "0"], ["--chunk", "-1"]])
def test_wrong_arguments(given: list[str], signal_spec: Path) -> None:
    with pytest.raises(SystemExit) as left:
        main(["bench", str(signal_spec), *given])
    assert left.value.code == 2


def test_mistakes_of_a_spec(wrong_spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(wrong_spec)]) == 1
    assert "error[" in capsys.readouterr().err


def test_weights_that_do_not_fit(
    signal_spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights.npz"
    weights.write_bytes(b"nothing")
    assert main(["bench", str(signal_spec), "--weights", str(weights)]) == 1
    assert "error[" in capsys.readouterr().err
