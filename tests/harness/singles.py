"""Random layers of one input over time, as dicts of the YAML form, and what they give."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.value import MIXED, At, Layers, Limits

if TYPE_CHECKING:
    from harness.chance import Chance


STRIDED = ("stride 2", "stride 3", "stride over a", "join at stride", "join under", "crop under")
"""The beginnings of the classes that take a stride over time."""


class Singles:
    """Draws layers of one input, whose outputs are of other times than their items."""

    def __init__(self, chance: Chance, limits: Limits) -> None:
        self._chance = chance
        self._limits = limits

    def stride(self, at: At, share: float = 0.3) -> int:
        allowed = {s: self._chance.want(1.0, f"stride {s}") for s in (2, 3)}
        allowed = {s: w for s, w in allowed.items() if at.stride * s <= self._limits.stride}
        if not allowed or not self._chance.of(share, *STRIDED):
            return 1
        return self._chance.weighed(allowed)

    def conv(self, at: At) -> tuple[Layers, At]:
        kernel = self._chance.pick((1, 2, 3, 3, 4, 5))
        dilation = self._chance.pick((1, 1, 2, 3)) if kernel <= 3 else 1
        stride = self.stride(at)
        reach = dilation * (kernel - 1)
        words = ["causal", *(["same"] if stride == 1 else [])]
        pair = (self._chance.between(0, reach), self._chance.between(0, reach))
        if self._chance.of(0.3):
            word = self._chance.pick(words)
            pair = (reach, 0) if word == "causal" else (reach // 2, reach - reach // 2)
            pad = word
        else:
            pad = pair[0] if pair[0] == pair[1] else list(pair)
        sizes, space = self._over_space(at)
        return self.convolution(at, kernel, dilation, stride, pad, pair, sizes, space)

    def _over_space(self, at: At) -> tuple[list[tuple[int, int, Any]], tuple[int, ...]]:
        """Kernel, stride and padding over each dimension of space, and what is left of it."""
        sizes, space = [], []
        for size in at.space:
            kernel = self._chance.pick([k for k in (1, 2, 3) if k <= size])
            stride = 2 if size > 4 and self._chance.of(0.2, "stride over space") else 1
            pad = self._chance.pick((0, 0, 1, [1, 0])) if kernel > 1 else 0
            padding = sum(pad) if isinstance(pad, list) else 2 * pad
            sizes.append((kernel, stride, pad))
            space.append((size + padding - kernel) // stride + 1)
        return sizes, tuple(space)

    def convolution(
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
        out = channels or self._chance.between(1, 4)
        arguments: dict[str, Any] = {
            "name": self._chance.name(),
            "out_channels": out,
            "kernel_size": [kernel, *(size[0] for size in sizes)],
            "stride": [stride, *(size[1] for size in sizes)],
            "dilation": [dilation, *(1 for _ in sizes)],
            "padding": [pad, *(size[2] for size in sizes)],
            "bias": self._chance.of(0.7),
        }
        if self._chance.of(0.25, "replicate"):
            arguments["padding_mode"] = "replicate"
        if self._chance.of(0.15, "fill differs", "reflect"):
            arguments["temporal_fill"] = self._chance.pick(("zeros", "replicate"))
            if at.space and self._chance.of(0.5, "reflect"):
                arguments["padding_mode"] = self._chance.pick(("reflect", "circular"))
        if self._chance.of(0.08, "weight norm"):
            arguments["weight_norm"] = self._chance.pick((True, "old"))
        common = [g for g in (2, 3, 4) if at.channels % g == 0 and out % g == 0]
        if common and self._chance.of(0.4):
            arguments["groups"] = self._chance.pick(common)
        reach = dilation * (kernel - 1)
        after = at.through(stride, sum(pair) - reach - 1 + stride, reach)
        return [{f"conv{at.rank}d": arguments}], replace(after, channels=out, space=space)

    def pool(self, at: At) -> tuple[Layers, At]:
        mean = self._chance.want(1.0, "layer avg_pool", "count_include", "divisor")
        largest = self._chance.weighed(
            {True: self._chance.want(1.0, "layer max_pool", "max over"), False: mean}
        )
        kernel = self._chance.pick((2, 2, 3, 4))
        stride = self.stride(at, 0.4)
        dilation = self._chance.pick((1, 1, 2)) if largest else 1
        reach = dilation * (kernel - 1)
        native = self._chance.of(0.5)
        most = (reach + 1) // 2 if native else reach
        before = self._chance.between(0, most)
        after = before if native else self._chance.between(0, most)
        ceil = self._chance.of(0.7, "ceil_mode")
        arguments: dict[str, Any] = {
            "kernel_size": [kernel],
            "stride": [stride],
            "padding": [before if before == after else [before, after]],
            "ceil_mode": ceil,
        }
        space = []
        for size in at.space:
            k = self._chance.pick([k for k in (1, 1, 2, 3) if k <= size])
            s = self._chance.pick((1, 1, 2)) if size > 3 else 1
            pad = self._chance.pick((0, 1)) if k > 1 else 0
            arguments["kernel_size"].append(k)
            arguments["stride"].append(s)
            arguments["padding"].append(pad)
            space.append(_pooled(size, k, s, pad, ceil))
        if largest:
            arguments["dilation"] = [dilation, *(1 for _ in at.space)]
            if self._chance.of(0.4, "max over zeros"):
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
        if self._chance.of(0.4, "count_include_pad"):
            arguments["count_include_pad"] = False
        if self._chance.of(0.2):
            arguments["temporal_fill"] = self._chance.pick(("zeros", "replicate"))
        if at.space and self._chance.of(0.4, "divisor"):
            arguments["divisor_override"] = kernel + self._chance.between(1, 3)

    def adaptive(self, at: At) -> tuple[Layers, At]:
        window = self._chance.pick((1, 2, 3, 4))
        space = tuple(self._chance.pick([size, 1, max(1, size - 1)]) for size in at.space)
        word = self._chance.needed(("avg", "max"), "layer adaptive_{}_pool")
        sizes = {"output_size": [1, *space] if space else 1, "kernel_size": window}
        made = replace(at.through(1, 1 - window, window - 1), space=space)
        return [{f"adaptive_{word}_pool{at.rank}d": sizes}], made

    def delay(self, at: At) -> tuple[Layers, At]:
        frames = self._chance.pick((1, 2, 3))
        return [{"delay": frames}], replace(at, field=at.field + frames * at.stride)

    def crop(self, at: At) -> tuple[Layers, At]:
        front, back = self._chance.between(0, 3), self._chance.between(0, 2)
        less = front + back
        return [{"crop": {"front": front, "back": back}}], at.through(1, -less, less)

    def subsample(self, at: At) -> tuple[Layers, At]:
        stride = self.stride(at, 1)
        return [{"subsample": {"stride": stride}}], at.through(stride, stride - 1, 0)

    def shifted(self, at: At) -> tuple[Layers, At]:
        """Some channels of the frames beside, and some of the frame itself, where there are
        channels enough; every channel must depend on all frames that any depends on."""
        online = self._chance.of(0.4)
        sides = 1 if online else 2
        shares = range(2, at.channels + 1)
        able = [share for share in shares if sides * (at.channels // share) < at.channels]
        if not able:
            return self.stacked(at)
        given = {"fold_div": self._chance.pick(able), "online": online}
        return [*MIXED, {"temporal_shift": given}], at.through(1, 0, 1 if online else 2)

    def stacked(self, at: At) -> tuple[Layers, At]:
        frames = self._chance.pick((2, 2, 3))
        stride = self.stride(at)
        pair = (self._chance.between(0, frames - 1), self._chance.between(0, frames - 1))
        given = {"frames": frames, "stride": stride, "padding": list(pair)}
        given["temporal_fill"] = self._chance.pick(("zeros", "replicate"))
        made = at.through(stride, sum(pair) - frames + stride, frames - 1)
        return [{"stack": given}], replace(made, channels=frames * at.channels)

    def heard(self, at: At) -> tuple[Layers, At]:
        """Spectra of one channel, of numbers that stay small."""
        points = self._chance.pick((2, 3, 4, 4))
        stride = self.stride(at, 0.5)
        pad = points // 2 if self._chance.of(0.5) else 0
        given = {
            "n_fft": points,
            "hop_length": stride,
            "win_length": self._chance.between(2, points),
            "window": self._chance.pick(("hamming", "rectangular")),
            "center": pad > 0,
            "pad_mode": self._chance.pick(("constant", "replicate")),
            "power": self._chance.pick((1, 2)),
        }
        mono = {"name": self._chance.name(), "out_channels": 1, "kernel_size": 1}
        made = at.through(stride, 2 * pad - points + stride, points - 1)
        layers: Layers = [{"conv1d": mono}, "tanh", {"stft": given}]
        return layers, replace(made, channels=points // 2 + 1)

    def per_frame(self, at: At) -> tuple[Layers, At]:
        """Layers of torch on single frames: images, or vectors where there is no space."""
        out, images = self._chance.between(1, 4), len(at.space)
        body: Layers = [{"linear": {"name": self._chance.name(), "out_features": out}}]
        if images:
            given = {"out_channels": out, "kernel_size": 3, "padding": 1}
            body = [
                {f"conv{images}d": {"name": self._chance.name(), **given}},
                {f"batch_norm{images}d": {"name": self._chance.name()}},
                self._chance.pick(("relu", {f"max_pool{images}d": 1}, f"dropout{images}d")),
            ]
        block = {"name": self._chance.name(), "layers": body}
        return [{"per_frame": block}], replace(at, channels=out)

    def raised(self, at: At, factor: int, less: int = 0) -> tuple[Layers, At]:
        """`factor` items for each, less a few; over time alone."""
        ones = [1 for _ in at.space]
        made = replace(at, field=at.field + 2 * at.stride)
        if not less and self._chance.of(0.4):
            linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[at.rank]
            mode = self._chance.pick(("nearest", linear, linear))
            return [{"upsample": {"scale_factor": [factor, *ones], "mode": mode}}], made
        kernel = factor + self._chance.between(0, 3)
        extra = self._chance.between(0, factor - 1) if self._chance.of(0.3) else 0
        cut = kernel - factor + extra + less
        before = self._chance.between(0, cut)
        out = self._chance.between(1, 4)
        given = {
            "name": self._chance.name(),
            "out_channels": out,
            "kernel_size": [kernel, *ones],
            "stride": [factor, *ones],
            "padding": [[before, cut - before], *(0 for _ in at.space)],
            "output_padding": [extra, *(0 for _ in at.space)],
            "weight_norm": self._chance.pick((False, False, True, "old")),
        }
        return [{f"conv_transpose{at.rank}d": given}], replace(made, channels=out)


def _pooled(size: int, kernel: int, stride: int, pad: int, ceil: bool) -> int:
    """How many windows a pool puts over a dimension of space, as torch counts them."""
    free = size + 2 * pad - kernel
    if not ceil:
        return free // stride + 1
    count = -(-free // stride) + 1
    return count - 1 if (count - 1) * stride >= size + pad else count
