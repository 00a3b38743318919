"""Networks of which a frame gives several outputs: every backend has their step."""

from __future__ import annotations

from shutil import which

import pytest
import torch

from codsl.engine.backends.table import BACKENDS
from codsl.engine.lister import Lister
from codsl.engine.style import PLAIN
from engine.fast_streams import agree, chunk_of, frame_of
from engine.test_fast_step import built

NETWORKS = {
    "a decoder": """
  input (4, T)
  conv1d(8, 5, padding="causal")
  up = conv_transpose1d(4, 64, stride=32, padding="causal")
  elu
  residual { a = conv1d(4, 3, padding="causal")
    tanh }
  b = conv1d(2, 7, padding="causal")
""",
    "between frames": """
  input (4, T)
  upsample(scale_factor=24, mode="linear")
  a = conv1d(2, 3, padding=1)
""",
    "at some frames": """
  input (4, T)
  a = conv1d(4, 4, stride=3)
  upsample(scale_factor=40)
  b = conv1d(2, 3, padding=1)
  c = conv1d(3, 3, stride=4)
""",
    "pictures": """
  input (3, T, 4, 4)
  a = conv3d(4, 3, padding=1)
  b = conv_transpose3d(3, (4, 2, 2), stride=(2, 2, 2), padding=(1, 0, 0))
""",
    "beside one another": """
  input (4, T)
  outputs few, many
  few = conv1d(3, 3, stride=2)
  many = conv_transpose1d(2, 3, stride=2) from input
""",
}
CASES = [
    *(("eager", name) for name in NETWORKS),
    *(("native", name) for name in ("a decoder", "at some frames", "beside one another")),
    *((name, "between frames") for name in ("onnxruntime", "openvino")),
]


@pytest.mark.parametrize(("backend", "name"), CASES)
def test_a_stream_is_the_same(backend: str, name: str) -> None:
    """Frame by frame, in chunks, and where the states have changed sides."""
    if BACKENDS[backend].missing:
        pytest.skip(f"{BACKENDS[backend].missing} is not installed")
    if backend == "native" and not (which("g++") or which("c++")):
        pytest.skip("no C++ compiler is installed")
    net = built(f"codsl 1\nnetwork n {{{NETWORKS[name]}}}\n", torch.float32)
    fast = net.compile_step(backend)
    cycle = net.graph.cycle
    sizes = [*[1] * (cycle.start + cycle.turn + 2), 5, 1, 1, 0, 1, 7, *[1] * cycle.turn]
    told = 0
    with torch.no_grad():
        for at, size in enumerate(sizes):
            chunk = chunk_of(net, 2, torch.float32, max(size, 1))[:, :, :size]
            told += agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float32)
            if at == len(sizes) // 2:
                one, other = fast.get_state(), net.get_state()
                agree(list(one.tensors), list(other.tensors), torch.float32)
                agree(fast.flush(), net.flush(), torch.float32)
                net.set_state(one)
                fast.set_state(other)
    assert told > 100
    if backend != "eager":
        assert fast.error < 1e-5
        assert fast.held == 2 * net.report().total["state_bytes"]


@pytest.mark.parametrize("backend", ["eager", "native"])
def test_a_frame_alone_is_refused(backend: str) -> None:
    """Before and after the plan is there."""
    net = built(f"codsl 1\nnetwork n {{{NETWORKS['between frames']}}}\n", torch.float32)
    fast = net.compile_step(backend)
    frame = frame_of(net, 2, torch.float32, 1)
    with torch.no_grad():
        for _ in range(2):
            with pytest.raises(ValueError, match="feed this network with forward_steps"):
                fast(frame)
            for _ in range(4):
                assert fast.forward_steps(frame.unsqueeze(2)) is not None


def test_what_is_due_is_one_clip_and_the_last_items_are_kept() -> None:
    """Of many items that come at once nothing is done one by one, and few are given on."""
    net = built(f"codsl 1\nnetwork n {{{NETWORKS['a decoder']}}}\n", torch.float32)
    lister = Lister(net.program, torch.empty(0), PLAIN)
    listing = lister.listing(net.graph.cycle.start, clips=True)
    assert [len(items) for items in listing.outputs] == [1]
    depths = [feed.depth for feed in net.graph.schedule.feeds]
    assert all(len(some) <= depth for some, depth in zip(listing.stores, depths, strict=True))
    assert max(len(each.outputs) for each in listing.operations) == 1
    assert len(listing.operations) < 40


def test_chunks_of_a_few_frames_are_steps_but_by_torch() -> None:
    """Torch's step is for one frame: of several it computes the clip."""
    net = built(f"codsl 1\nnetwork n {{{NETWORKS['a decoder']}}}\n", torch.float32)
    by_torch, by_another = net.compile_step(), net.compile_step("onnxruntime")
    sizes = (1, 2, 16, 17)
    assert [by_torch.chunks_by_steps(size) for size in sizes] == [True, False, False, False]
    assert [by_another.chunks_by_steps(size) for size in sizes] == [True, True, True, False]
