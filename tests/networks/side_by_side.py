"""A spec and its reference on the same weights: the same clip, and a stream equal to the clip.

Fresh weights hide faults, so all that starts constant is drawn, statistics are those of a clip put
out of tune, and the last layer is scaled so that outputs are of size 1.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import codsl
from codsl.network import Network

FOLDER = Path(__file__).parents[2] / "networks"
EXACT = 1e-9
Output = Tensor | dict[str, Tensor]


def clip(*shape: int, seed: int = 0) -> Tensor:
    """A clip that moves."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@torch.no_grad()
def out_of_tune(reference: nn.Module, head: nn.Module, run: Callable[[], Any]) -> nn.Module:
    """The reference in float64 with nothing left at its fresh value; `head` is its last layer."""
    torch.manual_seed(0)
    reference.double().eval()
    norms = [each for each in reference.modules() if isinstance(each, _BatchNorm)]
    for parameter in reference.parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter)
        else:
            parameter.uniform_(-0.5, 0.5)
    for norm in norms:
        norm.weight.uniform_(0.5, 1.5)
        norm.momentum = 1.0
        norm.train()
    run()
    for norm in norms:
        norm.running_mean += 0.2 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
        norm.running_var.clamp_(min=0.05)
        norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.4)
    reference.eval()
    outputs = run()
    last = outputs[-1] if isinstance(outputs, list | tuple) else outputs
    for parameter in head.parameters():
        parameter.div_(last.std())
    return reference


def built(name: str, weights: Any, **params: Any) -> Network:
    """A spec in float64 with a checkpoint that its own rules load: nothing missing, nothing left
    but what the rules name and the counters of batches."""
    net = codsl.build(FOLDER / f"{name}.codsl", params=params, dtype=torch.float64).eval()
    report = codsl.load_weights(net, weights)
    counters = {key for key in net.state_dict() if key.endswith("num_batches_tracked")}
    assert {each.name for each in report.loaded} >= net.state_dict().keys() - counters
    return net


def filled(reference: nn.Module, weights: Path) -> nn.Module:
    """The reference in float64 with the tensors of a file."""
    tensors = codsl.weights.read(weights)
    reference.load_state_dict({name: torch.from_numpy(tensors[name]) for name in tensors})
    return reference.double().eval()


def by_name(output: Output) -> dict[str, Tensor]:
    return output if isinstance(output, dict) else {"": output}


def off(found: Tensor, wanted: Tensor) -> float:
    """The largest difference."""
    assert found.shape == wanted.shape
    return (found - wanted).abs().max().item()


def joined(parts: list[Any]) -> dict[str, Tensor]:
    """What came, by output, one after the other."""
    named = [by_name(each) for each in parts if each is not None]
    names = dict.fromkeys(name for each in named for name in each)
    return {
        name: torch.cat([each[name] for each in named if each.get(name) is not None], 2)
        for name in names
    }


def by_steps(net: Network, x: Tensor) -> dict[str, Tensor]:
    net.reset()
    parts = []
    for t in range(x.shape[2]):
        y = net.forward_step(x[:, :, t])
        due = {name: each for name, each in by_name(y).items() if each is not None}
        parts.append({name: each.unsqueeze(2) for name, each in due.items()})
    return joined([*parts, net.flush()])


def by_chunks(net: Network, x: Tensor, seed: int) -> dict[str, Tensor]:
    net.reset()
    draw, parts, start = random.Random(seed), [], 0
    while start < x.shape[2]:
        size = draw.choice((1, 2, 3, 5, 8, 13))
        parts.append(net.forward_steps(x[:, :, start : start + size]))
        start += size
    return joined([*parts, net.flush()])


@torch.no_grad()
def agree(net: Network, x: Tensor, wanted: Output, exact: float = EXACT) -> None:
    """The clip is what is wanted, which moves over time; so are steps, and chunks of any size."""
    expected: Mapping[str, Tensor] = by_name(wanted)
    ways = {
        "clip": by_name(net(x)),
        "steps": by_steps(net, x),
        "chunks": by_chunks(net, x, 0),
        "other chunks": by_chunks(net, x, 1),
    }
    for way, found in ways.items():
        assert found.keys() == expected.keys(), way
        for name, each in found.items():
            assert off(each, expected[name]) <= exact, (way, name)
    for each in expected.values():
        assert each.abs().max() > 0.05
        assert each.shape[2] == 1 or (each[:, :, 1:] - each[:, :, :-1]).abs().max() > 0.01
