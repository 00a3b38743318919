"""State is a value: it is copied and moved, goes to a file and back, and goes on alike."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest
import torch
from copies import pickled
from states import after, built, clip, on_file, run, same

from codsl.nn import State
from codsl.nn.running.state import apart


def torch_saved(state: State) -> Any:
    """As users write it, with torch's own refusal of code in files."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file)


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


def test_a_state_of_no_frame_goes_to_a_file_too(tmp_path: Path) -> None:
    state = built().init_state(2)
    assert same(on_file(state, tmp_path), state)
