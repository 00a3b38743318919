"""Names of the older library that are found where they stood in it."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import torch

import codsl.nn as co


def test_functions_of_lists() -> None:
    a, b = torch.ones(1, 2, 4), torch.full((1, 2, 4), 2.0)
    assert torch.equal(co.container.reduce_sum([a, b]), a + b)
    assert torch.equal(co.container.reduce_concat([a, b]), torch.cat([a, b], 1))


def test_a_flat_state_lacks_what_is_none_or_empty() -> None:
    a, b = torch.ones(2), torch.zeros(3)
    assert co.utils.flatten([None, (a, [b, torch.zeros(0)])]) == [a, b]


def test_a_parameter_for_a_while() -> None:
    owner = SimpleNamespace(x=1)
    with co.utils.temporary_parameter(owner, "x", 2), co.utils.temporary_parameter(owner, "y", 3):
        assert (owner.x, owner.y) == (2, 3)
    assert vars(owner) == {"x": 1}


def test_a_message_passes_once(caplog: pytest.LogCaptureFixture) -> None:
    logger = co.logging.getLogger("codsl.tests.once", log_once=True)
    with caplog.at_level(logging.WARNING):
        for message in ("a", "b", "a"):
            logger.warning(message)
    assert caplog.messages == ["a", "b"]


@torch.no_grad()
def test_the_pure_step_begins_by_itself_and_touches_no_stream() -> None:
    net = co.Sequential(co.Conv1d(1, 1, 3, padding=1))
    x = torch.randn(1, 1, 5)
    net.forward_step(x[:, :, 0])
    running = net.get_state()
    state, made = None, []
    for t in range(5):
        y, state = net._forward_step(x[:, :, t], state)
        made.append(y)
    assert net.get_state() is running
    assert made[0] is None
    assert torch.allclose(torch.stack(made[1:], 2), net(x)[:, :, :4], atol=1e-6)
