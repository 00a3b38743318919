"""Copies of a fast step have streams of their own."""

from __future__ import annotations

import pickle
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import torch

from engine.fast_streams import agree, frame_of
from engine.test_fast_step import TCN, built

if TYPE_CHECKING:
    from codsl.engine.fast import FastStep


def through_a_file(fast: FastStep) -> FastStep:
    made: FastStep = pickle.loads(pickle.dumps(fast))
    return made


@pytest.mark.parametrize("copied", [copy, deepcopy, through_a_file])
def test_a_copy_goes_on_by_itself(copied: Any) -> None:
    net = built(TCN, torch.float64)
    fast = net.compile_step()
    frames = [frame_of(net, 2, torch.float64, t) for t in range(40)]
    for frame in frames[:30]:
        fast(frame)
    twin = copied(fast)
    found = [twin(frame) for frame in frames[30:]]
    assert twin.error is not None
    wanted = [fast(frame) for frame in frames[30:]]
    agree(found, wanted, torch.float64)
