"""Two networks for EEG (Schirrmeister et al., 2017) in plain torch, under braindecode's names.

Clips `(B, electrodes, T)` to `(B, classes, T')`, without the softmax.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


class Layers(nn.Module):
    """Layers on `(B, filters, T, electrodes)`, by name and in order."""

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2).unsqueeze(1)
        for layer in self.children():
            x = layer(x)
        return x.squeeze(3)


class LogPower(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=1e-6).log()


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x


def entry(electrodes: int, filters: int, kernel: int) -> nn.Module:
    over_time = nn.Conv2d(1, filters, (kernel, 1))
    over_electrodes = nn.Conv2d(filters, filters, (1, electrodes), bias=False)
    return nn.Sequential(OrderedDict(conv_time=over_time, conv_spat=over_electrodes))


def classifier(filters: int, classes: int, window: int) -> nn.Module:
    return nn.Sequential(OrderedDict(conv_classifier=nn.Conv2d(filters, classes, (window, 1))))


def shallow(*, electrodes: int, filters: int, classes: int, window: int) -> Layers:
    return Layers(
        conv_time_spat=entry(electrodes, filters, 25),
        bnorm=nn.BatchNorm2d(filters),
        conv_nonlin_exp=Square(),
        pool=nn.AvgPool2d((75, 1), (15, 1)),
        pool_nonlin_exp=LogPower(),
        drop=nn.Dropout(0.5),
        final_layer=classifier(filters, classes, window),
    )


def deep4(*, electrodes: int, filters: int, kernel: int, classes: int, window: int) -> Layers:
    layers: dict[str, nn.Module] = {
        "conv_time_spat": entry(electrodes, filters, kernel),
        "bnorm": nn.BatchNorm2d(filters),
        "conv_nonlin": nn.ELU(),
        "pool": nn.MaxPool2d((3, 1), (3, 1)),
    }
    for block in (2, 3, 4):
        layers[f"drop_{block}"] = nn.Dropout(0.5)
        layers[f"conv_{block}"] = nn.Conv2d(filters, 2 * filters, (kernel, 1), bias=False)
        filters *= 2
        layers[f"bnorm_{block}"] = nn.BatchNorm2d(filters)
        layers[f"nonlin_{block}"] = nn.ELU()
        layers[f"pool_{block}"] = nn.MaxPool2d((3, 1), (3, 1))
    return Layers(**layers, final_layer=classifier(filters, classes, window))
