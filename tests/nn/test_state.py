"""State is a value: it is copied, moved, written and read, and belongs to one network."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import random
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from own_steps import OWN, Growing, Sum, near
from safetensors.torch import load_file, save_file
from torch import Tensor

import codsl
import codsl.nn as co
from codsl.graph.fingerprint import written
from codsl.nn import State
from codsl.nn.running.state import apart
from codsl.nn.running.tree import tensors
from harness.contract import randomise

if TYPE_CHECKING:
    from codsl.network import Network

SPEC = """codsl 1
network small {
  input (3, T, 4)
  stem = conv2d(4, 3, padding=(1, 1), stride=(2, 1))
  norm = batch_norm2d
  body = residual {
    conv = conv2d(4, (3, 1), padding=(1, 0), temporal_fill="replicate")
    act = tanh
  }
  max_pool2d((2, 1), stride=1, padding=(1, 0))
  flatten
  head = linear(5)
}
"""
FRAMES = 40


def built(spec: Any = SPEC, dtype: torch.dtype = torch.float32) -> Network:
    torch.manual_seed(3)
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, 3)
    return net


def clip(frames: int = FRAMES, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(2, 3, frames, 4, generator=generator).to(dtype)


@torch.no_grad()
def run(net: Network, x: Tensor, state: State) -> tuple[list[Tensor | None], State]:
    outputs = []
    for t in range(x.shape[2]):
        y, state = net.step(x[:, :, t], state)
        outputs.append(y)
    return outputs, state


def after(net: Network, frames: int) -> State:
    dtype = next(net.parameters()).dtype
    return run(net, clip(frames, dtype), net.init_state(2))[1]


def same(found: State, wanted: State) -> bool:
    """Whether two states are equal bit for bit."""
    facts = [
        (s.frame, s.batch_size, s.dtype, s.device, s.names, s.layout, s.network)
        for s in (found, wanted)
    ]
    return facts[0] == facts[1] and all(
        a.dtype == b.dtype and torch.equal(a, b)
        for a, b in zip(found.tensors, wanted.tensors, strict=True)
    )


def pickled(state: State) -> Any:
    return pickle.loads(pickle.dumps(state))


def torch_saved(state: State) -> Any:
    """As users write it, with torch's own refusal of code in files."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file)


def on_file(state: State, tmp_path: Path) -> State:
    state.save(tmp_path / "state.safetensors")
    return State.load(tmp_path / "state.safetensors")


@pytest.mark.parametrize("again", [State.copy, copy.deepcopy, pickled, torch_saved, "file", "cpu"])
def test_another_of_the_same_goes_on_alike(again: Any, tmp_path: Path) -> None:
    net, x = built(), clip()
    state = after(net, 17)
    if again == "file":
        other = on_file(state, tmp_path)
    else:
        other = state.to("cpu") if again == "cpu" else again(state)
    assert same(other, state)
    wanted, end = run(net, x[:, :, 17:], state)
    found, other_end = run(net, x[:, :, 17:], other)
    assert [y is None for y in found] == [y is None for y in wanted]
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True) if b is not None)
    assert same(other_end, end)


@pytest.mark.parametrize("again", [State.copy, copy.deepcopy])
def test_a_copy_has_memory_of_its_own(again: Any) -> None:
    state = after(built(), 9)
    other = again(state)
    places = {tensor.data_ptr() for tensor in state.tensors if tensor.numel()}
    assert places
    assert not places & {tensor.data_ptr() for tensor in other.tensors if tensor.numel()}


def test_what_is_shared_is_shared_by_the_copies() -> None:
    state = after(built(), 3)
    one, other = copy.deepcopy([state, state])
    assert one is other
    assert one is not state


def test_gradients_flow_through_a_copy_and_not_through_a_deep_one() -> None:
    net = built().train()
    net.get_submodule("norm").eval()
    net.forward_steps(clip(9))
    state = net.get_state()
    assert any(tensor.requires_grad for tensor in state.copy().tensors)
    assert not any(tensor.requires_grad for tensor in copy.deepcopy(state).tensors)


