"""How much work attention is: multiplications, additions and exponentials."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """Numbers of operations; `muls` are the multiply-accumulates."""

    muls: int = 0
    adds: int = 0
    exps: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.muls + other.muls, self.adds + other.adds, self.exps + other.exps)

    def __mul__(self, times: int) -> "Work":
        return Work(self.muls * times, self.adds * times, self.exps * times)

    def counted(self, muls: bool = True, adds: bool = False, exps: bool = False) -> int:
        """The sum of those that are asked for."""
        return muls * self.muls + adds * self.adds + exps * self.exps

    @property
    def macs(self) -> int:
        """As flop counters count: multiply-accumulates, biases and the softmax."""
        return self.muls + self.exps


def linear(inputs: int, outputs: int, bias: bool = True) -> Work:
    """A linear map of one item, with its bias as a multiply-accumulate."""
    return Work((inputs + bias) * outputs, (inputs - 1 + bias) * outputs)


def projections(mha: Any) -> tuple[Work, Work]:
    """The query of one item, and its key and value."""
    bias, wide = mha.in_proj_bias is not None, mha.embed_dim
    query = linear(wide, wide, bias) + Work(wide)
    return query, linear(mha.kdim, wide, bias) + linear(mha.vdim, wide, bias)


def attention(mha: Any, queries: int, keys: int) -> Work:
    """The softmax of so many queries over so many keys, and the projection of what comes out."""
    keys += (mha.bias_k is not None) + mha.add_zero_attn
    pairs = queries * keys
    seen = Work(2 * pairs * mha.embed_dim, 2 * pairs * mha.embed_dim, pairs * mha.num_heads)
    out = linear(mha.embed_dim, mha.embed_dim, mha.out_proj.bias is not None)
    return seen + out * queries


def feed_forward(layer: Any) -> Work:
    """What an encoder's layer does to an item behind its attention."""
    wide, inner = layer.linear1.in_features, layer.linear1.out_features
    bias = layer.linear1.bias is not None
    return linear(wide, inner, bias) + linear(inner, wide, bias) + Work(4 * wide, 6 * wide)


def taken_by(layer: Any, rows: int, frames: int, projected: int) -> Work:
    """What an encoder's layer takes for outputs of so many rows over a window, of which some frames
    are projected."""
    query, rest = projections(layer.self_attn)
    own = attention(layer.self_attn, rows, frames) + feed_forward(layer) * rows
    return own + (query + rest) * projected
