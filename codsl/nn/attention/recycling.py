"""Positional encodings that begin again after so many frames."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time
from codsl.layers.recipe import Call, Carried, Memory
from codsl.nn.functions.turns import in_turn
from codsl.nn.holders import cyclic
from codsl.nn.running.streaming import Laying
from codsl.nn.running.trace import Trace
from codsl.nn.running.ways import Run


class RecyclingPositionalEncoding(Laying):
    """Adds to frame `t` of `(B, C, T)` the encoding of position `t` modulo `num_embeds`.

    Recycling positional encoding (Hedegaard et al., 2022), with learned encodings, or the cyclic
    ones of Ma et al., 2021. A clip begins at position 0, as does a stream, and moves no stream.
    Keys are `pe.weight` of learned encodings, `pe.pattern` of cyclic ones.

    Args:
        embed_dim: the number of channels.
        num_embeds: after how many frames the first encoding comes again.
        learned: whether encodings are a parameter.
        forward_update_index_steps: accepted; a clip never moves the stream.
    """

    def __init__(
        self,
        embed_dim: int,
        num_embeds: int,
        learned: bool = True,
        forward_update_index_steps: int = 1,
    ) -> None:
        super().__init__()
        if min(embed_dim, num_embeds) < 1:
            raise ValueError(f"channels and encodings are counts, got {embed_dim}, {num_embeds}")
        self.embed_dim, self.num_embeds = embed_dim, num_embeds
        self.learned = learned
        self.pe: nn.Module = (
            nn.Embedding(num_embeds, embed_dim) if learned else _Cyclic(num_embeds, embed_dim)
        )
        self._taken = (Frame(embed_dim),)

    @property
    def time(self) -> Time:
        """When its outputs see what: frame by frame."""
        return IDENTITY

    def forward(self, x: Tensor) -> Any:
        """A clip `(B, C, T)` with its encodings, from position 0 on."""
        return self._run_clip(x)

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add itself to a graph."""
        return trace.layer(path, _Added(self), _Operation(self), values, type(self).__name__)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.embed_dim}, {self.num_embeds}, learned={self.learned}"


class _Cyclic(nn.Module):
    """Encodings that are no parameter."""

    def __init__(self, positions: int, features: int) -> None:
        super().__init__()
        self.register_buffer("pattern", cyclic(positions, features).to(torch.get_default_dtype()))

    def forward(self, positions: Tensor) -> Any:
        """The encodings of positions."""
        return self.get_buffer("pattern")[positions]


class _Added(nn.Module):
    """An encoding as a node of a graph; it counts the frames of each row."""

    _owner: Any

    def __init__(self, owner: RecyclingPositionalEncoding) -> None:
        super().__init__()
        self.__dict__["_owner"] = owner

    @property
    def positions(self) -> int:
        """How many positions there are."""
        return self._owner.num_embeds  # type: ignore[no-any-return]

    def at(self, positions: Tensor) -> Any:
        """The encodings `(B, T, C)` of positions `(B, T)`."""
        return self._owner.pe(positions)

    def forward(self, x: Tensor, run: Run | None = None) -> Any:
        """Items with the encodings of the positions from 0 on, or what a stream runs."""
        if run is not None:
            return run(self, x)
        return in_turn(self, x, torch.zeros(len(x), dtype=torch.int64, device=x.device))[0]


@dataclass(frozen=True)
class _Operation:
    """An encoding by position as an operation."""

    owner: RecyclingPositionalEncoding

    def shape(self, x: Frame) -> Frame:
        if x != Frame(self.owner.embed_dim):
            raise ValueError(f"positions are encoded for {self.owner.embed_dim} channels, got {x}")
        return x

    def time(self) -> Time:
        return IDENTITY

    def weights(self, x: Frame) -> dict[str, tuple[int, ...]]:
        return {name: tuple(each.shape) for name, each in self.owner.named_parameters()}

    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    def recipe(self, x: Frame) -> Carried:
        place = Memory("position", (), "int64")
        return Carried("Identity", {"positions": self.owner.num_embeds}, Call("in_turn"), (place,))

    def space(self, x: Frame) -> tuple[Time, ...]:
        return ()
