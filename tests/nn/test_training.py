"""Networks in training: gradients, dtypes, warnings, copies, and the tools of the trade."""

from __future__ import annotations

import copy
import importlib.util
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from complexity import by_ptflops
from copies import pickled, saved
from ptflops import get_model_complexity_info
from remembering import remembering
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import codsl
import forked
from harness.contract import randomise

if TYPE_CHECKING:
    from pathlib import Path

    from codsl.network import Network

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]

SPEC = """codsl 1
network small {
  input (3, T, 4)
  stem = conv2d(4, 3, padding=(1, 1), stride=(2, 1))
  norm = batch_norm2d
  body = residual {
    conv = conv2d(4, (3, 1), padding=(1, 0), temporal_fill="replicate")
    act = tanh
  }
  avg_pool2d((3, 1), stride=1, padding=(1, 0), count_include_pad=false)
  flatten
  head = linear(5)
}
"""
REMEMBERING = """codsl 1
network remembering {
  input (2, T)
  a = conv1d(3, 3, padding=1)
  arms = parallel("sum") { { mean_so_far } { mean_nearby } { tanh } }
  spread_out
  b = conv1d(2, 3, stride=2, padding=1)
}
"""
SPECS = {"small": SPEC, "remembering": REMEMBERING}
TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 2e-6,
    torch.float16: 8e-3,
    torch.bfloat16: 6e-2,
}
"""A few roundings of a number, relative to the larger of 1 and the number."""


def built(spec: Any = SPEC, dtype: torch.dtype = torch.float32) -> Network:
    torch.manual_seed(4)
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, 4)
    return net


def clip(net: Network, frames: int = 18, batch: int = 2, seed: int = 0) -> Tensor:
    frame = net.graph.input
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, frame.channels, frames, *frame.space)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(net._own().dtype)


def at_once(net: Network, x: Tensor) -> Tensor:
    return net(x)


def in_steps(net: Network, x: Tensor) -> Tensor:
    net.reset()
    due = [net.forward_step(frame) for frame in x.unbind(2)]
    return torch.cat([*(y.unsqueeze(2) for y in due if y is not None), net.flush()], 2)


def in_chunks(net: Network, x: Tensor) -> Tensor:
    net.reset()
    due = [net.forward_steps(chunk) for chunk in x.split([5, 1, 0, x.shape[2] - 6], 2)]
    return torch.cat([*(y for y in due if y is not None), net.flush()], 2)


def in_slots(net: Network, x: Tensor) -> Tensor:
    slots = net.stream(x.shape[0])
    rows = [slots.join() for _ in x]
    due = [slots.step(frame) for frame in x.unbind(2)]
    ys = [y.unsqueeze(2) for y, said in due if said.all()]
    return torch.cat([*ys, torch.cat(slots.flush(rows))], 2)


MODES = (in_steps, in_chunks, in_slots)


def close(found: Tensor, wanted: Tensor, allowed: float) -> None:
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    assert ((found - wanted).abs() <= allowed * wanted.abs().clamp(min=1)).all()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("spec", SPECS)
def test_every_dtype_in_every_mode(dtype: torch.dtype, spec: str) -> None:
    net = built(SPECS[spec], dtype)
    x = clip(net)
    with torch.no_grad():
        whole = net(x)
        assert whole.dtype == dtype
        for mode in MODES:
            close(mode(net, x), whole, TOLERANCE[dtype])
        exact = built(SPECS[spec], torch.float64)
        exact.load_state_dict(net.state_dict())
        close(whole.double(), exact(x.double()), 4 * TOLERANCE[dtype])


