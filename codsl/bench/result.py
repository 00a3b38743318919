"""What was measured, as plain data: JSON, a table and a picture are made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

AGREES, RESEMBLES = 1e-3, 0.25
"""How far an output may be from the network's, relative to the largest there is: in its precision,
and in a lower one."""

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
    network's relative to the largest; None where there is nothing to compare. `same` says that it
    promises these outputs, `exact` that it does so in the network's precision; `ready` are the
    seconds until it could take the first frame, `macs` the multiply-accumulates of a frame that
    the network has to do in this way; some do more.
    """

    name: str
    words: str
    ms: float
    least: float
    longest: float
    tail: float | None
    passes: int
    same: bool
    exact: bool
    apart: float | None
    ready: float
    macs: float

    @property
    def wrong(self) -> bool:
        """Whether it gives other outputs than it promises."""
        allowed = AGREES if self.exact else RESEMBLES
        return self.same and self.apart is not None and not self.apart <= allowed


@dataclass(frozen=True)
class Bound:
    """The limit, in milliseconds for a frame of one stream: by arithmetic and by memory, at so many
    operations of a matrix product and so many bytes of a copy a second. `tail` is that of the same
    arithmetic every time, about as long as a call of the quickest contender; None where there are
    too few to tell."""

    arithmetic: float
    memory: float
    flops: float
    bytes: float
    tail: float | None = None

    @property
    def ms(self) -> float:
        """The larger of the two."""
        return max(self.arithmetic, self.memory)


def titled(chunk: int, streams: int) -> str:
    """A kind of work, in words."""
    what = f"chunks of {chunk}" if chunk else "steps"
    return f"{what}, {streams} stream{'' if streams == 1 else 's'}"


@dataclass(frozen=True)
class Outcome:
    """One kind of work: steps, or chunks of so many frames, for so many streams.

    `absent` are the contenders that cannot run here, with the reasons; `strange` says that the
    network itself gave NaN or infinity.
    """

    chunk: int
    streams: int
    rows: tuple[Row, ...]
    absent: Mapping[str, str]
    bound: Bound
    strange: bool = False

    @property
    def title(self) -> str:
        """What is done, in words."""
        return titled(self.chunk, self.streams)

    @property
    def plain(self) -> Row:
        """The network itself."""
        return self.rows[0]

    def row(self, name: str) -> Row:
        """The contender of that name; raises `KeyError` where it is not there."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def best(self, among: Sequence[str], exact: bool = True) -> Row | None:
        """The fastest of these whose outputs are the network's; with `exact` in its precision."""
        right = [row for row in self.rows if row.name in among and not row.wrong]
        return min((row for row in right if row.exact or not exact), key=_ms, default=None)


def _ms(row: Row) -> float:
    return row.ms


@dataclass(frozen=True)
class Case:
    """A network, and what was measured of it; `total` is that of its report."""

    name: str
    total: Mapping[str, Any]
    backends: Sequence[str]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Series:
    """How the cost grows: a case for each value of what is varied."""

    name: str
    axis: str
    values: Sequence[int]
    cases: Sequence[Case]

    @property
    def contenders(self) -> list[str]:
        """Those that are there for all values."""
        every = [[row.name for row in case.outcomes[0].rows] for case in self.cases]
        return [name for name in every[0] if all(name in each for each in every)] if every else []


@dataclass(frozen=True)
class Results:
    """What was measured in one run on one machine."""

    machine: Machine
    cases: Sequence[Case] = ()
    series: Sequence[Series] = ()

    def plus(self, found: Case | Series) -> "Results":
        """These and one more."""
        if isinstance(found, Case):
            return replace(self, cases=(*self.cases, found))
        return replace(self, series=(*self.series, found))

    def to_dict(self) -> dict[str, Any]:
        """The results as JSON has them."""
        return {
            "codsl_bench": VERSION,
            "machine": asdict(self.machine),
            "cases": [_case(each) for each in self.cases],
            "series": [
                {
                    "name": each.name,
                    "axis": each.axis,
                    "values": list(each.values),
                    "cases": [_case(case) for case in each.cases],
                }
                for each in self.series
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Results":
        """The results that `to_dict` gave; raises `ValueError` for what is none."""
        if not isinstance(data, Mapping) or data.get("codsl_bench") != VERSION:
            raise ValueError(f"these are no results of `codsl bench`, version {VERSION}")
        try:
            return cls(
                Machine(**data["machine"]),
                tuple(map(_read_case, data["cases"])),
                tuple(
                    Series(each["name"], each["axis"], each["values"], cases)
                    for each in data["series"]
                    for cases in [tuple(map(_read_case, each["cases"]))]
                ),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"these results lack something: {error}") from None


def _case(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "total": dict(case.total),
        "backends": list(case.backends),
        "outcomes": [_outcome(each, case.backends) for each in case.outcomes],
    }


def _outcome(outcome: Outcome, backends: Sequence[str]) -> dict[str, Any]:
    best = outcome.best(backends)
    return {
        **asdict(outcome),
        "rows": [{**asdict(row), "apart": _finite(row.apart)} for row in outcome.rows],
        "absent": dict(outcome.absent),
        "best": best and best.name,
    }


def _finite(value: float | None) -> float | None:
    """A figure as JSON can have it: without end is beyond all that agrees."""
    return None if value is None else 1e9 if not value < 1e9 else value


def _read_case(data: Mapping[str, Any]) -> Case:
    outcomes = (
        Outcome(
            each["chunk"],
            each["streams"],
            tuple(Row(**row) for row in each["rows"]),
            each["absent"],
            Bound(**each["bound"]),
            each.get("strange", False),
        )
        for each in data["outcomes"]
    )
    return Case(data["name"], data["total"], tuple(data["backends"]), tuple(outcomes))
