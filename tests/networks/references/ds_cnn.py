"""DS-CNN S (Zhang et al., 2017) in plain torch, under the names of MLPerf Tiny's Keras model.

Clips `(B, 1, T, 10)` to scores `(B, classes, T')`, the pool over a sliding window.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class DSCNN(nn.Module):
    def __init__(self, *, channels: int, window: int, classes: int) -> None:
        super().__init__()
        self.window = window
        self.conv2d = nn.Conv2d(1, channels, (10, 4), 2)
        self.batch_normalization = nn.BatchNorm2d(channels, eps=1e-3)
        for block in range(4):
            suffix = f"_{block}" if block else ""
            depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
            self.add_module(f"depthwise_conv2d{suffix}", depthwise)
            self.add_module(f"conv2d_{block + 1}", nn.Conv2d(channels, channels, 1))
            for norm in (2 * block + 1, 2 * block + 2):
                bn = nn.BatchNorm2d(channels, eps=1e-3)
                self.add_module(f"batch_normalization_{norm}", bn)
        self.dense = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        part = self.get_submodule
        x = self.batch_normalization(self.conv2d(functional.pad(x, (1, 1, 4, 5)))).relu()
        for block in range(4):
            x = part(f"depthwise_conv2d_{block}" if block else "depthwise_conv2d")(x)
            x = part(f"batch_normalization_{2 * block + 1}")(x).relu()
            x = part(f"conv2d_{block + 1}")(x)
            x = part(f"batch_normalization_{2 * block + 2}")(x).relu()
        pooled = functional.avg_pool2d(x, (self.window, x.shape[3]), 1)
        return self.dense(pooled.squeeze(3).transpose(1, 2)).transpose(1, 2)

    def as_keras(self) -> dict[str, Tensor]:
        """The tensors under Keras's names, in its layout."""
        found: dict[str, Tensor] = {}
        for name, module in self.named_children():
            found[f"{name}.{'beta' if 'norm' in name else 'bias'}"] = module.bias
            if isinstance(module, nn.BatchNorm2d):
                found[f"{name}.gamma"] = module.weight
                found[f"{name}.moving_mean"] = module.running_mean
                found[f"{name}.moving_variance"] = module.running_var
            elif isinstance(module, nn.Linear):
                found[f"{name}.kernel"] = module.weight.T
            elif name.startswith("depthwise"):
                found[f"{name}.depthwise_kernel"] = module.weight.permute(2, 3, 0, 1)
            else:
                found[f"{name}.kernel"] = module.weight.permute(2, 3, 1, 0)
        return {name: each.detach().contiguous() for name, each in found.items()}
