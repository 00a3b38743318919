"""The networks that are measured where none is given, and how their cost grows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from codsl.bench.measure import UNSEEN, Watch, Wish, measure
from codsl.bench.pick import picked
from codsl.bench.result import Case, Series
from codsl.pipeline import build


@dataclass(frozen=True)
class Entry:
    """A spec, what it is given, and the clip that is run again without streams, in frames."""

    spec: str
    params: Mapping[str, Any] = field(default_factory=dict)
    variant: str | None = None
    window: int | None = None


@dataclass(frozen=True)
class Growth:
    """An entry with something varied: a parameter, or the number of streams where it is empty."""

    entry: Entry
    axis: str
    param: str
    values: Sequence[int]
    clip: bool = False

    def at(self, value: int) -> Entry:
        """The entry with one of the values; with `clip` it is also the clip that is run again."""
        params = {**self.entry.params, self.param: value} if self.param else self.entry.params
        return replace(self.entry, params=params, window=value if self.clip else None)


EVERY_FRAME = {"halves": False, "window": 16}
"""ResNets that do not halve time, as those of continual inference: an answer to every frame."""

TCN = {"features": 64, "channels": (64,) * 8, "kernel": 3, "weight_norm": False}

SUITE: Mapping[str, Entry] = {
    "x3d_s": Entry("codsl:x3d", variant="s", window=13),
    "x3d_m": Entry("codsl:x3d", variant="m", window=16),
    "r3d_18_56": Entry("codsl:resnet3d", {"size": 56, **EVERY_FRAME}, window=16),
    "r3d_18_112": Entry("codsl:resnet3d", EVERY_FRAME, window=16),
    "r2plus1d_18": Entry("codsl:resnet3d", EVERY_FRAME, "r2plus1d_18", window=16),
    "r3d_18_halving": Entry("codsl:resnet3d", window=16),
    "slowfast_r50": Entry("codsl:slowfast", window=32),
    "tcn_8x64": Entry("codsl:tcn", {**TCN, "growth": 1}),
    "tcn_8x64_dilated": Entry("codsl:tcn", TCN),
    "wavenet_30": Entry("codsl:wavenet", variant="paper"),
    "conv_tasnet": Entry("codsl:conv_tasnet"),
    "transformer_4": Entry("codsl:continual_transformer", {"layers": 4}),
    "seanet_decoder": Entry("codsl:seanet_decoder"),
}

STACK = Entry(
    "codsl 1\n"
    "network stack(depth = 8, channels = 64, kernel = 3) {\n"
    "  input (channels, T)\n"
    "  unit[i in 1..depth] = { conv = conv1d(channels, kernel, padding='causal') relu }\n"
    "}\n".replace("'", '"')
)

GROWTH: Mapping[str, Growth] = {
    "depth": Growth(STACK, "layers", "depth", (2, 4, 8, 16, 32, 64)),
    "channels": Growth(STACK, "channels", "channels", (16, 32, 64, 128, 256, 512)),
    "window": Growth(STACK, "frames of each window", "kernel", (2, 3, 5, 9, 17, 33)),
    "streams": Growth(STACK, "streams", "", (1, 2, 4, 8, 16, 32)),
    "clips": Growth(
        Entry("codsl:x3d", variant="m"), "frames of the clip", "window", (4, 8, 16, 32, 64), True
    ),
}

READY = ("eager", "native", "onnxruntime", "openvino")
"""The backends of a series: those that are ready soon, and not after minutes of compiling."""

NAMES = (*SUITE, *GROWTH)


def chosen(names: Sequence[str] | None) -> tuple[str, ...]:
    """The names of what is to be measured; raises `ValueError` for one that is none."""
    for name in names or ():
        if name not in NAMES:
            listed = ", ".join(f"`{each}`" for each in NAMES)
            raise ValueError(f"there is no `{name}` to measure; there is {listed}")
    return NAMES if names is None else tuple(dict.fromkeys(names))


def run(name: str, wish: Wish, watch: Watch = UNSEEN) -> Case | Series:
    """Measure one of them: all that is wished for, or how steps of one stream grow."""
    if name in SUITE:
        here = replace(wish, window=wish.window or SUITE[name].window)
        return _case(name, SUITE[name], here, watch)
    growth = GROWTH[name]
    picks = picked(READY) if wish.backends is None else wish.backends
    cases = []
    for value in growth.values:
        entry, streams = growth.at(value), 1 if growth.param else value
        here = replace(wish, backends=picks, streams=(streams,), chunks=(0,), window=entry.window)
        cases.append(_case(f"{name} {value}", entry, here, replace(UNSEEN, doing=watch.doing)))
    return Series(name, growth.axis, growth.values, tuple(cases))


def _case(name: str, entry: Entry, wish: Wish, watch: Watch) -> Case:
    torch.manual_seed(wish.seed)
    net = build(entry.spec, variant=entry.variant, params=entry.params).eval()
    return measure(net, wish, name, watch)
