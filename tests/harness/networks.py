"""Random networks, as dicts of the YAML form, whose joins fit by construction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

Layers = list[Any]

POINTWISE = """
    relu silu elu celu selu gelu sigmoid hardsigmoid tanh hardswish relu6 rrelu leaky_relu
    log_sigmoid softplus softshrink prelu softsign tanhshrink softmin softmax log_softmax
    hardshrink hardtanh identity dropout alpha_dropout
"""


@dataclass(frozen=True)
class At:
    """A value: its channels and space, and its time, calculated here once more.

    `n` frames give `floor((n + offset) / stride)` items; `field` is how far an item reaches.
    """

    channels: int
    space: tuple[int, ...]
    stride: int = 1
    offset: int = 0
    field: int = 0

    @property
    def rank(self) -> int:
        """The number of dimensions, time among them."""
        return 1 + len(self.space)

    def through(self, stride: int, offset: int, reach: int) -> At:
        """After a window over time."""
        return replace(
            self,
            stride=self.stride * stride,
            offset=self.offset + self.stride * offset,
            field=self.field + self.stride * reach,
        )


@dataclass(frozen=True)
class Limits:
    """How far a network may go, so that its clips stay short."""

    field: int = 36
    stride: int = 6
    depth: int = 3


class Networks:
    """Draws networks of one number of dimensions from a source of chance."""

    def __init__(self, draw: Random, rank: int, limits: Limits | None = None) -> None:
        self._draw = draw
        self._rank = rank
        self._limits = limits or Limits()
        self._names = 0

    def network(self, size: int) -> dict[str, Any]:
        """A network of about `size` statements."""
        at = At(
            self._draw.randint(1, 4), tuple(self._pick((4, 5, 6)) for _ in range(self._rank - 1))
        )
        shape = [at.channels, "T", *at.space]
        layers: Layers = []
        for _ in range(size):
            more, at = self._statement(at, 0)
            layers += more
        if self._chance(0.15):
            layers += self._tail(at)
        return {"codsl": 1, "input": shape, "layers": layers or ["identity"]}

    def _tail(self, at: At) -> Layers:
        """An end of more items than came, which nothing has to be as long as."""
        if self._chance(0.5):
            layers, at = self._down_and_up(at, self._limits.depth, exact=False)
        else:
            layers, at = self._raise(at, self._pick((2, 2, 3)), self._draw.randint(0, 2))
        kinds = [self._conv, self._pool, self._crop, self._cumulative, self._positions]
        kinds += [] if at.space else [self._recurrent, self._attention]
        for _ in range(self._draw.randint(0, 2)):
            more, at = self._pick(kinds)(at)
            layers += more
        return layers

    def _pick(self, among: Sequence[Any]) -> Any:
        return self._draw.choice(among)

    def _chance(self, share: float) -> bool:
        return self._draw.random() < share

    def _name(self) -> str:
        self._names += 1
        return f"n{self._names}"

    def _statement(self, at: At, depth: int) -> tuple[Layers, At]:
        if at.field > self._limits.field:
            return self._pointwise(at)
        kinds = {
            self._conv: 4.0,
            self._pool: 2.8,
            self._pointwise: 2.0,
            self._adaptive: 0.8,
            self._delay: 0.6,
            self._crop: 0.5,
            self._cumulative: 0.9,
            self._positions: 0.5,
        }
        if not at.space:
            kinds |= {self._recurrent: 2.0, self._attention: 2.0}
        elif not depth:
            kinds |= {self._flat: 0.6}
        blocks = {
            self._residual: 2.0,
            self._shrinking: 1.5,
            self._parallel: 2.0,
            self._skip: 1.0,
            self._gate: 0.6,
            self._down_and_up: 1.5,
        }
        if depth < self._limits.depth:
            kinds |= blocks
        (kind,) = self._draw.choices(list(kinds), list(kinds.values()))
        return kind(at, depth + 1) if kind in blocks else kind(at)

    def _stride(self, at: At, share: float = 0.3) -> int:
        allowed = [s for s in (2, 2, 3) if at.stride * s <= self._limits.stride]
        return self._pick(allowed) if allowed and self._chance(share) else 1

    def _conv(self, at: At) -> tuple[Layers, At]:
        kernel = self._pick((1, 2, 3, 3, 4, 5))
        dilation = self._pick((1, 1, 2, 3)) if kernel <= 3 else 1
        stride = self._stride(at)
        reach = dilation * (kernel - 1)
        words = ["causal", *(["same"] if stride == 1 else [])]
        pair = (self._draw.randint(0, reach), self._draw.randint(0, reach))
        if self._chance(0.3):
            word = self._pick(words)
            pair = (reach, 0) if word == "causal" else (reach // 2, reach - reach // 2)
            pad = word
        else:
            pad = pair[0] if pair[0] == pair[1] else list(pair)
        sizes, space = self._over_space(at)
        return self._convolution(at, kernel, dilation, stride, pad, pair, sizes, space)

    def _over_space(self, at: At) -> tuple[list[tuple[int, int, Any]], tuple[int, ...]]:
        """Kernel, stride and padding over each dimension of space, and what is left of it."""
        sizes, space = [], []
        for size in at.space:
            kernel = self._pick([k for k in (1, 2, 3) if k <= size])
            stride = 2 if size > 4 and self._chance(0.2) else 1
            pad = self._pick((0, 0, 1, [1, 0])) if kernel > 1 else 0
            padding = sum(pad) if isinstance(pad, list) else 2 * pad
            sizes.append((kernel, stride, pad))
            space.append((size + padding - kernel) // stride + 1)
        return sizes, tuple(space)

    def _convolution(
        self,
        at: At,
        kernel: int,
        dilation: int,
        stride: int,
        pad: Any,
        pair: tuple[int, int],
        sizes: list[tuple[int, int, Any]],
        space: tuple[int, ...],
        channels: int | None = None,
    ) -> tuple[Layers, At]:
        out = channels or self._draw.randint(1, 4)
        arguments: dict[str, Any] = {
            "name": self._name(),
            "out_channels": out,
            "kernel_size": [kernel, *(size[0] for size in sizes)],
            "stride": [stride, *(size[1] for size in sizes)],
            "dilation": [dilation, *(1 for _ in sizes)],
            "padding": [pad, *(size[2] for size in sizes)],
            "bias": self._chance(0.7),
        }
        if self._chance(0.25):
            arguments["padding_mode"] = "replicate"
        if self._chance(0.15):
            arguments["temporal_fill"] = self._pick(("zeros", "replicate"))
        if self._chance(0.08):
            arguments["weight_norm"] = self._pick((True, "old"))
        common = [g for g in (2, 3, 4) if at.channels % g == 0 and out % g == 0]
        if common and self._chance(0.4):
            arguments["groups"] = self._pick(common)
        reach = dilation * (kernel - 1)
        after = at.through(stride, sum(pair) - reach - 1 + stride, reach)
        return [{f"conv{at.rank}d": arguments}], replace(after, channels=out, space=space)

    def _pool(self, at: At) -> tuple[Layers, At]:
        largest = self._chance(0.5)
        kernel = self._pick((2, 2, 3, 4))
        stride = self._stride(at, 0.4)
        dilation = self._pick((1, 1, 2)) if largest else 1
        reach = dilation * (kernel - 1)
        native = self._chance(0.5)
        most = (reach + 1) // 2 if native else reach
        before = self._draw.randint(0, most)
        after = before if native else self._draw.randint(0, most)
        ceil = self._chance(0.7)
        arguments: dict[str, Any] = {
            "kernel_size": [kernel],
            "stride": [stride],
            "padding": [before if before == after else [before, after]],
            "ceil_mode": ceil,
        }
        space = []
        for size in at.space:
            k = self._pick([k for k in (1, 1, 2, 3) if k <= size])
            s = self._pick((1, 1, 2)) if size > 3 else 1
            pad = self._pick((0, 1)) if k > 1 else 0
            arguments["kernel_size"].append(k)
            arguments["stride"].append(s)
            arguments["padding"].append(pad)
            space.append(_pooled(size, k, s, pad, ceil))
        if largest:
            arguments["dilation"] = [dilation, *(1 for _ in at.space)]
            if self._chance(0.35):
                arguments["temporal_fill"] = "zeros"
        else:
            self._average(at, arguments, kernel)
        padded = before + after - reach
        offset = padded - 1 + stride
        if ceil:
            offset = min(padded + 2 * stride - 2, before + stride - 1)
        name = f"{'max' if largest else 'avg'}_pool{at.rank}d"
        made = replace(at.through(stride, offset, reach), space=tuple(space))
        return [{name: arguments}], made

    def _average(self, at: At, arguments: dict[str, Any], kernel: int) -> None:
        if self._chance(0.4):
            arguments["count_include_pad"] = False
        if self._chance(0.2):
            arguments["temporal_fill"] = self._pick(("zeros", "replicate"))
        if at.space and self._chance(0.4):
            arguments["divisor_override"] = kernel + self._draw.randint(1, 3)

    def _pointwise(self, at: At) -> tuple[Layers, At]:
        if self._chance(0.35):
            return [{f"batch_norm{at.rank}d": {"name": self._name()}}], at
        kind = self._pick(POINTWISE.split())
        if kind == "prelu":
            return [{kind: {"name": self._name(), "num_parameters": at.channels}}], at
        if at.channels % 2 == 0 and self._chance(0.1):
            return ["glu"], replace(at, channels=at.channels // 2)
        return [kind], at

    def _adaptive(self, at: At) -> tuple[Layers, At]:
        window = self._pick((1, 2, 3, 4))
        space = tuple(self._pick([size, 1, max(1, size - 1)]) for size in at.space)
        word = self._pick(("avg", "max"))
        sizes = {"output_size": [1, *space] if space else 1, "kernel_size": window}
        made = replace(at.through(1, 1 - window, window - 1), space=space)
        return [{f"adaptive_{word}_pool{at.rank}d": sizes}], made

    def _delay(self, at: At) -> tuple[Layers, At]:
        frames = self._pick((1, 2, 3))
        return [{"delay": frames}], replace(at, field=at.field + frames * at.stride)

    def _crop(self, at: At) -> tuple[Layers, At]:
        front, back = self._draw.randint(0, 3), self._draw.randint(0, 2)
        less = front + back
        return [{"crop": {"front": front, "back": back}}], at.through(1, -less, less)

    def _cumulative(self, at: At) -> tuple[Layers, At]:
        kind = self._pick(("cumulative_layer_norm", "running_mean", "channel_layer_norm"))
        given: dict[str, Any] = {"name": self._name()}
        if kind == "running_mean":
            given["momentum"] = self._pick((None, 0.3))
        else:
            given["eps"] = 0.1
        return [{kind: given}], at

    def _positions(self, at: At) -> tuple[Layers, At]:
        if self._chance(0.5):
            return [{"positional_encoding": {"base": 20}}], at
        size = self._pick((3, 40))
        return [
            {"recycling_positional_encoding": {"name": self._name(), "num_embeddings": size}}
        ], at

    def _flat(self, at: At) -> tuple[Layers, At]:
        """Frames without space, of a few channels."""
        out = self._draw.randint(1, 4)
        layers = ["flatten", {"linear": {"name": self._name(), "out_features": out}}]
        return layers, replace(at, channels=out, space=())

    def _recurrent(self, at: At) -> tuple[Layers, At]:
        size = self._draw.randint(2, 4)
        given: dict[str, Any] = {
            "name": self._name(),
            "hidden_size": size,
            "num_layers": self._pick((1, 1, 2)),
            "bias": self._chance(0.7),
        }
        kind = self._pick(("rnn", "gru", "lstm"))
        if kind == "lstm" and self._chance(0.4):
            given["proj_size"] = size = size - 1
        return [{kind: given}], replace(at, channels=size)

    def _attention(self, at: At) -> tuple[Layers, At]:
        past, ahead = self._draw.randint(0, 4), self._pick((0, 0, 1, 2))
        heads = self._pick([h for h in (1, 2, 3) if at.channels % h == 0])
        given: dict[str, Any] = {"name": self._name(), "past": past, "ahead": ahead}
        if at.channels // heads % 2 == 0 and self._chance(0.6):
            given["rotary_base"] = 50
        made = replace(at, field=at.field + at.stride * (past + ahead))
        if self._chance(0.5):
            return [{"multihead_attention": {**given, "num_heads": heads}}], made
        given |= {"nhead": heads, "dim_feedforward": 5, "norm_first": self._chance(0.5)}
        return [{"transformer_encoder_layer": given}], made

    def _raise(self, at: At, factor: int, less: int = 0) -> tuple[Layers, At]:
        """`factor` items for each, less a few; over time alone."""
        ones = [1 for _ in at.space]
        made = replace(at, field=at.field + 2 * at.stride)
        if not less and self._chance(0.4):
            linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[at.rank]
            mode = self._pick(("nearest", linear, linear))
            return [{"upsample": {"scale_factor": [factor, *ones], "mode": mode}}], made
        kernel = factor + self._draw.randint(0, 3)
        extra = self._draw.randrange(factor) if self._chance(0.3) else 0
        cut = kernel - factor + extra + less
        before = self._draw.randint(0, cut)
        out = self._draw.randint(1, 4)
        given = {
            "name": self._name(),
            "out_channels": out,
            "kernel_size": [kernel, *ones],
            "stride": [factor, *ones],
            "padding": [[before, cut - before], *(0 for _ in at.space)],
            "output_padding": [extra, *(0 for _ in at.space)],
        }
        return [{f"conv_transpose{at.rank}d": given}], replace(made, channels=out)

    def _down_and_up(self, at: At, depth: int, exact: bool = True) -> tuple[Layers, At]:
        """A residual whose body gives less than one item for each, and then as many again, or if it
        need not be `exact`, sometimes a few less."""
        allowed = [s for s in (2, 2, 3) if at.stride * s <= self._limits.stride]
        if not allowed:
            return self._residual(at, depth)
        stride = self._pick(allowed)
        wanted = at.offset + at.stride * (stride - 1)
        for _ in range(8):
            body, low = self._branch(at, depth, stride, stride - 1, self._draw.randint(1, 3))
            if low.offset == wanted or not exact:
                break
        else:
            return self._residual(at, depth)
        more, high = self._raise(low, stride)
        word = self._pick(("concat", "sum"))
        if word == "sum":
            sizes = [(1, 1, 0) for _ in at.space]
            same = (at.channels,)
            last, _ = self._convolution(high, 1, 1, 1, 0, (0, 0), sizes, at.space, *same)
            more, high = more + last, replace(high, channels=at.channels)
        channels = at.channels + high.channels if word == "concat" else at.channels
        block = self._block("residual", body + more, [], word)
        return [block], replace(at, channels=channels, field=max(at.field, high.field))

    def _chain(self, at: At, depth: int, most: int = 2) -> tuple[Layers, At]:
        """A few statements that leave space as it is, at a stride that is theirs to choose."""
        layers: Layers = []
        start = at
        for _ in range(self._draw.randint(0, most)):
            more, after = self._statement(at, depth)
            if after.space != start.space:
                continue
            layers, at = layers + more, after
        return layers, at

    def _branch(
        self,
        entry: At,
        depth: int,
        stride: int,
        offset: int,
        channels: int,
    ) -> tuple[Layers, At]:
        """Statements that bring `entry` to a stride, and to an offset less than a stride short."""
        layers, at = self._chain(entry, depth)
        if stride % (at.stride // entry.stride):
            layers, at = [], entry
        here = stride // (at.stride // entry.stride)
        if here > 1:
            more, at = self._halve(at, here)
            layers += more
        wanted = entry.offset + entry.stride * offset
        more, at = self._mend(at, (wanted - at.offset) // at.stride, channels)
        return layers + more, at

    def _halve(self, at: At, stride: int) -> tuple[Layers, At]:
        """A convolution over time alone, or a pool, of this stride."""
        if self._chance(0.3):
            arguments = {
                "kernel_size": [2, *(1 for _ in at.space)],
                "stride": [stride, *(1 for _ in at.space)],
                "padding": [1, *(0 for _ in at.space)],
            }
            name = f"{self._pick(('max', 'avg'))}_pool{at.rank}d"
            return [{name: arguments}], at.through(stride, stride, 1)
        kernel = self._pick((1, 1, 2, 3))
        pair = (self._draw.randint(0, kernel - 1), self._draw.randint(0, kernel - 1))
        sizes = [(1, 1, 0) for _ in at.space]
        return self._convolution(at, kernel, 1, stride, list(pair), pair, sizes, at.space)

    def _mend(self, at: At, items: int, channels: int) -> tuple[Layers, At]:
        """A convolution that gives `items` more than it gets, or fewer, to so many channels."""
        kernel = self._pick([k for k in (1, 2, 3) if k > abs(items)] or [abs(items) + 1])
        dilation = self._pick((1, 2)) if kernel > 1 else 1
        reach = dilation * (kernel - 1)
        padding = reach + items
        before = self._draw.randint(max(0, padding - reach), min(reach, padding))
        pair = (before, padding - before)
        sizes = []
        for size in at.space:
            k = self._pick((1, 3)) if size > 1 else 1
            sizes.append((k, 1, k // 2))
        return self._convolution(
            at, kernel, dilation, 1, list(pair), pair, sizes, at.space, channels
        )

    def _offset(self, stride: int) -> int:
        """A length that branches of a stride agree on: with `same` padding, that of a kernel 1."""
        return stride - 1 - (self._draw.randint(0, 2) if self._chance(0.5) else 0)

    def _residual(self, at: At, depth: int) -> tuple[Layers, At]:
        stride = self._stride(at)
        word = self._pick(("sum", "sum", "mul", "max", "mean", "concat"))
        plain = stride == 1 and self._chance(0.7)
        channels = at.channels if plain else self._draw.randint(1, 4)
        offset = 0 if plain else self._offset(stride)
        body, end = self._branch(at, depth, stride, offset, channels)
        shortcut, other = ([], at)
        if not plain:
            shortcut, other = self._project(at, stride, offset, channels)
        made = _met([other, end], word)
        return [self._block("residual", body, shortcut, word)], made

    def _project(self, at: At, stride: int, offset: int, channels: int) -> tuple[Layers, At]:
        """A kernel-1 convolution of a stride where that meets `offset`, and perhaps a norm."""
        if offset != stride - 1:
            return self._branch(at, self._limits.depth, stride, offset, channels)
        sizes = [(1, 1, 0) for _ in at.space]
        layers, made = self._convolution(at, 1, 1, stride, 0, (0, 0), sizes, at.space, channels)
        if self._chance(0.6):
            layers.append({f"batch_norm{at.rank}d": {"name": self._name()}})
        return layers, made

    def _shrinking(self, at: At, depth: int) -> tuple[Layers, At]:
        """A residual whose body gives fewer items, and whose shortcut is cropped."""
        stride = self._stride(at)
        word = self._pick(("sum", "mul", "max"))
        lost = self._draw.randint(1, 4)
        plain = stride == 1 and self._chance(0.6)
        channels = at.channels if plain else self._draw.randint(1, 4)
        offset = 0 if plain else stride - 1
        body, end = self._branch(at, depth, stride, offset - stride * lost, channels)
        shortcut, other = ([], at)
        if not plain:
            shortcut, other = self._project(at, stride, offset, channels)
        less = (other.offset - end.offset) // other.stride
        cropped = replace(
            other,
            offset=other.offset - less * other.stride,
            field=other.field + less * other.stride,
        )
        block = self._block("residual", body, shortcut, word)
        block["residual"]["shrink"] = self._pick(("lagging", "leading", "centered"))
        return [block], _met([cropped, end], word)

    def _block(self, kind: str, body: Layers, shortcut: Layers, word: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": self._name(), "aggregation": word, "layers": body}
        return {kind: {**entry, "shortcut": shortcut} if shortcut else entry}

    def _parallel(self, at: At, depth: int) -> tuple[Layers, At]:
        stride = self._stride(at)
        word = self._pick(("concat", "concat", "sum", "mul", "max", "mean"))
        offset = self._offset(stride)
        channels = self._draw.randint(1, 3)
        branches, ends = {}, []
        for _ in range(self._pick((2, 2, 3))):
            wide = self._draw.randint(1, 2) if word == "concat" else channels
            branch, end = self._branch(at, depth, stride, offset, wide)
            branches[self._name()] = branch
            ends.append(end)
        written: Any = branches if self._chance(0.5) else list(branches.values())
        block = {"name": self._name(), "aggregation": word, "branches": written}
        return [{"parallel": block}], _met(ends, word)

    def _skip(self, at: At, depth: int) -> tuple[Layers, At]:
        """Values that go on from a name, and meet in a join of names."""
        stride = self._stride(at)
        offset = self._offset(stride)
        start, left, right = self._name(), self._name(), self._name()
        one, first = self._branch(at, depth, stride, offset, self._draw.randint(1, 3))
        two, second = self._branch(at, depth, stride, offset, self._draw.randint(1, 3))
        layers = [
            {"identity": {"name": start}},
            {"sequential": {"name": left, "layers": one}},
            {"sequential": {"name": right, "from": start, "layers": two}},
            {"join": {"name": self._name(), "from": [left, right], "aggregation": "concat"}},
        ]
        return layers, _met([first, second], "concat")

    def _gate(self, at: At, depth: int) -> tuple[Layers, At]:
        """A squeeze-and-excitation gate over a window; it repeats over space."""
        window = self._pick((1, 2, 3))
        sizes = [(1, 1, 0) for _ in at.space]
        small = replace(at.through(1, 1 - window, window - 1), space=(1,) * len(at.space))
        word = self._pick(("avg", "max"))
        pool = {"output_size": 1, "kernel_size": window}
        project, end = self._convolution(small, 1, 1, 1, 0, (0, 0), sizes, small.space, at.channels)
        body = [{f"adaptive_{word}_pool{at.rank}d": pool}, *project, "sigmoid"]
        block = self._block("residual", body, [], "mul")
        block["residual"]["shrink"] = self._pick(("lagging", "leading", "centered"))
        met = replace(end, field=at.field + (window - 1) * at.stride, space=at.space)
        return [block], met


def _met(ends: list[At], word: str) -> At:
    """The value that a join gives."""
    assert len({end.stride for end in ends}) == 1
    offsets = [end.offset for end in ends]
    assert max(offsets) - min(offsets) < ends[0].stride
    return replace(
        ends[0],
        channels=sum(end.channels for end in ends) if word == "concat" else ends[0].channels,
        offset=min(offsets),
        field=max(end.field for end in ends),
    )


def _pooled(size: int, kernel: int, stride: int, pad: int, ceil: bool) -> int:
    """How many windows a pool puts over a dimension of space, as torch counts them."""
    free = size + 2 * pad - kernel
    if not ceil:
        return free // stride + 1
    count = -(-free // stride) + 1
    return count - 1 if (count - 1) * stride >= size + pad else count
