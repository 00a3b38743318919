"""The contract of every built network: what a clip, a stream and the declared numbers agree on."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from codsl.algebra.time import length

if TYPE_CHECKING:
    from collections.abc import Callable

    from codsl.graph.graph import Graph
    from codsl.nn.module import CoModule
    from codsl.nn.state import State

TOLERANCE = {torch.float32: 5e-6, torch.float64: 1e-10}
BATCH = 2
LONGEST = 96
"""Frames of a clip at most."""
SOME = 24
"""Frames of an endless past that are looked at."""
WIDTHS = {"float64": 8, "int64": 8}
"""Bytes of a number of carried tensors that have a dtype of their own; others count as float32."""


@dataclass(frozen=True)
class Declared:
    """What a network says of itself: `outputs` are those of one period, as (oldest frame, newest
    frame, the frame at which it comes, the shortest clip that has it)."""

    outputs: tuple[tuple[float, int, int, int], ...]
    period: int
    min_frames: int
    state_bytes: int

    @classmethod
    def of(cls, graph: Graph) -> Declared:
        total = graph.report().total
        made = cls(
            tuple((each.oldest, each.newest, each.due, each.first) for each in graph.time.phases),
            graph.time.period,
            total["min_frames"],
            total["state_bytes"],
        )
        made._agrees(total)
        return made

    def _agrees(self, total: dict[str, Any]) -> None:
        """The figures of the report are those of the outputs."""
        count = len(self.outputs)
        assert total["stride"] == Fraction(self.period, count), "two strides"
        late = max(due - self.period * j // count for j, (*_, due, _) in enumerate(self.outputs))
        assert total["delay"] == late, "two delays"
        reach = max(newest + 1 - oldest for oldest, newest, *_ in self.outputs)
        assert total["receptive_field"] == reach, "two receptive fields"

    def output(self, j: int) -> tuple[float, int, int, int]:
        """Output `j`: its oldest and its newest frame, when it comes, the clip that it takes."""
        turns, phase = divmod(j, len(self.outputs))
        oldest, newest, due, first = (each + turns * self.period for each in self.outputs[phase])
        return oldest, int(newest), int(due), int(first)

    def length(self, frames: int) -> int:
        """Outputs of a clip of so many frames."""
        return next(j for j in count() if self.output(j)[3] > frames)

    def due(self, frames: int) -> int:
        """Outputs that have come out of a stream after so many frames."""
        return next(j for j in count() if self.output(j)[2] >= frames)

    def at(self, frame: int) -> range:
        """The outputs that come out at a frame."""
        return range(self.due(frame), self.due(frame + 1))

    @property
    def bursts(self) -> bool:
        """Whether some frame brings several outputs."""
        last = self.output(len(self.outputs))[2]
        return any(len(self.at(frame)) > 1 for frame in range(last + 1))

    @property
    def field(self) -> int:
        """Frames that a test of one whole window takes; of an endless one, some of it."""
        reach = max(newest + 1 - oldest for oldest, newest, *_ in self.outputs)
        return SOME if math.isinf(reach) else int(reach)

    @property
    def most(self) -> int:
        """Frames of a clip that shows all that a network does."""
        late = max(due for _, _, due, _ in self.outputs)
        return max(self.field, self.min_frames, late + 1) + 2 * self.period + 3


def randomise(net: nn.Module, seed: int) -> None:
    """Give biases, gains and statistics values of their own; a fresh batch norm is the identity."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor: Tensor, low: float, high: float) -> None:
        drawn = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
        tensor.copy_((low + (high - low) * drawn).to(tensor.dtype))

    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                uniform(module.running_mean, -1, 1)
                uniform(module.running_var, 0.5, 2)
            normed = isinstance(module, nn.LayerNorm | nn.modules.batchnorm._BatchNorm)
            if normed and module.weight is not None:
                uniform(module.weight, 0.5, 1.5)
            for name in ("bias", "beta", "in_proj_bias"):
                if isinstance(tensor := getattr(module, name, None), Tensor):
                    uniform(tensor, -1, 1)
            if isinstance(gamma := getattr(module, "gamma", None), Tensor):
                uniform(gamma, 0.5, 1.5)


