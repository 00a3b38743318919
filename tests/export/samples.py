"""Networks that are exported, and the program beside a model run where there is no codsl."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import codsl
from codsl.export import proof
from codsl.export.rings import Rings
from harness.contract import randomise

if TYPE_CHECKING:
    from pathlib import Path

    from codsl.nn.running.program import Program

SPECS = {
    "video": """codsl 1
network video {
  input (2, T, 6, 6)
  normalize((0.5, 0.4), 0.25)
  stem = conv3d(4, 3, padding=1, padding_mode="replicate")
  batch_norm3d
  relu
  residual { conv = conv3d(4, 3, padding=1) relu }
  max_pool3d(3, stride=1, padding=1)
  down = conv3d(3, (3, 1, 1), stride=(2, 1, 1))
}
""",
    "signals": """codsl 1
network signals {
  inputs slow (3, T), quick (2, T)
  outputs both, tap
  memory = lstm(4) from quick
  tap = conv1d(2, 3, padding="causal")
  up = conv1d(4, 3, padding=1) from slow
  attended = transformer_encoder_layer(2, 8, past=3)
  both = join(aggregation="concat") from tap, attended
}
""",
    "rates": """codsl 1
network rates {
  input (2, T)
  down = conv1d(4, 3, stride=2, padding=1)
  avg_pool1d(3, stride=1, padding=1, count_include_pad=false)
  up = conv_transpose1d(3, 4, stride=4, padding=1)
}
""",
    "heard": """codsl 1
network heard {
  input (1, T)
  stft(8, 4)
  mel(3, 16000)
  log(eps=0.1)
  conv = conv1d(2, 2)
}
""",
    "twice": """codsl 1
network twice {
  input (2, T)
  first = conv1d(64, 3, stride=2, padding=1)
  relu
  second = conv1d(64, 3, stride=2)
  pointwise = conv1d(128, 1)
}
""",
    "joined": """codsl 1
network joined {
  input (2, T)
  outputs both, quick
  quick = conv1d(3, 3, padding=1)
  down = conv1d(4, 3, stride=2, padding=1)
  memory = lstm(4)
  up = conv_transpose1d(3, 2, stride=2)
  both = join(aggregation="sum") from up, quick
}
""",
    "plain": """codsl 1
network plain { input (2, T) conv = conv1d(3, 3) relu }
""",
}
ALONE = """import sys
sys.modules["codsl"] = None
import numpy as np
import run
clips = [np.load(path) for path in sys.argv[1:]]
made = {}
for _, name, y in run.stream(clips):
    made.setdefault(name, []).append(y)
np.savez("made.npz", **{name: np.concatenate(parts, 2) for name, parts in made.items()})
"""


def built(name: str, dtype: torch.dtype = torch.float32) -> codsl.Graph | Any:
    net = codsl.build(SPECS[name], dtype=dtype)
    randomise(net, 1)
    return net.eval()


def streamed_alone(folder: Path, clips: list[np.ndarray]) -> dict[str, np.ndarray]:
    """What the program in a folder gives, in a process that cannot import codsl."""
    paths = []
    for place, clip in enumerate(clips):
        np.save(folder / f"clip{place}.npy", clip)
        paths.append(f"clip{place}.npy")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *paths],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(folder / "made.npz") as made:
        return dict(made)


def streamed(net: Any, clips: list[np.ndarray]) -> dict[str, np.ndarray]:
    """What the network gives of the same."""
    xs = [torch.from_numpy(clip) for clip in clips]
    names = [inlet.name for inlet in net.graph.inputs]
    net.reset()
    with torch.no_grad():
        ys = net.forward_steps(dict(zip(names, xs, strict=True)) if names[0] else xs[0])
    outputs = ys if isinstance(ys, dict) else {"output": ys}
    return {name: y.numpy() for name, y in outputs.items()}


def runs(step: Any, layout: Any) -> Any:
    """A step where it is, as a runtime runs it."""
    return lambda given: dict(
        zip(layout.made, step(*(given[name] for name in layout.given)), strict=True)
    )


def proved(run: Any, program: Program, layout: Any) -> proof.Proof:
    """How what runs a step does."""
    return proof.prove(Rings(layout, proof.ROWS, run), program, layout)
