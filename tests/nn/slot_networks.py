"""Networks for slots: layers of every way of remembering, small and named apart."""

from __future__ import annotations

from itertools import count
from typing import Any

import torch
from torch import Tensor

import codsl
from codsl.network import Network
from harness.contract import randomise


def built(spec: Any, dtype: torch.dtype | None = torch.float64, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, seed)
    return net


def of(*layers: Any, space: tuple[int, ...] = (), dtype: torch.dtype = torch.float64) -> Network:
    return built({"codsl": 1, "input": [2, "T", *space], "layers": list(layers)}, dtype)


NUMBERS = count()


def conv(kernel: int, **options: Any) -> dict[str, Any]:
    sizes = {"name": f"conv{next(NUMBERS)}", "out_channels": 2, "kernel_size": kernel}
    return {"conv1d": {**sizes, **options}}


def pool(word: str, kernel: int, stride: int = 1, padding: Any = 0, **options: Any) -> Any:
    sizes = {"kernel_size": kernel, "stride": stride, "padding": padding}
    return {f"{word}_pool1d": {**sizes, **options}}


def up(kernel: int, factor: int, padding: int = 0) -> dict[str, Any]:
    sizes = {"out_channels": 2, "kernel_size": kernel, "stride": factor, "padding": padding}
    return {"conv_transpose1d": {"name": f"up{next(NUMBERS)}", **sizes}}


KINDS: dict[str, tuple[Any, ...]] = {
    "nothing": ("relu",),
    "window": (conv(3), conv(3)),
    "zeros": (conv(3, padding=1), conv(5, padding="same")),
    "replicate": (conv(3, padding=2, padding_mode="replicate", dilation=2), conv(3, padding=1)),
    "replicated averages": (pool("avg", 4, 1, [[2, 1]], temporal_fill="replicate"), conv(2)),
    "minus infinity": (conv(1), pool("max", 3, 1, 1), pool("max", 5, 1, [[4, 0]])),
    "zeros in a max pool": (conv(1), pool("max", 3, 1, 1, temporal_fill="zeros")),
    "cut": (conv(1), pool("avg", 4, 1, [[2, 2]], count_include_pad=False), conv(3, padding=1)),
    "ceil": (conv(3, padding=1), pool("max", 3, 2, 1, ceil_mode=True)),
    "stride": (conv(3, padding=1, stride=2), conv(3, padding=1, stride=2)),
    "delay": (conv(3, padding=1), {"delay": 3}, conv(3, padding=1)),
    "residual": ({"residual": {"layers": [conv(3, padding=1), conv(5, padding=2)]}},),
    "crop": (conv(3, padding=1), {"residual": {"shrink": "lagging", "layers": [conv(4)]}}),
    "squeeze": (
        conv(3, padding=1),
        {
            "residual": {
                "shrink": "centered",
                "aggregation": "mul",
                "layers": [{"adaptive_avg_pool1d": {"output_size": 1, "kernel_size": 3}}],
            }
        },
    ),
    "strided join": (
        {
            "parallel": {
                "branches": [[conv(5, padding=2, stride=2)], [conv(3, padding=1, stride=2)]]
            }
        },
        conv(3, padding=1),
    ),
    "carried": (conv(3, padding=1), "mean_so_far", conv(3, padding=1), "mean_so_far"),
    "carried at a stride": (conv(3, padding=1, stride=2), "mean_so_far"),
    "attended": (conv(3, padding=1), "mean_nearby", "mean_nearby"),
    "spread": (conv(3, padding=1), "spread_out", conv(3, padding=1, stride=2)),
    "all": (
        conv(3, padding=1),
        {"residual": {"layers": ["mean_nearby", "mean_so_far", conv(3, padding=1)]}},
        pool("avg", 3, 2, 1, count_include_pad=False),
        "mean_so_far",
    ),
}

RAISED: dict[str, tuple[Any, ...]] = {
    "transposed": (up(4, 2, 1), conv(3, padding=1)),
    "cropped": (conv(3, padding=1), up(5, 2, 3)),
    "blind": (up(2, 3), conv(3)),
    "above and below": (up(3, 3), conv(3, stride=2, padding=1)),
    "nearest": (conv(3, padding=1), {"upsample": {"scale_factor": 3}}, conv(4)),
    "carried": (up(4, 2, 1), "mean_so_far", "mean_nearby"),
    "pooled": (up(4, 2), pool("avg", 3, 1, 1, count_include_pad=False)),
}


def noise(frames: int, batch: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 2, frames, generator=generator, dtype=torch.float64)
