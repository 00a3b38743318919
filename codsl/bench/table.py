"""How results look in a terminal: a table for each kind of work, the ratios against the network."""

from collections.abc import Iterator, Sequence

from codsl.bench.result import Case, Outcome, Row, Series
from codsl.diagnostics import escape

COLUMNS = ("", "ms", "x plain", "% of limit", "p99/median", "apart", "ready s")


def text(found: Case | Series) -> str:
    """What was measured as a text."""
    if isinstance(found, Series):
        return "\n".join(_series(found))
    return "\n\n".join((escape(found.name), *(work(found, each) for each in found.outcomes)))


def work(case: Case, outcome: Outcome) -> str:
    """One kind of work of a case."""
    return "\n".join(_work(case, outcome))


def _series(series: Series) -> Iterator[str]:
    """A line for each value, a column for each contender that is there for all of them."""
    first = [case.outcomes[0] for case in series.cases]
    yield f"{escape(series.name)}: ms a frame of one stream"
    yield ""
    header = (series.axis, *series.contenders, "limit")
    rows = [
        (
            str(value),
            *(milliseconds(outcome.row(name).ms) for name in series.contenders),
            milliseconds(outcome.bound.ms),
        )
        for value, outcome in zip(series.values, first, strict=True)
    ]
    yield from aligned([header, *rows])


def _work(case: Case, outcome: Outcome) -> Iterator[str]:
    yield from aligned([(outcome.title, *COLUMNS[1:]), *cells(outcome)])
    yield from (f"{name}: {escape(why)}" for name, why in outcome.absent.items())
    if outcome.strange:
        yield "the network itself gives NaN or infinity on these frames"
    yield from _best(outcome, case.backends)


def _best(outcome: Outcome, backends: Sequence[str]) -> Iterator[str]:
    """What to take."""
    best, low = outcome.best(backends), outcome.best(backends, exact=False)
    if best is not None:
        yield f"best: {best.words}"
    if low is not None and low is not best:
        yield f"best in any precision: {low.words}, outputs {low.apart or 0:.1g} apart"


def cells(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """The table of an outcome: a row for each contender, then the limit."""
    bound = outcome.bound
    for row in outcome.rows:
        yield (
            escape(row.name),
            milliseconds(row.ms),
            f"{outcome.plain.ms / row.ms:.2f}",
            f"{100 * bound.ms / row.ms:.0f}",
            _tail(row.tail),
            _apart(row),
            f"{row.ready:.1f}" if row.ready else "",
        )
    why = "arithmetic" if bound.arithmetic >= bound.memory else "memory"
    times = f"{outcome.plain.ms / bound.ms:.2f}" if bound.ms else ""
    yield f"limit ({why})", milliseconds(bound.ms), times, "100", _tail(bound.tail), "", ""


def _tail(tail: float | None) -> str:
    return "" if tail is None else f"{tail:.2f}"


def milliseconds(ms: float) -> str:
    """A figure in three digits."""
    return f"{ms:.3g}" if ms < 100 else f"{ms:.0f}"


def times(ratio: float) -> str:
    """A ratio in two digits or whole: `0.8x`, `3.4x`, `60x`."""
    return f"{ratio:.2g}x" if ratio < 10 else f"{ratio:.0f}x"


def _apart(row: Row) -> str:
    if row.apart is None:
        return "" if row.same else "another work"
    return f"{row.apart:.0e}{' WRONG' if row.wrong else ''}"


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows as lines, words to the left and figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        figures = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *figures)).rstrip()
