"""Contexts of the older library: each thread has its own, and an inner one ends alone."""

from __future__ import annotations

from threading import Barrier, Thread

import torch

import codsl.nn as co


def test_a_mode_is_that_of_one_thread() -> None:
    net = co.Conv1d(2, 2, 3)
    seen = []
    with co.call_mode("forward_step"):
        thread = Thread(target=lambda: seen.append(net.call_mode))
        thread.start()
        thread.join(20)
        assert net.call_mode == "forward_step"
    assert seen == ["forward"]


def test_calls_that_overlap_in_two_threads_leave_no_mode_behind() -> None:
    both, one = Barrier(2), Barrier(2)

    def early() -> None:
        with co.call_mode.plain():
            both.wait(10)
            one.wait(10)

    def late() -> None:
        both.wait(10)
        with co.call_mode.plain():
            one.wait(10)
            first.join(20)

    first, second = Thread(target=early), Thread(target=late)
    first.start()
    second.start()
    second.join(20)
    assert co.call_mode.now is None
    net = co.Sequential(co.Conv1d(2, 2, 1)).eval()
    with co.call_mode("forward_step"):
        assert net(torch.zeros(1, 2)).shape == (1, 2)


def test_an_inner_flat_state_dict_ends_alone() -> None:
    net = co.Sequential(co.Conv1d(2, 2, 1))
    with co.flat_state_dict:
        with co.flat_state_dict:
            assert "weight" in net.state_dict()
        assert "weight" in net.state_dict()
    assert "0.weight" in net.state_dict()