def test_a_state_moves_to_another_device() -> None:
    state = after(built(), 9)
    there = state.to("meta")
    assert there.device == torch.device("meta")
    assert {tensor.device for tensor in there.tensors} == {there.device}
    assert (there.frame, there.names, there.layout) == (9, state.names, state.layout)
    assert state.device == torch.device("cpu")
    with pytest.raises(TypeError, match=r"a state of torch\.float32 keeps its dtype"):
        state.to(torch.float16)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_dtype_is_kept_on_file(dtype: torch.dtype, tmp_path: Path) -> None:
    state = after(built(dtype=dtype), 11)
    assert {tensor.dtype for tensor in state.tensors} == {dtype} == {state.dtype}
    assert same(on_file(state, tmp_path), state)


def test_carried_tensors_of_other_dtypes_are_kept_on_file(tmp_path: Path) -> None:
    """As a count of frames is."""
    numbers = (torch.arange(2), torch.rand(2, 3), torch.rand(2, 1).double(), torch.zeros(2, 0, 4))
    state = State(7, 2, torch.float32, torch.device("cpu"), numbers, ("a", "b", "c", "d"))
    assert same(on_file(state, tmp_path), state)


def test_a_network_that_keeps_nothing_has_a_state_too(tmp_path: Path) -> None:
    net = built({"codsl": 1, "input": [3, "T", 4], "layers": ["relu"]})
    net.forward_step(clip()[:, :, 0])
    net.save_state(tmp_path / "state")
    state = State.load(tmp_path / "state")
    assert (state.frame, state.batch_size) == (1, 2)
    net.load_state(tmp_path / "state")


def test_names_say_what_is_kept() -> None:
    names = built().init_state().names
    assert names[0] == "input:items"
    assert len(set(names)) == len(names)
    assert apart(["a", "b", "a", "a"]) == ["a", "b", "a[2]", "a[3]"]


def test_a_state_is_shown_without_its_numbers() -> None:
    state = State(7, 2, torch.float32, torch.device("cpu"), (torch.rand(2, 3),), ("a:items",))
    shown = "State(frame=7, batch_size=2, dtype=torch.float32, device=device(type='cpu'), "
    assert repr(state) == shown + "names=('a:items',))"
    assert state.bytes == 24


def test_networks_save_and_load(tmp_path: Path) -> None:
    net, x = built(), clip()
    with pytest.raises(ValueError, match="no state before the first frame"):
        net.save_state(tmp_path / "state")
    assert not list(tmp_path.iterdir())
    net.forward_steps(x[:, :, :13])
    net.save_state(tmp_path / "state")
    wanted = net.forward_steps(x[:, :, 13:], pad_end=True)
    other = built()
    other.load_state(tmp_path / "state")
    assert torch.equal(other.forward_steps(x[:, :, 13:], pad_end=True), wanted)


def test_the_metadata_say_what_it_is(tmp_path: Path) -> None:
    net = built()
    after(net, 8).save(tmp_path / "state")
    head = (tmp_path / "state").read_bytes()
    said = json.loads(head[8 : 8 + int.from_bytes(head[:8], "little")])["__metadata__"]
    assert said["format"] == "codsl state"
    assert (said["version"], said["frame"], said["batch_size"]) == ("1", "8", "2")
    assert (said["dtype"], said["spec"]) == ("float32", net.graph.fingerprint.digest)
    assert set(load_file(tmp_path / "state")) == set(json.loads(said["names"]))


