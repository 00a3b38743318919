"""Attention whose every step gives the outputs of all of the last frames."""

from typing import Any

from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.nn.attention.attentive import Attentive, count
from codsl.nn.attention.multihead import attended
from codsl.nn.attention.work_of_attention import Work, attention, projections


class RetroactiveMultiheadAttention(Attentive):
    """`torch.nn.MultiheadAttention` of the last `sequence_len` frames: a step gives all outputs.

    Each frame is projected once; the softmax over the window is taken anew with every frame, so
    the outputs are for ever those of torch on the window, for inputs of any size. Retroactive
    attention is that of Hedegaard et al., 2022; their running sums are not used.

    `forward(query, key, value)` is torch's on a clip, with its weights unless
    `forward_returns_attn_mask` is False; keys and values are the queries if not given. The axes
    are `(T, N, E)`, `(N, T, E)` with `batch_first`, `(N, E, T)` with `embed_dim_second`. A step
    takes frames `(N, E)` and gives a whole window in that order, from frame `sequence_len - 1` on;
    a chunk gives windows, a window's time behind the chunk's. In a container windows are frames
    `(N, E, sequence_len)`, in clips as in streams. Arguments, weights and keys are torch's.
    """

    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> "RetroactiveMultiheadAttention":
        """A copy of a `torch.nn.MultiheadAttention`; `sequence_len` has to be given."""
        return RetroactiveMultiheadAttention.of(module, *args, **kwargs)

    def forward(  # type: ignore[override]
        self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None, **masks: Any
    ) -> Any:
        """Torch's attention over a clip: all outputs; with its weights, if they are asked for."""
        key = query if key is None else key
        return self._attention(query, key, key if value is None else value, masks)

    def made(self) -> Frame:
        """All outputs of a window."""
        return Frame(self.embed_dim, (self.sequence_len,))

    def answer(self, windows: Tensor) -> Tensor:
        """All outputs of windows, `(N, E, sequence_len)`."""
        query, key, value = windows.chunk(3, -1)
        return attended(self, query, key, value).transpose(1, 2)

    def work(self) -> Work:
        """What a step takes."""
        query, rest = projections(self)
        return query + rest + attention(self, self.sequence_len, self.sequence_len)

    def clip_work(self, frames: int) -> Work:
        """What a clip takes."""
        query, rest = projections(self)
        return (query + rest) * frames + attention(self, frames, frames)

    def _step_out(self, y: Tensor) -> Tensor:
        return y if self.embed_dim_second else self._in_order(y)

    def _steps_out(self, y: Tensor) -> Tensor:
        if self.embed_dim_second:
            return y
        return y.permute(0, 2, 3, 1) if self.batch_first else y.permute(2, 3, 0, 1)


count(RetroactiveMultiheadAttention)
