"""The temporal convolutional network, held against its structure in plain torch.

Figures over time of the zoo's cases were measured on pytorch-tcn 1.2.3.
"""

from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, streams, tuned
from references.tcn import TCN
from safetensors.torch import load_file
from torch import Tensor
from zoo import case

import codsl
from codsl.network import Network

SPEC = FOLDER / "tcn.codsl"
SMALL: dict[str, Any] = {"features": 5, "channels": (6, 6, 4), "kernel": 3, "classes": 7}
MEASURED: dict[str, Any] = {
    "features": 40, "channels": (32, 32, 48, 48), "kernel": 3, "classes": 12,
}  # fmt: skip
FORMS: dict[str | None, dict[str, Any]] = {
    None: {},
    "centred": {"causal": False},
    "gated": {"norm": "layer_norm", "act": "elu", "gated": True},
    "skips": {"norm": "batch_norm", "act": "leaky_relu", "skips": True},
}
"""What the reference is told for each variant."""
CASES = {
    "tcn_causal": (None, 42_524, -60, 0),
    "tcn_centred": ("centred", 42_524, -30, 30),
    "tcn_causal_gated_ln": ("gated", 61_756, -60, 0),
    "tcn_causal_bn_skip": ("skips", 46_012, -60, 0),
}
"""The variant of each case, its parameters, and what output `o` sees first and last, from `o`."""


def loaded(variant: str | None, state: dict[str, Tensor], sizes: dict[str, Any]) -> Network:
    net = codsl.build(SPEC, variant=variant, params=sizes, dtype=torch.float64).eval()
    report = codsl.load_weights(net, state)
    assert all(name.endswith(("buffer", "num_batches_tracked")) for name in report.skipped)
    assert not report.kept
    return net


@pytest.mark.parametrize("variant", FORMS)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(variant: str | None) -> None:
    reference = tuned(TCN(**SMALL, **FORMS[variant]), moving(2, 5, 40))
    net = loaded(variant, reference.state_dict(), SMALL)
    for frames in (1, 9, 40):
        x = moving(2, 5, frames, seed=frames)
        wanted = reference(x)
        assert wanted.std() > 0.1
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted)


@pytest.mark.parametrize("name", CASES)
def test_time_is_as_measured(name: str) -> None:
    variant, parameters, first, last = CASES[name]
    graph = codsl.check(SPEC, variant=variant, params=MEASURED)
    assert graph.parameters == parameters
    assert (graph.delay, graph.receptive_field, graph.stride) == (last, last - first + 1, 1)


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_it_is_pytorch_tcn(name: str) -> None:
    found = case(name)
    net = codsl.build(SPEC, variant=CASES[name][0], params=MEASURED, dtype=torch.float64).eval()
    assert codsl.load_weights(net, found.weights).checkpoint == "pytorch-tcn"
    assert far(net(found.input), found.output) <= TOLERANCE
    streams(net, found.input, found.tensors.get("stream_output", found.output))
    ours = TCN(**MEASURED, **FORMS[CASES[name][0]]).double().eval()
    ours.load_state_dict(load_file(found.weights))
    assert far(ours(found.input), found.output) <= TOLERANCE


@torch.no_grad()
def test_the_names_of_its_authors_are_known() -> None:
    """locuslab's TCN names every tensor of a level twice, and its weights by direction and size."""
    sizes = {**SMALL, "features": 6}
    reference = tuned(TCN(**sizes), moving(2, 6, 40))
    state = {}
    for name, tensor in reference.state_dict().items():
        if name.endswith("buffer"):
            continue
        renamed = (
            name.replace("parametrizations.weight.original0", "weight_g")
            .replace("parametrizations.weight.original1", "weight_v")
            .replace("projection_out", "linear")
        )
        if renamed.startswith("linear"):
            state[renamed] = tensor.squeeze(-1)
            continue
        state[f"tcn.{renamed}"] = tensor
        again = renamed.replace("conv1", "net.0").replace("conv2", "net.4")
        state |= {f"tcn.{again}": tensor} if again != renamed else {}
    net = codsl.build(SPEC, params=sizes, dtype=torch.float64).eval()
    assert codsl.load_weights(net, state).checkpoint == "locuslab"
    x = moving(1, 6, 30, seed=1)
    assert far(net(x), reference(x)) <= TOLERANCE


def test_it_is_as_large_as_published() -> None:
    """Sequential MNIST, Bai et al. (2018), table 1: 70 thousand parameters, to see 784 frames."""
    graph = codsl.check(SPEC)
    assert graph.parameters == 66_910
    assert round(graph.parameters, -4) == 70_000
    assert graph.receptive_field == 3061 >= 784