def gradients(net: Network, y: Tensor) -> dict[str, Tensor]:
    net.zero_grad()
    (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)).square().sum().backward()
    return {name: weight.grad.clone() for name, weight in net.named_parameters()}


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("frozen", [True, False])
def test_gradients_are_equal_in_all_three_modes(spec: str, frozen: bool) -> None:
    """In training mode: with norms in `eval()`, or without any."""
    text = SPECS[spec] if frozen else SPECS[spec].replace("norm = batch_norm2d", "identity")
    net = built(text, torch.float64).train()
    for module in net.modules():
        if frozen and isinstance(module, nn.BatchNorm2d):
            module.eval()
    x = clip(net)
    wanted = gradients(net, at_once(net, x))
    assert all(grad.abs().max() > 0 for grad in wanted.values())
    for mode in (in_steps, in_chunks):
        found = gradients(net, mode(net, x))
        for name, grad in wanted.items():
            torch.testing.assert_close(found[name], grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("between", ["group_norm(2)", "permute((0, 2, 1))", "pixel_unshuffle(2)"])
def test_gradients_of_a_batch_norm_whatever_the_frame_before_looks_like(between: str) -> None:
    """torch 2.13 takes the gradients of some views of one frame for those of other memory."""
    text = f"input (4, T, 6, 6) rms_norm {between} norm = batch_norm3d relu delay(1)"
    net = built(f"codsl 1\nnetwork n {{ {text} }}", torch.float64).train()
    net.norm.eval()
    x = clip(net)
    wanted = gradients(net, net(x))
    for name, grad in gradients(net, in_steps(net, x)).items():
        torch.testing.assert_close(grad, wanted[name], rtol=1e-10, atol=1e-10)


def test_gradients_reach_the_frames_before() -> None:
    net = built(REMEMBERING, torch.float64).train()
    x = clip(net).requires_grad_()
    frames = list(x.unbind(2))
    for frame in frames:
        frame.retain_grad()
    last = [y for y in map(net.forward_step, frames) if y is not None][-1]
    last.sum().backward()
    assert all(frame.grad is not None and frame.grad.abs().max() > 0 for frame in frames)


def modes_that_step() -> dict[str, Any]:
    return {
        "forward_step": lambda net, x: net.forward_step(x[:, :, 0]),
        "forward_steps": lambda net, x: net.forward_steps(x),
        "step": lambda net, x: net.step(x[:, :, 0], net.init_state(2)),
        "slots": in_slots,
    }


@pytest.mark.parametrize("mode", modes_that_step())
def test_stepping_with_statistics_of_the_batch_warns_once(mode: str) -> None:
    net = built().train()
    x = clip(net)
    step = modes_that_step()[mode]
    with pytest.warns(UserWarning, match="`norm` is in training mode") as caught:
        step(net, x)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    step(net, x)
    net.reset()
    step(net, x)
    other = built().train()
    with pytest.warns(UserWarning, match="`norm`"):
        step(other, x)


def test_what_is_as_in_clips_does_not_warn() -> None:
    net = built().train()
    x = clip(net)
    net(x)
    net.get_submodule("norm").eval()
    in_steps(net, x)
    net.eval()
    in_steps(net, x)
    built(SPEC.replace("norm = batch_norm2d", "dropout(0.5)")).train().forward_steps(x)


def test_one_norm_in_training_is_enough_to_warn() -> None:
    net = built()
    net.get_submodule("norm").train()
    with pytest.warns(UserWarning, match="`norm` is in training mode"):
        net.forward_steps(clip(net))


@pytest.mark.parametrize("again", [copy.deepcopy, pickled, saved])
@pytest.mark.parametrize("training", [True, False])
def test_copies_go_on_mid_stream_also_in_training(again: Any, training: bool) -> None:
    """What gradients flow through is copied as numbers."""
    net = built(REMEMBERING, torch.float64).train(training)
    x = clip(net)
    net.forward_steps(x[:, :, :7])
    other = again(net)
    assert other.training == training
    found, wanted = other.forward_steps(x[:, :, 7:], True), net.forward_steps(x[:, :, 7:], True)
    assert torch.equal(found, wanted)
    assert {p.data_ptr() for p in other.parameters()}.isdisjoint(
        p.data_ptr() for p in net.parameters()
    )


def trained(net: nn.Module, x: Tensor, target: Tensor, steps: int = 3) -> None:
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.mse_loss(net(x), target).backward()
        optimiser.step()


def task(net: Network) -> tuple[Tensor, Tensor]:
    x = clip(net, 12, batch=4)
    return x, torch.linspace(-1, 1, net(x).numel()).view(net(x).shape)


PLAIN = SPEC.replace("norm = batch_norm2d", "identity")


def train_on_a_rank(rank: int, folder: str) -> None:
    """What one of two processes does: half of the batch, gradients averaged."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    net = built(PLAIN).train()
    if rank:
        with torch.no_grad():
            net.get_submodule("head").weight.zero_()
    parallel = nn.parallel.DistributedDataParallel(net)
    x, target = torch.load(f"{folder}/task")
    half = slice(2 * rank, 2 * rank + 2)
    trained(parallel, x[half], target[half])
    torch.save(net.state_dict(), f"{folder}/{rank}")
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_training_on_two_ranks(tmp_path: Path) -> None:
    """Both have the weights of one process that sees the whole batch; they stream as clips do."""
    net = built(PLAIN).train()
    with torch.no_grad():
        x, target = task(net)
    torch.save((x, target), tmp_path / "task")
    for rank in [forked.beside(train_on_a_rank, rank, str(tmp_path)) for rank in range(2)]:
        assert forked.ended(rank) == 0
    before = copy.deepcopy(net.state_dict())
    trained(net, x, target)
    for rank in range(2):
        found = torch.load(tmp_path / str(rank))
        assert found.keys() == before.keys()
        for name, wanted in net.state_dict().items():
            assert not torch.equal(wanted, before[name])
            torch.testing.assert_close(found[name], wanted, rtol=1e-5, atol=1e-6)
    net.eval()
    with torch.no_grad():
        close(in_steps(net, x), net(x), 2e-6)


@pytest.mark.skipif(
    importlib.util.find_spec("lightning") is None, reason="lightning is not installed"
)
@pytest.mark.filterwarnings("ignore")
def test_training_under_lightning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lightning

    class Task(lightning.LightningModule):
        def __init__(self, net: Network) -> None:
            super().__init__()
            self.net = net

        def training_step(self, batch: Any) -> Tensor:
            x, target = batch
            return nn.functional.mse_loss(self.net(x), target)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.05)

    net, alone = built().train(), built().train()
    with torch.no_grad():
        x, target = task(built())
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, target), batch_size=4)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=3,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(Task(net), data)
    trained(alone, x, target)
    for name, wanted in alone.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], wanted, rtol=1e-5, atol=1e-6)
    trainer.save_checkpoint(tmp_path / "checkpoint")
    again = Task(built())
    again.load_state_dict(torch.load(tmp_path / "checkpoint", weights_only=False)["state_dict"])
    with torch.no_grad():
        close(in_steps(again.net.eval(), x), net.eval()(x), 2e-6)


@pytest.mark.parametrize("spec", [SPEC, PLAIN])
@pytest.mark.parametrize("frames", [11, 12])
def test_ptflops_counts_what_the_report_says(spec: str, frames: int) -> None:
    net = built(spec)
    macs, parameters = by_ptflops(net, (3, frames, 4))
    with FlopCounterMode(display=False) as counter:
        net(clip(net, frames, 1))
    assert 2 * macs == counter.get_total_flops() > 0
    assert parameters == net.graph.parameters
    total = net.report().total
    assert total["clip_frames"] == 11
    assert frames != 11 or macs == total["clip_macs"]


def test_ptflops_counts_operations_without_being_told() -> None:
    """What it finds more is norms, activations and pools."""
    net = built()
    options = {"as_strings": False, "print_per_layer_stat": False, "verbose": False}
    total = net.report().total
    shape = (3, total["clip_frames"], 4)
    macs, _ = get_model_complexity_info(net, shape, backend="aten", **options)
    assert 0 <= macs - total["clip_macs"] < 0.2 * macs


def test_torch_counts_layer_by_layer() -> None:
    net = built()
    with FlopCounterMode(display=False) as counter:
        net(clip(net, 12, 1))
    counts = counter.get_flop_counts()
    nodes = {node.path: node.macs for node in net.graph.nodes}
    for path in ("stem", "body.conv", "head"):
        assert sum(counts[f"Network.{path}"].values()) == 2 * 6 * nodes[path]
