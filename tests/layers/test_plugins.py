"""Layers of installed distributions: the entry-point group `codsl.layers`, and whose functions
recipes call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import codsl
import codsl.nn as co
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time
from codsl.layers import plugins
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, Layer
from codsl.layers.table import FUNCTIONS, function_of, registrations, table

ROOT = Path(__file__).parents[2]

ROW = '''
from codsl.algebra.time import Time
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, Layer

class Far(Layer):
    """A number further."""

    rank = ANY_RANK
    examples = ({},)

    def shape(self, x):
        return x

    def time(self):
        return Time()

    def weights(self, x):
        return {}

    def macs(self, x, y):
        return 0

    def space(self, x):
        return (Time(),) * len(x.space)

    def recipe(self, x):
        return Pointwise("Identity", {}, call=Call("further"))


def add():
    import codsl

    codsl.register(Far, "far_functions:further")
'''
FUNCTION = "import torch\n\n\ndef further(x):\n    return x + torch.ones_like(x)\n"
SPEC = "codsl 1\\nnetwork n { input (2, T) far }\\n"


def install(folder: Path, entries: str, name: str = "far-layers", row: str = ROW) -> None:
    """A distribution as pip leaves it."""
    module = name.replace("-", "_")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[codsl.layers]\n{entries}\n")
    (folder / f"{module}.py").write_text(row)
    (folder / "far_functions.py").write_text(FUNCTION)


def run(program: str, *folders: Path) -> tuple[str, str]:
    """What a program of its own prints, and its last words on stderr."""
    path = os.pathsep.join(map(str, (ROOT, *folders)))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        timeout=120,
    )
    lines = done.stderr.strip().splitlines()
    return done.stdout.strip(), lines[-1] if lines else ""


def test_an_installed_layer_is_a_layer_without_torch(tmp_path: Path) -> None:
    install(tmp_path, "far = far_layers:add")
    program = f"import sys, codsl; g = codsl.check('{SPEC}'); print(g.nodes[0].type, end=' '); "
    program += "print('torch' in sys.modules, 'far_functions' in sys.modules)"
    assert run(program, tmp_path) == ("far False False", "")


def test_its_function_is_imported_once_a_network_is_built(tmp_path: Path) -> None:
    install(tmp_path, "far = far_layers:add")
    program = (
        f"import sys, codsl; net = codsl.build('{SPEC}')\n"
        "print('far_functions' in sys.modules)\n"
        "import torch; print(float(net(torch.ones(1, 2, 3)).mean()))\n"
        "from codsl.testing import verify; print(verify('far_layers' and sys.modules['far_layers']"
        ".Far).checks['clips'] > 0)"
    )
    assert run(program, tmp_path) == ("True\n2.0\nTrue", "")


def test_an_entry_can_be_a_row(tmp_path: Path) -> None:
    row = ROW.replace('call=Call("further")', "")
    install(tmp_path, "far = far_layers:Far", row=row)
    program = f"import codsl; print(codsl.check('{SPEC}').nodes[0].type)"
    assert run(program, tmp_path) == ("far", "")


def test_without_plugins_nothing_is_looked_up(tmp_path: Path) -> None:
    (tmp_path / "other-1.0.dist-info").mkdir()
    (tmp_path / "other-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\n")
    text = SPEC.replace("far", "relu")
    program = (
        f"import sys, codsl; codsl.check('{text}'); print('importlib.metadata' in sys.modules)"
    )
    assert run(program, tmp_path) == ("False", "")


@pytest.mark.parametrize(
    ("entry", "row", "why"),
    [
        ("far = far_layers:nothing", ROW, "AttributeError: module 'far_layers' has no attribute"),
        ("far = nowhere_at_all:Far", ROW, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("far = far_layers:Far", "raise OSError('no disk')", "OSError: no disk"),
        ("far = far_layers:Far", "Far = 3", "TypeError: `far_layers:Far` is neither a row nor"),
        ("far = far_layers:Far", "class Far: pass", "TypeError: `far_layers:Far` is neither"),
        ("far = far_layers:Far", ROW.replace("Far(", "Conv3d(") + "\nFar = Conv3d", "is a layer"),
        ("far = far_layers:Far", ROW.replace("Far(", "When(") + "\nFar = When", "is a word of"),
    ],
)
def test_a_broken_plugin_is_named(entry: str, row: str, why: str, tmp_path: Path) -> None:
    install(tmp_path, entry, row=row)
    program = (
        "import codsl\nfrom codsl.cli.main import main\n"
        "from codsl.layers.plugins import PluginError\n"
        f"try:\n    codsl.check('{SPEC}')\nexcept PluginError as error:\n    print(error)\n"
        "main(['schema'])"
    )
    raised, said = run(program, tmp_path)
    start = "the entry `far` of `far-layers` in the group `codsl.layers` cannot be used: "
    assert raised.startswith(start)
    assert why in raised
    assert said.startswith(f"codsl schema: error: {start}")


def test_two_plugins_with_one_name_are_refused(tmp_path: Path) -> None:
    install(tmp_path / "a", "far = far_layers:Far")
    install(tmp_path / "b", "far = other_layers:Far", "other-layers")
    _, last = run(f"import codsl; codsl.check('{SPEC}')", tmp_path / "a", tmp_path / "b")
    assert "`far` is a layer already, registered by" in last


def test_a_plugin_may_ask_for_the_table(tmp_path: Path) -> None:
    asks = ROW + "\nfrom codsl.layers.table import table\nKNOWN = len(table())\n"
    install(tmp_path / "more", "far = asking_layers:Far", "asking-layers", asks)
    program = f"import codsl; print(codsl.check('{SPEC}').nodes[0].type)"
    assert run(program, tmp_path / "more") == ("far", "")


def test_a_zip_on_the_search_path_is_asked(tmp_path: Path) -> None:
    import zipfile

    install(tmp_path / "plain", "far = far_layers:add")
    with zipfile.ZipFile(tmp_path / "layers.zip", "w") as archive:
        for file in (tmp_path / "plain").rglob("*"):
            if file.is_file():
                archive.write(file, file.relative_to(tmp_path / "plain"))
    program = f"import codsl; print(codsl.check('{SPEC}').nodes[0].type)"
    assert run(program, tmp_path / "layers.zip") == ("far", "")


def test_the_search_costs_little() -> None:
    """Where nothing is installed for codsl, far less than a check takes."""
    program = (
        "import time; import codsl; from codsl.layers import plugins\n"
        "times = []\n"
        "for _ in range(5):\n"
        "    start = time.perf_counter(); list(plugins._entries())\n"
        "    times.append(time.perf_counter() - start)\n"
        "print(min(times))"
    )
    assert float(run(program)[0]) < 0.02
    assert plugins.GROUP == "codsl.layers"


class Shouted(Layer):
    """What `relu` is called by a row that means something else."""

    rank = ANY_RANK
    examples = ({},)

    def shape(self, x: Frame) -> Frame:
        return x

    def time(self) -> Time:
        return IDENTITY

    def weights(self, x: Frame) -> dict[str, tuple[int, ...]]:
        return {}

    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    def recipe(self, x: Frame) -> Pointwise:
        return Pointwise("Identity", {}, call=Call("relu"))


class Whispered(Shouted):
    """The same words, with a function of its own."""


def relu(x: torch.Tensor) -> torch.Tensor:
    return 3 * x


def silent(x: torch.Tensor) -> torch.Tensor:
    return 0 * x


silent.__name__ = "relu"


def test_a_function_is_that_of_its_row_alone() -> None:
    """Torch's, codsl's and other rows' functions of the same name are where they were."""
    x = torch.tensor([[[-1.0, 2.0]]])
    with registrations():
        codsl.register(Shouted, relu)
        codsl.register(Whispered, silent)
        for name, wanted in (("shouted", 3 * x), ("whispered", 0 * x), ("relu", x.relu())):
            net = codsl.build({"codsl": 1, "input": [1, "T"], "layers": [name]})
            assert torch.equal(net(x), wanted)
            assert torch.equal(net.forward_steps(x), wanted)
        assert torch.equal(co.Shouted()(x), 3 * x)
        codsl.register(Shouted)
        net = codsl.build({"codsl": 1, "input": [1, "T"], "layers": ["shouted"]})
        assert torch.equal(net(x), x.relu())
    assert "shouted" not in table()
    assert FUNCTIONS.keys().isdisjoint({("shouted", "relu"), ("whispered", "relu")})


