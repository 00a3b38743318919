"""The length of a window's output against the shapes that torch gives."""

from __future__ import annotations

import random

import pytest
import torch
from torch.nn import functional

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame, broadcast, concatenate


def test_convolutions_have_the_shape_of_torch() -> None:
    draw = random.Random(1)
    for _ in range(400):
        kernel, stride, dilation = draw.randint(1, 5), draw.randint(1, 4), draw.randint(1, 3)
        before, after = draw.randint(0, 6), draw.randint(0, 6)
        window = Window(kernel, stride, before, after, dilation)
        items = draw.randint(max(1, window.reach + 1 - before - after), 20)
        padded = functional.pad(torch.zeros(1, 1, items), (before, after))
        made = functional.conv1d(padded, torch.zeros(1, 1, kernel), None, stride, 0, dilation)
        assert window.length(items) == made.shape[2], (window, items)


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_pools_have_the_shape_of_torch(ceil_mode: bool) -> None:
    draw = random.Random(2)
    seen = 0
    while seen < 400:
        kernel, stride, dilation = draw.randint(1, 5), draw.randint(1, 4), draw.randint(1, 3)
        pad = draw.randint(0, kernel // 2)
        window = Window(kernel, stride, pad, pad, dilation, ceil_mode)
        items = draw.randint(1, 20)
        try:
            made = functional.max_pool1d(
                torch.zeros(1, 1, items), kernel, stride, pad, dilation, ceil_mode
            )
        except RuntimeError:
            assert window.length(items) < 1 or ceil_mode
            continue
        assert window.length(items) == made.shape[2], (window, items)
        seen += 1


def test_too_few_items_give_no_output() -> None:
    assert [Window(3).length(items) for items in range(5)] == [0, 0, 0, 1, 2]
    assert [Window(4, 3).length(items) for items in range(8)] == [0, 0, 0, 0, 1, 1, 1, 2]


def test_frames_print_with_time_second() -> None:
    assert str(Frame(16, (28, 14))) == "16 x T x 28 x 14"
    assert (Frame(3, (4, 5)).rank, Frame(3, (4, 5)).positions, Frame(3, (4, 5)).size) == (3, 20, 60)


def test_sizes_of_one_repeat_as_in_torch() -> None:
    draw = random.Random(3)
    refused = 0
    for _ in range(300):
        shapes = [tuple(draw.choice((1, 2, 3)) for _ in range(3)) for _ in range(2)]
        frames = tuple(Frame(shape[0], shape[1:]) for shape in shapes)
        try:
            wanted = torch.broadcast_shapes(*shapes)
        except RuntimeError:
            refused += 1
            channels = {shape[0] for shape in shapes} - {1}
            unlike = "channels" if len(channels) > 1 else "sizes"
            with pytest.raises(ValueError, match=f"their {unlike} differ"):
                broadcast(frames)
            continue
        assert broadcast(frames).shape == tuple(wanted)
    assert refused > 30


def test_concatenation_adds_channels() -> None:
    assert concatenate((Frame(2, (3,)), Frame(5, (3,)))) == Frame(7, (3,))
    assert concatenate((Frame(2, (3,)),)) == Frame(2, (3,))
    with pytest.raises(ValueError, match="space differ"):
        concatenate((Frame(2, (3,)), Frame(2, (1,))))
    with pytest.raises(ValueError, match="dimensions differ"):
        broadcast((Frame(2, (3,)), Frame(2)))
