"""What stands in the file of a state, and files that are none."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from states import after, bare, built, refusals
from torch import Tensor

from codsl.nn import State


def test_the_metadata_say_what_it_is(tmp_path: Path) -> None:
    net = built()
    after(net, 8).save(tmp_path / "state")
    head = (tmp_path / "state").read_bytes()
    said = json.loads(head[8 : 8 + int.from_bytes(head[:8], "little")])["__metadata__"]
    assert said["format"] == "codsl state"
    assert (said["version"], said["frame"], said["batch_size"]) == ("1", "8", "2")
    assert (said["dtype"], said["spec"]) == ("float32", net.graph.fingerprint.digest)
    assert set(load_file(tmp_path / "state")) == set(json.loads(said["names"]))


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
    assert refusals(net, after(net, 5), 120, random.Random(seed), tmp_path) > 60


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