def clip_of(net: CoModule, frames: int, seed: int, dtype: torch.dtype) -> Tensor:
    """A random clip for a network."""
    frame = net.graph.input
    shape = (BATCH, frame.channels, frames, *frame.space)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def close(found: Tensor, wanted: Tensor, what: str) -> None:
    """Both are equal, relative to the larger of 1 and the wanted number."""
    assert found.dtype == wanted.dtype, f"{what}: {found.dtype} is not {wanted.dtype}"
    assert found.shape == wanted.shape, f"{what}: {found.shape} is not {wanted.shape}"
    same = (found == wanted) | (found.isnan() & wanted.isnan())
    error = torch.where(same, 0.0, (found - wanted).abs() / wanted.abs().clamp(min=1))
    worst = error.max().item() if error.numel() else 0.0
    assert worst <= TOLERANCE[found.dtype], f"{what}: off by {worst:.3g}"


def identical(found: Tensor | None, wanted: Tensor | None, what: str) -> None:
    """Both are equal bit for bit, or both are nothing."""
    if found is None or wanted is None:
        assert found is wanted, f"{what}: one gives nothing"
        return
    assert torch.equal(found.nan_to_num(7e7), wanted.nan_to_num(7e7)), f"{what}: not identical"


def together(parts: list[Tensor | None]) -> Tensor | None:
    """What came out, behind one another."""
    due = [part for part in parts if part is not None]
    return torch.cat(due, 2) if due else None


@torch.no_grad()
def contract(net: CoModule, dtype: torch.dtype = torch.float64, seed: int = 0) -> None:
    """All that codsl promises of one network; raises `AssertionError` with what is broken."""
    declared = Declared.of(net.graph)
    most = declared.most
    assert most <= LONGEST, f"a clip of {most} frames is too long for this test"
    x = clip_of(net, most, seed, dtype)
    clips = clips_of(net, x, declared)
    frame_by_frame(net, x, clips, declared)
    in_chunks(net, x, clips, declared, random.Random(seed))
    purely(net, x, clips[most], declared)
    rows_apart(net, x, clips[most])
    depends_as_declared(net, declared, seed, dtype)
    keeps_as_declared(net, x, declared)


def clips_of(net: CoModule, x: Tensor, declared: Declared) -> dict[int, Tensor]:
    """The answers to the first frames of a clip, for every length; as many as the rule says."""
    clips = {}
    for frames in range(x.shape[2] + 1):
        if frames < declared.min_frames:
            said = refusal(net, x[:, :, :frames])
            path = net.graph.shortest[1]
            assert said is not None, f"a clip of {frames} frames is no error"
            assert path in said, f"`{said}` does not name `{path}`"
            assert str(declared.min_frames) in said, f"`{said}` lacks the least clip"
            continue
        y = net(x[:, :, :frames])
        wanted = declared.length(frames)
        assert y.shape[2] == wanted >= 1, f"{frames} frames give {y.shape[2]}, not {wanted}"
        assert (y.shape[1], *y.shape[3:]) == net.graph.frames[net.graph.output].shape, "shape"
        clips[frames] = y
    return clips


def refusal(net: Callable[[Tensor], object], x: Tensor) -> str | None:
    """What a network says to an input that it refuses."""
    try:
        net(x)
    except ValueError as error:
        return str(error)
    return None


def frame_by_frame(net: CoModule, x: Tensor, clips: dict[int, Tensor], declared: Declared) -> None:
    """Every output at its frame, equal to the clip's; at any frame, the end completes the clip.

    The caller's frame and the outputs are overwritten at once: nothing of them may be kept.
    """
    net.reset()
    whole = clips[x.shape[2]]
    outputs: list[Tensor | None] = []
    assert net.flush() is None, "an empty stream gives something"
    if declared.bursts:
        refuses_steps(net, x[:, :, 0])
    for t in range(x.shape[2]):
        frame = x[:, :, t].clone()
        tried = one_frame(net, frame, declared, update_state=False)
        tried = None if tried is None else tried.clone()
        y = one_frame(net, frame, declared)
        identical(tried, y, "a step without an update")
        due = declared.at(t)
        assert (y is not None) == bool(due), f"frame {t}: outputs {[*due]} are {type(y).__name__}"
        if y is not None:
            close(y, whole[:, :, due.start : due.stop], f"step at frame {t}")
            outputs.append(y.clone())
            y.fill_(math.nan)
        frame.fill_(math.nan)
        end = net.flush()
        if t + 1 < declared.min_frames:
            assert end is None, f"{t + 1} frames are too few, but the end gives something"
            continue
        every = together([*outputs, end])
        assert every is not None, f"{t + 1} frames give nothing"
        close(every, clips[t + 1], f"steps and flush after {t + 1} frames")
        if end is not None:
            end.fill_(math.nan)