OTHERS = {
    "kernel": ("conv2d(4, 3, p", "conv2d(4, 5, p", "`input:items` is 3 x 2 x 4, here 3 x 4 x 4"),
    "width": ("conv = conv2d(4", "conv = conv2d(1", "`body.conv:items` is 4 x 0 x 4, here 1 x"),
    "names": ("head = linear", "tail = linear", "`head` is not here; `tail` is new here"),
    "depth": (
        ", padding=(1, 0))\n  flatten",
        ")\n  delay(2)\n  flatten",
        "it lacks `delay:items`",
    ),
    "an activation": ("act = tanh", "act = relu", "`body.act` is another here"),
    "fill": ('temporal_fill="replicate"', "bias=true", "`body.conv` is another here"),
    "input": ("input (3", "input (2", "`input:items` is 3 x 2 x 4, here 2 x 2 x 4"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_state_of_another_network_is_refused_with_the_difference(
    what: str, tmp_path: Path
) -> None:
    old, new, words = OTHERS[what]
    assert old in SPEC
    net, other = built(), built(SPEC.replace(old, new))
    assert net.graph.fingerprint != other.graph.fingerprint
    state = after(net, 7)
    state.save(tmp_path / "state")
    with pytest.raises(ValueError, match=f"of another network: .*{words}"):
        other.load_state(tmp_path / "state")
    with pytest.raises(ValueError, match=f"of another network: .*{words}"):
        other.set_state(state)
    assert other.get_state() is None


def bare(*sizes: int, names: tuple[str, ...] = ()) -> State:
    """A state of no network, of tensors with so many numbers."""
    tensors = tuple(torch.zeros(1, size) for size in sizes)
    return State(3, 1, torch.float32, torch.device("cpu"), tensors, names)


def test_differences_of_states_by_hand(tmp_path: Path) -> None:
    network = codsl.check(SPEC).fingerprint
    state = bare(1, 2, names=("a", "b"))
    assert state.difference(("a", "b"), ((1,), (2,)), network) == ""
    assert state.difference(("a", "c"), [(1,), (2,)], network) == ""
    with pytest.raises(ValueError, match="zip"):
        state.difference(("a", "b", "c"), ((1,), (3,)), network)
    assert bare(2).difference(("a",), ((3,),), network) == "it lacks `a`"
    assert state.difference(("b", "a"), ((2,), (1,)), network) == (
        "it keeps [(1,), (2,)], here it is [(2,), (1,)]"
    )
    assert state.difference(("a",), ((1,),), network) == "it keeps `b`, which is not kept here"
    assert state.difference(("a", "b"), ((1,), ()), network) == "`b` is 2, here one number"
    three = bare(1, 2, 3, names=("a", "b", "c")).difference((), (), network)
    assert three == "; ".join(f"it keeps `{name}`, which is not kept here" for name in "abc")
    with pytest.raises(ValueError, match="zip"):
        bare(1, 2, names=("a",)).save(tmp_path / "state")
    assert same(on_file(bare(1, 2), tmp_path), bare(1, 2, names=("0", "1")))


def test_a_state_of_no_frame_goes_to_a_file_too(tmp_path: Path) -> None:
    state = built().init_state(2)
    assert same(on_file(state, tmp_path), state)


@pytest.mark.parametrize("odd", [torch.zeros(2, 3), torch.zeros(())])
def test_every_tensor_on_file_has_the_batch_first(odd: Tensor, tmp_path: Path) -> None:
    """One that has not among others that have is refused."""
    numbers = (torch.zeros(1, 3), odd)
    state = State(3, 1, torch.float32, torch.device("cpu"), numbers, ("a", "b"))
    state.save(tmp_path / "state")
    with pytest.raises(ValueError, match="do not fit"):
        State.load(tmp_path / "state")


def test_why_nothing_can_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "not allowed")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError, match="not allowed"):
        bare(1).save(tmp_path / "state")


def test_three_differences_are_named() -> None:
    layers = [{"conv1d": {"name": f"c{i}", "out_channels": 2, "kernel_size": 3}} for i in range(6)]
    wide = [{"conv1d": {**each["conv1d"], "kernel_size": 5}} for each in layers]
    one, other = (built({"codsl": 1, "input": [2, "T"], "layers": x}) for x in (layers, wide))
    with pytest.raises(ValueError, match="another network") as caught:
        other.set_state(one.init_state())
    assert str(caught.value).count("here") == 3
    assert str(caught.value).endswith(", and 3 more")


def test_weights_do_not_make_another_network(tmp_path: Path) -> None:
    net = built()
    state = after(net, 7)
    torch.manual_seed(99)
    codsl.build(SPEC).set_state(on_file(state, tmp_path))
    assert codsl.check(SPEC).fingerprint == net.graph.fingerprint


