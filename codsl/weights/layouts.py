"""Whose layout a tensor may have: the forms of each place in each layout, and its keys.

The form of a tensor comes from the layer that it goes to, never from the array: a cubic kernel with
as many inputs as outputs fits every layout.
"""

import re
from dataclasses import replace

from codsl.weights import channels_first, channels_last
from codsl.weights.form import Form, Forms, plain
from codsl.weights.places import Place

CHANNELS_LAST: dict[str, Forms] = {
    "keras": channels_last.keras,
    "tensorflow": channels_last.keras,
    "flax": channels_last.flax,
    "flax_transpose_kernel": channels_last.flax_transpose_kernel,
    "haiku": channels_last.haiku,
}
"""Those whose frames have channels last."""

LAYOUTS: dict[str, Forms] = {
    "torch": channels_first.torch,
    "torch_time_last": channels_first.torch_time_last,
    "tripy": channels_first.torch,
    "onnx": channels_first.onnx,
    "megengine": channels_first.megengine,
    **CHANNELS_LAST,
    "paddle": channels_first.paddle,
    "caffe2": channels_first.caffe2,
}
"""The layouts by name; those of torch's shapes are torch's."""


def forms(place: Place, layout: str) -> tuple[Form, ...]:
    """The forms in which a layout may have a tensor, the usual one first; none where it cannot."""
    if place.counter or place.kind == "piece":
        return (plain(place),)
    if lost(place, layout):
        return ()
    found = tuple(dict.fromkeys(LAYOUTS[layout](place)))
    native = tuple(
        Form(place.leaf, form.shape, form.target, form.view, form.axes, form.flips)
        for form in found
    )
    return tuple(dict.fromkeys((*found, *native)))


def lost(place: Place, layout: str) -> bool:
    """Whether nobody knows in which order a layout has the channels that a layer takes."""
    return layout in CHANNELS_LAST and not channels_last.ordered(place)


BESIDE = {
    "haiku": re.compile(r".*_ema\.(hidden|counter)"),
    "caffe2": re.compile(r".*_momentum|lr|model_iter"),
}
"""What a training keeps beside the weights, by layout."""


def beside(name: str, layout: str) -> bool:
    """Whether a checkpoint's tensor of this name is nothing that a network loads."""
    if name.rpartition(".")[2] == "num_batches_tracked":
        return True
    return layout in BESIDE and BESIDE[layout].fullmatch(name) is not None


def keys(place: Place, layout: str) -> tuple[str, ...]:
    """What a tensor may be called: under its layer's name each word that the layout has for it."""
    known = forms(replace(place, order=(), made=()), layout)
    leaves = dict.fromkeys((*(form.leaf for form in known), place.leaf))
    return tuple(f"{place.layer}.{leaf}" if place.layer else leaf for leaf in leaves)