def refuses_steps(net: CoModule, frame: Tensor) -> None:
    """A network of which some frames give several outputs says what to use."""
    for step in (net.forward_step, lambda x: net.step(x, net.init_state(BATCH, x.dtype))):
        said = refusal(step, frame)
        assert said is not None, "a step that gives several outputs is no error"
        assert "forward_steps" in said, f"`{said}` does not name forward_steps"
    assert net.get_state() is None, "a step that is refused begins a stream"


def one_frame(
    net: CoModule, frame: Tensor, declared: Declared, update_state: bool = True
) -> Tensor | None:
    """What comes with a frame, as a clip."""
    if declared.bursts:
        return net.forward_steps(frame.unsqueeze(2), update_state=update_state)
    y = net.forward_step(frame, update_state=update_state)
    return None if y is None else y.unsqueeze(2)


def pure_step(
    net: CoModule, frame: Tensor, state: State, declared: Declared
) -> tuple[Tensor | None, State]:
    """The same, from a state to the next."""
    if declared.bursts:
        (y,), new = net.program.steps([frame.unsqueeze(2)], state)
        return y, new
    y, new = net.step(frame, state)
    return (None if y is None else y.unsqueeze(2)), new


def in_chunks(
    net: CoModule, x: Tensor, clips: dict[int, Tensor], declared: Declared, draw: random.Random
) -> None:
    """Chunks of any size give what is due after each, and the end gives the rest."""
    for largest in (3, 1 + x.shape[2] // 2, x.shape[2]):
        net.reset()
        outputs: list[Tensor | None] = []
        start = 0
        while start < x.shape[2]:
            size = draw.randint(0, largest) if largest < x.shape[2] else x.shape[2]
            chunk = x[:, :, start : start + size].clone()
            start += size
            if start >= declared.min_frames:
                ended = net.forward_steps(chunk, pad_end=True, update_state=False)
                close(
                    together([*outputs, ended]),
                    clips[min(start, x.shape[2])],
                    f"chunks that end at {start}",
                )
            y = net.forward_steps(chunk, pad_end=start >= x.shape[2])
            outputs.append(None if y is None else y.clone())
            chunk.fill_(math.nan)
            if start < x.shape[2]:
                y = together(outputs)
                assert (0 if y is None else y.shape[2]) == declared.due(start), "not what is due"
        close(together(outputs), clips[x.shape[2]], f"chunks of {largest} frames at most")


def purely(net: CoModule, x: Tensor, whole: Tensor, declared: Declared) -> None:
    """The pure step changes nothing that it was given, and says the same again."""
    net.reset()
    state = net.init_state(BATCH, x.dtype)
    states: list[tuple[State, tuple[Tensor, ...]]] = []
    outputs: list[Tensor | None] = []
    for t in range(x.shape[2]):
        frame = x[:, :, t].clone()
        states.append((state, tuple(tensor.clone() for tensor in state.tensors)))
        y, state = pure_step(net, frame, state, declared)
        assert torch.equal(frame, x[:, :, t]), "the frame was written to"
        outputs.append(y)
        if y is not None:
            due = declared.at(t)
            close(y, whole[:, :, due.start : due.stop], f"pure step at frame {t}")
    for t, (before, copies) in enumerate(states):
        assert before.frame == t, f"the state after {t} frames says {before.frame}"
        for tensor, copy in zip(before.tensors, copies, strict=True):
            identical(tensor, copy, f"the state after {t} frames, later on")
    again = random.Random(x.shape[2]).randrange(x.shape[2])
    y, _ = pure_step(net, x[:, :, again].clone(), states[again][0], declared)
    identical(y, outputs[again], "the step again")
    assert net.get_state() is None, "the pure step keeps a state"


def rows_apart(net: CoModule, x: Tensor, whole: Tensor) -> None:
    """What one row of a batch gets never reaches another, in a clip and in a stream."""
    spoilt = x.clone()
    spoilt[1:] = math.nan
    net.reset()
    parts = [net.forward_steps(chunk) for chunk in spoilt.split(5, 2)]
    for y in (net(spoilt), together([*parts, net.flush()])):
        assert y is not None, "a stream gives nothing"
        close(y[:1], whole[:1], "a row beside one of nan")


def seen(net: CoModule, frames: int) -> tuple[int, int]:
    """The first frame that every value sees, and the first that some value's end cuts off, in a
    clip of so many frames."""
    first, last = 0, frames
    for time in net.graph.times:
        turn = len(time.phases)
        items = length(time, frames)
        oldest = min(time.output(j).oldest for j in range(turn))
        missing = max(time.output(j).oldest for j in range(-turn, 0)) + 1
        if not math.isinf(oldest):
            first = max(first, int(oldest), int(missing))
        last = min(last, *(time.output(j).newest for j in range(items, items + turn)))
    return first, last


def undisturbed(net: CoModule, declared: Declared, frames: int) -> list[int]:
    """The outputs that no padding of any layer reaches, in a clip of so many frames."""
    first, last = seen(net, frames)
    reached = {j: declared.output(j)[:2] for j in range(declared.length(frames))}
    return [
        j
        for j, (oldest, newest) in reached.items()
        if (oldest >= first or (math.isinf(oldest) and newest >= first + 2)) and newest < last
    ]


def depends_as_declared(net: CoModule, declared: Declared, seed: int, dtype: torch.dtype) -> None:
    """The oldest and the newest frame that poison output `j` are where the report has them.

    An endless past goes back to the first frame, or to the first that strides do not leap over.
    """
    net.reset()
    frames = next(
        n for n in range(declared.min_frames, 4 * LONGEST) if undisturbed(net, declared, n)
    )
    x = clip_of(net, frames + declared.period, seed, dtype)[:1]
    frames = x.shape[2]
    poisoned = x.repeat(frames, *(1,) * (x.dim() - 1))
    poisoned[range(frames), :, range(frames)] = math.nan
    clean = net(x).isfinite()
    turned = (net(poisoned).isnan() & clean).movedim(2, 1).flatten(2).any(2)
    exact = undisturbed(net, declared, frames)
    latest_begin = seen(net, frames)[0] + max(time.period for time in net.graph.times) - 1
    for j in range(clean.shape[2]):
        found = turned[:, j].nonzero().flatten().tolist()
        oldest, newest, *_ = declared.output(j)
        assert all(oldest <= t <= newest for t in found), f"output {j} sees more than declared"
        if j in exact:
            assert clean[:, :, j].all(), f"output {j} is not finite"
            ends = (found[0], found[-1]) if found else None
            begin = min(found[0], latest_begin) if math.isinf(oldest) and found else oldest
            assert ends == (begin, newest), f"output {j} sees {ends}, not {(oldest, newest)}"


def keeps_as_declared(net: CoModule, x: Tensor, declared: Declared) -> None:
    """The bytes that a stream keeps are those of the report, with no larger storage behind them."""
    net.reset()
    for t in range(min(x.shape[2], 3)):
        one_frame(net, x[:, :, t], declared)
        state = net.get_state()
        assert state is not None, "no state after a frame"
        carried = [each for memory in net.graph.schedule.memory for each in memory]
        widths = [4] * (len(state.tensors) - len(carried))
        widths += [WIDTHS.get(each.dtype, 4) for each in carried]
        sizes = [tensor.numel() // BATCH for tensor in state.tensors]
        kept = sum(size * width for size, width in zip(sizes, widths, strict=True))
        assert kept == declared.state_bytes, f"{kept} bytes kept, {declared.state_bytes} declared"
        stored = {
            tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
            for tensor in state.tensors
            if tensor.numel()
        }
        assert sum(stored.values()) <= state.bytes, "more is stored than kept"
    net.reset()
