"""The state of a stream, as a value, and how it lies in a file."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as in_safetensors
from torch import Tensor

from codsl.graph.fingerprint import Fingerprint
from codsl.nn.running import tree
from codsl.nn.running.skeleton import described, dtype_named, restored
from codsl.writing import in_place

T = TypeVar("T")

FORMAT = "codsl state"
VERSION = 1
"""Of the files that are written; others are refused."""
SAID = 3
"""Differences that a message names."""


@dataclass(frozen=True, eq=False)
class State:
    """What a stream remembers after `frame` frames: tensors with the batch first, under `names`.

    Past items of a value are `(batch_size, channels, items, *space)`. It is never written to.
    `others` are the states of modules with a step of their own, by the name of their node: tensors
    in tuples, lists, dicts or dataclasses. `network` tells which network it is a state of, `filed`
    that it is as a file says and no stream has gone on from it.
    """

    frame: int
    batch_size: int
    dtype: torch.dtype
    device: torch.device
    tensors: tuple[Tensor, ...] = field(repr=False)
    names: tuple[str, ...] = ()
    others: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    network: Fingerprint | None = field(default=None, repr=False)
    filed: bool = field(default=False, repr=False)

    @property
    def layout(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each tensor without its batch."""
        return tuple(tuple(tensor.shape[1:]) for tensor in self.tensors)

    @property
    def bytes(self) -> int:
        """Bytes that the tensors take."""
        kept = chain(self.tensors, tree.tensors(self.others))
        return sum(tensor.numel() * tensor.element_size() for tensor in kept)

    def copy(self) -> "State":
        """The same in memory of its own; gradients flow through it."""
        tensors = tuple(tensor.clone() for tensor in self.tensors)
        return replace(self, tensors=tensors, others=tree.copied(self.others))

    def detached(self) -> "State":
        """The same, that gradients do not flow through."""
        if not any(each.requires_grad for each in chain(self.tensors, tree.tensors(self.others))):
            return self
        tensors = tuple(tensor.detach() for tensor in self.tensors)
        return replace(self, tensors=tensors, others=tree.detached(self.others))

    def usable(self) -> list[Tensor]:
        """Its tensors; outside of inference mode copies of those made in it, which autograd
        refuses."""
        if torch.compiler.is_compiling() or torch.is_inference_mode_enabled():
            return list(self.tensors)
        return [each.clone() if each.is_inference() else each for each in self.tensors]

    def __deepcopy__(self, memo: dict[int, Any]) -> "State":
        """A copy that gradients do not flow through."""
        return self.detached().copy()

    def to(self, device: torch.device | str) -> "State":
        """The same on another device; raises `TypeError` for a dtype, which a state keeps."""
        if isinstance(device, torch.dtype):
            raise TypeError(
                f"a state of {self.dtype} keeps its dtype: begin a stream of {device} instead"
            )
        there = torch.empty(0, device=device).device
        tensors = tuple(each.to(there) for each in self.tensors)

        def moved(part: Any) -> Any:
            if isinstance(part, State):
                return replace(part, device=there)
            return part.to(there) if isinstance(part, Tensor) else part

        others = tree.changed(self.others, moved)
        return replace(self, device=there, tensors=tensors, others=others)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a safetensors file: the file that was there, or all of the new one.

        The metadata are `format`, `version`, `frame`, `batch_size`, `dtype`, `spec` (the SHA-256
        of `Graph.fingerprint`), `parts`, `names` and `others`, what modules with a step of their
        own remember, with the names of tensors in it. Raises `ValueError` where these remember
        more than tensors and plain values in tuples, lists and dicts.
        """
        names = apart(self.names or [str(number) for number in range(len(self.tensors))])
        tensors = dict(zip(names, self.tensors, strict=True))
        others = [
            [name, described(own, f"{name}:state", tensors, _KINDS)] for name, own in self.others
        ]
        metadata = {
            "format": FORMAT,
            "version": str(VERSION),
            "frame": str(self.frame),
            "batch_size": str(self.batch_size),
            "dtype": str(self.dtype).removeprefix("torch."),
            "names": json.dumps(names),
        }
        if self.network is not None:
            metadata |= {"spec": self.network.digest, "parts": json.dumps(self.network.parts)}
        if others:
            metadata["others"] = json.dumps(others)
        numbers = {
            name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()
        }
        with in_place(Path(path)) as part:
            part.write_bytes(in_safetensors(numbers, metadata))

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: torch.device | str = "cpu") -> "State":
        """The state in a file that `save` wrote.

        Raises `OSError` where the file cannot be read, and `ValueError` where it is no such file.
        """
        with Path(path).open("rb"):
            pass
        try:
            with safe_open(os.fspath(path), framework="pt") as file:
                return _read(cls, file).to(device)
        except (
            SafetensorError,
            AttributeError,
            KeyError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"`{path}` is no state of a stream: {reason}") from None

    def difference(
        self, names: Sequence[str], layout: Sequence[tuple[int, ...]], network: Fingerprint
    ) -> str:
        """Why it is no state of a network that keeps this; empty where it is one."""
        alike = self.network is None or self.network.digest == network.digest
        if alike and self._is_laid_out(layout):
            return ""
        found = [*_between(dict(zip(self.names, self.layout, strict=False)), names, layout)]
        if not found and self.network is not None:
            found = list(self.network.differences(network))
        if not found:
            found = [f"it keeps {list(self.layout)}, here it is {list(layout)}"]
        more = f", and {len(found) - SAID} more" if len(found) > SAID else ""
        return "; ".join(islice(found, SAID)) + more

    def _is_laid_out(self, layout: Sequence[tuple[int, ...]]) -> bool:
        """Whether its tensors are of these shapes but for the batch."""
        pairs = zip(self.tensors, layout, strict=False)
        return len(self.tensors) == len(layout) and all(x.shape[1:] == each for x, each in pairs)


def apart(names: Sequence[str]) -> list[str]:
    """The same names, those that came before told apart by a count: `relu`, `relu[2]`."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name}[{seen[name]}]")
    return told


