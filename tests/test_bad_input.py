"""Bad input of every kind gives a clear diagnostic, in little memory, and never hangs.

How long each takes is measured by `tests/benchmarks/check.py`.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import codsl
from effort import ENDLESS
from hostile import CASES, TEXT, YAML, hold, layer, statement

MEGABYTES = 200
BIG = [
    "yaml bomb",
    "10 MB line",
    "10 MB line, text",
    "3 MB line, text",
    "3 MB of words",
    "3 MB of arguments",
    "3 MB of items",
    "20,000 mistakes",
    "repeats that multiply",
    "10,000 summands",
    "5,000 choices",
    "1,000 blocks",
]
PROBE = """
import os, resource, sys, time
sys.path.insert(0, {tests!r})
import codsl
from hostile import CASES, hold

def measured(code, make):
    spec = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    try:
        codsl.check(spec)
    except codsl.SpecError as error:
        spent = time.process_time() - began
        hold(error.diagnostics, code)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return error.diagnostics[0].code == code, spent, (after - before) / 1024

codsl.check("codsl 1\\nnetwork n {{ input (3, T) relu }}\\n")
codsl.check("codsl: 1\\ninput: [3, T]\\nlayers: [relu]\\n")
for case in {cases!r}:
    if not (child := os.fork()):
        print(*measured(*CASES[case]), case, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def mistakes(spec: Any, **options: Any) -> tuple[codsl.Diagnostic, ...]:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(spec, **options)
    assert "Traceback" not in str(caught.value)
    return caught.value.diagnostics


@pytest.mark.parametrize("case", [case for case in CASES if case not in BIG])
def test_bad_input_has_a_clear_diagnostic(case: str) -> None:
    code, make = CASES[case]
    spec = make()
    began = time.process_time()
    found = mistakes(spec)
    assert time.process_time() - began < ENDLESS
    hold(found, code)


def test_a_brace_that_is_never_closed_is_read_once() -> None:
    began = time.process_time()
    mistakes(layer("linear: ${" + " " * 30_000 + "x"))
    assert time.process_time() - began < ENDLESS


def test_big_input_has_a_clear_diagnostic_in_little_memory() -> None:
    """Each in a process of its own, that is begun where the language is known already."""
    script = PROBE.format(tests=str(Path(__file__).parent), cases=BIG)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True
    )
    found = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert [case for *_, case in found] == BIG
    for right, seconds, megabytes, case in found:
        assert right == "True", case
        assert float(seconds) < ENDLESS, case
        assert float(megabytes) < MEGABYTES, case


def test_no_code_of_a_spec_is_run() -> None:
    marker = Path("/tmp/codsl-was-here")
    mistakes(CASES["a tag that calls"][1]())
    assert not marker.exists()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32"])
def test_a_wrong_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "network.yaml"
    path.write_bytes(f"{layer('relu')}# é\n".encode(encoding))
    (found,) = mistakes(path)
    assert found.code == "E0103"
    assert "is not UTF-8 text: byte" in found.message


def test_a_file_of_10_mb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(YAML + "# a comment\n" * 900_000)
    (found,) = mistakes(path)
    assert "larger than 4 MB" in found.message


def test_a_mark_at_the_start_of_a_file_is_no_mistake(tmp_path: Path) -> None:
    for name, text in (("n.yaml", layer("relu")), ("n.codsl", statement("relu"))):
        path = tmp_path / name
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert len(codsl.check(path).nodes) == 1


def test_the_words_of_torch_are_names() -> None:
    words = ["step", "type", "delay", "half", "forward", "train", "weight", "state", "__init__"]
    text = TEXT + "".join(f"  {word} = conv3d(3, 1)\n" for word in words) + "}\n"
    yaml = YAML + "".join(
        f"  - conv3d: {{name: {word}, out_channels: 3, kernel_size: 1}}\n" for word in words
    )
    for spec in (text, yaml):
        assert [node.path for node in codsl.check(spec).nodes] == words


def test_json_is_yaml() -> None:
    text = '{\n\t"codsl": 1,\n\t"input": [3, "T"],\n\t"layers": [{"linear": 2}, "relu"]\n}\n'
    assert [node.path for node in codsl.check(text).nodes] == ["linear", "relu"]


def test_anchors_are_read() -> None:
    text = YAML.replace("8, 8", "8, &n 8") + "  - conv3d: {out_channels: *n, kernel_size: 1}\n"
    assert codsl.check(text).nodes[0].frame.channels == 8


PARAMETRIC = """codsl 1
network n(width: int = 1, act: layer = "relu", size = (1, 2), rate: float = 0.5) {
  input (3, T)
  linear(width)
  act
}
variant wide { width = 2 }
"""


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"width": "2"}, "of type `int`"),
        ({"width": True}, "of type `int`"),
        ({"width": 1.0}, "of type `int`"),
        ({"width": [1]}, "of type `int`"),
        ({"width": object()}, "cannot be of type `object`"),
        ({"width": {1, 2}}, "cannot be of type `set`"),
        ({"width": lambda: 1}, "cannot be of type `function`"),
        ({"width": b"1"}, "cannot be of type `bytes`"),
        ({"act": 3}, "of type `layer`"),
        ({"act": "rel"}, "no layer `rel`"),
        ({"act": {"leaky_relu": 3}}, "cannot be of type `dict`"),
        ({"act": {"leaky_relu": {"slope": 3}}}, "no argument `slope`"),
        ({"act": {"relu": {}, "silu": {}}}, "cannot be of type `dict`"),
        ({"rate": "fast"}, "of type `float`"),
        ({"widht": 2}, "no parameter `widht`"),
        ({"": 2}, "no parameter ``"),
    ],
)
def test_params_of_a_wrong_kind_are_named(params: dict[str, Any], said: str) -> None:
    assert said in "\n".join(map(str, mistakes(PARAMETRIC, params=params)))


def test_params_that_contain_themselves_are_refused() -> None:
    looping: list[Any] = []
    looping.append(looping)
    assert mistakes(PARAMETRIC, params={"size": looping})[0].code == "E0312"


def test_an_unknown_variant_is_named_with_those_that_are() -> None:
    (found,) = mistakes(PARAMETRIC, variant="wid")
    assert found.code == "E0312"
    assert "`wide`" in found.helps[0].text


def test_params_go_over_the_variant_over_the_default() -> None:
    def width(**options: Any) -> int:
        return codsl.check(PARAMETRIC, **options).nodes[0].frame.channels

    assert (width(), width(variant="wide")) == (1, 2)
    assert width(variant="wide", params={"width": 3}) == 3
