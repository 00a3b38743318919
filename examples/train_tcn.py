"""Train a network on clips, then run it on a stream: the same accuracy, frame by frame.

A noisy tone changes its pitch every so often, and the network says at every sample which of three
pitches it is: one sample alone does not tell. Nothing is downloaded; it takes some seconds.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import torch
from torch import Tensor

import codsl
from codsl.network import Network

TCN = """codsl 1

template unit(dilation: int) {
  residual {
    conv = conv1d(in_channels, 3, padding="same", dilation=dilation)
    norm = batch_norm1d
    relu
  }
}

network tones(width = 16, depth = 4) {
  input (1, T) rate 100
  stem = conv1d(width, 3, padding="same")
  unit[i in 1..depth] = unit(dilation=2 ** (i - 1))
  scores = conv1d(3, 1)
}
"""
PITCHES = torch.tensor([0.04, 0.08, 0.16])
"""In turns a sample."""


def tones(clips: int, samples: int = 160, held: int = 40) -> tuple[Tensor, Tensor]:
    """Noisy clips `(B, 1, T)`, and which pitch each sample has, `(B, T)`."""
    which = torch.randint(len(PITCHES), (clips, samples // held)).repeat_interleave(held, 1)
    turns = PITCHES[which].cumsum(1) + torch.rand(clips, 1)
    noisy = torch.sin(2 * torch.pi * turns) + 0.5 * torch.randn(clips, samples)
    return noisy[:, None], which


def train(net: Network, steps: int) -> None:
    """Fit the network to clips made on the spot."""
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    net.train()
    for step in range(1, steps + 1):
        clips, which = tones(16)
        loss = torch.nn.functional.cross_entropy(net(clips), which)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 25 == 0:
            print(f"step {step:4}    loss {loss.item():.3f}")


def streamed(net: Network, clips: Tensor) -> Tensor:
    """What the network says of the clips when it gets one sample at a time, `(B, 3, T)`."""
    net.reset()
    outputs = [net.forward_step(clips[:, :, t]) for t in range(clips.shape[2])]
    due = torch.stack([each for each in outputs if each is not None], 2)
    return torch.cat([due, net.flush()], 2)


def accuracy(scores: Tensor, which: Tensor) -> float:
    """The share of samples whose pitch has the highest score."""
    return (scores.argmax(1) == which).double().mean().item()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, then compare the clip with the stream."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100, help="of training")
    steps = parser.parse_args(arguments).steps

    torch.manual_seed(0)
    torch.set_num_threads(1)  # the layers are small: a second thread would only wait
    net = codsl.build(TCN)
    print(f"sees {net.receptive_field} samples, answers {net.delay} samples late")
    train(net, steps)

    net.eval()
    clips, which = tones(32)
    with torch.inference_mode():
        clip, stream = net(clips), streamed(net, clips)
    print(f"accuracy of the clips   {accuracy(clip, which):.4f}")
    print(f"accuracy of the stream  {accuracy(stream, which):.4f}")
    if not torch.allclose(stream, clip, atol=1e-5):
        sys.exit("the stream is not the clip")


if __name__ == "__main__":
    main()
