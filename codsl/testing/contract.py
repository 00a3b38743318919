"""The contract of every network: what a clip, a stream and the declared numbers agree on."""

import math
import random
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codsl.nn.nest import leaves
from codsl.nn.running.state import State
from codsl.testing.comparison import ContractError, demand, identical, together
from codsl.testing.draws import part
from codsl.testing.gradients import gradients_agree
from codsl.testing.trial import Outputs, Trial, spoil
from codsl.testing.windows import depends_as_declared

WIDTHS = {"float64": 8, "int64": 8}
"""Bytes of a number of carried tensors that have a dtype of their own; others count as float32."""
FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What a broken module may raise by itself."""

TRIED = 0.4
"""The share of frames before which a step is tried that updates nothing."""
SELDOM = 0.2
"""The same where not all is tried."""
SMALL = 3
"""Frames at most of the smallest chunks."""

Clips = dict[int, list[Tensor]]
"""The answers to the first frames of a clip, by how many they are."""
Promise = tuple[str, Callable[[Trial, Clips], None]]
"""A promise, and what tries it; it may ask for the answers that those before it found."""


def hold(trial: Trial, promises: Iterable[Promise] | None = None) -> None:
    """All that codsl promises of one module, or some of it; raises `ContractError` with what is
    broken."""
    clips: Clips = {}
    for promise, test in CONTRACT if promises is None else promises:
        try:
            with torch.inference_mode(False), torch.no_grad():
                test(trial, clips)
        except ContractError as error:
            raise ContractError(f"{promise}, but {error}{_where(trial)}") from None
        except FAILURES as error:
            kind = type(error).__name__
            raise ContractError(f"{promise}, but {kind}: {error}{_where(trial)}") from error
        finally:
            trial.net.reset()


def _where(trial: Trial) -> str:
    dtype = str(trial.dtype).removeprefix("torch.")
    return f" (a clip of {trial.frames} frames, {dtype}, seed {trial.seed})"


def clips_of(trial: Trial, clips: Clips) -> None:
    """The answers to the first frames of a clip, for every length; as many as the rule says."""
    graph, least = trial.graph, trial.declared.min_frames
    for frames in sorted(trial.lengths):
        if frames < least:
            said = refusal(trial.net, trial.cut(0, frames))
            path = graph.shortest[1]
            demand(said is not None, f"a clip of {frames} frames is no error")
            demand(path in str(said), f"`{said}` does not name `{path}`")
            demand(str(least) in str(said), f"`{said}` lacks the least clip")
            trial.counts["refusals"] += 1
            continue
        ys = trial.clip(trial.cut(0, frames))
        for y, outlet, timing in zip(ys, graph.outputs, trial.declared.each, strict=True):
            wanted = timing.length(frames)
            demand(y.shape[2] == wanted >= 1, f"{frames} frames give {y.shape[2]}, not {wanted}")
            shape, said_shape = (y.shape[1], *y.shape[3:]), graph.frames[outlet.value].shape
            demand(shape == said_shape, f"a frame is {shape}, not {said_shape}")
        clips[frames] = ys


def refusal(net: Callable[[Any], object], x: Any) -> str | None:
    """What a network says to an input that it refuses."""
    try:
        net(x)
    except ValueError as error:
        return str(error)
    return None


def frame_by_frame(trial: Trial, clips: Clips) -> None:
    """Every output at its frame, equal to the clip's; at any frame, the end completes the clip.

    The caller's frame and the outputs are overwritten at once: nothing of them may be kept. Before
    some frames a step is only tried.
    """
    draw, share = random.Random(trial.seed), SELDOM if trial.some else TRIED
    trial.net.reset()
    so_far: list[Outputs] = [[] for _ in trial.declared.each]
    demand(all(y is None for y in trial.flush()), "an empty stream gives something")
    if trial.declared.bursts:
        refuses_steps(trial)
    for t in range(trial.frames):
        frame = trial.frame(t)
        ys = tries(trial, frame) if draw.random() < share else trial.step(frame)
        for y, timing, whole, outputs in zip(
            ys, trial.declared.each, clips[trial.frames], so_far, strict=True
        ):
            due = timing.at(t)
            found = type(y).__name__
            demand((y is not None) == bool(due), f"frame {t}: outputs {[*due]} are {found}")
            if y is not None:
                trial.close(y, whole[:, :, due.start : due.stop], f"step at frame {t}")
                outputs.append(y.clone())
        spoil(ys)
        spoil(frame)
        if t + 1 in trial.lengths:
            ends_as_the_clip(trial, so_far, clips.get(t + 1), t + 1)


def tries(trial: Trial, frame: Any) -> Outputs:
    """A step after one that updates nothing, which gives the same."""
    tried = [None if y is None else y.clone() for y in trial.step(frame, update_state=False)]
    ys = trial.step(frame)
    for y, before in zip(ys, tried, strict=True):
        identical(before, y, "a step without an update")
    return ys


def ends_as_the_clip(
    trial: Trial, so_far: list[Outputs], wanted: list[Tensor] | None, frames: int
) -> None:
    """What the end gives completes the clip, and is no part of the stream."""
    ends = trial.flush()
    for number, (outputs, end) in enumerate(zip(so_far, ends, strict=True)):
        if wanted is None:
            demand(end is None, f"{frames} frames are too few, but the end gives something")
            continue
        every = together([*outputs, end])
        demand(every is not None, f"{frames} frames give nothing")
        trial.close(every, wanted[number], f"steps and flush after {frames} frames")
    spoil(ends)


def refuses_steps(trial: Trial) -> None:
    """A network of which some frames give several outputs says what to use."""
    net, frame = trial.net, trial.frame(0)
    pure = net.init_state(trial.batch, trial.dtype) if net._settled() is not None else None
    steps = [net.forward_step]
    steps += [lambda x: net.step(x, pure)] if pure is not None else []
    for step in steps:
        said = refusal(step, frame)
        demand(said is not None, "a step that gives several outputs is no error")
        demand("forward_steps" in str(said), f"`{said}` does not name forward_steps")
    demand(net.get_state() is None, "a step that is refused begins a stream")


def in_chunks(trial: Trial, clips: Clips) -> None:
    """Chunks of any size give what is due after each, and the end gives the rest: of the small ones
    after each, or after some."""
    draw, frames = random.Random(trial.seed), trial.frames
    for largest in _sizes(trial, draw):
        trial.net.reset()
        so_far: list[Outputs] = [[] for _ in trial.declared.each]
        start = 0
        while start < frames:
            size = draw.randint(0, largest) if largest < frames else frames
            chunk = trial.cut(start, start + size)
            start += size
            stop = min(start, frames)
            if stop in clips and largest == SMALL and (not trial.some or draw.random() < TRIED):
                ends = trial.steps(chunk, pad_end=True, update_state=False)
                for outputs, end, whole in zip(so_far, ends, clips[stop], strict=True):
                    trial.close(together([*outputs, end]), whole, f"chunks that end at {stop}")
            ys = trial.steps(chunk, pad_end=start >= frames)
            for y, timing, outputs in zip(ys, trial.declared.each, so_far, strict=True):
                outputs.append(None if y is None else y.clone())
                found = together(outputs)
                count = 0 if found is None else found.shape[2]
                demand(start >= frames or count == timing.due(start), "not what is due")
            spoil(ys)
            spoil(chunk)
        for outputs, whole in zip(so_far, clips[frames], strict=True):
            trial.close(together(outputs), whole, f"chunks of {largest} frames at most")


def _sizes(trial: Trial, draw: random.Random) -> tuple[int, ...]:
    """The largest chunks of each stream; where not all is tried, small or large ones, and all."""
    broken = (SMALL, 1 + trial.frames // 2)
    return (*(draw.sample(broken, 1) if trial.some else broken), trial.frames)


def purely(trial: Trial, clips: Clips) -> None:
    """The pure step changes nothing that it was given, and says the same again."""
    net = trial.net
    net.reset()
    state = net.init_state(trial.batch, trial.dtype)
    states: dict[int, tuple[State, tuple[Tensor, ...]]] = {}
    given: dict[int, Outputs] = {}
    for t in range(trial.frames):
        frame = trial.frame(t)
        before = state
        if t in trial.lengths:
            states[t] = (state, tuple(tensor.clone() for tensor in state.tensors))
        ys, state = trial.pure_step(frame, before)
        for used, own in zip(leaves(frame), leaves(trial.x), strict=True):
            demand(torch.equal(used, own[:, :, t]), "the frame was written to")
        if t in trial.lengths:
            given[t] = ys
        for y, timing, whole in zip(ys, trial.declared.each, clips[trial.frames], strict=True):
            due = timing.at(t)
            if y is not None:
                trial.close(y, whole[:, :, due.start : due.stop], f"pure step at frame {t}")
    for t, (before, copies) in states.items():
        demand(before.frame == t, f"the state after {t} frames says {before.frame}")
        for tensor, copy in zip(before.tensors, copies, strict=True):
            identical(tensor, copy, f"the state after {t} frames, later on")
    again = random.Random(trial.frames).choice(sorted(states))
    ys, _ = trial.pure_step(trial.frame(again), states[again][0])
    for y, before_y in zip(ys, given[again], strict=True):
        identical(y, before_y, "the step again")
    demand(net.get_state() is None, "the pure step keeps a state")


def rows_apart(trial: Trial, clips: Clips) -> None:
    """What one row of a batch gets never reaches another, in a clip and in a stream."""
    spoilt = trial.cut(0, trial.frames)
    for each in leaves(spoilt):
        each[1:] = math.nan
    trial.net.reset()
    starts = range(0, trial.frames, 5)
    chunks = [part(spoilt, start, start + 5) for start in starts]
    parts = [*(trial.steps(chunk) for chunk in chunks), trial.flush()]
    for number, (clip, whole) in enumerate(
        zip(trial.clip(spoilt), clips[trial.frames], strict=True)
    ):
        for y in (clip, together([each[number] for each in parts])):
            demand(y is not None, "a stream gives nothing")
            trial.close(None if y is None else y[:1], whole[:1], "a row beside one of nan")
    trial.counts["rows"] += trial.batch


def resumes(trial: Trial, clips: Clips) -> None:
    """A copy of a state, saved and loaded where it can be, goes on bit for bit."""
    net = trial.net
    net.reset()
    middle = random.Random(trial.seed).randint(1, trial.frames - 1)
    trial.steps(trial.cut(0, middle))
    state = net.get_state()
    demand(state is not None, "there is no state after a frame")
    other = state.copy()
    wanted = rest_of(trial, middle)
    net.reset()
    net.set_state(other if state.others else _through_a_file(other))
    for found, y in zip(rest_of(trial, middle), wanted, strict=True):
        identical(found, y, f"from frame {middle} on, a state that was kept")
    trial.counts["states"] += 1


def _through_a_file(state: State) -> State:
    """A state that was saved and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        state.save(path)
        return State.load(path, state.device)


