"""What peers get wrong, and what is right: encoders, norms, compilers, cost; one test a mistake."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import codsl
import codsl.nn as co
from codsl import SpecError
from codsl.network import Network
from codsl.nn.older import flatten

WINDOW = 5
LAYER = "transformer_encoder_layer(2, 8, past=3, ahead=1)"
VIEWS = {"unsqueeze", "squeeze", "select", "slice", "narrow", "detach", "alias"}
"""Operations of torch that move no number."""


def built(body: str, input: str = "4, T") -> Network:
    torch.manual_seed(0)
    text = f"codsl 1\nnetwork n {{\ninput ({input})\n{body}\n}}"
    return codsl.build(text, dtype=torch.float64).eval()


def noise(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def encoder(layers: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dtype=torch.float64)
    norm = nn.LayerNorm(4, dtype=torch.float64)
    return nn.TransformerEncoder(layer, layers, norm, enable_nested_tensor=False).eval()


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [1.0, 1e4])
@torch.no_grad()
def test_an_encoder_on_the_last_frames_is_exact_for_ever(layers: int, size: float) -> None:
    """Of any depth, past frame `2 * WINDOW - 2` and where a softmax without care has no numbers."""
    theirs = encoder(layers)
    net = co.TransformerEncoder.build_from(theirs, WINDOW)
    x = size * noise(2, 4, 6 * WINDOW)
    for t in range(x.shape[2]):
        y = net.forward_step(x[:, :, t])
        assert (y is None) == (t < WINDOW - 1)
        if y is not None:
            window = x[:, :, t - WINDOW + 1 : t + 1].transpose(1, 2)
            assert torch.allclose(y, theirs(window)[:, -1], atol=1e-10)


@pytest.mark.parametrize("layers", [1, 2, 3])
@torch.no_grad()
def test_an_encoder_of_the_language_is_the_clip_under_its_band(layers: int) -> None:
    names = [f"layer{number}" for number in range(layers)]
    net = built("\n".join(f"{name} = {LAYER}" for name in names))
    x = noise(1, 4, 300)
    far = torch.arange(300) - torch.arange(300)[:, None]
    mask = (far < -3) | (far > 1)
    wanted = x.transpose(1, 2)
    for name in names:
        layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dtype=torch.float64).eval()
        layer.load_state_dict(net.get_submodule(name).state_dict())
        wanted = layer(wanted, src_mask=mask)
    assert net.delay == layers
    for t in range(300):
        y = net.forward_step(x[:, :, t])
        if y is not None:
            assert torch.allclose(y, wanted[:, t - layers], atol=1e-10)
    assert torch.allclose(net.flush().transpose(1, 2), wanted[:, -layers:], atol=1e-10)


@pytest.mark.parametrize(
    "layer",
    [
        "softmax(dim=2)",
        "instance_norm1d",
        "batch_norm1d(track_running_stats=false)",
        "rnn(3, bidirectional=true)",
        "gru(3, bidirectional=true)",
        "lstm(3, bidirectional=true)",
    ],
)
def test_what_looks_at_frames_to_come_is_refused_with_the_reason(layer: str) -> None:
    with pytest.raises(SpecError) as caught:
        built(layer)
    (only,) = caught.value.diagnostics
    assert only.code == "E0409"
    assert "later frames" in str(caught.value) or "last frame" in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "theirs"),
    [
        ("group_norm(2)", nn.GroupNorm(2, 4)),
        ("layer_norm(over=\"frame\")", nn.LayerNorm((4, 3))),
        ("rms_norm(over=\"frame\")", nn.RMSNorm((4, 3))),
    ],
    ids=str,
)  # fmt: skip
@torch.no_grad()
def test_norms_are_exact_per_frame(layer: str, theirs: nn.Module) -> None:
    net = built(layer, "4, T, 3")
    x = noise(2, 4, 7, 3)
    wanted = torch.stack([theirs.double()(frame) for frame in x.unbind(2)], 2)
    assert torch.allclose(net(x), wanted, atol=1e-12)
    steps = torch.stack([net.forward_step(frame) for frame in x.unbind(2)], 2)
    assert torch.allclose(steps, wanted, atol=1e-12)


UNDER_WAY = "residual {\nconv1d(4, 3, padding=1)\nbatch_norm1d\nrelu\n}\nmax_pool1d(2, stride=1)"


def compiled(step: nn.Module, given: tuple[Tensor, ...]) -> Callable[..., Any]:
    torch._dynamo.reset()
    return torch.compile(step, fullgraph=True, backend="eager")


def exported(step: nn.Module, given: tuple[Tensor, ...]) -> Callable[..., Any]:
    return torch.export.export(step, given).module()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", [compiled, exported])
@torch.no_grad()
def test_a_step_is_one_graph_for_compilers(way: Any) -> None:
    """No branch and no break, the state goes in and out, and every step has an output."""
    net = built(UNDER_WAY)
    x = noise(2, 4, 30)
    step = co.onnx.OnnxWrapper(net)
    state = net.init_state(2)
    for t in range(step.settled):
        _, state = net.step(x[:, :, t], state)
    tensors = flatten(state)
    one = way(step, (x[:, :, step.settled], *tensors))
    for t in range(step.settled, 30):
        wanted, state = net.step(x[:, :, t], state)
        y, *tensors = one(x[:, :, t], *tensors)
        assert torch.allclose(y, wanted, atol=1e-12)


class Operations(TorchDispatchMode):
    """Counts the operations of torch that move numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = function.overloadpacket.__name__
        if name not in VIEWS:
            self.counts[name] += 1
        return function(*args, **(kwargs or {}))


@torch.inference_mode()
def test_a_step_of_a_convolution_costs_one_output_and_few_operations() -> None:
    """All that is counted: state and frame are put together, convolved once, and kept."""
    conv = co.Conv3d(4, 4, 3, padding=1).eval()
    x = torch.randn(1, 4, 30, 6, 6)
    conv.forward_steps(x[:, :, :10])
    assert conv.init_state(1).bytes == (3 - 1) * 4 * 6 * 6 * 4
    with Operations() as step:
        conv.forward_step(x[:, :, 10])
    assert step.counts == {"cat": 1, "clone": 1, "conv3d": 1}
    with Operations() as chunk:
        conv.forward_steps(x[:, :, 11:27])
    assert chunk.counts == step.counts


@torch.no_grad()
def test_a_step_takes_the_flops_of_one_output() -> None:
    conv = co.Conv3d(4, 4, 3, padding=1).eval()
    x = torch.randn(1, 4, 12, 6, 6)
    conv.forward_steps(x[:, :, :10])
    with FlopCounterMode(display=False) as flops:
        conv.forward_step(x[:, :, 10])
    assert flops.get_total_flops() == 2 * (4 * 4 * 3 * 3 * 3) * (6 * 6)
