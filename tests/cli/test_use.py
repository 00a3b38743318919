"""`--use FILE.py`: files that the user types, and `codsl verify`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shell import codsl, environment

import codsl as package
from codsl.cli.main import main
from codsl.layers.table import FUNCTIONS, table

LAYER = '''
import codsl
from codsl.algebra.time import Time
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, Layer

class {name}(Layer):
    """Twice as much."""

    rank = ANY_RANK
    examples = ({{}},)

    def shape(self, x):
        return x

    def time(self):
        return Time()

    def weights(self, x):
        return {{}}

    def macs(self, x, y):
        return 0

    def space(self, x):
        return (Time(),) * len(x.space)

    def recipe(self, x):
        return Pointwise("Identity", {{}}, call=Call("twice"))


def twice(x):
    return {body}


codsl.register({name}, {function})
'''
SPEC = "codsl 1\nnetwork doubled { input (2, T) double_it conv1d(2, 3, padding=1) }\n"


def layer(name: str = "DoubleIt", body: str = "2 * x", function: str = "twice") -> str:
    return LAYER.format(name=name, body=body, function=function)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(layer())
    path = tmp_path / "doubled.codsl"
    path.write_text(SPEC)
    return path


@pytest.mark.parametrize("command", ["check", "report"])
def test_a_layer_of_a_file_is_a_layer_for_the_run(command: str, spec: Path) -> None:
    assert codsl(command, spec).returncode == 1
    ran = codsl(command, spec, "--use", "mine.py", cwd=spec.parent)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "double" in ran.stdout


def test_torch_stays_unloaded(spec: Path) -> None:
    code = (
        "import sys; from codsl.cli.main import main\n"
        f"status = main(['check', {str(spec)!r}, '--use', {str(spec.parent / 'mine.py')!r}])\n"
        "sys.exit(status or 'torch' in sys.modules)"
    )
    line = [sys.executable, "-c", code]
    ran = subprocess.run(line, capture_output=True, text=True, env=environment(), check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_it_runs_and_is_in_the_schema(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    clip = np.ones((2, 9), np.float32)
    np.save(spec.parent / "clip.npy", clip)
    use = ["--use", str(spec.parent / "mine.py")]
    assert main(["run", str(spec), "--input", str(spec.parent / "clip.npy"), "--verify", *use]) == 0
    capsys.readouterr()
    assert main(["schema", *use]) == 0
    assert "double_it" in capsys.readouterr().out
    assert main(["schema"]) == 0
    assert "double_it" not in capsys.readouterr().out


def test_nothing_is_left_of_it(spec: Path) -> None:
    path = list(sys.path)
    assert main(["check", str(spec), "--use", str(spec.parent / "mine.py")]) == 0
    assert "double_it" not in table()
    assert not any(row == "double_it" for row, _ in FUNCTIONS)
    assert sys.path == path
    with pytest.raises(package.SpecError, match="double_it"):
        package.check(spec)


def test_several_files_and_one_beside(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(layer("One", function="'beside_of_one:twice'"))
    (tmp_path / "beside_of_one.py").write_text("def twice(x):\n    return 2 * x\n")
    (tmp_path / "two.py").write_text(layer("Two"))
    path = tmp_path / "both.codsl"
    path.write_text("codsl 1\nnetwork both { input (2, T) one two }\n")
    uses = ["--use", tmp_path / "one.py", "--use", tmp_path / "two.py"]
    assert codsl("check", path, *uses).returncode == 0
    ran = codsl("verify", path, *uses)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = 1\ndef broken(:\n", "line 2: SyntaxError"),
        ("import codsl\n\n\nnope()\n", "line 4: NameError: name 'nope' is not defined"),
        ("def f():\n    raise ValueError('a\\nb')\nf()\n", "line 2: ValueError: a b"),
        ("import nowhere_to_be_found\n", "line 1: ModuleNotFoundError"),
        ("raise SystemExit(0)\n", "line 1: SystemExit: 0"),
        ("x = '\0'\n", "Error: source code"),
        (layer("Conv3d"), "`conv3d` is a layer already"),
        (layer("Residual"), "`residual` is a word of the language"),
        (layer().replace("def time", "def tame"), "`double_it` lacks time"),
        (layer(function="3"), "TypeError: a recipe calls a function by its name, and 3 has none"),
        (layer(function="'no function'"), "TypeError: a function is given as itself or as"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(
    text: str, why: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = spec.parent / "mine.py"
    file.write_text(text)
    assert main(["check", str(spec), "--use", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"codsl check: error: --use: `{file}`")
    assert why in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["none.py", "."])
def test_a_file_that_cannot_be_read(
    name: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(spec), "--use", str(spec.parent / name)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_two_files_of_one_name_of_a_layer(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = spec.parent / "other.py"
    other.write_text(layer(body="3 * x"))
    uses = ["--use", str(spec.parent / "mine.py"), "--use", str(other)]
    assert main(["check", str(spec), *uses]) == 2
    assert "`double_it` is a layer already, registered by" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["use: mine.py", "--use: mine.py", "import: mine.py"])
def test_no_spec_runs_a_file(word: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("open('ran', 'w')\n")
    path = tmp_path / "spec.yaml"
    path.write_text(f"codsl: 1\n{word}\ninput: [2, T]\nlayers: [relu]\n")
    assert codsl("check", path, cwd=tmp_path).returncode == 1
    assert not (tmp_path / "ran").exists()


def test_verify_counts_what_it_tried(signal_spec: Path) -> None:
    ran = codsl("verify", signal_spec)
    assert (ran.returncode, ran.stderr) == (0, "")
    first, *counts, last = ran.stdout.splitlines()
    assert last == "all promises kept"
    assert first == "signal: 2 x T, float64, clips of up to 12 frames"
    counted = {line.split()[0]: int(line.split()[-1]) for line in counts}
    assert counted["windows"] > 0
    assert all(counted.values())


def test_verify_finds_a_layer_that_breaks_its_word(spec: Path) -> None:
    (spec.parent / "mine.py").write_text(layer(body="x.cumsum(2)"))
    ran = codsl("verify", spec, "--use", spec.parent / "mine.py")
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "codsl verify: FAILED: `doubled`: steps and their end give what the clip" in ran.stderr
    assert "off by" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_verify_says_what_else_is_wrong(
    wrong_spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(wrong_spec)]) == 1
    path = tmp_path / "long.codsl"
    path.write_text("codsl 1\nnetwork long { input (1, T) delay(260) }\n")
    capsys.readouterr()
    assert main(["verify", str(path)]) == 2
    assert "give frames=" in capsys.readouterr().err
    assert main(["verify", str(path), "--frames", "264"]) == 0


def test_a_report_of_a_used_layer_is_data(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(spec), "--json", "--use", str(spec.parent / "mine.py")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [node["type"] for node in found["nodes"]] == ["double_it", "conv1d"]
