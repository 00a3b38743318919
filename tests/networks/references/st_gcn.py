"""ST-GCN (Yan et al., 2018) in plain torch, under the names of yysijie/st-gcn.

Clips of one person `(B, 3, T, V)` to scores `(B, classes, T')`, the pool over a sliding window of
items as long as that of a clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

Edges = Sequence[tuple[int, int]]


def adjacency(joints: int, edges: Edges, center: int) -> Tensor:
    """The strategy `spatial`: a joint, joints as far or further from the center, nearer ones."""
    near = torch.eye(joints, dtype=torch.float64)
    for one, other in edges:
        near[one, other] = near[other, one] = 1
    share = near / near.sum(0, keepdim=True)
    hops = torch.full((joints,), torch.inf, dtype=torch.float64)
    hops[near[:, center] > 0] = 1
    hops[center] = 0
    parts = torch.zeros(3, joints, joints, dtype=torch.float64)
    for j in range(joints):
        for i in range(joints):
            part = 0 if i == j else 1 if hops[j] >= hops[i] else 2
            parts[part, j, i] = share[j, i]
    return parts


class Graph(nn.Module):
    def __init__(self, inputs: int, outputs: int, kinds: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, kinds * outputs, 1)

    def forward(self, x: Tensor, graph: Tensor) -> Tensor:
        maps = self.conv(x).unflatten(1, (len(graph), -1))
        return sum((maps[:, k] @ each for k, each in enumerate(graph)), torch.zeros(()))


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, first: bool) -> None:
        super().__init__()
        self.first = first
        self.gcn = Graph(inputs, outputs, 3)
        self.tcn = nn.Sequential(
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, (9, 1), (stride, 1), (4, 0)),
            nn.BatchNorm2d(outputs),
            nn.Dropout(0.0),
        )
        self.residual = nn.Identity()
        if not first and (stride != 1 or inputs != outputs):
            conv = nn.Conv2d(inputs, outputs, 1, (stride, 1))
            self.residual = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor, graph: Tensor) -> Tensor:
        y = self.tcn(self.gcn(x, graph))
        return y.relu() if self.first else (y + self.residual(x)).relu()


class STGCN(nn.Module):
    def __init__(
        self,
        *,
        joints: int,
        edges: Edges,
        center: int,
        widths: Sequence[int],
        classes: int,
        window: int,
    ) -> None:
        super().__init__()
        self.window = window
        self.register_buffer("A", adjacency(joints, edges, center))
        self.data_bn = nn.BatchNorm1d(3 * joints)
        inputs = (3, *widths)
        strides = [1] + [2 if out > into else 1 for into, out in pairwise(widths)]
        blocks = zip(inputs, widths, strides, strict=False)
        self.st_gcn_networks = nn.ModuleList(
            Block(*sizes, first=i == 0) for i, sizes in enumerate(blocks)
        )
        self.edge_importance = nn.ParameterList(torch.ones(self.A.shape) for _ in widths)
        self.fcn = nn.Conv2d(widths[-1], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        flat = self.data_bn(x.transpose(1, 3).transpose(2, 3).flatten(1, 2))
        x = flat.unflatten(1, (-1, 3)).permute(0, 2, 3, 1)
        for block, importance in zip(self.st_gcn_networks, self.edge_importance, strict=True):
            x = block(x, self.A * importance)
        return self.fcn(functional.avg_pool2d(x, (self.window, x.shape[3]), 1)).squeeze(3)
