"""A transformer's encoder over a band in plain torch: torch.nn's own, with a mask.

Positions that recycle as in Hedegaard et al., 2022. Clips `(B, features, T)` to `(B, classes, T)`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    def __init__(
        self,
        *,
        features: int,
        width: int,
        heads: int,
        inner: int,
        window: int,
        layers: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.window = window
        self.embed = nn.Linear(features, width)
        self.positions = nn.Embedding(width, width)
        layer = nn.TransformerEncoderLayer(width, heads, inner, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.classify = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        at = torch.arange(x.shape[2])
        items = self.embed(x.transpose(1, 2)) + self.positions(at % len(self.positions.weight))
        back = at[:, None] - at
        out_of_sight = (back < 0) | (back >= self.window)
        return self.classify(self.norm(self.encoder(items, out_of_sight))).transpose(1, 2)
