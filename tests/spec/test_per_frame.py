"""Blocks on single frames: all that a block can hold, under the same names, without time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import pytest
import torch
from torch import Tensor, nn

import codsl
from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers import table as tables
from codsl.layers.recipe import Call, Carried, Memory, Pointwise, Recipe, Windowed
from codsl.layers.row import ANY_RANK, Layer
from harness.contract import contract, randomise

BACKBONE = """codsl 1
template unit(out: int, stride = 1, act: layer = "relu") {
  residual {
    conv1 = conv2d(out, 3, stride=stride, padding=1, bias=false)
    bn1 = batch_norm2d
    act
    conv2 = conv2d(out, 3, padding=1)
  } shortcut {
    when stride != 1 or in_channels != out {
      project = conv2d(out, 1, stride=stride)
    }
  }
}
network backbone(wide = 4) {
  input (3, T, 9, 8)
  smooth = conv3d(3, 3, padding=1)
  images = per_frame {
    let narrow = wide // 2
    stem = conv2d(narrow, 3, stride=2, padding=1)
    level[i in 1..2] = unit(out=narrow * i, stride=i, act=leaky_relu(0.1))
    mixed = parallel {
      left { conv = conv2d(2, (1, 3), padding=(0, 1)) }
      right { max_pool2d(3, stride=1, padding=1) }
    }
    both = join("max") from mixed, mixed
    adaptive_avg_pool2d((2, 1))
    flatten
    fc = linear(5)
  }
  over_time = conv1d(4, 3)
}
"""


def built(spec: Any = BACKBONE) -> Any:
    torch.manual_seed(3)
    net = codsl.build(spec, dtype=torch.float64).eval()
    randomise(net, 3)
    return net


class Backbone(nn.Module):
    """The images' part as a user of torch writes it."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.weights = weights

    def conv(self, x: Tensor, name: str, **options: Any) -> Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias")
        return nn.functional.conv2d(x, weight, bias, **options)

    def unit(self, x: Tensor, name: str, stride: int) -> Tensor:
        norm = [self.weights[f"{name}.bn1.{each}"] for each in ("running_mean", "running_var")]
        gains = [self.weights[f"{name}.bn1.{each}"] for each in ("weight", "bias")]
        body = self.conv(x, f"{name}.conv1", stride=stride, padding=1)
        body = nn.functional.leaky_relu(nn.functional.batch_norm(body, *norm, *gains), 0.1)
        short = self.conv(x, f"{name}.project", stride=stride) if stride > 1 else x
        return short + self.conv(body, f"{name}.conv2", padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x, "stem", stride=2, padding=1)
        x = self.unit(self.unit(x, "level1", 1), "level2", 2)
        left = self.conv(x, "mixed.left.conv", padding=(0, 1))
        x = torch.cat([left, nn.functional.max_pool2d(x, 3, 1, 1)], 1)
        x = nn.functional.adaptive_avg_pool2d(x, (2, 1)).flatten(1)
        return nn.functional.linear(x, self.weights["fc.weight"], self.weights["fc.bias"])


def test_a_backbone_is_what_torch_makes_of_every_frame() -> None:
    net = built()
    images = net.get_submodule("images")
    weights = dict(images.state_dict())
    assert weights["level1.conv1.weight"].shape == (2, 2, 3, 3)
    clip = torch.randn(2, 3, 4, 9, 8, dtype=torch.float64)
    with torch.no_grad():
        y = images(clip)
        wanted = [Backbone(weights)(clip[:, :, t]) for t in range(4)]
    assert torch.equal(y, torch.stack(wanted, 2))
    assert (images.receptive_field, images.delay, images.init_state().bytes) == (1, 0, 0)


def test_it_keeps_the_contract_among_layers_over_time() -> None:
    net = built()
    assert net.receptive_field == 5
    contract(net)


def test_both_surfaces_mean_the_same() -> None:
    layers = [
        {"conv2d": {"name": "a", "out_channels": 4, "kernel_size": 3}},
        {"residual": {"layers": ["relu", {"conv2d": {"out_channels": 4, "kernel_size": 1}}]}},
    ]
    yaml = {
        "codsl": 1,
        "name": "n",
        "input": [3, "T", 9, 9],
        "layers": [{"per_frame": {"name": "n", "layers": layers}}],
    }
    text = """codsl 1
network n {
  input (3, T, 9, 9)
  n = per_frame { a = conv2d(4, 3) residual { relu conv2d(4, 1) } }
}
"""
    reports = [codsl.check(spec).report().to_dict() for spec in (yaml, text)]
    assert reports[0] == reports[1]
    paths = [node["path"] for node in reports[0]["nodes"]]
    assert paths == ["n.a", "n.relu", "n.conv2d", "n.sum"]


def test_without_a_name_it_adds_no_level() -> None:
    graph = codsl.check(
        "codsl 1\nnetwork n {\n input (3, T, 9, 9)\n per_frame { conv2d(4, 3) }\n}\n"
    )
    assert [node.path for node in graph.nodes] == ["conv2d"]
    assert graph.frames[-1] == Frame(4, (7, 7))