def rest_of(trial: Trial, start: int) -> Outputs:
    """What a stream gives from a frame on, its end with it, output by output."""
    parts = [trial.step(trial.frame(t)) for t in range(start, trial.frames)]
    return [together(each) for each in zip(*parts, trial.flush(), strict=True)]


def keeps_as_declared(trial: Trial, clips: Clips) -> None:
    """The bytes that a stream keeps are those of the report, with no larger storage behind them."""
    net, declared = trial.net, trial.declared.state_bytes
    net.reset()
    for t in range(min(trial.frames, 3)):
        trial.step(trial.frame(t))
        state = net.get_state()
        if state is None:
            raise ContractError("there is no state after a frame")
        carried = [each for memory in trial.graph.schedule.memory for each in memory]
        widths = [4] * (len(state.tensors) - len(carried))
        widths += [WIDTHS.get(each.dtype or "", 4) for each in carried]
        sizes = [tensor.numel() // trial.batch for tensor in state.tensors]
        kept = sum(size * width for size, width in zip(sizes, widths, strict=True))
        demand(kept == declared, f"{kept} bytes kept, {declared} declared")
        stored = {
            tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
            for tensor in state.tensors
            if tensor.numel()
        }
        demand(sum(stored.values()) <= state.bytes, "more is stored than kept")
        trial.counts["sizes of state"] += 1


CONTRACT: tuple[Promise, ...] = (
    ("a clip has the declared length and a shorter one than the least is refused", clips_of),
    ("steps and their end give what the clip gives, each output at its frame", frame_by_frame),
    ("chunks of any size give what the clip gives", in_chunks),
    ("a pure step changes nothing that it is given", purely),
    ("one row of a batch never reaches another", rows_apart),
    ("an output depends on the declared frames and on no others", depends_as_declared),
    ("a stream keeps the declared bytes", keeps_as_declared),
    ("a state that is copied or saved goes on exactly", resumes),
    ("gradients are equal in clips, steps and chunks", gradients_agree),
)
"""Every promise, and what tries it."""
