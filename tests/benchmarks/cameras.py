"""Live streams that a core bears: `python tests/benchmarks/cameras.py` prints a table.

Cameras give 30 frames a second each, all at once; X3D-S answers every frame, one stream after the
other or all in one batch. Streams are added until more than one of a hundred answers is later than
the next frame. Nothing waits for the clock: frames are run in a row, each timed, and an answer is
late where it would have been.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

import codsl  # noqa: E402
from codsl.bench.contender import Absent, Fast, plain  # noqa: E402
from codsl.bench.footage import Footage, beyond, run_in  # noqa: E402
from codsl.bench.pick import picked  # noqa: E402
from codsl.bench.scene import Scene  # noqa: E402

RATE, FRAMES, MOST = 30, 200, 64
"""Frames a second, frames of a trial, and streams at most."""

Tick = Callable[[], object]
"""What happens whenever the cameras give a frame."""


def keeps_up(tick: Tick) -> bool:
    """Whether what happens with every frame keeps up with the clock."""
    tick()
    now, late = 0.0, 0
    for frame in range(FRAMES):
        now = max(now, frame / RATE)
        begin = perf_counter()
        tick()
        now += perf_counter() - begin
        late += now > (frame + 1) / RATE
    return late <= FRAMES // 100


def borne(ticks: Iterator[Tick]) -> int:
    """The most streams that keep up, of ticks for one stream, two and so on."""
    return next((count for count, tick in enumerate(ticks) if not keeps_up(tick)), MOST)


def step(name: str, scene: Scene) -> Tick:
    """A step of the streams of a scene. Raises `ValueError` where it is not to be had."""
    if name == "plain":
        found: Any = plain(scene)
    else:
        found = Fast(picked([name])[0])(scene)
    if isinstance(found, Absent):
        raise ValueError(found.reason)
    (frame,) = scene.inputs()
    return lambda: found.run(frame)


def apart(name: str, scene: Callable[[int], Scene]) -> Iterator[Tick]:
    """Streams one after the other."""
    steps: list[Tick] = []
    for _ in range(MOST):
        steps.append(step(name, scene(1)))
        yield lambda: [each() for each in steps]


def together(name: str, scene: Callable[[int], Scene]) -> Iterator[Tick]:
    """Streams in one batch."""
    for streams in range(1, MOST + 1):
        yield step(name, scene(streams))


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = ["plain", "eager", "onnxruntime", "openvino"]
    parser.add_argument("--backends", nargs="*", default=names)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = codsl.build(ROOT / "networks" / "x3d.codsl", variant="s").eval()
    footage = Footage(net)
    with torch.inference_mode():
        state, _ = run_in(net, footage, beyond(net.graph), 0)

        def scene(streams: int) -> Scene:
            return Scene(deepcopy(net), footage, state, None, streams, 0)

        for name in options.backends:
            try:
                counts = borne(apart(name, scene)), borne(together(name, scene))
            except ValueError as error:
                print(f"{name:<12} {error}")
                continue
            print(f"{name:<12} {counts[0]} one after the other, {counts[1]} in a batch")


if __name__ == "__main__":
    main()
