"""Checking ten thousand layers takes seconds, and grows with their number."""

import time

import pytest

import codsl

SECONDS = 5.0


def yaml(layers: int) -> str:
    lines = ["codsl: 1", "input: [8, T, 16, 16]", "layers:"]
    for at in range(layers // 4):
        lines += [
            f"  - conv3d: {{name: c{at}, out_channels: 8, kernel_size: 3, padding: 1}}",
            "  - relu",
            f"  - residual: {{name: r{at}, layers: [silu]}}",
        ]
    return "\n".join(lines) + "\n"


def text(layers: int) -> str:
    lines = ["codsl 1", "network n {", "  input (8, T, 16, 16)"]
    for at in range(layers // 4):
        lines += [f"  c{at} = conv3d(8, 3, padding=1)", "  relu", f"  r{at} = residual {{ silu }}"]
    return "\n".join([*lines, "}"]) + "\n"


@pytest.mark.parametrize("surface", [yaml, text], ids=["yaml", "text"])
def test_cost_is_linear_up_to_ten_thousand_layers(surface: object) -> None:
    assert callable(surface)
    spent = {}
    codsl.check(surface(8))
    for layers in (2_500, 5_000, 10_000):
        spec = surface(layers)
        began = time.process_time()
        assert len(codsl.check(spec).nodes) == layers
        spent[layers] = time.process_time() - began
    assert spent[10_000] < SECONDS
    assert spent[10_000] < 8 * spent[2_500]


def test_an_expression_for_each_layer_is_read_in_time() -> None:
    lines = ["codsl: 1", "params: {n: 4}", "input: [4, T]", "layers:"]
    lines += [
        f"  - linear: {{name: l{at}, out_features: $((n + {at}) % 9 + 1)}}" for at in range(5_000)
    ]
    began = time.process_time()
    assert len(codsl.check("\n".join(lines) + "\n").nodes) == 5_000
    assert time.process_time() - began < SECONDS
