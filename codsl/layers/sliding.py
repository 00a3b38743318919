"""What convolutions and pools share: windows over every dimension, and the padding of each."""

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.layers.mistake import Give, Mistake, Omit, Remedy
from codsl.layers.padding import Pad, shorthand


def windows(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[Pad, ...],
    dilation: tuple[int, ...],
    ceil_mode: bool = False,
    in_time: bool = True,
) -> tuple[Window, ...]:
    """The window of each dimension, the first of time if `in_time`; raises `Mistake` where its
    padding cannot be."""
    sizes = zip(kernel, stride, padding, dilation, strict=True)
    _check_same(kernel, stride, padding, dilation)
    made = tuple(_window(k, s, p, d, ceil_mode) for k, s, p, d in sizes)
    time = made[0]
    if in_time and max(time.before, time.after) > time.reach:
        most = f"{time.reach} = dilation * (kernel_size - 1)"
        raise Mistake(
            "E0404",
            f"padding of {max(time.before, time.after)} over time is more than {most}",
            argument="padding",
            about="some outputs would see nothing but padding",
            note="a stream would have to emit them before any frame came",
            remedies=_less(time, padding),
        )
    return made


def _less(time: Window, padding: tuple[Pad, ...]) -> list[Remedy]:
    """Padding over time that can be."""
    most = Give(shorthand((_most(padding[0], time.reach), *padding[1:])))
    remedies = [Remedy(f"pad at most {time.reach} on either side", most)]
    if time.stride == 1 and time.reach:
        same = Give(shorthand(("same", *padding[1:])))
        remedies.insert(0, Remedy("`same` keeps the number of frames", same))
    return remedies


def without_time(padding: tuple[Pad, ...], temporal_fill: str | None) -> None:
    """Raise `Mistake` where arguments speak of time: of images there is none."""
    if "causal" in padding:
        raise Mistake(
            "E0420",
            "`causal` padding is over time, and a single frame has none",
            argument="padding",
            help="give the padding of space: a number, a pair or `same`",
            change=Omit(),
        )
    if temporal_fill is not None:
        raise Mistake(
            "E0420",
            "`temporal_fill` stands before and after time, and a single frame has none",
            argument="temporal_fill",
            help="leave it out",
            change=Omit(),
        )


def _window(kernel: int, stride: int, pad: Pad, dilation: int, ceil_mode: bool) -> Window:
    reach = dilation * (kernel - 1)
    if pad == "same":
        return Window(kernel, stride, reach // 2, reach - reach // 2, dilation, ceil_mode)
    if pad == "causal":
        return Window(kernel, stride, reach, 0, dilation, ceil_mode)
    return Window(kernel, stride, int(pad[0]), int(pad[1]), dilation, ceil_mode)


def _most(pad: Pad, most: int) -> Pad:
    """The padding of a dimension, cut down to so much on either side."""
    return pad if isinstance(pad, str) else (min(pad[0], most), min(pad[1], most))


def _check_same(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[Pad, ...],
    dilation: tuple[int, ...],
) -> None:
    """Raise `Mistake` where `same` padding meets a stride."""
    sizes = tuple(zip(kernel, stride, padding, dilation, strict=True))
    for k, s, p, d in sizes:
        if p == "same" and s > 1:
            halves = tuple(
                (d * (k - 1) // 2,) * 2 if p == "same" and s > 1 else p for k, s, p, d in sizes
            )
            raise Mistake(
                "E0406",
                f"`same` padding needs a stride of 1, not {s}",
                argument="padding",
                help=f"pad as much as half of the window reaches, as torch does; TensorFlow pads a "
                f"size that {s} divides by {_elsewhere(d * (k - 1), s)}",
                change=Give(shorthand(halves)),
            )


def _elsewhere(reach: int, stride: int) -> str:
    """The padding that TensorFlow calls `same`, of a size that the stride divides."""
    both = max(reach + 1 - stride, 0)
    return f"`({both // 2}, {both - both // 2})`"


def slide(made: tuple[Window, ...], x: Frame, channels: int, kernel: tuple[int, ...] = ()) -> Frame:
    """The frame that windows over space make of `x`; raises `Mistake` where one does not fit.

    `kernel` is the argument that their sizes are from, if it is one.
    """
    space = tuple(window.length(size) for window, size in zip(made[1:], x.space, strict=True))
    if any(size < 1 for size in space):
        axis = next(axis for axis, size in enumerate(space) if size < 1)
        window = made[1 + axis]
        most = _largest(window, x.space[axis])
        over = zip(made[1:], x.space, strict=True)
        fitting = [min(each.kernel, _largest(each, size)) for each, size in over]
        smaller = (*kernel[: -len(space)], *fitting)
        raise Mistake(
            "E0403",
            f"a window of {window.reach + 1} does not fit into {x.space[axis]} with padding of "
            f"{window.before + window.after}",
            argument="kernel_size",
            layer=f"the input is {x}",
            help=f"the largest that fits is {most}" if most else "",
            change=Give(shorthand(smaller)) if kernel and 0 not in fitting else None,
        )
    return Frame(channels, space)


def _largest(window: Window, size: int) -> int:
    """The largest kernel that fits into so many items with the padding of a window."""
    return (size + window.before + window.after - 1) // window.dilation + 1


def check_repeats(mode: str, made: tuple[Window, ...], x: Frame) -> None:
    """Raise `Mistake` where `reflect` or `circular` would repeat more of space than is there."""
    most = {"reflect": -1, "circular": 0}.get(mode)
    for window, size in zip(made[1:], x.space, strict=True):
        if most is not None and max(window.before, window.after) > size + most:
            raise Mistake(
                "E0404",
                f"`{mode}` padding of {max(window.before, window.after)} needs "
                f"more than the {size} that are there",
                argument="padding",
                layer=f"the input is {x}",
            )


def even(made: tuple[Window, ...]) -> bool:
    """Whether every dimension is padded alike at both ends."""
    return all(window.before == window.after for window in made)


def torch_pad(made: tuple[Window, ...]) -> tuple[int, ...]:
    """The padding of these dimensions as `torch.nn.functional.pad` wants it: the last one first."""
    return tuple(size for window in reversed(made) for size in (window.before, window.after))