def test_values_go_in_and_out_by_name() -> None:
    graph = codsl.check("""codsl 1
network n {
  input (4, T, 6, 6)
  outputs frames.inner, last
  before = conv3d(4, 3, padding=1)
  frames = per_frame {
    inner = conv2d(4, 3, padding=1)
    join("sum") from inner, before
  } from input
  after = conv3d(4, 3, padding=1) from frames.inner
  last = join("sum") from after, frames
}
""")
    times = {each.name: graph.times[each.value] for each in graph.outputs}
    assert times["frames.inner"] == IDENTITY
    assert (times["last"].receptive_field, times["last"].delay) == (3, 1)


def test_a_signal_without_space_has_vectors() -> None:
    net = built(
        "codsl 1\nnetwork n {\n input (4, T)\n"
        " per_frame { a = linear(3) batch_norm1d gelu log_softmax(dim=-1) }\n}\n"
    )
    contract(net)
    x = torch.randn(1, 4, 5, dtype=torch.float64)
    assert torch.allclose(net(x).exp().sum(1), torch.ones(1, 5, dtype=torch.float64))


def test_a_dtype_is_seen_through_it() -> None:
    text = "codsl 1\nnetwork n {\n input (3, T, 9, 9)\n per_frame { conv2d(4, 3, dtype=%s) }\n}\n"
    assert codsl.check(text % '"float64"').dtype == "float64"
    assert codsl.build(text % '"float64"').get_submodule("conv2d").weight.dtype == torch.float64


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("delay(1)", "`delay` works over time"),
        ('residual(shrink="lagging") { relu }', "`shrink` crops"),
        ("per_frame { relu }", "on single frames already"),
        ("{ x = per_frame { relu } }", "on single frames already"),
        ("conv3d(4, 3)", "use `conv2d`: inside `per_frame`"),
        ("carries", "`carries` works over time"),
        ("looks_back", "`looks_back` works over time"),
        ("mixes2d", "`mixes2d` has no form for images here"),
    ],
)
@pytest.mark.usefixtures("registered")
def test_what_is_over_time_is_told_with_the_reason(body: str, said: str) -> None:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(f"codsl 1\nnetwork n {{\n input (3, T, 9, 9)\n per_frame {{ {body} }}\n}}\n")
    (found,) = caught.value.diagnostics
    assert said in str(found)


class _Row(Layer):
    """What the rows below have in common."""

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)

    def shape(self, x: Frame) -> Frame:
        return x

    def time(self) -> Time:
        return IDENTITY

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}

    def macs(self, x: Frame, y: Frame) -> int:
        return x.size

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)


@final
@dataclass(frozen=True)
class Carries(_Row):
    """A carried state."""

    rank: ClassVar[int] = ANY_RANK

    def recipe(self, x: Frame) -> Recipe:
        return Carried("Identity", {}, Call("none"), (Memory("h", x.shape),))


@final
@dataclass(frozen=True)
class LooksBack(_Row):
    """A window of two items."""

    rank: ClassVar[int] = ANY_RANK

    def time(self) -> Time:
        return sees(Window(2, before=1))

    def recipe(self, x: Frame) -> Recipe:
        return Windowed("Identity", {}, Window(2, before=1), Call("none"))


@final
@dataclass(frozen=True)
class Mixes2d(_Row):
    """A function of its own for time and one dimension of space."""

    rank: ClassVar[int] = 2

    def recipe(self, x: Frame) -> Recipe:
        return Pointwise(call=Call("none"))


@final
@dataclass(frozen=True)
class Doubles(_Row):
    """Twice what comes in: a function of each frame, whatever its space."""

    rank: ClassVar[int] = ANY_RANK

    def recipe(self, x: Frame) -> Recipe:
        return Pointwise(call=Call("twice"))


@final
@dataclass(frozen=True)
class Pairs2d(_Row):
    """The sum of neighbours along the first of two dimensions."""

    rank: ClassVar[int] = 2

    def time(self) -> Time:
        return sees(Window(2))

    def recipe(self, x: Frame) -> Recipe:
        return Windowed("Identity", {}, Window(2), Call("neighbours"))


def twice(x: Tensor) -> Tensor:
    return 2 * x


def neighbours(x: Tensor) -> Tensor:
    return x[:, :, 1:] + x[:, :, :-1]


@pytest.fixture
def registered() -> Iterator[None]:
    """The rows above in the table, for as long as a test takes."""
    with tables.registrations():
        for row in (Carries, LooksBack, Mixes2d):
            codsl.register(row)
        codsl.register(Doubles, twice)
        codsl.register(Pairs2d, neighbours)
        yield


@pytest.mark.usefixtures("registered")
def test_rows_of_users_work_on_images_where_they_can() -> None:
    net = built("codsl 1\nnetwork n {\n input (3, T, 5, 4)\n per_frame { doubles pairs2d }\n}\n")
    x = torch.randn(2, 3, 4, 5, 4, dtype=torch.float64)
    assert torch.equal(net(x), 2 * x[:, :, :, 1:] + 2 * x[:, :, :, :-1])
    assert [node.macs for node in net.graph.nodes] == [3 * 5 * 4, 3 * 4 * 4]
    contract(net)
