"""Weights and outputs that tripy, MegEngine, Keras and Flax gave, through our layouts and layers.

The figures in `golden/` were made by running MegEngine 1.13.0, Keras 3.15.1 and Flax 0.12.8, and by
the rules of nvtripy 0.1.7; each case names its source. The first of a layer's dimensions is time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import codsl

GOLDEN = Path(__file__).with_name("golden")


def cases(name: str, layers: tuple[str, ...]) -> list[Any]:
    found = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))["cases"]
    named = [each for each in found if layer_of(each) in layers]
    return [pytest.param(each, id=each["name"]) for each in named]


def layer_of(case: Any) -> str:
    return str(case.get("layer") or case["params"]["layer"])


def array(numbers: Any) -> np.ndarray[Any, Any]:
    return np.array(numbers["data"], numbers["dtype"]).reshape(numbers["shape"])


def run(spec: str, weights: Any, layout: str, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What a network with these weights gives; what is loaded comes back the same."""
    net = codsl.build(spec, dtype=torch.float32).eval()
    report = codsl.load_weights(net, weights, layout=layout)
    assert len(report.loaded) + len(report.kept) == len(net.state_dict())
    with torch.no_grad():
        return net(torch.from_numpy(x.astype(np.float32))).numpy()


def network(x: np.ndarray[Any, Any], layer: str) -> str:
    space = "".join(f", {size}" for size in x.shape[3:])
    return f"codsl 1\nnetwork n {{\n  input ({x.shape[1]}, T{space})\n  layer = {layer}\n}}\n"


def tuples(value: Any) -> Any:
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def written(kind: str, rank: int, arguments: dict[str, Any]) -> str:
    told = [f"{name}={spelt(value)}" for name, value in arguments.items()]
    return f"{kind}{rank}d({', '.join(told)})"


def spelt(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return json.dumps(value)
    return f"({', '.join(map(spelt, value))}{',' * (len(value) == 1)})"


def under_layer(tensors: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {f"layer.{name}": array(numbers) for name, numbers in tensors.items()}


@pytest.mark.parametrize("case", cases("tripy", ("tripy.Conv", "tripy.ConvTranspose")))
def test_tripy(case: Any) -> None:
    given = dict(case["params"])
    given.pop("dtype", None)
    given.pop("in_channels")
    given["kernel_size"] = given.pop("kernel_dims")
    kind = "conv" if case["layer"] == "tripy.Conv" else "conv_transpose"
    x = array(case["input"])
    layer = written(kind, len(given["kernel_size"]), given)
    found = run(network(x, layer), under_layer(case["state_dict"]), "tripy", x)
    assert np.array_equal(found, array(case["output"]))


CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d", "ConvTranspose3d")


@pytest.mark.parametrize("case", cases("megengine", CONVOLUTIONS))
def test_megengine(case: Any) -> None:
    given = dict(case["ctor"])
    given.pop("in_channels", None)
    kind = "conv_transpose" if "Transpose" in case["layer"] else "conv"
    x = array(case["input"])
    layer = written(kind, x.ndim - 2, given)
    weights = under_layer(case["megengine_state_dict"])
    if given.get("padding_mode") == "reflect":
        x = x[:, :, None]
        layer = f"per_frame {{ layer = {layer} }}"
        found = run(network(x, layer).replace("layer = per", "per"), weights, "megengine", x)[
            :, :, 0
        ]
    else:
        found = run(network(x, layer), weights, "megengine", x)
    assert np.array_equal(found, array(case["output"]))


@pytest.mark.parametrize("case", cases("megengine", ("BatchNorm2d", "Linear")))
def test_megengine_norms_and_linear_layers(case: Any) -> None:
    given = dict(case["ctor"])
    x = array(case["input"])
    if case["layer"] == "Linear":
        layer = f"linear({given['out_features']})"
        x = x.reshape(*x.shape, 1)
    else:
        layer = f"batch_norm2d(eps={given['eps']})"
    weights = under_layer(case["megengine_state_dict"])
    found = run(network(x, layer), weights, "megengine", x)
    assert np.abs(found.reshape(case["output"]["shape"]) - array(case["output"])).max() < 4e-6


CHANNELS_LAST = ("Conv3D", "Conv1D", "Conv3DTranspose", "Dense", "Conv", "ConvTranspose")


@pytest.mark.parametrize("case", cases("keras_flax", CHANNELS_LAST))
def test_keras_and_flax(case: Any) -> None:
    told = case["params"]
    framework = case["name"].split("/")[0]
    weights = {
        f"layer.{name.removeprefix('params/')}": array(numbers)
        for name, numbers in case["weights"].items()
    }
    x = array(case["input"])
    kernel = case["weights"].get("kernel") or case["weights"]["params/kernel"]
    if told["layer"] in ("Dense",) or case["name"] == "flax/dense":
        found = run(
            network(x[:, :, None], f"linear({kernel['shape'][-1]})"),
            weights,
            framework,
            x[:, :, None],
        )
        assert np.array_equal(found[:, :, 0], array(case["output"]))
        return
    x = np.moveaxis(x, -1, 1)
    transposed = "Transpose" in told["layer"]
    flipped = transposed and (framework == "keras" or told.get("transpose_kernel"))
    given = {
        "out_channels": case["output"]["shape"][-1],
        "kernel_size": kernel["shape"][:-2],
        "stride": told.get("strides", [1] * (x.ndim - 2)),
        "padding": told.get("pads", [[0, 0]] * (x.ndim - 2)),
        "dilation": told.get("dilation", [1] * (x.ndim - 2)),
    }
    layout = "flax_transpose_kernel" if flipped and framework == "flax" else framework
    layer = written("conv_transpose" if transposed else "conv", x.ndim - 2, given)
    found = run(network(x, layer), weights, layout, x)
    assert np.array_equal(np.moveaxis(found, 1, -1), array(case["output"]))


@pytest.mark.parametrize("case", cases("keras_flax", ("SeparableConv2D",)))
def test_a_separable_convolution_is_two_layers(case: Any) -> None:
    x = np.moveaxis(array(case["input"]), -1, 1)
    space = x.shape[3]
    spec = f"""codsl 1
network n {{
  input (3, T, {space})
  depthwise = conv2d(6, (3, 2), groups=3, bias=false)
  pointwise = conv2d(5, 1)
}}
"""
    net = codsl.build(spec).eval()
    weights = {f"sep.{name}": array(numbers) for name, numbers in case["weights"].items()}
    rules = {
        "sep.depthwise_kernel": "depthwise.depthwise_kernel",
        "sep.pointwise_kernel": "pointwise.pointwise_kernel",
        "sep.bias": "pointwise.bias",
    }
    codsl.load_weights(net, weights, rename=rules, layout="keras")
    with torch.no_grad():
        found = net(torch.from_numpy(x.astype(np.float32))).numpy()
    assert np.array_equal(np.moveaxis(found, 1, -1), array(case["output"]))