GARBAGE = {
    "empty": b"",
    "text": b"codsl 1\nnetwork n {}\n",
    "zeros": bytes(4000),
    "a long header": (2**62).to_bytes(8, "little") + b"{}",
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_no_state(what: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(GARBAGE[what])
    with pytest.raises(ValueError, match="is no state of a stream"):
        State.load(tmp_path / "x")


def test_a_file_cut_anywhere_is_no_state(tmp_path: Path) -> None:
    after(built(), 5).save(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    for size in [*range(0, len(content), 97), len(content) - 1]:
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(ValueError, match="is no state of a stream"):
            State.load(tmp_path / "cut")


@pytest.mark.parametrize("seed", range(3))
def test_a_file_with_a_changed_byte_is_a_state_or_a_plain_error(seed: int, tmp_path: Path) -> None:
    """In the head everything is checked; numbers have no sum to check them by."""
    net = built()
    after(net, 5).save(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    chance = random.Random(seed)
    refused = 0
    for _ in range(120):
        at = chance.randrange(head)
        (tmp_path / "x").write_bytes(
            content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        )
        try:
            net.set_state(State.load(tmp_path / "x"))
        except ValueError:
            refused += 1
    assert refused > 60


def with_metadata(path: Path, **said: str | None) -> None:
    """A state on file whose metadata say something else; None leaves an entry out."""
    after(built(), 5).save(path)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + size])
    for key, value in said.items():
        if value is None:
            del head["__metadata__"][key]
        else:
            head["__metadata__"][key] = value
    new = json.dumps(head).encode()
    path.write_bytes(len(new).to_bytes(8, "little") + new + content[8 + size :])


WRONG = {
    "another format": ({"format": "pt"}, "it was not written as one"),
    "no format": ({"format": None}, "it was not written as one"),
    "version": ({"version": "2"}, "it has version 2, this codsl reads 1"),
    "no frame": ({"frame": None}, "it lacks 'frame'"),
    "frame": ({"frame": "many"}, "invalid literal"),
    "negative": ({"frame": "-1"}, "do not fit"),
    "batch": ({"batch_size": "3"}, "do not fit"),
    "dtype": ({"dtype": "nn"}, "its dtype is `nn`"),
    "names": ({"names": '["a"]'}, "other tensors than it says"),
    "no list": ({"names": "{}"}, "cannot be read"),
    "broken": ({"names": "["}, "Expecting value"),
    "parts": ({"parts": '[["a"]]'}, "not enough values"),
    "others": ({"others": '[["a", {"b": 1}]]'}, "cannot be read"),
    "other tensors": ({"others": '[["a", {"tensor": "b"}]]'}, "it lacks 'b'"),
    "deep others": ({"others": "[" * 5000}, "recursion|Expecting"),
    "no parts": ({"parts": None}, "it lacks 'parts'"),
    "names that are no text": ({"names": '["input:items", 3]'}, "cannot be read"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_metadata_are_refused(what: str, tmp_path: Path) -> None:
    said, words = WRONG[what]
    with_metadata(tmp_path / "x", **said)
    with pytest.raises(ValueError, match=f"is no state of a stream: .*{words}"):
        State.load(tmp_path / "x")


def test_weights_are_no_state(tmp_path: Path) -> None:
    save_file(dict(built().state_dict()), tmp_path / "weights")
    with pytest.raises(ValueError, match="no state of a stream: it was not written as one"):
        State.load(tmp_path / "weights")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        State.load(tmp_path / "x")
    with pytest.raises(OSError, match="directory"):
        State.load(tmp_path)


def own(kind: str) -> Any:
    torch.manual_seed(4)
    net = co.Sequential(*OWN[kind]()).eval()
    net.forward_steps(noise(1))
    net.reset()
    return net


def noise(frames: int, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(batch, 2, frames, generator=generator, dtype=torch.float64)


SAVED = [kind for kind in OWN if kind not in ("strided", "opaque")]


@pytest.mark.parametrize("frames", [0, 1, 2, 5, 13])
@pytest.mark.parametrize("kind", SAVED)
def test_what_modules_with_a_step_remember_is_saved(kind: str, frames: int, tmp_path: Path) -> None:
    net, other = own(kind), own(kind)
    x = noise(30)
    with torch.no_grad():
        net.forward_steps(x[:, :, :frames])
        state = net.get_state()
        found = on_file(state, tmp_path)
        assert found.filed
        assert not state.filed
        assert [name for name, _ in found.others] == [name for name, _ in state.others]
        assert all(map(torch.equal, tensors(found.others), tensors(state.others)))
        other.set_state(found)
        wanted = net.forward_steps(x[:, :, frames:], pad_end=True)
        assert torch.equal(other.forward_steps(x[:, :, frames:], pad_end=True), wanted)
        assert not other.get_state().filed
        slots = other.stream(2)
        assert slots.join() == 0
        net.set_state(None)
        net.forward_steps(x[:1, :, :frames])
        slots.load(0, on_file(net.get_state(), tmp_path))
        for t in range(frames, 30):
            y = net.forward_steps(x[:1, :, t : t + 1])
            found, due = slots.step(x[:1, :, t])
            assert bool(due[0]) == (y is not None)
            if y is not None:
                own_y = found.unsqueeze(2) if found.dim() == 2 else found[:, :, : int(due[0])]
                assert torch.equal(own_y, y)
        slots.save(0).save(tmp_path / "row")
        assert same(State.load(tmp_path / "row"), slots.save(0))


@pytest.mark.parametrize("kind", ["strided", "opaque"])
def test_what_no_file_can_say_is_refused(kind: str, tmp_path: Path) -> None:
    net = own(kind)
    word = {"strided": "Kept", "opaque": "Opaque"}[kind]
    if kind == "opaque":
        with pytest.raises(ValueError, match="Opaque that a module remembers cannot be copied"):
            net.forward_steps(noise(9))
        net.reset()
    with torch.no_grad():
        net.forward_steps(noise(9))
    with pytest.raises(ValueError, match=f":state` is a {word}, which cannot be saved: tensors"):
        net.get_state().save(tmp_path / "x")
    assert not list(tmp_path.iterdir())


def filed(net: Any, tmp_path: Path, frames: int = 9) -> State:
    net.reset()
    net.forward_steps(noise(frames))
    return on_file(net.get_state(), tmp_path)


UNLIKE = {
    "size": (Sum(3, kind="wide"), "`1:state.0` is 2 x 2 x 3 of float64, here 2 x 4 x 3 of float64"),
    "kind": (Sum(3, kind="dict"), "`1:state` is tuple of 0, 1, here dict of past, frame"),
    "nothing": (Sum(3, kind="none"), "`1:state` is tuple of 0, 1, here nothing"),
}


@pytest.mark.parametrize("what", UNLIKE)
@torch.no_grad()
def test_what_another_module_remembered_is_refused(what: str, tmp_path: Path) -> None:
    """The network is the same by its fingerprint, which knows classes but no settings."""
    module, words = UNLIKE[what]
    net, other = (co.Sequential(near(), each, near()).eval() for each in (Sum(3), module))
    for each in (net, other):
        each.forward_steps(noise(1))
        each.reset()
    assert net.graph.fingerprint == other.graph.fingerprint
    state = filed(net, tmp_path)
    with pytest.raises(ValueError, match=f"of another network: {words}"):
        other.set_state(state)
    slots = other.stream(1)
    slots.join()
    with pytest.raises(ValueError, match=f"of another network: {words}"):
        slots.load(0, state)
    with pytest.raises(ValueError, match=f"of another network: {words}"):
        other.step(noise(1)[:, :, 0], state)
    assert other.get_state() is None
    net.set_state(state)


@torch.no_grad()
def test_endless_states_are_compared_but_for_what_may_grow(tmp_path: Path) -> None:
    net = co.Sequential(Growing()).eval()
    state = filed(net, tmp_path, 200)
    net.set_state(state)
    assert net.forward_step(noise(1)[:, :, 0]) is not None
    other = co.Sequential(Growing("list")).eval()
    other.forward_steps(noise(1))
    other.reset()
    with pytest.raises(ValueError, match="`0:state` is 2 x 2 x 200 of float64, here list of 0"):
        other.set_state(state)


def test_an_endless_module_has_to_state_its_delay() -> None:
    class Unsaid(Growing):
        delay = co.CoModule.delay

    with pytest.raises(ValueError, match="`Unsaid` has an endless receptive field, and has to say"):
        co.Sequential(Unsaid())(noise(3))


@torch.no_grad()
def test_what_is_missing_on_file_is_told(tmp_path: Path) -> None:
    net = own("tuple")
    state = filed(net, tmp_path)
    with pytest.raises(ValueError, match="`1:state` is nothing, here tuple of 0, 1"):
        net.set_state(replace(state, others=()))
    with pytest.raises(ValueError, match="`more` is not here"):
        net.set_state(replace(state, others=(*state.others, ("more", None))))


def test_states_of_modules_with_a_step_are_copied_and_moved() -> None:
    net = own("a state of codsl's")
    net.forward_steps(noise(9))
    state = net.get_state()
    places = {each.data_ptr() for each in tensors(state.others) if each.numel()}
    assert len(places) > 1
    for again in (State.copy, copy.deepcopy):
        others = [each for each in tensors(again(state).others) if each.numel()]
        assert len(others) == len(places)
        assert not places & {each.data_ptr() for each in others}
    there = state.to("meta")
    ((_, inner),) = there.others
    assert inner.device == torch.device("meta")
    assert {each.device for each in tensors(there.others)} == {there.device}


@pytest.mark.parametrize("seed", range(3))
def test_a_changed_byte_in_what_modules_remember_is_a_plain_error(
    seed: int, tmp_path: Path
) -> None:
    net = own("a state of codsl's")
    net.forward_steps(noise(9))
    net.get_state().save(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    chance = random.Random(seed)
    refused = 0
    for _ in range(150):
        at = chance.randrange(head)
        (tmp_path / "x").write_bytes(
            content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        )
        try:
            net.set_state(State.load(tmp_path / "x"))
        except ValueError:
            refused += 1
    assert refused > 75


PINNED = {
    "layers": [
        {"conv1d": {"name": "a", "out_channels": 4, "kernel_size": 3, "padding": 1}},
        "relu",
        {"avg_pool1d": {"kernel_size": 2}},
    ],
    "digest": "1ed428db9aac112c7d70014347e2814aa2b2b1272ae66a53ea5c1771f8afc14b",
}
PRINT = f"""
import codsl
spec = {{"codsl": 1, "input": [3, "T"], "layers": {PINNED["layers"]!r}}}
print(codsl.check(spec).fingerprint.digest)
"""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_fingerprint_is_the_same_in_every_process(seed: str) -> None:
    """Also in years: states on file are told apart by it."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == PINNED["digest"]


def test_values_are_written_without_what_changes_between_processes() -> None:
    assert written({"b": 1, "a": (1.5, None, True)}) == "{a:(1.5,None,True),b:1}"
    assert written({3, 1, 2}) == "{1,2,3}"
    assert written(torch.nn.functional.relu) == "torch.nn.functional.relu"
    assert written(object()) == "object"
    assert written([float("inf")]) == "(inf)"


RESUME = """
import sys, torch, codsl
from codsl.nn import State
torch.set_num_threads(1)
folder = sys.argv[1]
net, x = torch.load(f"{folder}/net", weights_only=False)
net.load_state(f"{folder}/state")
with torch.no_grad():
    y = net.forward_steps(x[:, :, net.get_state().frame:], pad_end=True)
torch.save(y, f"{folder}/y")
net.save_state(f"{folder}/end")
"""


def test_a_state_goes_on_in_another_process(tmp_path: Path) -> None:
    net, x = built(), clip()
    torch.save((net, x), tmp_path / "net")
    with torch.no_grad():
        net.forward_steps(x[:, :, :19])
        net.save_state(tmp_path / "state")
        wanted = net.forward_steps(x[:, :, 19:], pad_end=True)
    subprocess.run([sys.executable, "-W", "error", "-c", RESUME, str(tmp_path)], check=True)
    assert torch.equal(torch.load(tmp_path / "y"), wanted)
    assert same(State.load(tmp_path / "end"), net.get_state())


KILLS = 100


def stream_until_killed(net: Network, x: Tensor, folder: Path, told: int) -> None:
    """Go on from the state on file, save after every step, and tell of it."""
    path = folder / "state"
    state = State.load(path) if path.exists() else net.init_state(2)
    while state.frame < x.shape[2]:
        _, state = net.step(x[:, :, state.frame], state)
        state.save(path)
        os.write(told, b".")


def killed_after(steps: int, net: Network, x: Tensor, folder: Path) -> None:
    """A process that streams on, killed without warning after it told of so many steps."""
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(heard)
            with torch.no_grad():
                stream_until_killed(net, x, folder, told)
        finally:
            os._exit(0)
    os.close(told)
    seen = 0
    while seen < steps and (got := os.read(heard, steps - seen)):
        seen += len(got)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(heard)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_hundred_kills_a_hundred_exact_resumes(tmp_path: Path) -> None:
    """Killed at random steps, mostly while the next state is being computed or written."""
    net, x = built(), clip(KILLS * 4)
    chance = random.Random(8)
    wanted = net.init_state(2)
    seen: list[int] = []
    for _ in range(KILLS):
        killed_after(chance.randint(1, 3), net, x, tmp_path)
        state = State.load(tmp_path / "state")
        _, wanted = run(net, x[:, :, wanted.frame : state.frame], wanted)
        assert same(state, wanted)
        seen.append(state.frame)
    assert len(seen) == KILLS
    assert all(a < b for a, b in pairwise(seen))
    net.load_state(tmp_path / "state")
    with torch.no_grad():
        rest = net.forward_steps(x[:, :, seen[-1] :], pad_end=True)
        whole = built().forward_steps(x, pad_end=True)
    assert rest is not None
    torch.testing.assert_close(rest, whole[:, :, -rest.shape[2] :], rtol=1e-6, atol=1e-6)
