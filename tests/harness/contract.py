"""The contract of `codsl.testing` for tests: on networks as they are, whole and in pieces."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from codsl.testing import contract as promises
from codsl.testing.comparison import TOLERANCE, close, identical, together
from codsl.testing.declared import SOME, Declared
from codsl.testing.draws import BATCH, Source, randomise
from codsl.testing.gradients import gradients_agree
from codsl.testing.trial import Trial

if TYPE_CHECKING:
    from codsl.nn.running.streaming import Streaming

__all__ = [
    "BATCH",
    "LONGEST",
    "SOME",
    "TOLERANCE",
    "Declared",
    "clip_of",
    "clips_of",
    "close",
    "contract",
    "frame_by_frame",
    "identical",
    "in_chunks",
    "keeps_as_declared",
    "purely",
    "randomise",
    "together",
]


LONGEST = 96
"""Frames of a clip at most."""


IN_TURN = (promises.purely, promises.rows_apart, promises.resumes, gradients_agree)
"""What says the same of each layer of a network, and so is tried of one network in four."""


def contract(
    net: Streaming, dtype: torch.dtype = torch.float64, seed: int = 0, *, in_turn: bool = False
) -> None:
    """All that codsl promises of one network; raises `AssertionError` with what is broken.

    With `in_turn`, of those promises that take turns one that is drawn, and for some lengths.
    """
    trial = Trial.of(net, source_of(net, seed, dtype))
    assert trial.frames <= LONGEST, f"a clip of {trial.frames} frames is too long for this test"
    assert trial.every, "a network that is too large for this test"
    trial = replace(trial, some=in_turn)
    turn = random.Random(seed).choice(IN_TURN)
    left_out = [each for each in IN_TURN if in_turn and each is not turn]
    promises.hold(trial, [each for each in promises.CONTRACT if each[1] not in left_out])


def source_of(net: Streaming, seed: int, dtype: torch.dtype) -> Source:
    """Random clips for a network."""
    inputs = net.graph.inputs
    by_name = {
        each.name: torch.empty(1, each.frame.channels, 1, *each.frame.space) for each in inputs
    }
    like = by_name if inputs[0].name else by_name[""]
    return Source(like, False, seed, dtype, torch.device("cpu"))


def clip_of(net: Streaming, frames: int, seed: int, dtype: torch.dtype) -> Tensor:
    """A random clip for a network."""
    x = source_of(net, seed, dtype).clip(frames)
    assert isinstance(x, Tensor)
    return x


def _trial(net: Streaming, x: Tensor) -> Trial:
    trial = Trial.of(net, source_of(net, 0, x.dtype), x.shape[2])
    return replace(trial, x=x)


def clips_of(net: Streaming, x: Tensor, declared: Declared) -> promises.Clips:
    """The answers to the first frames of a clip, for every length; as many as the rule says."""
    clips: promises.Clips = {}
    with torch.no_grad():
        promises.clips_of(_trial(net, x), clips)
    return clips


def frame_by_frame(net: Streaming, x: Tensor, clips: promises.Clips, declared: Declared) -> None:
    """Every output at its frame, equal to the clip's; at any frame, the end completes the clip."""
    with torch.no_grad():
        promises.frame_by_frame(_trial(net, x), clips)


def in_chunks(
    net: Streaming, x: Tensor, clips: promises.Clips, declared: Declared, draw: random.Random
) -> None:
    """Chunks of any size give what is due after each, and the end gives the rest."""
    with torch.no_grad():
        promises.in_chunks(replace(_trial(net, x), seed=draw.randrange(2**30)), clips)


def purely(net: Streaming, x: Tensor, whole: list[Tensor], declared: Declared) -> None:
    """The pure step changes nothing that it was given, and says the same again."""
    with torch.no_grad():
        promises.purely(_trial(net, x), {x.shape[2]: whole})


def keeps_as_declared(net: Streaming, x: Tensor, declared: Declared) -> None:
    """The bytes that a stream keeps are those of the report."""
    with torch.no_grad():
        promises.keeps_as_declared(_trial(net, x), {})
