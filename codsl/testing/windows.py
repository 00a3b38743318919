"""Which frames an output depends on, seen by spoiling each."""

import math
from typing import Any

import torch
from torch import Tensor

from codsl.nn.nest import leaves
from codsl.testing.comparison import demand
from codsl.testing.draws import over
from codsl.testing.trial import LONGEST, ROOM, Trial


def depends_as_declared(trial: Trial, _: Any = None) -> None:
    """The oldest and the newest frame that poison output `j` are where the report has them.

    An endless past goes back to the first frame, or to the first that strides do not leap over.
    Where the clip is shorter than all that a network declares, only that it declares no less. An
    output of bias alone is poisoned by none.
    """
    trial.net.reset()
    frames = _showing(trial)
    x = over(trial.source.clip(frames), lambda each: each[:1])
    begin = trial.seen(frames)[0] + max(time.period for time in trial.graph.times) - 1
    tested = _tested(trial, frames, begin)
    clean = [y.isfinite() for y in trial.clip(x)]
    turned = _turned(trial, x, tested, clean)
    exact = trial.undisturbed(frames)
    for number, timing in enumerate(trial.declared.each):
        for j in range(clean[number].shape[2]):
            found = [t for t, hit in zip(tested, turned[number][:, j].tolist(), strict=True) if hit]
            oldest, newest, *_ = timing.output(j)
            within = all(oldest <= t <= newest for t in found)
            demand(within, f"output {j} sees more than declared: {found}, not {(oldest, newest)}")
            known = newest in tested and (math.isinf(oldest) or oldest in tested)
            if j in exact[number] and known:
                demand(bool(clean[number][:, :, j].all()), f"output {j} is not finite")
                ends = (found[0], found[-1]) if found else None
                first = min(found[0], begin) if math.isinf(oldest) and found else oldest
                wanted = (oldest, newest) if oldest <= newest else None
                same = ends == (wanted and (first, newest))
                demand(same, f"output {j} sees {ends}, not {wanted}")
                trial.counts["windows"] += 1


def _showing(trial: Trial) -> int:
    """Frames of a clip in which some item of every output has its whole window, and a period."""
    if not trial.whole:
        return trial.frames
    most = 4 * max(LONGEST, trial.frames)
    least = trial.declared.min_frames
    found = next((n for n in range(least, most) if all(trial.undisturbed(n))), None)
    demand(found is not None, f"no clip of {most} frames shows the declared window")
    return (found or 0) + trial.declared.period


def _tested(trial: Trial, frames: int, begin: int) -> list[int]:
    """The frames that are spoilt: all of them, or those at the ends of some windows; of an endless
    past up to that with which it begins at the latest."""
    if trial.every:
        return list(range(frames))
    endless = any(math.isinf(timing.reach) for timing in trial.declared.each)
    chosen = {*range(begin + 1 if endless else 1), frames - 1}
    for timing, exact in zip(trial.declared.each, trial.undisturbed(frames), strict=True):
        for j in exact[:1] + exact[-1:]:
            oldest, newest, *_ = timing.output(j)
            ends = (newest,) if math.isinf(oldest) else (int(oldest), newest)
            chosen.update(t + near for t in ends for near in (-1, 0, 1))
    return sorted(t for t in chosen if 0 <= t < frames)


def _turned(trial: Trial, x: Any, tested: list[int], clean: list[Tensor]) -> list[Tensor]:
    """For every output, which items `(tested, items)` a spoilt frame turns to nan."""
    frames = next(leaves(x)).shape[2]
    largest = max(frame.size for frame in trial.graph.frames) * frames * 8
    at_once = max(1, ROOM // largest)
    parts: list[list[Tensor]] = [[] for _ in clean]
    for start in range(0, len(tested), at_once):
        some = tested[start : start + at_once]

        def spoilt(each: Tensor, some: list[int] = some) -> Tensor:
            rows = each.repeat(len(some), *(1,) * (each.dim() - 1))
            rows[range(len(some)), :, some] = math.nan
            return rows

        for y, whole, part in zip(trial.clip(over(x, spoilt)), clean, parts, strict=True):
            part.append((y.isnan() & whole).movedim(2, 1).flatten(2).any(2))
    return [torch.cat(part) for part in parts]
