"""Networks of several inputs and outputs: clip = steps = chunks, each output at its own frames."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

import codsl
from codsl.algebra.time import Time
from codsl.network import Network
from codsl.report.table import show
from harness.contract import close, identical, randomise, together

TWO_PATHWAYS = """codsl 1
network two_pathways {
  inputs rgb (3, T, 6), flow (2, T, 6) rate 30
  outputs head, aux, near.deep
  near = {
    first = conv2d(4, 3, padding=1) from rgb
    deep = conv2d(4, (5, 3), padding=(1, 1))
  }
  far = conv2d(4, 3, padding=("causal", 1)) from flow
  aux = conv2d(1, (3, 1), stride=(2, 1), padding=(1, 0)) from far
  short = max_pool2d((3, 1), stride=1) from far
  both = join from near, short
  head = conv2d(2, 1)
}
"""

PYRAMID = """codsl: 1
name: pyramid
inputs: {signal: [2, T]}
outputs: ["level[*].tap", level2]
layers:
  - repeat:
      name: level
      index: i
      range: [1, 3]
      layer:
        sequential:
          layers:
            - conv1d: {name: conv, out_channels: 3, kernel_size: 3, stride: 2, padding: 1}
            - conv1d: {name: tap, out_channels: $i, kernel_size: $i}
            - tanh: {from: conv}
