"""The proof finds what a file does otherwise than the network, whichever frame that is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

import codsl
from codsl.export import proof
from codsl.export.block import block_of
from codsl.nn.running.program import Program
from export.samples import built, proved, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = proof.CHUNK
"""Numbers of a chunk that has the whole of a trial."""


@torch.no_grad()
def test_what_differs_is_found() -> None:
    net = built("video", torch.float64)
    step, layout = block_of(net.program, torch.float64)
    right = runs(step, layout)

    def off(given: Any) -> Any:
        return {**(made := right(given)), "output": made["output"] * (1 + 1e-7)}

    def early(given: Any) -> Any:
        return {**(made := right(given)), "valid": torch.ones_like(made["valid"])}

    def silent(given: Any) -> Any:
        return {**(made := right(given)), "valid": torch.zeros_like(made["valid"])}

    def forgetful(given: Any) -> Any:
        return right({name: x if name == "input" else x * 0 for name, x in given.items()})

    def stuck(given: Any) -> Any:
        made = right(given)
        return {**made, **{name: made[name] * 0 for name in layout.rings[-1].new}}

    assert proved(right, net.program, layout).apart < 1e-12
    for wrong in (off, early, silent, forgetful, stuck):
        with pytest.raises(ValueError, match=r"apart from the network's|where the network gives"):
            proved(wrong, net.program, layout)
    with pytest.raises(ValueError, match=r"gives 1 item of `output` where .* 0, after 2 frames"):
        proved(early, net.program, layout)


@torch.no_grad()
@pytest.mark.parametrize("numbers", [1, 300, ALL])
def test_the_network_follows_in_chunks_of_any_length(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "CHUNK", numbers)
    net = built("joined", torch.float64)
    chunks: list[int] = []

    class Counting(Program):
        def steps(self, xs: Any, state: Any) -> Any:
            chunks.append(xs[0].shape[2])
            return super().steps(xs, state)

    program = Counting(net.graph, net.program.modules)
    for frames in (1, 4):
        step, layout = block_of(net.program, torch.float64, frames)
        chunks.clear()
        done = proved(runs(step, layout), program, layout)
        assert done.apart < 1e-12
        assert sum(chunks) == 2 * done.frames - layout.frames * layout.phases
        assert (max(chunks) == frames) == (numbers == 1)
        assert (len(chunks) == 2) == (numbers == ALL)


@torch.no_grad()
def test_a_mistake_in_any_frame_is_found() -> None:
    net = codsl.build("codsl 1\nnetwork n { input (1, T) conv1d(1, 9) }").eval()
    step, layout = block_of(net.program, torch.float32)
    right = runs(step, layout)
    frames = proved(right, net.program, layout).frames
    assert frames > net.graph.receptive_field
    for bad in range(net.graph.delay + 1, frames):
        had = iter(range(frames))

        def wrong(given: Any, bad: int = bad, had: Iterator[int] = had) -> Any:
            made = right(given)
            return {**made, "output": made["output"] + 1.0} if next(had) == bad else made

        with pytest.raises(ValueError, match="apart from the network's"):
            proved(wrong, net.program, layout)


def test_a_long_past_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "LONGEST", 40)
    net = codsl.build("codsl 1\nnetwork n { input (1, T) conv1d(1, 2, dilation=30) }").eval()
    step, layout = block_of(net.program, torch.float32)
    with torch.no_grad():
        assert str(proved(runs(step, layout), net.program, layout)).startswith(
            "43 frames (the past has 63), 2 rows"
        )
    monkeypatch.setattr(proof, "LONGEST", 20)
    with torch.no_grad(), pytest.raises(ValueError, match="no output"):
        proved(runs(step, layout), net.program, layout)
