"""What is said of files that are wrong as a whole, or written as something else: one thing each."""

import pytest

from codsl.mending import edited
from mistakes.planted import diagnostics, errors, first_edit

NETWORK = "network n {\n  input (3, T, 16, 16)\n  conv = conv3d(8, 3)\n}\n"
YAML = "codsl: 1\nparams: {w: 8}\ninput: [3, T, 16, 16]\nlayers:\n"

MENDED = [
    ("typo.codsl", "codsl 1\n" + NETWORK.replace("network", "netwrok"), "`network`"),
    ("part.codsl", f"codsl 1\n{NETWORK}varient small {{ }}\n", "`variant`"),
    ("headless.codsl", NETWORK, "add `codsl 1`"),
    (
        "sum.codsl",
        "codsl 1\nnetwork n {\n  input (3, T)\n  a = relu\n  b = silu from a\n  c = a + b\n}\n",
        'join("sum") from a, b',
    ),
    (
        "loop.codsl",
        "codsl 1\nnetwork n {\n  input (3, T)\n  for i in range(3) relu\n}\n",
        "0..3",
    ),
    ("called.yaml", f"{YAML}  - conv3d(8, 3)\n", "`conv3d: {out_channels: 8, kernel_size: 3}`"),
    ("braces.yaml", f"{YAML}  - flatten\n  - linear: {{{{ w }}}}\n", "write `$w`"),
    ("scalar.yaml", "codsl: 1\ninput: [3, T]\nlayers: |\n  - relu\n", "leave out the `|`"),
    ("last.yaml", "codsl: 1\ninput: [T, 16, 16, 3]\nlayers: [relu]\n", "3, T, 16, 16"),
    ("length.yaml", "codsl: 1\ninput: [3, time, 16]\nlayers: [relu]\n", "write `T`"),
    ("dash.yaml", f"{YAML}  - relu\n   silu: {{name: a}}\n  - gelu\n", "put a `-` before it"),
    (
        "block.yaml",
        f"{YAML}  - residual:\n      shrink: lagging\n    aggregation: sum\n      layers: [relu]\n",
        "indent it by 6 spaces",
    ),
    ("item.yaml", f"{YAML}  - relu\n- silu:\n    name: a\n  - gelu\n", "indent it by 2 spaces"),
    (
        "rule.codsl",
        f'codsl 1\n{NETWORK}weights "w" {{\n  "a.{{rest}}" => "conv.{{rest}}"\n}}\n',
        "write `->`",
    ),
    ("construct.yaml", f"{YAML}  - ersidual: {{layers: [relu: {{name: a}}]}}\n", "`residual`"),
    (
        "open.codsl",
        "codsl 1\nnetwork n {\n input (3, T)\n residual {\n  relu\n residual {\n  silu\n }\n}\n",
        "add `}` before it",
    ),
    (
        "block.codsl",
        "codsl 1\nnetwork n {\n  input (3, T)\n  residul { relu } shortcut { silu }\n}\n",
        "did you mean `residual`?",
    ),
    (
        "unnamed.codsl",
        "codsl 1\nnetwork n {\n  input (3, T)\n  relu\n  linear(2) from relu\n}\n",
        "`relu = relu`",
    ),
    (
        "unnamed.yaml",
        f"{YAML}  - flatten\n  - linear: {{from: flatten, out_features: 3}}\n",
        "`flatten: {name: flatten}`",
    ),
    ("if.yaml", f"{YAML}  - if: {{test: $(w > 4), layers: [relu]}}\n", "write `when`"),
]
"""Files, and what the remedy says after which they check."""


@pytest.mark.parametrize(("name", "text", "said"), MENDED, ids=lambda each: str(each)[:12])
def test_one_thing_is_said_and_mends_it(name: str, text: str, said: str) -> None:
    found = diagnostics(text, name)
    assert len(found) == 1
    remedy = first_edit(found)
    assert remedy is not None
    assert said in remedy.text
    assert errors(edited(text, remedy.edits), name) == []


TOLD = [
    ("empty.codsl", "", "the file is empty"),
    ("empty.yaml", "# nothing\n", "the file is empty"),
    ("python.codsl", "import torch.nn as nn\n\nclass Net(nn.Module):\n    pass\n", "starts with"),
    (
        "late.codsl",
        "codsl 1\nnetwork n {\n  let c = 3\n  input (c, T)\n}\n",
        "first statement",
    ),
    (
        "even.yaml",
        f"{YAML}  - residual: {{layers: [conv3d: {{out_channels: 3, kernel_size: 4, "
        "padding: 2}]}\n",
        "their sizes differ",
    ),
    ("alias.yaml", f"{YAML}  - relu: *act\n", "no anchor `&act`"),
]
"""Files that only their authors can mend."""


@pytest.mark.parametrize(("name", "text", "said"), TOLD, ids=lambda each: str(each)[:12])
def test_one_thing_is_said(name: str, text: str, said: str) -> None:
    (found,) = diagnostics(text, name)
    assert said in found.message


@pytest.mark.parametrize(
    "text",
    [
        "codsl: 1\n  a\n b: [\n- {",
        f"{YAML}  - relu\n   5 - linear: {{*name: fc}}\n",
        "codsl: 1\n\n   \n a: b: c",
    ],
)
def test_a_text_that_no_change_makes_yaml_is_told_all_the_same(text: str) -> None:
    (found,) = diagnostics(text, "broken.yaml")
    assert found.code == "E0101"
