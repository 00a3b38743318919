"""What was measured, as plain data: JSON, a table and a picture are made of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

AGREES = 1e-3
"""How far an output may be from the network's, relative to the largest there is, and still count
as the same in float32."""

VERSION = 1
"""Of the JSON."""


@dataclass(frozen=True)
class Machine:
    """A processor, and what runs on it."""

    processor: str
    cores: int
    threads: int
    system: str
    python: str
    torch: str
    date: str

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'' if self.threads == 1 else 's'} on {self.cores} cores"
        return f"{self.processor}, {threads}, torch {self.torch}, {self.date[:10]}"


@dataclass(frozen=True)
class Row:
    """A contender. `ms` is the median for a frame of one stream, `least` the least; `longest` is
    the frame of a turn that takes most, of all streams together.

    `tail` is the 99th percentile over the median, `apart` how far its outputs are from the
    network's relative to the largest; None where there is nothing to compare.
    """

    name: str
    words: str
    ms: float
    least: float
    longest: float
    tail: float | None
    passes: int
    same: bool
    apart: float | None

    @property
    def wrong(self) -> bool:
        """Whether it gives other outputs than it promises."""
        return self.same and self.apart is not None and not self.apart <= AGREES


@dataclass(frozen=True)
class Bound:
    """The limit, in milliseconds for a frame of one stream: by arithmetic and by memory."""

    arithmetic: float
    memory: float

    @property
    def ms(self) -> float:
        """The larger of the two."""
        return max(self.arithmetic, self.memory)


@dataclass(frozen=True)
class Outcome:
    """One kind of work: steps, or chunks of so many frames, for so many streams.

    `absent` are the contenders that cannot run here, with the reasons.
    """

    chunk: int
    streams: int
    rows: tuple[Row, ...]
    absent: Mapping[str, str]
    bound: Bound

    @property
    def title(self) -> str:
        """What is done, in words."""
        what = f"chunks of {self.chunk}" if self.chunk else "steps"
        return f"{what}, {self.streams} stream{'' if self.streams == 1 else 's'}"

    @property
    def plain(self) -> Row:
        """The network itself."""
        return self.rows[0]

    def best(self, among: tuple[str, ...]) -> str | None:
        """The fastest of these whose outputs are the network's."""
        right = [row for row in self.rows if row.name in among and not row.wrong]
        return min(right, key=lambda row: row.ms).name if right else None


@dataclass(frozen=True)
class Case:
    """A network, and what was measured of it; `total` is that of its report."""

    name: str
    total: Mapping[str, Any]
    backends: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Results:
    """What was measured in one run on one machine; `flops` is the rate of its matrix products."""

    machine: Machine
    flops: float
    cases: tuple[Case, ...]

    def to_dict(self) -> dict[str, Any]:
        """The results as JSON has them."""
        return {
            "codsl_bench": VERSION,
            "machine": asdict(self.machine),
            "flops": self.flops,
            "cases": [_case(each) for each in self.cases],
        }


def _case(case: Case) -> dict[str, Any]:
    outcomes = [
        {
            **asdict(each),
            "rows": [{**asdict(row), "apart": _finite(row.apart)} for row in each.rows],
            "absent": dict(each.absent),
            "best": each.best(case.backends),
        }
        for each in case.outcomes
    ]
    return {
        "name": case.name,
        "total": dict(case.total),
        "backends": list(case.backends),
        "outcomes": outcomes,
    }


def _finite(value: float | None) -> float | None:
    """A figure as JSON can have it: without end is beyond all that agrees."""
    return None if value is None else min(value, 1e9)
