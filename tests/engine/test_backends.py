"""Every backend gives what the network gives, and says so where it cannot."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from shutil import which
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from codsl.engine import fast as fast_module
from codsl.engine.backends.backend import Backend
from codsl.engine.backends.table import BACKENDS
from codsl.engine.installed import NotInstalled
from codsl.engine.plan import Plan
from codsl.native import compiling
from codsl.native.graph import OPERATORS
from engine.fast_streams import agree, chunk_of, frame_of
from engine.test_fast_step import built

STREAM = """codsl 1
network n {
  input (4, T, 6, 6)
  conv = conv3d(6, 3, padding=1, stride=(2, 1, 1))
  norm = batch_norm3d
  residual {
    deep = conv3d(6, (3, 3, 3), padding=1, groups=6)
    relu
  }
  max_pool3d((2, 2, 2), stride=(1, 2, 2))
  adaptive_avg_pool3d(1, kernel_size=2)
  flatten
  lstm(5)
  head = linear(3)
}
"""
SMALL = """codsl 1
network n { input (4, T) conv1d(4, 3, padding=1) relu }
"""
MEAN = """codsl 1
network n {
  input (4, T, 2, 3)
  avg_pool3d((2, 1, 1))
  conv3d(4, (2, 1, 1))
  adaptive_avg_pool3d(1, kernel_size=3)
  flatten
  relu
}
"""
SPECS = {
    "eager": STREAM,
    "native": STREAM,
    "onnxruntime": STREAM,
    "openvino": STREAM,
    "compile": MEAN,
    "aoti": MEAN,
}


@pytest.mark.parametrize("name", SPECS)
def test_a_stream_is_the_same(name: str) -> None:
    if BACKENDS[name].missing:
        pytest.skip(f"{BACKENDS[name].missing} is not installed")
    if name in ("native", "compile", "aoti") and not (which("g++") or which("c++")):
        pytest.skip("no C++ compiler is installed")
    net = built(SPECS[name], torch.float32)
    fast = net.compile_step(name)
    told = 0
    once = torch._dynamo.config.patch(error_on_recompile=True)
    with torch.no_grad(), once:
        for t in range(net.graph.cycle.start + 2 * net.graph.cycle.turn + 4):
            frame = frame_of(net, 2, torch.float32, t)
            given = frame.clone()
            y = fast(given)
            given.fill_(torch.nan)
            told += agree(y, net.forward_step(frame), torch.float32)
        one, other = fast.get_state(), net.get_state()
        agree(list(one.tensors), list(other.tensors), torch.float32)
    assert told
    assert fast.error < 1e-5


@pytest.mark.parametrize("name", ["native", "onnxruntime", "openvino"])
def test_chunks_of_planes_go_by_the_backend_from_the_first_on(name: str) -> None:
    if BACKENDS[name].missing:
        pytest.skip(f"{BACKENDS[name].missing} is not installed")
    net = built(STREAM, torch.float32)
    fast = net.compile_step(name)
    frames = net.graph.cycle.start + net.graph.cycle.turn + 1
    chunk = chunk_of(net, 2, torch.float32, frames)
    told = 0
    with torch.no_grad():
        for begin, end in ((0, frames), (2, 7), (3, 3)):
            some = chunk[:, :, begin:end]
            told += agree(fast.forward_steps(some), net.forward_steps(some), torch.float32)
        assert fast.held
        last = chunk[:, :, :5]
        told += agree(fast.forward_steps(last, True), net.forward_steps(last, True), torch.float32)
        fast.reset()
        net.reset()
        told += agree(fast.forward_steps(chunk), net.forward_steps(chunk), torch.float32)
    assert told
    assert fast.chunks_by_steps(100)
    assert not net.compile_step().chunks_by_steps(1)


def test_chunks_of_few_weights_go_by_native_and_of_many_by_torch() -> None:
    many = "codsl 1\nnetwork n { input (8, T) a = conv1d(8, 3) relu b = conv1d(4, 3) }"
    net = built(many, torch.float32)
    fast, chunk = net.compile_step("native"), chunk_of(net, 2, torch.float32, 40)
    told = 0
    with torch.no_grad():
        for begin, end in ((0, 17), (17, 18), (18, 36), (36, 40)):
            some = chunk[:, :, begin:end]
            told += agree(fast.forward_steps(some), net.forward_steps(some), torch.float32)
    assert told
    assert fast.held
    assert fast.chunks_by_steps(16)
    assert not fast.chunks_by_steps(17)
    assert not net.compile_step().chunks_by_steps(1)
    wide = built(many.replace("conv1d(8, 3)", "conv1d(40000, 1)"), torch.float32)
    assert not wide.compile_step("native").chunks_by_steps(1)


def test_torch_compiles_weights_as_they_are() -> None:
    """A convolution whose weight could change would lay it out anew at every step."""
    if not (which("g++") or which("c++")) or not torch._C._has_mkldnn:
        pytest.skip("no C++ compiler is installed, or torch has no oneDNN")
    spec = "codsl 1\nnetwork n { input (8, T, 9, 9) conv3d(8, 3, padding=1) }"
    fast = built(spec, torch.float32).compile_step("compile")
    for _ in range(4):
        fast(torch.randn(1, 8, 9, 9))
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        fast(torch.randn(1, 8, 9, 9))
    called = {each.key for each in seen.key_averages()}
    assert "mkldnn::_convolution_pointwise" in called
    assert "aten::mkldnn_convolution" not in called


def test_lower_precision_costs_what_it_says() -> None:
    net = built(STREAM, torch.float32)
    fast = net.compile_step(precision=torch.bfloat16)
    with torch.no_grad():
        for t in range(net.graph.cycle.start + 4):
            frame = frame_of(net, 1, torch.float32, t)
            y, wanted = fast(frame), net.forward_step(frame)
    if y is not None:
        assert y.dtype == wanted.dtype == torch.float32
    assert 0 < fast.error < 0.1
    assert fast.get_state().dtype == torch.float32


def test_a_backend_that_is_not_there_is_named() -> None:
    absent = Backend(
        "quick", "", BACKENDS["eager"].memory, BACKENDS["eager"].style, {"no_such": "x"}
    )
    with pytest.raises(
        NotInstalled, match=r'needs the package `no_such`: pip install "codsl\[x\]"'
    ):
        absent.check(None)
    with pytest.raises(ValueError, match=r"`eager` has no torch.float16; it has torch.bfloat16"):
        built(SMALL, torch.float32).compile_step(precision=torch.float16)


def test_native_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    net = built(SMALL, torch.float32)
    fast = net.compile_step("native")
    monkeypatch.delitem(OPERATORS, "relu")
    said = "the backend `native` has no kernel for `relu`: take `eager` or another"
    with torch.no_grad(), pytest.raises(NotImplementedError, match=said):
        list(map(fast, torch.randn(4, 1, 4)))
    monkeypatch.setattr("codsl.native.compiling.compiler", list)
    said = r"the backend `native` needs a C\+\+ compiler, which is not here: install `g\+\+`"
    with pytest.raises(NotInstalled, match=said):
        net.compile_step("native")


def test_a_compiler_is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "env g++")
    assert compiling.compiler() == ["env", "g++"]
    monkeypatch.setenv("CXX", "no-such-compiler -v")
    net = built(SMALL, torch.float32)
    with pytest.raises(NotInstalled, match="that `CXX` names, `no-such-compiler -v`, which is not"):
        net.compile_step("native")


@pytest.mark.parametrize("name", ["CXX", "CXXFLAGS"])
def test_a_command_whose_quotes_stay_open_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "g++ '-O3")
    said = f"`{name}` cannot be read, no closing quotation in it: `g\\+\\+ '-O3`"
    with torch.no_grad(), pytest.raises(ValueError, match=said):
        list(map(built(SMALL, torch.float32).compile_step("native"), torch.randn(4, 1, 4)))


@pytest.mark.parametrize("name", ["native", "onnxruntime", "openvino"])
def test_what_computes_on_the_cpu_says_so(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` computes on the CPU, and the stream is on cu"):
        BACKENDS[name].style_on(torch.device("cuda", 0), 1, torch.float32)


@pytest.mark.parametrize(
    ("name", "dtype", "precision"),
    [
        ("openvino", torch.float64, None),
        ("openvino", torch.bfloat16, None),
        ("openvino", torch.bfloat16, torch.bfloat16),
        ("onnxruntime", torch.bfloat16, None),
    ],
)
def test_what_has_no_such_streams_says_so(
    name: str, dtype: torch.dtype, precision: torch.dtype | None
) -> None:
    fast = built(SMALL, dtype).compile_step(name, precision)
    said = f"`{name}` has no streams in {str(dtype).removeprefix('torch.')}"
    with pytest.raises(ValueError, match=said):
        fast(torch.zeros(1, 4, dtype=dtype))


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_batch_without_streams_goes_by_the_network(name: str) -> None:
    net = built(STREAM, torch.float32)
    fast = net.compile_step(name)
    for t in range(12):
        frame = frame_of(net, 1, torch.float32, t)[:0]
        agree(fast(frame), net.forward_step(frame), torch.float32)
    assert fast.get_state().batch_size == 0
    assert fast.error is None


@pytest.mark.parametrize("name", ["native", "onnxruntime"])
def test_threads_have_streams_of_their_own(name: str) -> None:
    net = built(SMALL, torch.float32)
    fast = [net.compile_step(name) for _ in range(4)]
    chunks = torch.randn(len(fast), 1, 4, 12)

    def streamed(each: Any, chunk: torch.Tensor) -> list[Any]:
        return [each(frame) for frame in chunk.unbind(2)]

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(streamed, fast, chunks))
    for ys, chunk in zip(found, chunks, strict=True):
        net.reset()
        agree(ys, [net.forward_step(frame) for frame in chunk.unbind(2)], torch.float32)


@pytest.mark.parametrize("name", ["eager", "native", "onnxruntime", "openvino"])
@torch.no_grad()
def test_what_hooks_make_of_outputs_is_computed(name: str) -> None:
    net = built(SMALL, torch.float32)
    layer = net.get_submodule("conv1d")
    handle = layer.register_forward_hook(lambda module, given, y: 3 * y.abs())
    fast = net.compile_step(name)
    handle.remove()
    calls: list[Any] = []
    layer.register_forward_hook(lambda module, given, y: calls.append(y))
    x = torch.randn(1, 4, 6)
    found = [fast(frame) for frame in x.unbind(2)]
    wanted = [net.forward_step(frame) for frame in x.unbind(2)]
    assert len(calls) == 5
    assert not torch.allclose(found[-1], wanted[-1])
    agree(found, [None, *(3 * y.abs().squeeze(2) for y in calls)], torch.float32)


LATE = """codsl 1
network n {
  input (2, T)
  a = conv1d(3, 3, stride=2)
  b = conv1d(3, 3, stride=2)
  c = conv1d(2, 3, stride=2)
}
"""


@pytest.mark.parametrize("what", ["give", "keep"])
def test_a_plan_is_tried_until_every_output_has_come(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn of eight frames, whose output comes with the last of them."""
    net = built(LATE, torch.float32)
    assert net.graph.cycle.turn == 8
    right, kept = Plan.step, Plan.dump

    def wrong(self: Plan, xs: Any) -> Any:
        return tuple(None if y is None else y + 0.01 for y in right(self, xs))

    def lost(self: Plan) -> Any:
        state = kept(self)
        return replace(state, tensors=(*state.tensors[:-1], torch.zeros_like(state.tensors[-1])))

    if what == "give":
        monkeypatch.setattr(Plan, "step", wrong)
    else:
        monkeypatch.setattr(Plan, "dump", lost)
    fast = fast_module.compile_step(net)
    said = "outputs are" if what == "give" else "what it keeps is"
    with torch.no_grad(), pytest.raises(RuntimeError, match=said):
        fast(torch.randn(1, 2))


def test_a_plan_that_does_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Plan, xs: Any) -> Any:
        return tuple(None if y is None else y + 0.01 for y in right(self, xs))

    right = Plan.step
    monkeypatch.setattr(Plan, "step", wrong)
    fast = fast_module.compile_step(built(SMALL, torch.float32))
    with torch.no_grad(), pytest.raises(RuntimeError, match="does not do what the network does"):
        fast(torch.randn(1, 4))
