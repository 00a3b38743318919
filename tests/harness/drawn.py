"""Random networks, as dicts of the YAML form, whose joins fit by construction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.chance import Chance
from harness.memories import Memories
from harness.plain import Plain
from harness.singles import Singles
from harness.value import At, Layers, Limits, met

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random


CONVOLVED = ("uneven", "replicate", "fill", "weight norm", "reflect", "no padding", "clip shorter")
POOLED = ("count_include", "divisor", "ceil_mode", "stride over a")
RECURRENT = ("layer rnn", "layer gru", "layer lstm", "projected", "recurrent", "two layers")
ATTENDING = ("layer multi", "layer transformer", "rotary", "attention", "encoder")
RAISED = ("upsampling", "several outputs a frame", "join after upsampling")


class Networks:
    """Draws networks of one number of dimensions from a source of chance."""

    def __init__(
        self,
        draw: Random,
        rank: int,
        limits: Limits | None = None,
        needs: Mapping[str, float] | None = None,
    ) -> None:
        """`needs` says how much each class of difficulty is wanted, if not all alike."""
        self._chance = Chance(draw, needs)
        self._rank = rank
        self._limits = limits or Limits()
        self._layers = Singles(self._chance, self._limits)
        self._memories = Memories(self._chance)
        self._plain = Plain(self._chance)

    def network(self, size: int) -> dict[str, Any]:
        """A network of about `size` statements, sometimes of two inputs, or outputs."""
        if self._limits.blocks and self._chance.of(0.08, "several inputs"):
            spec, layers, at = self._two_inputs()
        else:
            at = self._input()
            spec, layers = {"input": _shape(at)}, []
        parts: list[Layers] = [layers] if layers else []
        for _ in range(size):
            more, at = self._statement(at, 0)
            parts.append(more)
        if self._chance.of(0.15, "several outputs a frame"):
            parts.append(self._tail(at))
        if (
            self._limits.blocks
            and len(parts) > 1
            and self._chance.of(0.2, "several outputs", "outputs of")
        ):
            return {"codsl": 1, **spec, **self._two_outputs(parts)}
        layers = [each for part in parts for each in part]
        return {"codsl": 1, **spec, "layers": layers or ["identity"]}

    def _input(self) -> At:
        even = self._chance.of(0.1, "layer graph_conv", "layer pixel")
        space = tuple(self._chance.pick((6,) if even else (4, 5, 6)) for _ in range(self._rank - 1))
        return At(self._chance.between(1, 4), space)

    def _two_inputs(self) -> tuple[dict[str, Any], Layers, At]:
        """Inputs of the same space, and layers that join them."""
        one = self._input()
        other = replace(one, channels=self._chance.between(1, 4))
        names = self._chance.name(), self._chance.name()
        layers, at = self._joined(names, (one, other), 1)
        return {"inputs": dict(zip(names, map(_shape, (one, other)), strict=True))}, layers, at

    def _two_outputs(self, parts: list[Layers]) -> dict[str, Any]:
        """Layers in two blocks, each of which is an output."""
        cut = self._chance.between(1, len(parts) - 1)
        names = [self._chance.name(), self._chance.name()]
        blocks = [
            {"sequential": {"name": name, "layers": [each for part in some for each in part]}}
            for name, some in zip(names, (parts[:cut], parts[cut:]), strict=True)
        ]
        return {"outputs": names, "layers": blocks}

    def _tail(self, at: At) -> Layers:
        """An end of more items than came, which nothing has to be as long as."""
        if self._chance.of(0.5):
            layers, at = self._down_and_up(at, self._limits.depth, exact=False)
        else:
            less = self._chance.between(0, 2)
            layers, at = self._layers.raised(at, self._chance.pick((2, 2, 3)), less)
        kinds = [self._layers.conv, self._layers.pool, self._layers.crop]
        kinds += [self._memories.cumulative, self._plain.run]
        still = [self._memories.recurrent, self._memories.attention]
        for _ in range(self._chance.between(0, 2)):
            more, at = self._chance.pick([*kinds, *(still if not at.space else ())])(at)
            layers += more
        return layers

    def _statement(self, at: At, depth: int) -> tuple[Layers, At]:
        if at.field > self._limits.field:
            return self._plain.run(at)
        kinds: dict[Any, float] = self._kinds(at, depth)
        blocks = self._blocks()
        if depth < self._limits.depth:
            kinds |= blocks
        kind = self._chance.weighed(kinds)
        return kind(at, depth + 1) if kind in blocks else kind(at)

    def _kinds(self, at: At, depth: int) -> dict[Any, float]:
        """What makes a layer or a few of one value, and how often each is drawn."""
        layers, memories, want = self._layers, self._memories, self._chance.want
        kinds: dict[Any, float] = {
            layers.conv: want(4.0, "layer conv", "stride", "dilation", "padding", *CONVOLVED),
            layers.pool: want(3.0, "layer avg", "layer max", "max over", *POOLED),
            self._plain.run: want(2.5, *self._plain.classes),
            layers.adaptive: want(3.1, "layer adaptive", "adaptive", "reduced"),
            layers.delay: want(1.1, "layer delay", "delay layer"),
            layers.crop: want(1.1, "layer crop", "crop layer"),
            layers.subsample: want(1.1, "layer subsample"),
            layers.shifted: want(1.1, "layer temporal_shift", "stack or"),
            layers.stacked: want(1.1, "layer stack", "stack or"),
            memories.cumulative: want(1.1, "layer cumulative", "layer running", "cumulative"),
        }
        if not at.space:
            kinds[memories.recurrent] = want(3.5, *RECURRENT)
            kinds[layers.heard] = want(1.1, "layer stft", "layer mel")
            kinds[memories.attention] = want(3.5, *ATTENDING)
        elif not depth:
            kinds[self._flat] = want(0.6, "layer flatten", "layer linear")
        if self._limits.blocks:
            kinds[layers.per_frame] = want(1.1, "layers of single frames")
        return kinds

    def _blocks(self) -> dict[Any, float]:
        """What makes a join, and how often each is drawn."""
        want = self._chance.want
        return {
            self._residual: want(2.0, "join", "hold moved"),
            self._shrinking: want(1.5, "crop of", "crop under"),
            self._parallel: want(2.0, "join", "shared feed"),
            self._skip: want(1.0, "join of"),
            self._gate: want(1.1, "broadcast", "reduced"),
            self._down_and_up: want(1.5, "layer conv_tr", "layer up", "transposed", *RAISED),
        }

    def _flat(self, at: At) -> tuple[Layers, At]:
        """Frames without space, of a few channels."""
        out = self._chance.between(1, 4)
        linear = {"name": self._chance.name(), "out_features": out}
        return ["flatten", {"linear": linear}], replace(at, channels=out, space=())

    def _down_and_up(self, at: At, depth: int, exact: bool = True) -> tuple[Layers, At]:
        """A residual whose body gives less than one item for each, and then as many again, or if it
        need not be `exact`, sometimes a few less."""
        allowed = [s for s in (2, 2, 3) if at.stride * s <= self._limits.stride]
        if not allowed:
            return self._residual(at, depth)
        stride = self._chance.pick(allowed)
        wanted = at.offset + at.stride * (stride - 1)
        for _ in range(8):
            body, low = self._branch(at, depth, stride, stride - 1, self._chance.between(1, 3))
            if low.offset == wanted or not exact:
                break
        else:
            return self._residual(at, depth)
        more, high = self._layers.raised(low, stride)
        word = self._chance.pick(("concat", "sum"))
        if word == "sum":
            sizes = [(1, 1, 0) for _ in at.space]
            same = (at.channels,)
            last, _ = self._layers.convolution(high, 1, 1, 1, 0, (0, 0), sizes, at.space, *same)
            more, high = more + last, replace(high, channels=at.channels)
        channels = at.channels + high.channels if word == "concat" else at.channels
        block = self._block("residual", body + more, [], word)
        return [block], replace(at, channels=channels, field=max(at.field, high.field))

    def _chain(self, at: At, depth: int, most: int = 2) -> tuple[Layers, At]:
        """A few statements that leave space as it is, at a stride that is theirs to choose."""
        layers: Layers = []
        start = at
        for _ in range(self._chance.between(0, most)):
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
        if self._chance.of(0.3):
            arguments = {
                "kernel_size": [2, *(1 for _ in at.space)],
                "stride": [stride, *(1 for _ in at.space)],
                "padding": [1, *(0 for _ in at.space)],
            }
            name = f"{self._chance.pick(('max', 'avg'))}_pool{at.rank}d"
            return [{name: arguments}], at.through(stride, stride, 1)
        kernel = self._chance.pick((1, 1, 2, 3))
        pair = (self._chance.between(0, kernel - 1), self._chance.between(0, kernel - 1))
        sizes = [(1, 1, 0) for _ in at.space]
        return self._layers.convolution(at, kernel, 1, stride, list(pair), pair, sizes, at.space)

    def _mend(self, at: At, items: int, channels: int) -> tuple[Layers, At]:
        """A convolution that gives `items` more than it gets, or fewer, to so many channels."""
        kernel = self._chance.pick([k for k in (1, 2, 3) if k > abs(items)] or [abs(items) + 1])
        dilation = self._chance.pick((1, 2)) if kernel > 1 else 1
        reach = dilation * (kernel - 1)
        padding = reach + items
        before = self._chance.between(max(0, padding - reach), min(reach, padding))
        pair = (before, padding - before)
        sizes = []
        for size in at.space:
            k = self._chance.pick((1, 3)) if size > 1 else 1
            sizes.append((k, 1, k // 2))
        return self._layers.convolution(
            at, kernel, dilation, 1, list(pair), pair, sizes, at.space, channels
        )

    def _offset(self, stride: int) -> int:
        """A length that branches of a stride agree on: with `same` padding, that of a kernel 1."""
        return stride - 1 - (self._chance.between(0, 2) if self._chance.of(0.5) else 0)

    def _residual(self, at: At, depth: int) -> tuple[Layers, At]:
        stride = self._layers.stride(at)
        word = self._chance.needed(("sum", "sum", "mul", "max", "mean", "concat"), "join by {}")
        plain = stride == 1 and self._chance.of(0.7)
        channels = at.channels if plain else self._chance.between(1, 4)
        offset = 0 if plain else self._offset(stride)
        body, end = self._branch(at, depth, stride, offset, channels)
        shortcut, other = ([], at)
        if not plain:
            shortcut, other = self._project(at, stride, offset, channels)
        made = met([other, end], word)
        return [self._block("residual", body, shortcut, word)], made

    def _project(self, at: At, stride: int, offset: int, channels: int) -> tuple[Layers, At]:
        """A kernel-1 convolution of a stride where that meets `offset`, and perhaps a norm."""
        if offset != stride - 1:
            return self._branch(at, self._limits.depth, stride, offset, channels)
        sizes = [(1, 1, 0) for _ in at.space]
        layers, made = self._layers.convolution(
            at, 1, 1, stride, 0, (0, 0), sizes, at.space, channels
        )
        if self._chance.of(0.6):
            layers.append({f"batch_norm{at.rank}d": {"name": self._chance.name()}})
        return layers, made

    def _shrinking(self, at: At, depth: int) -> tuple[Layers, At]:
        """A residual whose body gives fewer items, and whose shortcut is cropped."""
        stride = self._layers.stride(at, 0.6)
        word = self._chance.needed(("sum", "mul", "max"), "join by {}")
        lost = self._chance.between(1, 4)
        plain = stride == 1 and self._chance.of(0.6)
        channels = at.channels if plain else self._chance.between(1, 4)
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
        block["residual"]["shrink"] = self._chance.pick(("lagging", "leading", "centered"))
        return [block], met([cropped, end], word)

    def _block(self, kind: str, body: Layers, shortcut: Layers, word: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": self._chance.name(), "aggregation": word, "layers": body}
        return {kind: {**entry, "shortcut": shortcut} if shortcut else entry}

    def _parallel(self, at: At, depth: int) -> tuple[Layers, At]:
        stride = self._layers.stride(at)
        word = self._chance.needed(("concat", "concat", "sum", "mul", "max", "mean"), "join by {}")
        offset = self._offset(stride)
        channels = self._chance.between(1, 3)
        branches, ends = {}, []
        for _ in range(3 if self._chance.of(0.3, "join of three") else 2):
            wide = self._chance.between(1, 2) if word == "concat" else channels
            branch, end = self._branch(at, depth, stride, offset, wide)
            branches[self._chance.name()] = branch
            ends.append(end)
        written: Any = branches if self._chance.of(0.5) else list(branches.values())
        block = {"name": self._chance.name(), "aggregation": word, "branches": written}
        return [{"parallel": block}], met(ends, word)

    def _skip(self, at: At, depth: int) -> tuple[Layers, At]:
        """Values that go on from a name, and meet in a join of names."""
        start = self._chance.name()
        layers, made = self._joined(("", start), (at, at), depth)
        return [{"identity": {"name": start}}, *layers], made

    def _joined(
        self, sources: tuple[str, str], values: tuple[At, At], depth: int
    ) -> tuple[Layers, At]:
        """Layers from each of two names, or from where they stand, and a join of what they give."""
        stride = self._layers.stride(values[0])
        offset = self._offset(stride)
        layers: Layers = []
        names, ends = [], []
        for source, at in zip(sources, values, strict=True):
            branch, end = self._branch(at, depth, stride, offset, self._chance.between(1, 3))
            name = self._chance.name()
            entry = {"from": source} if source else {}
            layers.append({"sequential": {"name": name, **entry, "layers": branch}})
            names.append(name)
            ends.append(end)
        join = {"name": self._chance.name(), "from": names, "aggregation": "concat"}
        return [*layers, {"join": join}], met(ends, "concat")

    def _gate(self, at: At, depth: int) -> tuple[Layers, At]:
        """A squeeze-and-excitation gate over a window; it repeats over space."""
        window = self._chance.pick((1, 2, 3))
        sizes = [(1, 1, 0) for _ in at.space]
        small = replace(at.through(1, 1 - window, window - 1), space=(1,) * len(at.space))
        word = self._chance.pick(("avg", "max"))
        pool = {"output_size": 1, "kernel_size": window}
        project, end = self._layers.convolution(
            small, 1, 1, 1, 0, (0, 0), sizes, small.space, at.channels
        )
        body = [{f"adaptive_{word}_pool{at.rank}d": pool}, *project, "sigmoid"]
        block = self._block("residual", body, [], "mul")
        block["residual"]["shrink"] = self._chance.pick(("lagging", "leading", "centered"))
        met = replace(end, field=at.field + (window - 1) * at.stride, space=at.space)
        return [block], met


def _shape(at: At) -> list[Any]:
    return [at.channels, "T", *at.space]
