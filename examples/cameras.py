"""Many streams in one batch: cameras that come and go, each with frames and a time of its own.

Every camera shows a bright square that moves, and gives of each frame what the network says of it.
One of them is also run alone, to show that company changes nothing.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import torch
from torch import Tensor

import codsl
from codsl.network import Network

MOTION = """codsl 1

network motion {
  input (1, T, 24, 24) rate 25
  stem = conv3d(8, 3, stride=(1, 2, 2), padding=1)
  relu
  block = residual {
    conv = conv3d(8, 3, padding=1)
    relu
  }
  adaptive_avg_pool3d(1, kernel_size=5)
  flatten
  scores = linear(4)
}
"""


class Camera:
    """A generated camera: where its square was at the beginning, and how fast it moves."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.frames = 0
        self.answers: list[Tensor] = []

    def frame(self) -> Tensor:
        """The next frame, `(1, 24, 24)`."""
        picture = torch.zeros(1, 24, 24)
        at = (self.number * 5 + self.frames * (1 + self.number % 3)) % 20
        picture[:, 8:12, at : at + 4] = 1
        self.frames += 1
        return picture


def watch(net: Network, ticks: int) -> list[Camera]:
    """Let cameras join, go and be answered together; all that there were."""
    slots = net.stream(slots=4)
    here: dict[int, Camera] = {}
    seen: list[Camera] = []
    for tick in range(ticks):
        if tick % 5 == 0 and len(here) < slots.slots:
            camera = Camera(len(seen))
            seen.append(camera)
            here[slots.join()] = camera
        rows = list(here)
        answers, due = slots.step(torch.stack([here[row].frame() for row in rows]), rows)
        for row, answer, is_due in zip(rows, answers, due, strict=True):
            if is_due:
                here[row].answers.append(answer)
        for row in [row for row in rows if here[row].frames == 30]:
            slots.leave(row)
            here.pop(row)
    return seen


def alone(net: Network, frames: int, number: int) -> list[Tensor]:
    """The answers to one camera that has the network for itself."""
    camera = Camera(number)
    net.reset()
    outputs = [net.forward_step(camera.frame()[None]) for _ in range(frames)]
    return [each[0] for each in outputs if each is not None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Watch all cameras, then one of them alone."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=100, help="frames of the clock")
    ticks = parser.parse_args(arguments).ticks

    torch.manual_seed(0)
    torch.set_num_threads(1)  # the layers are small: a second thread would only wait
    net = codsl.build(MOTION).eval()
    with torch.inference_mode():
        cameras = watch(net, ticks)
        for camera in cameras:
            print(f"camera {camera.number}: {camera.frames} frames, {len(camera.answers)} answers")
        one = max(cameras, key=lambda camera: (len(camera.answers), camera.number))
        expected = alone(net, one.frames, one.number)
    if not torch.allclose(torch.stack(one.answers), torch.stack(expected), atol=1e-5):
        sys.exit("company changed the answers")
    print(f"camera {one.number} alone: the same answers")


if __name__ == "__main__":
    main()
