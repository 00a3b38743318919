"""A layer of a transformer encoder over the last frames: all outputs of them, or the newest."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.nn.attention.last_frames import LastFrames, length_of
from codsl.nn.attention.multihead import encoded, prepared
from codsl.nn.attention.work_of_attention import Work, taken_by

Activation = str | Callable[[Tensor], Tensor]


class EncoderLayer(LastFrames, nn.TransformerEncoderLayer, abstract=True):
    """`torch.nn.TransformerEncoderLayer` over the last frames of `(B, E, T)`."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
        sequence_len: int | None = None,
    ) -> None:
        nn.TransformerEncoderLayer.__init__(
            self,
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            True,
            norm_first,
            bias,
            device,
            dtype,
        )
        self._of_length(sequence_len)

    def _of_length(self, sequence_len: Any) -> None:
        self.sequence_len = length_of(sequence_len)
        self._taken = tuple(map(Frame, self.taken()))

    @classmethod
    def of(cls, module: Any, sequence_len: Any) -> Self:
        """A copy of a `torch.nn.TransformerEncoderLayer`."""
        if not isinstance(module, nn.TransformerEncoderLayer):
            raise TypeError(f"built from a torch.nn.TransformerEncoderLayer, not from {module!r}")
        made = cls.__new__(cls)
        made.__dict__.update(copy.deepcopy(module).__dict__)
        made._of_length(sequence_len)
        return made

    def taken(self) -> tuple[int, ...]:
        """The features of the one stream."""
        return (self.self_attn.embed_dim,)

    def kept(self) -> int:
        """A frame with its query, key and value."""
        return 4 * int(self.self_attn.embed_dim)

    def keep(self, *items: Tensor) -> Tensor:
        """Items with their queries, keys and values."""
        return prepared(self, items[0].transpose(1, 2))

    def facts(self) -> dict[str, Any]:
        """The heads, and where the norms stand."""
        return {"nhead": self.self_attn.num_heads, "norm_first": self.norm_first}

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """The outputs of the windows of a clip `(B, E, T)`, as a stream gives them."""
        y: Tensor = self._run_clip(x)
        return y

    def work(self) -> Work:
        """What a step takes."""
        return taken_by(self, self.made().size // self.self_attn.embed_dim, self.sequence_len, 1)


class RetroactiveTransformerEncoderLayer(EncoderLayer):
    """`torch.nn.TransformerEncoderLayer` of the last `sequence_len` frames, all outputs of it.

    A clip is `(B, E, T)`. A step takes `(B, E)` and gives `(B, E, sequence_len)` from frame
    `sequence_len - 1` on (Hedegaard et al., 2022): a clip gives `(B, E, n, sequence_len)`, the
    last axis that of a window. A frame is projected once; everything behind the softmax depends
    on the newest frame, and is worked out anew. Pre-norm layers (`norm_first`) work too. Weights
    and keys are torch's.
    """

    @staticmethod
    def build_from(
        module: nn.Module, sequence_len: Any = None
    ) -> "RetroactiveTransformerEncoderLayer":
        """A copy of a `torch.nn.TransformerEncoderLayer`; `sequence_len` has to be given."""
        return RetroactiveTransformerEncoderLayer.of(module, sequence_len)

    def made(self) -> Frame:
        """All outputs of a window."""
        return Frame(self.self_attn.embed_dim, (self.sequence_len,))

    def answer(self, windows: Tensor) -> Tensor:
        """All outputs of windows."""
        return encoded(self, windows, newest=False).transpose(1, 2)


class SingleOutputTransformerEncoderLayer(EncoderLayer):
    """`torch.nn.TransformerEncoderLayer` of the last `sequence_len` frames: the newest output.

    A clip is `(B, E, T)`. A step takes and gives `(B, E)`, from frame `sequence_len - 1` on; it
    costs one query over the window (Hedegaard et al., 2022). Pre-norm layers (`norm_first`) work
    too. Weights and keys are torch's.
    """

    @staticmethod
    def build_from(
        module: nn.Module, sequence_len: Any = None
    ) -> "SingleOutputTransformerEncoderLayer":
        """A copy of a `torch.nn.TransformerEncoderLayer`; `sequence_len` has to be given."""
        return SingleOutputTransformerEncoderLayer.of(module, sequence_len)

    def made(self) -> Frame:
        """The newest output of a window."""
        return Frame(self.self_attn.embed_dim)

    def answer(self, windows: Tensor) -> Tensor:
        """The newest output of windows."""
        return encoded(self, windows, newest=True).squeeze(1)


@dataclass(frozen=True)
class TransformerEncoderLayerFactory:
    """The arguments of the layers of a `TransformerEncoder`: torch's, and `sequence_len`."""

    d_model: int
    nhead: int
    dim_feedforward: int = 2048
    dropout: float = 0.1
    activation: Activation = "relu"
    layer_norm_eps: float = 1e-5
    norm_first: bool = False
    bias: bool = True
    device: Any = None
    dtype: torch.dtype | None = None
    sequence_len: int | None = None

    def __call__(self, retroactive: bool) -> EncoderLayer:
        """A layer of all outputs, or of the newest."""
        made = (
            RetroactiveTransformerEncoderLayer
            if retroactive
            else SingleOutputTransformerEncoderLayer
        )
        return made(**vars(self))