def test_a_name_is_taken_once() -> None:
    def elsewhere() -> type[Layer]:
        return type("Shouted", (Shouted,), {"__module__": "elsewhere"})

    with registrations():
        codsl.register(Shouted)
        with pytest.raises(ValueError, match=f"layer already, registered by `{__name__}`"):
            codsl.register(elsewhere())
        anew = type("Shouted", (Shouted,), {"__module__": __name__, "__qualname__": "Shouted"})
        assert codsl.register(anew) is table()["shouted"]


@pytest.mark.parametrize("given", [3, "far", "far:", ":x", "a b:c", "a:b:c", torch.jit.script])
def test_what_is_no_function_is_refused(given: object) -> None:
    if callable(given):
        given = type("Nameless", (), {"__call__": lambda self, x: x})()
    with registrations(), pytest.raises(TypeError, match="function"):
        codsl.register(Shouted, given)  # type: ignore[arg-type]
    assert "shouted" not in table()


def test_what_is_no_row_is_refused() -> None:
    for given in (relu, torch.nn.ReLU, Shouted()):
        with pytest.raises(TypeError, match="derives from Layer"):
            codsl.register(given)  # type: ignore[arg-type]
    bare = type("Bare", (Shouted,), {})
    del Shouted.examples
    try:
        with pytest.raises(ValueError, match="`bare` lacks examples"):
            codsl.register(bare)
    finally:
        Shouted.examples = ({},)


@pytest.mark.parametrize("given", ["nowhere_at_all:relu", "math:relu", "math:pi"])
def test_a_function_that_cannot_be_imported_is_told_at_build(given: str) -> None:
    with registrations():
        codsl.register(Shouted, given)
        codsl.check({"codsl": 1, "input": [1, "T"], "layers": ["shouted"]})
        with pytest.raises(ValueError, match=f"the function `{given}` of `shouted`"):
            codsl.build({"codsl": 1, "input": [1, "T"], "layers": ["shouted"]})
        assert function_of("relu", "relu") is None