def _between(
    found: Mapping[str, tuple[int, ...]], names: Sequence[str], layout: Sequence[tuple[int, ...]]
) -> Iterator[str]:
    """How the tensors of a state differ from what a network keeps."""
    here = dict(zip(names, layout, strict=True))
    for name, shape in found.items():
        if name not in here:
            yield f"it keeps `{name}`, which is not kept here"
        elif shape != here[name]:
            yield f"`{name}` is {_by(shape)}, here {_by(here[name])}"
    yield from (f"it lacks `{name}`" for name in here if name not in found)


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def _read(kind: type[State], file: Any) -> State:
    """A state from an open file; raises `ValueError`, `TypeError` or `KeyError` for another."""
    said: dict[str, str] = file.metadata() or {}
    if said.get("format") != FORMAT:
        raise ValueError("it was not written as one")
    if said["version"] != str(VERSION):
        raise ValueError(f"it has version {said['version']}, this codsl reads {VERSION}")
    names = _list(said["names"], str)
    every = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    tensors = tuple(every.pop(name) for name in names if name in every)
    others = tuple(
        (str(name), restored(own, every, _KINDS))
        for name, own in _list(said.get("others", "[]"), list)
    )
    if every or len(tensors) != len(names):
        raise ValueError("it has other tensors than it says")
    frame, batch = int(said["frame"]), int(said["batch_size"])
    if frame < 0 or any(tensor.dim() < 1 or tensor.shape[0] != batch for tensor in tensors):
        raise ValueError("its tensors and its batch or frame do not fit")
    dtype = dtype_named(said["dtype"])
    network = None
    if "spec" in said:
        parts = tuple((str(name), str(part)) for name, part in _list(said["parts"], list))
        network = Fingerprint(said["spec"], parts)
    cpu = torch.device("cpu")
    return kind(frame, batch, dtype, cpu, tensors, tuple(names), others, network, True)


def _list(text: str, kind: type[T]) -> list[T]:
    """A list of one kind, as it is written in the metadata."""
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(each, kind) for each in found):
        raise ValueError("its metadata cannot be read")
    return found


_KINDS = {"State": State, "Fingerprint": Fingerprint}
"""The dataclasses that may be in a file."""
torch.serialization.add_safe_globals([State, Fingerprint])
