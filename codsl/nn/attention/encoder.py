"""Transformer encoders over the last frames, under torch's names and with torch's weights."""

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.nn.attention.encoder_layer import (
    EncoderLayer,
    RetroactiveTransformerEncoderLayer,
    SingleOutputTransformerEncoderLayer,
)
from codsl.nn.attention.last_frames import LastFrames
from codsl.nn.attention.multihead import encoded, prepared
from codsl.nn.attention.work_of_attention import Work, projections, taken_by
from codsl.nn.counting import count_by
from codsl.nn.running.streaming import check_clip


class TransformerEncoder(LastFrames):
    """`torch.nn.TransformerEncoder` of the last `sequence_len` frames: the newest output of it.

    A clip is `(B, E, T)`. A step takes and gives `(B, E)`, from frame `sequence_len - 1` on, and
    output by output that is, for ever and at any depth, what torch's encoder with its full
    attention gives for the last frame of the window. Frames are projected once for the first
    layer, the last one asks for the newest output alone, and layers between are computed on the
    whole window, for all that they see changes with every frame.

    With two layers or more `forward` slides the window over a clip. With one layer, as in
    continual-inference, `forward` is torch's over the clip: `T` outputs that see all of it; in a
    container the window slides there too. Weights and keys are torch's
    (`layers.0.self_attn.in_proj_weight` ...).

    Args:
        encoder_layer: a `TransformerEncoderLayerFactory`.
        num_layers: how many layers.
        norm: a norm of the output over features.
    """

    def __init__(
        self,
        encoder_layer: Callable[[bool], EncoderLayer],
        num_layers: int,
        norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"an encoder has one layer or more, got {num_layers}")
        self._of([encoder_layer(place < num_layers - 1) for place in range(num_layers)], norm)

    def _of(self, layers: list[EncoderLayer], norm: nn.Module | None) -> None:
        self.layers = nn.ModuleList(layers)
        self.norm = norm
        self.num_layers = len(layers)
        self.sequence_len = layers[0].sequence_len
        self._taken = layers[0]._taken

    @staticmethod
    def build_from(module: nn.Module, sequence_len: Any = None) -> "TransformerEncoder":
        """A copy of a `torch.nn.TransformerEncoder`; `sequence_len` has to be given."""
        if not isinstance(module, nn.TransformerEncoder):
            raise TypeError(f"built from a torch.nn.TransformerEncoder, not from {module!r}")
        *early, last = module.layers
        layers: list[EncoderLayer] = [
            RetroactiveTransformerEncoderLayer.of(each, sequence_len) for each in early
        ]
        layers.append(SingleOutputTransformerEncoderLayer.of(last, sequence_len))
        made = TransformerEncoder.__new__(TransformerEncoder)
        nn.Module.__init__(made)
        made._of(layers, copy.deepcopy(module.norm))
        return made.train(module.training)

    def taken(self) -> tuple[int, ...]:
        """The features of the one stream."""
        return (int(self._layers[0].self_attn.embed_dim),)

    @property
    def _layers(self) -> list[Any]:
        return list(self.layers)

    def kept(self) -> int:
        """A frame with its query, key and value in the first layer."""
        return self._layers[0].kept()  # type: ignore[no-any-return]

    def made(self) -> Frame:
        """The newest output."""
        return Frame(self.taken()[0])

    def keep(self, *items: Tensor) -> Tensor:
        """Items as the first layer prepares them."""
        return prepared(self._layers[0], items[0].transpose(1, 2))

    def answer(self, windows: Tensor) -> Tensor:
        """The newest output of windows."""
        kept = windows
        for layer, after in pairwise(self._layers):
            kept = prepared(after, encoded(layer, kept, newest=False))
        return self._normed(encoded(self._layers[-1], kept, newest=True)).squeeze(1)

    def facts(self) -> dict[str, Any]:
        """The layers."""
        return {"layers": tuple(each.facts() for each in self._layers)}

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of the windows of a clip `(B, E, T)`; of one layer all `T`, each of the whole
        clip."""
        if self.num_layers > 1:
            y: Tensor = self._run_clip(x)
            return y
        check_clip(x, "a clip")
        self._fits(type(self).__name__, [Frame(x.shape[1], tuple(x.shape[3:]))])
        return self._normed(encoded(self._layers[0], self.keep(x), newest=False)).transpose(1, 2)

    def _normed(self, y: Tensor) -> Tensor:
        if self.norm is None:
            return y
        normed: Tensor = self.norm(y)
        return normed

    def work(self) -> Work:
        """What a step takes."""
        return self._work(1, 1, self.sequence_len)

    def _work(self, windows: int, prepared: int, frames: int) -> Work:
        """What so many windows take, of so many new frames; the first layer projects each once."""
        *early, last = self._layers
        whole = sum((taken_by(each, frames, frames, frames) for each in early[1:]), Work())
        first = [taken_by(each, frames, frames, 0) for each in early[:1]]
        whole = sum(first, whole)
        newest = taken_by(last, 1, frames, frames if early else 0)
        query, rest = projections(self._layers[0].self_attn)
        return (whole + newest) * windows + (query + rest) * prepared

    def clip_work(self, frames: int) -> Work:
        """What `forward` takes for a clip."""
        if self.num_layers == 1:
            return taken_by(self._layers[0], frames, frames, frames)
        windows = max(0, frames - self.sequence_len + 1)
        return self._work(windows, frames, self.sequence_len)


def _count(module: Any, inputs: Any, output: Any) -> None:
    x = inputs[0]
    if x.dim() == 3:
        done = module.clip_work(x.shape[2])
    else:
        query, rest = projections(module._layers[0].self_attn)
        done = query + rest if output is None else module.work()
    module.__flops__ += done.macs * len(x)


count_by(TransformerEncoder, _count)
