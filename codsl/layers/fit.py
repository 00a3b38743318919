"""What rows ask of the frames that enter, and what they say where it is not so."""

from math import gcd, isqrt

from codsl.algebra.shape import Frame
from codsl.algebra.time import MOST
from codsl.layers.mistake import Give, Mistake, Omit, Precede
from codsl.layers.row import Layer, type_name


def vectors(row: Layer, x: Frame) -> None:
    """Raise `Mistake` where a frame has space, and the layer takes one vector a frame."""
    if x.space:
        name = type_name(type(row))
        raise Mistake(
            "E0401",
            f"`{name}` takes frames without space",
            layer=f"the input is {x}",
            help="put `flatten` before it, or pool over space to a size of 1 and then `flatten`",
            change=Precede("flatten"),
        )


INFERRED = (
    *("in_channels", "in_features", "num_features", "num_channels", "input_size"),
    *("embed_dim", "d_model", "n_stft"),
)
"""Arguments of torch.nn and torchaudio that say how many channels come in."""


def inferred(name: str, value: int | None, x: Frame) -> None:
    """Raise `Mistake` where an argument that is inferred from the channels says otherwise."""
    if value not in (None, x.channels):
        raise Mistake(
            "E0402",
            f"{name}={value}, but the input has {x.channels} channels",
            argument=name,
            layer=f"the input is {x}",
            help=f"leave `{name}` out: it is inferred",
            change=Omit(),
        )


def divides(argument: str, groups: int, x: Frame) -> None:
    """Raise `Mistake` where a number of groups does not divide the channels of the input."""
    if x.channels % groups:
        nearest = nearest_divisor(x.channels, groups)
        raise Mistake(
            "E0414",
            f"{argument}={groups} does not divide in_channels={x.channels}",
            argument=argument,
            about=f"{argument} is {groups}",
            layer=f"the input has {x.channels} channels",
            help=f"the nearest divisor is {nearest}",
            change=Give(nearest),
        )


def divides_both(groups: int, x: Frame, out_channels: int) -> None:
    """Raise `Mistake` where groups do not divide both channel counts."""
    common = gcd(x.channels, out_channels)
    for word, channels in (("in", x.channels), ("out", out_channels)):
        if channels % groups:
            nearest = nearest_divisor(common, groups)
            raise Mistake(
                "E0414",
                f"groups={groups} does not divide {word}_channels={channels}",
                argument="groups",
                about=f"groups is {groups}",
                layer=f"the {word}put has {channels} channels",
                help=f"the nearest that divides both channel counts is {nearest}",
                change=Give(nearest),
            )


def nearest_divisor(number: int, wanted: int) -> int:
    """The divisor of `number` next to `wanted`; the larger of two."""
    small = [each for each in range(1, isqrt(number) + 1) if number % each == 0]
    return min((*small, *(number // each for each in small)), key=lambda d: (abs(d - wanted), -d))


def few(name: str, factor: int) -> None:
    """Raise `Mistake` where an item is spread over more outputs than a period can have."""
    if factor > MOST:
        raise Mistake(
            "E0415",
            f"{factor} outputs for each item are more than {MOST}",
            argument=name,
            help=f"{MOST} is the most",
            change=Give(MOST),
        )
