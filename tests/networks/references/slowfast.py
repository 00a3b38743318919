"""SlowFast of pytorchvideo 0.1.5 (`create_slowfast`), in plain torch under its keys."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from references.video_resnet import Head, Stage, Stem, pooled
from torch import Tensor, nn
from torch.nn import functional


class Fusion(nn.Module):
    """What the slow pathway is told by the fast one, at its own rate."""

    def __init__(self, inside: int, alpha: int, kernel: int) -> None:
        super().__init__()
        self.conv_fast_to_slow = nn.Conv3d(
            inside, 2 * inside, (kernel, 1, 1), (alpha, 1, 1), (kernel // 2, 0, 0), bias=False
        )
        self.norm = nn.BatchNorm3d(2 * inside)

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        return torch.cat([slow, functional.relu(self.norm(self.conv_fast_to_slow(fast)))], 1)


class Pathways(nn.Module):
    """A part of either pathway, and what the fast one tells the slow one behind it, if anything."""

    def __init__(self, slow: nn.Module, fast: nn.Module, fusion: Fusion | None) -> None:
        super().__init__()
        self.multipathway_blocks = nn.ModuleList([slow, fast])
        if fusion is not None:
            self.multipathway_fusion = fusion

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        slow, fast = self.multipathway_blocks[0](slow), self.multipathway_blocks[1](fast)
        if hasattr(self, "multipathway_fusion"):
            slow = self.multipathway_fusion(slow, fast)
        return slow, fast


class SlowFast(nn.Module):
    """Two pathways; the slow one sees every `alpha`-th frame. A longer clip than `window` gives
    the logits of every window that begins at such a frame."""

    def __init__(
        self,
        *,
        width: int,
        alpha: int = 4,
        beta: int,
        kernel: int = 7,
        depths: Sequence[int],
        classes: int,
        window: int,
    ) -> None:
        super().__init__()
        thin = width // beta

        def fusion(inside: int) -> Fusion:
            return Fusion(inside, alpha, kernel)

        blocks: list[nn.Module] = [Pathways(Stem(width, 1), Stem(thin, 5), fusion(thin))]
        slow, fast = width, thin
        for i, depth in enumerate(depths):
            inner, stride = 2**i, 2 if i else 1
            blocks.append(
                Pathways(
                    Stage(slow + 2 * fast, inner * width, depth, (1 if i < 2 else 3,), stride),
                    Stage(fast, inner * thin, depth, (3,), stride),
                    fusion(4 * inner * thin) if i < len(depths) - 1 else None,
                )
            )
            slow, fast = 4 * inner * width, 4 * inner * thin
        self.blocks = nn.ModuleList([*blocks, nn.Identity(), Head(slow + fast, classes)])
        self.alpha, self.window = alpha, window

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What either pathway gives: `(B, C, T / alpha, H, W)` and `(B, c, T, H, W)`."""
        slow, fast = x[:, :, :: self.alpha], x
        for block in list(self.blocks)[:-2]:
            slow, fast = block(slow, fast)
        return slow, fast

    def forward(self, x: Tensor) -> Tensor:
        """The logits of every window: `(B, classes, T)`."""
        slow, fast = self.features(x)
        slow, fast = pooled(slow, self.window // self.alpha), pooled(fast, self.window, self.alpha)
        due = min(slow.shape[2], fast.shape[2])
        return torch.as_tensor(self.blocks[-1](torch.cat([slow[:, :, :due], fast[:, :, :due]], 1)))
