"""The contract of every built network: what a clip, a stream and the declared numbers agree on."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from codsl.nn.module import CoModule
    from codsl.nn.state import State

TOLERANCE = {torch.float32: 5e-6, torch.float64: 1e-10}
BATCH = 2
LONGEST = 96
"""Frames of a clip at most."""


@dataclass(frozen=True)
class Declared:
    """What a network says of itself, read off its report."""

    stride: int
    delay: int
    past: int
    ahead: int
    offset: int
    min_frames: int
    state_bytes: int

    @classmethod
    def of(cls, net: CoModule) -> Declared:
        total = net.graph.report().total
        time = net.graph.time
        assert total["receptive_field"] == time.past + 1 + time.ahead, "two receptive fields"
        return cls(
            total["stride"],
            total["delay"],
            int(time.past),
            time.ahead,
            time.offset,
            total["min_frames"],
            total["state_bytes"],
        )

    def due(self, frames: int) -> int:
        """Outputs that have come out of a stream after so many frames."""
        return sum(1 for t in range(frames) if self.index(t) is not None)

    def index(self, frame: int) -> int | None:
        """The output that comes out at a frame."""
        late = frame - self.delay
        return late // self.stride if late >= 0 and late % self.stride == 0 else None


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
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.affine:
                uniform(module.weight, 0.5, 1.5)
                uniform(module.bias, -1, 1)
            elif isinstance(bias := getattr(module, "bias", None), Tensor):
                uniform(bias, -1, 1)


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
    declared = Declared.of(net)
    field = declared.past + 1 + declared.ahead
    most = max(field, declared.min_frames, declared.delay + 1) + 2 * declared.stride + 3
    assert most <= LONGEST, f"a clip of {most} frames is too long for this test"
    x = clip_of(net, most, seed, dtype)
    clips = clips_of(net, x, declared)
    frame_by_frame(net, x, clips, declared)
    in_chunks(net, x, clips, declared, random.Random(seed))
    purely(net, x, clips[most], declared)
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
        wanted = (frames + declared.offset) // declared.stride
        assert y.shape[2] == wanted >= 1, f"{frames} frames give {y.shape[2]}, not {wanted}"
        assert (y.shape[1], *y.shape[3:]) == net.graph.frames[net.graph.output].shape, "shape"
        clips[frames] = y
    return clips


def refusal(net: CoModule, x: Tensor) -> str | None:
    """What a network says to a clip that it refuses."""
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
    for t in range(x.shape[2]):
        frame = x[:, :, t].clone()
        tried = net.forward_step(frame, update_state=False)
        tried = None if tried is None else tried.clone()
        y = net.forward_step(frame)
        identical(tried, y, "a step without an update")
        j = declared.index(t)
        assert (y is not None) == (j is not None), f"frame {t}: output {j} is {type(y).__name__}"
        if y is not None:
            close(y, whole[:, :, j], f"step at frame {t}")
            outputs.append(y.clone().unsqueeze(2))
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
        y, state = net.step(frame, state)
        assert torch.equal(frame, x[:, :, t]), "the frame was written to"
        outputs.append(y)
        if y is not None:
            close(y, whole[:, :, declared.index(t)], f"pure step at frame {t}")
    for t, (before, copies) in enumerate(states):
        assert before.frame == t, f"the state after {t} frames says {before.frame}"
        for tensor, copy in zip(before.tensors, copies, strict=True):
            identical(tensor, copy, f"the state after {t} frames, later on")
    again = random.Random(x.shape[2]).randrange(x.shape[2])
    y, _ = net.step(x[:, :, again].clone(), states[again][0])
    identical(y, outputs[again], "the step again")
    assert net.get_state() is None, "the pure step keeps a state"


def undisturbed(net: CoModule, frames: int) -> list[int]:
    """The outputs that no padding of any layer reaches, in a clip of so many frames."""
    time = net.graph.time
    first = max(0, *(-each.past for each in net.graph.times))
    counts = [(frames + each.offset) // each.stride for each in net.graph.times]
    ends = (
        count * each.stride + each.ahead
        for count, each in zip(counts, net.graph.times, strict=True)
    )
    last = min(frames, *ends)
    return [
        j
        for j in range((frames + time.offset) // time.stride)
        if j * time.stride - time.past >= first and j * time.stride + time.ahead < last
    ]


def depends_as_declared(net: CoModule, declared: Declared, seed: int, dtype: torch.dtype) -> None:
    """The oldest and the newest frame that poison output `j` are where the report has them."""
    net.reset()
    frames = next(n for n in range(declared.min_frames, 4 * LONGEST) if undisturbed(net, n))
    x = clip_of(net, frames + declared.stride, seed, dtype)[:1]
    frames = x.shape[2]
    poisoned = x.repeat(frames, *(1,) * (x.dim() - 1))
    poisoned[range(frames), :, range(frames)] = math.nan
    clean = net(x).isfinite()
    turned = (net(poisoned).isnan() & clean).movedim(2, 1).flatten(2).any(2)
    exact = undisturbed(net, frames)
    for j in range(clean.shape[2]):
        found = turned[:, j].nonzero().flatten().tolist()
        oldest, newest = j * declared.stride - declared.past, j * declared.stride + declared.ahead
        assert all(oldest <= t <= newest for t in found), f"output {j} sees more than declared"
        if j in exact:
            assert clean[:, :, j].all(), f"output {j} is not finite"
            ends = (found[0], found[-1]) if found else None
            assert ends == (oldest, newest), f"output {j} sees {ends}, not {(oldest, newest)}"


def keeps_as_declared(net: CoModule, x: Tensor, declared: Declared) -> None:
    """The bytes that a stream keeps are those of the report, with no larger storage behind them."""
    net.reset()
    for t in range(min(x.shape[2], 3)):
        net.forward_step(x[:, :, t])
        state = net.get_state()
        assert state is not None, "no state after a frame"
        kept = sum(tensor.numel() for tensor in state.tensors) * 4 // BATCH
        assert kept == declared.state_bytes, f"{kept} bytes kept, {declared.state_bytes} declared"
        stored = {
            tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
            for tensor in state.tensors
            if tensor.numel()
        }
        assert sum(stored.values()) <= state.bytes, "more is stored than kept"
    net.reset()