"""

UNALIKE = """codsl 1
network unalike {
  inputs one (2, T, 4, 4), other (3, T), last (1, T, 5)
  outputs early, late, wide, cut
  early = conv3d(2, (2, 3, 3), padding=("causal", 0, 0)) from one
  delay(4)
  late = prelu
  wide = conv1d(3, 5, dilation=2, padding="same", padding_mode="replicate") from other
  lagged = residual(shrink="lagging") { conv1d(3, 4) } from other
  cut = avg_pool2d((4, 2), stride=(3, 1), ceil_mode=true, count_include_pad=false) from last
  tanh
}
"""

SPECS = [TWO_PATHWAYS, PYRAMID, UNALIKE]
FRAMES = 29


def built(spec: str) -> Network:
    torch.manual_seed(4)
    net = codsl.build(spec, dtype=torch.float64).eval()
    randomise(net, 4)
    return net


def clips(net: Network, frames: int = FRAMES) -> dict[str, Tensor]:
    """A random clip for each input."""
    generator = torch.Generator().manual_seed(frames)
    return {
        inlet.name: torch.randn(
            2,
            inlet.frame.channels,
            frames,
            *inlet.frame.space,
            generator=generator,
            dtype=torch.float64,
        )
        for inlet in net.graph.inputs
    }


def times(net: Network) -> dict[str, Time]:
    """The time of each output."""
    return {outlet.name: net.graph.times[outlet.value] for outlet in net.graph.outputs}


def part(xs: dict[str, Tensor], first: int, stop: int) -> dict[str, Tensor]:
    return {name: x[:, :, first:stop] for name, x in xs.items()}


def at(xs: dict[str, Tensor], frame: int) -> dict[str, Tensor]:
    return {name: x[:, :, frame] for name, x in xs.items()}


@pytest.mark.parametrize("spec", SPECS)
@torch.no_grad()
def test_steps_and_the_end_are_the_clip(spec: str) -> None:
    """Output `j` comes at frame `j * stride + delay` of its own, and nothing else does."""
    net = built(spec)
    xs = clips(net)
    whole = net(xs)
    declared = times(net)
    assert list(whole) == list(declared) == [outlet.name for outlet in net.graph.outputs]
    found: dict[str, list[Tensor | None]] = {name: [] for name in whole}
    for t in range(FRAMES):
        tried = net.forward_step(at(xs, t), update_state=False)
        ys = net.forward_step(at(xs, t))
        assert list(ys) == list(whole)
        for name, y in ys.items():
            identical(tried[name], y, name)
            j, off = divmod(t - declared[name].delay, declared[name].stride)
            assert (y is not None) == (j >= 0 and off == 0), f"{name} at frame {t}"
            found[name].append(None if y is None else y.unsqueeze(2))
        if t + 1 >= net.graph.min_frames:
            ended = net(part(xs, 0, t + 1))
            for name, rest in net.flush().items():
                close(together([*found[name], rest]), ended[name], f"{name}, {t + 1} frames")
    assert FRAMES > net.graph.min_frames > 1


@pytest.mark.parametrize("spec", SPECS)
@torch.no_grad()
def test_chunks_are_the_clip(spec: str) -> None:
    net = built(spec)
    xs = clips(net)
    whole = net(xs)
    for seed in range(4):
        draw = random.Random(seed)
        net.reset()
        found: dict[str, list[Tensor | None]] = {name: [] for name in whole}
        start = 0
        while start < FRAMES:
            stop = min(FRAMES, start + draw.choice((0, 1, 2, 5, 9)))
            ys = net.forward_steps(part(xs, start, stop), pad_end=stop == FRAMES)
            for name, y in ys.items():
                found[name].append(y)
            start = stop
        for name, parts in found.items():
            close(together(parts), whole[name], f"{name} in chunks")
        assert set(net.flush()) == set(whole)


@torch.no_grad()
def test_the_pure_step_says_the_same() -> None:
    net = built(TWO_PATHWAYS)
    xs = clips(net)
    state = net.init_state(2)
    for t in range(FRAMES):
        ys, state = net.step(at(xs, t), state)
        for name, y in net.forward_step(at(xs, t)).items():
            identical(ys[name], y, f"{name} at frame {t}")
    assert {"rgb:items", "flow:items"} <= set(state.names)


@torch.no_grad()
def test_an_output_depends_on_its_own_inputs_alone() -> None:
    net = built(UNALIKE)
    xs = clips(net)
    poisoned = {**xs, "other": torch.full_like(xs["other"], torch.nan)}
    whole, other = net(xs), net(poisoned)
    assert [name for name in whole if other[name].isnan().any()] == ["wide"]
    for name in ("early", "late", "cut"):
        identical(other[name], whole[name], name)


def test_the_names_of_outputs_are_as_written() -> None:
    assert list(times(built(PYRAMID))) == ["level1.tap", "level2.tap", "level3.tap", "level2"]
    assert [time.stride for time in times(built(PYRAMID)).values()] == [2, 4, 8, 4]


@pytest.mark.parametrize(
    ("xs", "said"),
    [
        (torch.zeros(1, 2, 9, dtype=torch.float64), "keys `signal`"),
        ({"sound": torch.zeros(1, 2, 9, dtype=torch.float64)}, "keys `signal`"),
        ({}, "keys `signal`"),
        ({"signal": torch.zeros(1, 3, 9, dtype=torch.float64)}, "of `signal` is B x 2 x T"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(xs: Any, said: str) -> None:
    net = built(PYRAMID)
    for call in (net, net.forward_steps):
        with pytest.raises(ValueError, match=said):
            call(xs)


def test_inputs_of_different_length_or_batch_are_refused() -> None:
    net = built(TWO_PATHWAYS)
    xs = clips(net)
    for rgb in (xs["rgb"][:, :, 1:], xs["rgb"][:1]):
        with pytest.raises(ValueError, match="same number of frames"):
            net({**xs, "rgb": rgb})
        with pytest.raises(ValueError, match=r"same (batch|number of frames)"):
            net.forward_steps({**xs, "rgb": rgb})


def test_a_state_goes_on_where_it_was() -> None:
    net = built(TWO_PATHWAYS)
    xs = clips(net)
    with torch.no_grad():
        net.forward_steps(part(xs, 0, 11))
        state = net.get_state()
        wanted = net.forward_steps(part(xs, 11, FRAMES), pad_end=True)
        net.reset()
        net.set_state(state)
        found = net.forward_steps(part(xs, 11, FRAMES), pad_end=True)
    for name, y in wanted.items():
        identical(found[name], y, name)


@pytest.mark.parametrize("spec", SPECS)
def test_the_report_has_them_by_name(spec: str) -> None:
    graph = codsl.check(spec)
    report = graph.report()
    data = json.loads(report.to_json())["total"]
    assert list(data["input"]) == [inlet.name for inlet in graph.inputs]
    assert list(data["output"]) == list(data["outputs"]) == [out.name for out in graph.outputs]
    for outlet in graph.outputs:
        time, said = graph.times[outlet.value], data["outputs"][outlet.name]
        assert (said["stride"], said["delay"]) == (time.stride, time.delay)
        assert said["receptive_field"] == time.receptive_field
    assert data["delay"] == max(each["delay"] for each in data["outputs"].values())
    console = Console(width=160, file=io.StringIO())
    show(report, console)
    for shown in (str(report), console.file.getvalue()):
        for word, names in (("input", data["input"]), ("output", data["output"])):
            assert all(f"{word} {name}" in shown for name in names)


def test_every_output_counts_as_read() -> None:
    from codsl.pipeline import inspect

    dead = {
        TWO_PATHWAYS: [],
        PYRAMID: [],  # of the last level nobody reads `tanh`, of the others somebody does
        UNALIKE: ["nothing reads `lagged.sum`", "nothing reads `tanh`"],
    }
    for spec, said in dead.items():
        assert [each.message for each in inspect(spec)[1]] == said


def test_streams_of_several_inputs_are_warmed_up() -> None:
    net = codsl.build(
        "codsl 1\nnetwork n {\n inputs a (2, T), b (2, T)\n"
        ' c = conv1d(2, 3, padding=1) from a\n join("sum") from c, b\n}\n'
    )
    net.warm_up({"a": (1, 2), "b": (1, 2)})
    frame = {"a": torch.randn(1, 2), "b": torch.randn(1, 2)}
    assert net.forward_step(frame) is not None
    assert net.get_state().frame == net.delay + 1
