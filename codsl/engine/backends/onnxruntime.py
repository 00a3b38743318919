"""ONNX Runtime: the step as a model, whose state are arrays, in the memory that it gave them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.blocks import form_of
from codsl.engine.backends.form import Form
from codsl.engine.backends.marks import kept_in_blocks
from codsl.engine.backends.onnx_graph import PACKAGES, pure_model
from codsl.engine.backends.shelves import Forms, Shelving
from codsl.engine.listing import Listing, Straight
from codsl.engine.style import GRAPH, Style


def _style(batch: int, device: torch.device) -> Style:
    return GRAPH


def _prepare(
    listing: Listing, given: Sequence[Tensor], precision: torch.dtype | None, forms: Forms
) -> Straight:
    import onnxruntime  # type: ignore[import-untyped]

    pure = pure_model(listing, given)
    stores = [feed for feed, slots in enumerate(listing.stores) for _ in slots]
    model = kept_in_blocks(
        pure.model,
        _in_blocks(pure.inputs[listing.loaded], [load.feed for load in listing.loads], forms),
        _in_blocks(pure.outputs[listing.stored], stores, forms),
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    taken = {each.name for each in session.get_inputs()}
    places = [(place, name) for place, name in enumerate(pure.inputs) if name in taken]
    group = listing.grouping()

    def run(*values: Any) -> Any:
        return group(*session.run(pure.outputs, {name: values[place] for place, name in places}))

    return run


def _in_blocks(names: Sequence[str], feeds: Sequence[int], forms: Forms) -> list[str]:
    """Those of some names whose feeds are kept in blocks."""
    return [name for name, feed in zip(names, feeds, strict=True) if forms[feed] is not _FORM]


def _native(x: Tensor) -> Any:
    """An array in the memory of a tensor."""
    return x.contiguous().numpy()


_FORM = Form(_native, torch.from_numpy)

ONNXRUNTIME = Backend(
    "onnxruntime",
    "ONNX Runtime on the CPU",
    Shelving(_prepare, _FORM, form_of),
    _style,
    {"onnxruntime": "onnx", **PACKAGES},
    without=(torch.bfloat16,),
)
