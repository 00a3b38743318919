"""Specs that nobody means well with, as texts and as Python data."""

from collections.abc import Callable
from typing import Any

import numpy as np

from codsl.diagnostics import Diagnostic

YAML = "codsl: 1\ninput: [3, T, 8, 8]\nlayers:\n"
TEXT = "codsl 1\nnetwork n {\n  input (3, T, 8, 8)\n"


def layer(yaml: str) -> str:
    return f"{YAML}  - {yaml}\n"


def statement(text: str) -> str:
    return f"{TEXT}  {text}\n}}\n"


def bomb() -> str:
    lines = ["codsl: 1", "a: &a [x, x, x, x, x, x, x, x, x]"]
    for one, other in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{other}: &{other} [{', '.join([f'*{one}'] * 9)}]")
    return "\n".join(lines) + "\n"


def nested_yaml(depth: int) -> str:
    blocks = (f"{'   ' * i}- sequential:\n{'   ' * (i + 1)}layers:\n" for i in range(depth))
    return f"{YAML}{''.join(blocks)}{'   ' * depth}- relu\n"


def doubling_templates(body: str) -> str:
    uses = " ".join(["t{}()"] * 5)
    each = (f"template t{i}() {{ {uses.format(*[i - 1] * 5)} }}\n" for i in range(1, 10))
    return statement("t9()") + f"template t0() {{ {body} }}\n" + "".join(each)


def loop() -> dict[str, Any]:
    looping: dict[str, Any] = {"codsl": 1, "input": [3, "T"]}
    looping["layers"] = [looping]
    return looping


REPEAT = "repeat: {{name: a, range: [1, {}], layer: relu}}"
NESTED_REPEAT = "a[i in 1..1000] = { b[j in 1..1000] = { c[k in 1..1000] = relu } }"

CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "yaml bomb": ("E0106", bomb),
    "alias loop": ("E0106", lambda: "codsl: 1\ninput: [3, T]\nlayers: &a [*a]\n"),
    "alias loop of the file": ("E0106", lambda: "&a\ncodsl: 1\nlayers: *a\n"),
    "unknown alias": ("E0101", lambda: "codsl: 1\nlayers: *a\n"),
    "template recursion": ("E0310", lambda: statement("a()") + "template a() { a() }\n"),
    "mutual recursion": (
        "E0310",
        lambda: layer("$a") + "templates: {a: {layers: [$b]}, b: {layers: [$a]}}\n",
    ),
    "growing templates": ("E0311", lambda: doubling_templates("relu relu")),
    "growing empty templates": ("E0311", lambda: doubling_templates("")),
    "repeat 10^9": ("E0311", lambda: statement("a[i in 1..1000000000] = relu")),
    "repeat 10^9, yaml": ("E0311", lambda: layer(REPEAT.format(10**9))),
    "repeat 10^9 of nothing": ("E0311", lambda: statement("a[i in 1..1000000000] = {}")),
    "repeats that multiply": ("E0311", lambda: statement(NESTED_REPEAT)),
    "10^12 channels": ("E0305", lambda: statement("conv3d(1000000000000, 3)")),
    "10^12 channels, yaml": (
        "E0305",
        lambda: layer("conv3d: {out_channels: 1000000000000, kernel_size: 3}"),
    ),
    "10^12 channels of input": ("E0305", lambda: layer("relu").replace("3, T", f"{10**12}, T")),
    "10^15 parameters": (
        "E0410",
        lambda: statement("a = conv3d(16777216, 3) conv3d(16777216, 3)"),
    ),
    "10 MB line": ("E0103", lambda: layer("x" * 10**7)),
    "10 MB line, text": ("E0103", lambda: statement("x" * 10**7)),
    "3 MB line": ("E0302", lambda: layer("x" * 3 * 10**6)),
    "3 MB line, text": ("E0302", lambda: statement("x" * 3 * 10**6)),
    "3 MB of words": ("E0106", lambda: statement("relu " * 600_000)),
    "3 MB of arguments": ("E0106", lambda: statement("relu(" + "a, " * 900_000 + ")")),
    "3 MB of items": ("E0106", lambda: layer("relu\n  - " * 400_000 + "relu")),
    "20,000 mistakes": ("E0302", lambda: YAML + "  - rel\n" * 20_000),
    "a NUL": ("E0102", lambda: layer("re\0lu")),
    "a NUL, text": ("E0102", lambda: statement("re\0lu")),
    "an escape": ("E0102", lambda: statement("re\x1b[31mlu")),
    "a C1 control": ("E0102", lambda: layer("re\x9blu")),
    "half a surrogate": ("E0102", lambda: layer("re\ud800lu")),
    "a turn of direction": ("E0302", lambda: layer("re\u202elu")),
    "later version": ("E0104", lambda: "codsl: 2\nnew: things\n"),
    "later version, text": ("E0104", lambda: "codsl 2\n@@ new things\n"),
    "later version below its word, text": ("E0104", lambda: "codsl  # codsl\n2\nnetwork n {}\n"),
    "later version close to its word, text": ("E0104", lambda: "codsl2\nnetwork n {}\n"),
    "version of 44 digits": ("E0104", lambda: f"codsl: {'9' * 44}\n"),
    "version of 44 digits, text": ("E0104", lambda: f"codsl {'9' * 44}\n"),
    "version 0": ("E0104", lambda: "codsl: 0\ninput: [3, T]\nlayers: [relu]\n"),
    "version 1.5": ("E0104", lambda: "codsl 1.5\nnetwork n { input (3, T) relu }\n"),
    "version true": ("E0104", lambda: "codsl: true\ninput: [3, T]\nlayers: [relu]\n"),
    "9**9**9": ("E0313", lambda: statement("conv3d(9**9**9, 3)")),
    "9**9**9, yaml": ("E0313", lambda: layer("linear: $(9**9**9)")),
    "1/0": ("E0313", lambda: statement("conv3d(1/0, 3)")),
    "1//0": ("E0313", lambda: layer("linear: $(1//0)")),
    "a product beyond use": ("E0313", lambda: statement(f"linear({'*'.join(['99999999'] * 50)})")),
    "1e999": ("E0305", lambda: layer("dropout: {p: 1e999}")),
    "5,000 digits": ("E0305", lambda: statement(f"linear({'9' * 5000})")),
    "10,000 open brackets": ("E0101", lambda: statement("linear(" + "(" * 10_000)),
    "10,000 brackets and no value": ("E0101", lambda: statement("(" * 10_000 + ")" * 10_000)),
    "10,000 summands": ("E0106", lambda: statement("linear(" + "1+" * 10_000 + "1)")),
    "10,000 summands, yaml": ("E0106", lambda: layer("linear: $(" + "1+" * 10_000 + "1)")),
    "10,000 signs": ("E0106", lambda: statement("linear(" + "-" * 10_000 + "in_channels)")),
    "10,000 powers": ("E0106", lambda: statement("linear(" + "1**" * 10_000 + "1)")),
    "5,000 entries": ("E0106", lambda: statement("linear(in_channels" + "[0]" * 5000 + ")")),
    "5,000 tuples": ("E0106", lambda: statement("linear(" + "(" * 5000 + "1" + ",)" * 5000 + ")")),
    "5,000 choices": ("E0106", lambda: statement("linear(" + "1 if true else " * 5000 + "1)")),
    "5,000 calls": ("E0106", lambda: statement("linear(" + "min(" * 5000 + "1" + ")" * 5001)),
    "5,000 times else": ("E0106", lambda: statement("when true {} " + "else when true {} " * 5000)),
    "1,000 blocks": ("E0106", lambda: statement("{" * 1000 + "relu" + "}" * 1000)),
    "70 blocks": ("E0106", lambda: statement("{" * 70 + "relu" + "}" * 70)),
    "1,000 blocks, yaml": ("E0106", lambda: nested_yaml(1000)),
    "70 blocks, yaml": ("E0106", lambda: nested_yaml(70)),
    "1,000 blocks, flow style": (
        "E0106",
        lambda: layer("{sequential: {layers: [" * 1000 + "relu" + "]}}" * 1000),
    ),
    "5,000 lists": ("E0106", lambda: layer("[" * 5000 + "]" * 5000)),
    "a tag that calls": (
        "E0105",
        lambda: layer("!!python/object/apply:os.system ['touch /tmp/codsl-was-here']"),
    ),
    "a tag on the file": ("E0105", lambda: "!!python/object:x\ncodsl: 1\n"),
    "a tag of its own": ("E0105", lambda: layer("!own relu: {}")),
    "a merge key": (
        "E0108",
        lambda: layer("linear: &l {name: a, out_features: 3}") + "  - linear: {<<: *l}\n",
    ),
    "several documents": ("E0101", lambda: layer("relu") + "---\ncodsl: 1\n"),
    "nothing": ("E0201", lambda: "\n"),
    "comments alone": ("E0201", lambda: "# a network\n# that is to come\n"),
    "50 comments apart": ("E0201", lambda: "\n  # why\n" * 50 + "layers\n"),
    "50 comments apart, text": ("E0101", lambda: "codsl 1\n" + "\n  # why\n" * 50 + "layers\n"),
    "a word": ("E0201", lambda: "hello\n"),
    "a list": ("E0201", lambda: "- relu\n- relu\n"),
    "tabs": ("E0101", lambda: "codsl: 1\nlayers:\n\t- relu\n"),
    "YAML under the head of a text": ("E0101", lambda: "codsl 1\ninput: [3, T]\n"),
    "a text under the head of YAML": ("E0101", lambda: "codsl: 1\nnetwork n {\n  relu\n}\n"),
    "names that meet through when": ("E0306", lambda: statement("when true {a = relu} a = relu")),
    "names that meet through when, yaml": (
        "E0306",
        lambda: layer("when: {test: true, layers: [relu: {name: a}]}") + "  - relu: {name: a}\n",
    ),
    "an object": ("E0103", lambda: {"codsl": 1, "input": object()}),
    "a set": ("E0105", lambda: {"codsl": 1, "input": {3}, "layers": []}),
    "a function": ("E0103", lambda: {"codsl": 1, "input": [3, "T"], "layers": [lambda: 1]}),
    "a loop": ("E0106", loop),
    "an array": ("E0103", lambda: {"codsl": 1, "input": np.arange(3), "layers": []}),
    "a number of numpy": ("E0103", lambda: {"codsl": 1, "input": [np.int64(3), "T"]}),
    "bytes": ("E0105", lambda: {"codsl": 1, "name": b"n", "input": [3, "T"], "layers": []}),
    "keys that are numbers": ("E0203", lambda: {1: 2}),
    "an empty dict": ("E0202", dict),
    "90 lists": ("E0201", lambda: {"codsl": 1, "layers": eval("[" * 90 + "]" * 90)}),
    "a missing file": ("E0103", lambda: "no/such/file.yaml"),
    "a directory": ("E0103", lambda: "/tmp"),
    "a device": ("E0103", lambda: "/dev/zero"),
    "a path with a NUL": ("E0103", lambda: "a\0b"),
    "a path of 5,000 letters": ("E0103", lambda: "x" * 5000),
}
"""What is wrong, the code that says so, and a way to make it."""


def hold(found: tuple[Diagnostic, ...], code: str) -> None:
    """What is said of bad input is clear."""
    assert code in {each.code for each in found}, "\n\n".join(map(str, found))
    assert len(found) <= 100
    for each in found:
        shown = str(each)
        assert all(char.isprintable() or char == "\n" for char in shown)
        assert "Traceback" not in shown
        assert len(shown) < 4000
        assert each.span is not None or each.code == "E0103"
