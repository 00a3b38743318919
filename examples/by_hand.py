"""A network by hand with `codsl.nn`, without a spec: classes of torch.nn that also run on streams.

A small network for video is written with containers that line up what meets in them, and another
as a plain module of torch.nn that is made continual afterwards.
"""

import sys

import torch
from torch import Tensor, nn

import codsl.nn as co


def by_hand() -> co.Sequential:
    """A network for video in grey, `(1, T, 16, 16)`, that gives four scores."""
    block = co.Sequential(
        co.Conv3d(8, 8, 3, padding=1),
        nn.BatchNorm3d(8),  # modules of torch.nn become continual, and share their tensors
        nn.ReLU(),
        co.Conv3d(8, 8, (1, 3, 3), padding=(0, 1, 1)),
    )
    return co.Sequential(
        co.Conv3d(1, 8, (3, 3, 3), padding=(1, 1, 1)),
        co.Residual(block),  # the shortcut waits for the block: nobody writes the delay
        co.AdaptiveAvgPool3d(1, kernel_size=4),  # the mean over space and over four frames
        co.Flatten(),
        co.Linear(8, 4, channel_dim=1),
    )


class Gate(nn.Module):
    """A module of torch alone, for clips `(B, 8, T)`: nothing in it knows of streams."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Conv1d(8, 8, 3)
        self.gate = nn.Conv1d(8, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Gate the signal, and add what it was two items ago."""
        gated: Tensor = self.value(x) * torch.sigmoid(self.gate(x))
        return gated + x[:, :, :-2]


def streamed(net: co.CoModule, clip: Tensor) -> Tensor:
    """What a network gives frame by frame, and with the last one all that is left."""
    last = clip.shape[2] - 1
    outputs = [net.forward_step(clip[:, :, t]) for t in range(last)]
    due = [each[:, :, None] for each in outputs if each is not None]
    rest: Tensor = net.forward_steps(clip[:, :, last:], pad_end=True)
    return torch.cat([*due, rest], 2)


def compare(name: str, net: co.CoModule, clip: Tensor) -> None:
    """Run a network on the clip and on the stream, and tell both."""
    with torch.inference_mode():
        at_once, stream = net(clip), streamed(net, clip)
    print(
        f"{name}: sees {net.receptive_field} frames, answers {net.delay} late; "
        f"{tuple(at_once.shape)} from the clip, {tuple(stream.shape)} from the stream"
    )
    if not torch.allclose(at_once, stream, atol=1e-5):
        sys.exit("the stream is not the clip")


def main() -> None:
    """Stream both networks."""
    torch.manual_seed(0)
    compare("by hand", by_hand().eval(), torch.rand(1, 1, 20, 16, 16))
    compare("made continual", co.continual(Gate()).eval(), torch.rand(1, 8, 20))


if __name__ == "__main__":
    main()
