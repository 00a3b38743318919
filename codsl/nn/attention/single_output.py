"""Attention of which one output of the last frames is wanted."""

from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.nn.attention.attentive import Attentive, count
from codsl.nn.attention.multihead import attended
from codsl.nn.attention.work_of_attention import Work, attention, projections


class SingleOutputMultiheadAttention(Attentive):
    """`torch.nn.MultiheadAttention` of the last `sequence_len` frames: output `query_index` of it.

    Each frame is projected once, and a step costs one query over the window (Hedegaard et al.,
    2022). With `query_index` -1 that is the newest frame's.

    `forward(query, key, value)` is torch's output `query_index` of a clip, with its weights unless
    `forward_returns_attn_mask` is False; all outputs without `single_output_forward`. The axes are
    `(T, N, E)`, `(N, T, E)` with `batch_first`, `(N, E, T)` with `embed_dim_second`. A step takes
    and gives `(N, E)`, from frame `sequence_len - 1` on. In a container the window slides in clips
    as in streams. Arguments, weights and keys are torch's.
    """

    query_index: int
    single_output_forward: bool

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
        sequence_len: int | None = None,
        query_index: int = -1,
        forward_returns_attn_mask: bool = True,
        embed_dim_second: bool = False,
        single_output_forward: bool = True,
    ) -> None:
        super().__init__(
            embed_dim,
            num_heads,
            dropout,
            bias,
            add_bias_kv,
            add_zero_attn,
            kdim,
            vdim,
            batch_first,
            device,
            dtype,
            sequence_len,
            forward_returns_attn_mask,
            embed_dim_second,
        )
        self._choose(query_index, single_output_forward)

    def _choose(self, query_index: int, single_output_forward: bool) -> None:
        if not -self.sequence_len <= query_index < self.sequence_len:
            raise ValueError(
                f"`query_index` is a place among {self.sequence_len} frames, got {query_index}"
            )
        self.query_index = query_index
        self.single_output_forward = single_output_forward

    @staticmethod
    def build_from(
        module: nn.Module,
        sequence_len: Any = None,
        query_index: int = -1,
        single_output_forward: bool = True,
        **kwargs: Any,
    ) -> "SingleOutputMultiheadAttention":
        """A copy of a `torch.nn.MultiheadAttention`; `sequence_len` has to be given."""
        made = SingleOutputMultiheadAttention.of(module, sequence_len, **kwargs)
        made._choose(query_index, single_output_forward)
        return made

    def forward(  # type: ignore[override]
        self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None, **masks: Any
    ) -> Any:
        """Torch's output `query_index` of a clip, time kept; with its weights, if they are asked
        for. Masks are torch's, of the queries that are left."""
        key = query if key is None else key
        value = key if value is None else value
        if self.single_output_forward:
            frames = query.shape[self._time]
            if not -frames <= self.query_index < frames:
                raise ValueError(f"a clip of {frames} frames has no output {self.query_index}")
            query = query.narrow(self._time, self.query_index % frames, 1)
        return self._attention(query, key, value, masks)

    def made(self) -> Frame:
        """One output of a window."""
        return Frame(self.embed_dim)

    def facts(self) -> dict[str, Any]:
        """The heads, and which query it is."""
        return {**super().facts(), "query_index": self.query_index % self.sequence_len}

    def answer(self, windows: Tensor) -> Tensor:
        """The output of windows, `(N, E)`."""
        query, key, value = windows.chunk(3, -1)
        one = query.narrow(1, self.query_index % self.sequence_len, 1)
        return attended(self, one, key, value).squeeze(1)

    def work(self) -> Work:
        """What a step takes."""
        query, rest = projections(self)
        return query + rest + attention(self, 1, self.sequence_len)

    def clip_work(self, frames: int) -> Work:
        """What a clip takes."""
        query, rest = projections(self)
        queries = 1 if self.single_output_forward else frames
        return query * queries + rest * frames + attention(self, queries, frames)

    def _step_out(self, y: Tensor) -> Tensor:
        return y

    def _steps_out(self, y: Tensor) -> Tensor:
        return y if self.embed_dim_second else self._in_order(y)


count(SingleOutputMultiheadAttention)
