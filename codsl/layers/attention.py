"""Attention over a bounded window of items, alone and in the encoder of a transformer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, sees
from codsl.layers.arguments import (
    Count,
    Flag,
    MaybeCount,
    Natural,
    Number,
    Optional,
    Share,
    Word,
)
from codsl.layers.fit import inferred, nearest_divisor, vectors
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Attended, Call
from codsl.layers.row import Layer

Examples = tuple[Mapping[str, Any], ...]
Weights = dict[str, tuple[int, ...]]
Base = Annotated[float | None, Optional(Number(1))]


@dataclass(frozen=True)
class Attention(Layer):
    """A layer whose output `j` attends to the items from `j - past` to `j + ahead`."""

    past: Natural = field(kw_only=True)
    ahead: Natural = field(default=0, kw_only=True)
    rotary_base: Base = field(default=None, kw_only=True)

    @final
    def _over(self) -> Window:
        return Window(self.past + 1 + self.ahead, before=self.past, after=self.ahead)

    @final
    def time(self) -> Time:
        return sees(self._over())

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return ()

    @final
    def _fits(self, x: Frame, width: str, given: int | None, word: str, heads: int) -> Frame:
        """The frame, of which each head gets a part; raises `Mistake` where that cannot be."""
        vectors(self, x)
        inferred(width, given, x)
        if x.channels % heads:
            nearest = nearest_divisor(x.channels, heads)
            raise Mistake(
                "E0402",
                f"{word}={heads} does not divide {width}={x.channels}",
                argument=word,
                layer=f"the input has {x.channels} channels",
                help=f"the nearest divisor is {nearest}",
                change=Give(nearest),
            )
        if self.rotary_base is not None and x.channels // heads % 2:
            raise Mistake(
                "E0402",
                f"a head of {x.channels // heads} cannot be turned in pairs",
                argument="rotary_base",
                layer=f"the input has {x.channels} channels",
                help=f"give {word} so that each head has an even number of channels",
            )
        return x

    @final
    def _attended(self, x: Frame, settings: dict[str, Any], names: tuple[str, str]) -> Attended:
        """How it runs, by the functions of these names: of each item, of each output."""
        arguments = {"past": self.past, "ahead": self.ahead, "base": self.rotary_base}
        return Attended(
            type(self).__name__,
            settings,
            frame=Call(names[0]),
            keeps=Frame(2 * x.channels),
            call=Call(names[1], arguments),
            reach=self.time(),
        )

    @final
    def _projections(self, x: Frame, bias: bool, prefix: str = "") -> Weights:
        size = x.channels
        shapes: Weights = {"in_proj_weight": (3 * size, size)}
        if bias:
            shapes["in_proj_bias"] = (3 * size,)
        shapes["out_proj.weight"] = (size, size)
        if bias:
            shapes["out_proj.bias"] = (size,)
        return {f"{prefix}{name}": shape for name, shape in shapes.items()}

    @final
    def _attention_macs(self, x: Frame) -> int:
        return 4 * x.channels**2 + 2 * x.channels * self._over().kernel


@final
@dataclass(frozen=True)
class MultiheadAttention(Attention):
    """Self-attention with several heads (Vaswani et al., 2017) over a bounded window.

    Output `j` attends to the items from `j - past` to `j + ahead` that there are, its own among
    them: torch.nn.MultiheadAttention with that band as its mask, `(B, C, T)` to `(B, C, T)`. The
    first outputs see fewer items, and so do the last `ahead`. Weights and keys are torch's
    (`in_proj_weight`, `in_proj_bias`, `out_proj.weight`, `out_proj.bias`). A stream keeps the key
    and the value of `past + ahead` items, and the last `ahead` items; each is projected once.
    `rotary_base` turns queries and keys by their positions (Su et al., 2021; 10000 there), in pairs
    of neighbouring channels: what matters is how far apart they are, so an endless stream does not
    tire of it. `dropout` drops attention weights, only in training.
    """

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("attention", "self_attention", "mha")
    examples: ClassVar[Examples] = (
        {"num_heads": 2, "past": 3},
        {"num_heads": 4, "past": 2, "ahead": 2, "bias": False, "dropout": 0.2},
        {"num_heads": 1, "past": 4, "ahead": 1, "rotary_base": 10000},
    )
    num_heads: Count
    dropout: Share = 0.0
    bias: Flag = True
    embed_dim: MaybeCount = field(default=None, kw_only=True)

    def shape(self, x: Frame) -> Frame:
        return self._fits(x, "embed_dim", self.embed_dim, "num_heads", self.num_heads)

    def weights(self, x: Frame) -> Weights:
        return self._projections(x, self.bias)

    def macs(self, x: Frame, y: Frame) -> int:
        return self._attention_macs(x)

    def recipe(self, x: Frame) -> Attended:
        settings = {
            "embed_dim": x.channels,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "bias": self.bias,
            "batch_first": True,
        }
        return self._attended(x, settings, ("keys_and_values", "attend"))


@final
@dataclass(frozen=True)
class TransformerEncoderLayer(Attention):
    """A layer of a transformer's encoder (Vaswani et al., 2017) over a bounded window.

    Attention as in `multihead_attention`, and two linear layers on each item, each with a residual
    and a layer normalisation: after it, or before it with `norm_first` (Xiong et al., 2020). It is
    torch.nn.TransformerEncoderLayer with the band from `j - past` to `j + ahead` as its mask,
    `(B, C, T)` to `(B, C, T)`, with torch's weights and keys (`self_attn.in_proj_weight`,
    `linear1.weight`, `norm1.weight` ...). Several in a row are an encoder: each sees `past` and
    `ahead` further, and a stream equals the whole clip under that mask for ever, at any depth.
    `dropout` is only in training.
    """

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("transformer", "transformer_encoder")
    examples: ClassVar[Examples] = (
        {"nhead": 2, "dim_feedforward": 8, "past": 3},
        {
            "nhead": 1,
            "dim_feedforward": 5,
            "dropout": 0.2,
            "activation": "gelu",
            "layer_norm_eps": 1e-3,
            "norm_first": True,
            "bias": False,
            "past": 2,
            "ahead": 1,
            "rotary_base": 100,
        },
    )
    nhead: Count
    dim_feedforward: Count = 2048
    dropout: Share = 0.1
    activation: Annotated[str, Word(("relu", "gelu"))] = "relu"
    layer_norm_eps: Annotated[float, Number(0, 1)] = 1e-5
    norm_first: Flag = field(default=False, kw_only=True)
    bias: Flag = field(default=True, kw_only=True)
    d_model: MaybeCount = field(default=None, kw_only=True)

    def shape(self, x: Frame) -> Frame:
        return self._fits(x, "d_model", self.d_model, "nhead", self.nhead)

    def weights(self, x: Frame) -> Weights:
        wide, size = self.dim_feedforward, x.channels
        shapes: Weights = {"linear1.weight": (wide, size), "linear2.weight": (size, wide)}
        shapes |= {"norm1.weight": (size,), "norm2.weight": (size,)}
        if self.bias:
            shapes |= {f"{name.split('.')[0]}.bias": shape[:1] for name, shape in shapes.items()}
        return self._projections(x, self.bias, "self_attn.") | shapes

    def macs(self, x: Frame, y: Frame) -> int:
        return self._attention_macs(x) + 2 * x.channels * self.dim_feedforward

    def recipe(self, x: Frame) -> Attended:
        settings = {
            "d_model": x.channels,
            "nhead": self.nhead,
            "dim_feedforward": self.dim_feedforward,
            "dropout": self.dropout,
            "activation": self.activation,
            "layer_norm_eps": self.layer_norm_eps,
            "batch_first": True,
            "norm_first": self.norm_first,
            "bias": self.bias,
        }
        return self._attended(x, settings, ("encoder_keys_and_values", "encode"))
