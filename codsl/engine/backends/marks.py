"""Models of ONNX Runtime that take and give images as its convolutions have them.

Those have blocks of channels. ONNX Runtime brings what enters a model into blocks, and what leaves
it out of them, which is lost work for what is kept between two frames. So the inputs and outputs
that are kept get marks, convolutions that change nothing; ONNX Runtime optimises the model; and the
marks are taken out again, each with the reordering at its side.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

OPSET = 20


def block_of(channels: int) -> int:
    """The least channels that an image of so many has in blocks; 0 where there are no blocks."""
    from onnx import TensorProto, helper

    shape = [1, channels, 2, 2]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "probe", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    _put(model.graph, ["x"], [])
    optimised = _optimised(model).graph
    if all(node.op_type != "ReorderInput" for node in optimised.node):
        return 0
    wide: int = max(each.dims[0] for each in optimised.initializer if len(each.dims) == 4)
    return wide


def kept_in_blocks(model: bytes, given: Sequence[str], results: Sequence[str]) -> bytes:
    """A model for this machine, whose inputs and outputs of these names are in blocks."""
    if not given and not results:
        return model
    import onnx

    proto = onnx.load_from_string(model)
    _pool(proto.graph)
    _put(proto.graph, given, results)
    optimised = _optimised(proto)
    _take(optimised.graph, given, results)
    return optimised.SerializeToString()  # type: ignore[no-any-return]


def _optimised(model: Any) -> Any:
    """What ONNX Runtime makes of a model."""
    import onnx
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    with TemporaryDirectory(prefix="codsl-") as folder:
        path = str(Path(folder) / "optimised.onnx")
        options.optimized_model_filepath = path
        onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        return onnx.load(path)


def _pool(graph: Any) -> None:
    """Write means over images as pools, which there are in blocks."""
    from onnx import numpy_helper

    constants = {each.name: each for each in graph.initializer}
    ranks = {each.name: len(each.type.tensor_type.shape.dim) for each in graph.value_info}
    for node in graph.node:
        axes = constants.get(node.input[1]) if len(node.input) == 2 else None
        if node.op_type != "ReduceMean" or axes is None or ranks.get(node.input[0]) != 4:
            continue
        keeps = all(each.i for each in node.attribute if each.name == "keepdims")
        if keeps and sorted(numpy_helper.to_array(axes).tolist()) == [2, 3]:
            node.op_type = "GlobalAveragePool"
            del node.input[1:], node.attribute[:]


def _put(graph: Any, given: Sequence[str], results: Sequence[str]) -> None:
    """Mark inputs and outputs. What is behind an input is an output too, so that nothing that
    reads it is fused with the mark."""
    for name in given:
        behind, declared = _behind(name), _declared(graph.input, name)
        _rename(graph, name, behind, inputs=True)
        graph.node.insert(0, _mark(graph, declared, name, behind))
        shown = graph.output.add()
        shown.CopyFrom(declared)
        shown.name = behind
    for name in results:
        before = f"{name}_before"
        _rename(graph, name, before, inputs=True, outputs=True)
        graph.node.append(_mark(graph, _declared(graph.output, name), before, name))


def _mark(graph: Any, declared: Any, source: str, target: str) -> Any:
    """A convolution of each channel by itself and by one."""
    import numpy as np
    from onnx import helper, numpy_helper

    channels = declared.type.tensor_type.shape.dim[1].dim_value
    ones = f"{source}_{target}_ones"
    weight = np.ones((channels, 1, 1, 1), np.float32)
    graph.initializer.append(numpy_helper.from_array(weight, ones))
    return helper.make_node("Conv", [source, ones], [target], group=channels, kernel_shape=[1, 1])


def _take(graph: Any, given: Sequence[str], results: Sequence[str]) -> None:
    """Take the marks out, so that what they were at is in blocks."""
    wide = {each.name: each.dims[0] for each in graph.initializer if each.dims}
    for name in given:
        (reorder,) = _readers(graph, name)
        (mark,) = _readers(graph, reorder.output[0])
        _widen(_declared(graph.input, name), wide[mark.input[1]])
        _rename(graph, mark.output[0], name, inputs=True)
        _remove(graph, {reorder.output[0], mark.output[0]})
        graph.output.remove(_declared(graph.output, _behind(name)))
        if not _readers(graph, _behind(name)):
            _remove(graph, {_behind(name)})
    for name in results:
        mark = _maker(graph, _maker(graph, name).input[0])
        source, ones = mark.input
        _widen(_declared(graph.output, name), wide[ones])
        _remove(graph, {mark.output[0], name})
        _give(graph, source, name)
    del graph.value_info[:]


def _give(graph: Any, source: str, name: str) -> None:
    """Let a value be the output of a name; a copy of it where it has to keep its own."""
    from onnx import helper

    if source in {each.name for each in (*graph.input, *graph.output)}:
        graph.node.append(helper.make_node("Identity", [source], [name]))
    else:
        _rename(graph, source, name, inputs=True, outputs=True)


def _behind(name: str) -> str:
    """What a mark makes of an input."""
    return f"{name}_behind"


def _declared(values: Any, name: str) -> Any:
    """The declaration of an input or an output."""
    return next(each for each in values if each.name == name)


def _widen(declared: Any, channels: int) -> None:
    declared.type.tensor_type.shape.dim[1].dim_value = channels


def _readers(graph: Any, name: str) -> list[Any]:
    """The nodes that read a value."""
    return [node for node in graph.node if name in node.input]


def _maker(graph: Any, name: str) -> Any:
    """The node that gives a value."""
    return next(node for node in graph.node if name in node.output)


def _remove(graph: Any, names: set[str]) -> None:
    """Remove the nodes that give values of these names."""
    for node in [each for each in graph.node if names.intersection(each.output)]:
        graph.node.remove(node)


def _rename(graph: Any, name: str, other: str, inputs: bool = False, outputs: bool = False) -> None:
    """Call a value by another name where nodes read it or give it."""
    for node in graph.node:
        for values in [node.input] * inputs + [node.output] * outputs:
            for place, value in enumerate(values):
                if value == name:
                    values[place] = other
