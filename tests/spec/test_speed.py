"""The work of checking grows with the number of layers, and no faster."""

import pytest

import codsl
from effort import calls, flat


@pytest.mark.parametrize("surface", ["yaml", "text"])
def test_work_is_linear_in_layers(surface: str) -> None:
    codsl.check(flat(surface, 8))
    spent = {
        layers: calls(lambda n=layers: codsl.check(flat(surface, n))) for layers in (500, 2000)
    }
    assert 3 * spent[500] < spent[2000] < 4.2 * spent[500]


def test_ten_thousand_layers_are_read() -> None:
    assert len(codsl.check(flat("yaml", 10_000)).nodes) == 10_000


def test_work_is_linear_in_expressions() -> None:
    def spec(layers: int) -> str:
        lines = ["codsl: 1", "params: {n: 4}", "input: [4, T]", "layers:"]
        for at in range(layers):
            lines.append(f"  - linear: {{name: l{at}, out_features: $((n + {at}) % 9 + 1)}}")
        return "\n".join(lines) + "\n"

    codsl.check(spec(8))
    spent = {layers: calls(lambda n=layers: codsl.check(spec(n))) for layers in (200, 800)}
    assert spent[800] < 4.2 * spent[200]


def test_the_count_tells_a_square_from_a_line() -> None:
    def square(n: int) -> None:
        for _ in range(n * n):
            len("")

    assert calls(lambda: square(80)) > 10 * calls(lambda: square(20))
