"""The step of a network as an ONNX file, with the state as flat inputs and outputs."""

import os
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from inspect import Parameter, Signature
from typing import Any

import torch
from torch import Tensor, nn

from codsl.nn.older import call_mode, flatten
from codsl.nn.running.state import State
from codsl.nn.running.streaming import Streaming

BATCH = {0: "batch"}


class OnnxWrapper(nn.Module):
    """The step of a network of one input and one output: `(frame, *tensors)` to
    `(output, *tensors)`.

    It is the step of a stream under way, whose windows are full of frames: take its first state
    from a stream of at least `settled` frames. The tensors are those of `State.tensors` that are
    not empty, in their order. Raises `ValueError` where steps differ, as with strides over time,
    and where the sizes of frames are not known yet.
    """

    def __init__(self, module: Streaming) -> None:
        super().__init__()
        graph = module.graph
        if graph.cycle.turn > 1:
            raise ValueError("the steps of a network with strides over time differ: no one export")
        if len(graph.inputs) > 1 or len(graph.outputs) > 1:
            raise ValueError("only a network of one input and one output is exported")
        self.module = module
        self.settled = graph.cycle.start
        self._like = module.init_state()
        named = zip(self._like.names, self._like.tensors, strict=True)
        names = [name for name, tensor in named if tensor.numel()]
        self.state_input_names = [f"state:{name}" for name in names]
        self.state_output_names = [f"new:{name}" for name in names]
        places = [f"s{place}" for place in range(len(names))]
        self.forward = _with_names(self, ["input", *places])

    @property
    def state_dynamic_axes(self) -> dict[str, dict[int, str]]:
        """The batch as an axis of any size, for each tensor of the state."""
        return dict.fromkeys([*self.state_input_names, *self.state_output_names], BATCH)

    def stepped(self, frame: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The output and the new tensors."""
        given = iter(tensors)
        whole = tuple(
            next(given) if each.numel() else each.new_zeros((frame.shape[0], *each.shape[1:]))
            for each in self._like.tensors
        )
        state = State(
            self.settled, frame.shape[0], frame.dtype, frame.device, whole, self._like.names
        )
        with call_mode.plain():
            (y,), new = self.module.program.steps([frame.unsqueeze(2)], state)
        if y is None:
            raise ValueError("no output is due with every frame: there is no one step to export")
        return y.squeeze(2), *flatten(new)


def _with_names(wrapper: OnnxWrapper, names: Sequence[str]) -> Any:
    """The step with a parameter for each tensor, as exporters want it."""

    def forward(*tensors: Tensor) -> tuple[Tensor, ...]:
        return wrapper.stepped(*tensors)

    places = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    forward.__signature__ = Signature(places)  # type: ignore[attr-defined]
    return forward


def export(
    module: Streaming,
    args: Sequence[Tensor],
    f: str | os.PathLike[str],
    input_names: Sequence[str] = ("input",),
    output_names: Sequence[str] = ("output",),
    dynamic_axes: Any = None,
    **kwargs: Any,
) -> None:
    """Write the step of a network to an ONNX file; its batch has any size.

    It is written by way of `torch.export`.

    Args:
        module: the network, see `OnnxWrapper`.
        args: a frame `(B, C, *S)` and the tensors of a state under way.
        f: the file.
        input_names: the name of the frame; those of the state are `state_input_names`.
        output_names: the name of the output; those of the state are `state_output_names`.
        dynamic_axes: other axes of any size, as torch says them.
        **kwargs: of `torch.onnx.export`.

    Raises `ModuleNotFoundError` where `onnx` or `onnxscript` is not installed, and what
    `OnnxWrapper` raises.
    """
    for name in ("onnx", "onnxscript"):
        if find_spec(name) is None:
            raise ModuleNotFoundError(
                f"an export to ONNX needs the package `{name}`: pip install 'codsl[onnx]'",
                name=name,
            )
    wrapper = OnnxWrapper(module)
    axes = dict.fromkeys((*input_names, *output_names), BATCH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapper,
            tuple(torch.cat([each, each]) for each in args),
            f,
            input_names=[*input_names, *wrapper.state_input_names],
            output_names=[*output_names, *wrapper.state_output_names],
            dynamic_axes={**axes, **wrapper.state_dynamic_axes, **(dynamic_axes or {})},
            dynamo=True,
            **kwargs,
        )
