"""Modules with a step of their own: what their class promises, asked of them directly."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from codsl.nn.attention.last_frames import LastFrames
from codsl.nn.containers import Sequential
from codsl.nn.module import CoModule
from codsl.nn.recurrent import Recurrent
from codsl.nn.running.streaming import Streaming
from codsl.testing.comparison import ContractError, demand, identical
from codsl.testing.trial import Outputs, Trial, spoil

AS_TORCH = Recurrent | LastFrames
"""Modules whose calls by hand are torch's: with hidden tensors, of whole clips, of other axes. They
keep the contract in containers."""


def has_own_step(net: CoModule) -> bool:
    """Whether a module steps by code of its own, not by a program over its graph."""
    own = getattr(type(net), "forward_step", None) is not Streaming.forward_step
    return own and not isinstance(net, AS_TORCH)


def streaming(net: CoModule) -> Any:
    """The module, or a container around one with a step of its own, whose numbers it checks, or
    around one whose calls by hand are torch's."""
    alone = not has_own_step(net) and not isinstance(net, AS_TORCH)
    return net if alone else Sequential(net).eval()


@torch.no_grad()
def hold_steps(net: Any, trial: Trial) -> None:
    """The module's own steps give the clip, look ahead without harm, and go on from a state.

    Raises `ContractError` with what is broken.
    """
    net.clean_state()
    whole = trial.several(net.forward(trial.cut(0, trial.frames)))
    middle = trial.frames // 2
    _steps(net, trial, whole, range(middle))
    kept = deepcopy(net.get_state())
    wanted = _steps(net, trial, whole, range(middle, trial.frames))
    _restore(net, kept)
    found = _steps(net, trial, whole, range(middle, trial.frames))
    for y, before in zip(found, wanted, strict=True):
        identical(y, before, f"from frame {middle} on, a state that was kept")
    net.clean_state()
    _steps(net, trial, whole, range(middle))
    net.clean_state()
    trial.counts["states"] += 1


def _steps(net: Any, trial: Trial, whole: Outputs, frames: range) -> Outputs:
    """What single steps give, one output after another, each held to the clip."""
    made: Outputs = []
    for t in frames:
        frame = trial.frame(t)
        tried = _taken(trial, net.forward_step(frame, update_state=False))
        ys = _taken(trial, net.forward_step(frame))
        spoil(frame)
        trial.counts["steps"] += 2
        for y, before, clip, timing in zip(ys, tried, whole, trial.declared.each, strict=True):
            identical(before, y, f"frame {t}: a step without an update")
            due = timing.at(t)
            if (y is not None) != bool(due) or clip is None:
                raise ContractError(f"frame {t}: outputs {[*due]} are {type(y).__name__}")
            if y is not None:
                demand(due.stop <= clip.shape[2], f"frame {t}: the clip has no output {due.start}")
                _close(trial, y, clip[:, :, due.start], f"the module's own step at frame {t}")
        made += ys
    return made


def _close(trial: Trial, y: Tensor, wanted: Tensor, what: str) -> None:
    spoilt = bool(y.isnan().any()) and not wanted.isnan().any()
    demand(
        not spoilt,
        f"{what}: off by nan: frames are overwritten once they were taken, so a state copies them",
    )
    trial.close(y, wanted, what)


def _taken(trial: Trial, ys: Any) -> Outputs:
    return [y.clone() if isinstance(y, Tensor) else None for y in trial.several(ys)]


def _restore(net: Any, state: Any) -> None:
    if state is None:
        net.clean_state()
    else:
        net.set_state(state)
