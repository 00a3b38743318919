"""Results that nobody measured."""

from codsl.bench.result import Bound, Case, Machine, Outcome, Results, Row, Series

MACHINE = Machine("A <fast> & plain chip", 2, 1, "Linux", "3.11", "2.13", "2026-01-02T03:04:05")


def row(name: str, ms: float, apart: float | None = 1e-6, exact: bool = True) -> Row:
    words = f"{name} </svg> in words"
    return Row(name, words, ms, ms / 2, ms, 1.1, 200, apart is not None, exact, apart, 0.5, 1e6)


def outcome(chunk: int = 0, streams: int = 1) -> Outcome:
    rows = (
        row("plain", 8.0, 0.0),
        row("eager", 2.0),
        row("quick", 0.5, 0.5),
        row("low", 1.0, 2e-2, exact=False),
        row("clip", 32.0, None),
    )
    return Outcome(
        chunk, streams, rows, {"gone": "not installed: <b>"}, Bound(0.25, 0.1, 1e11, 1e10, 1.9)
    )


def case(name: str = "net") -> Case:
    total = {"params": 1000, "macs": 1e6}
    outcomes = (outcome(), outcome(16), outcome(0, 16))
    return Case(name, total, ("eager", "quick", "low", "gone"), outcomes)


RESULTS = Results(
    MACHINE, (case(), case("other")), (Series("depth", "layers", (1, 2, 4), (case(),) * 3),)
)
