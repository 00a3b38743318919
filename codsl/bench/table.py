"""How results look in a terminal: a table for each kind of work, the ratios against the network."""

from collections.abc import Iterator, Sequence

from codsl.bench.result import Case, Outcome, Results, Row
from codsl.diagnostics import escape

COLUMNS = ("", "ms", "x plain", "% of limit", "p99/median", "apart")


def text(results: Results) -> str:
    """The results as a text."""
    lines = [escape(str(results.machine))]
    for case in results.cases:
        lines += ["", *_case(case)]
    return "\n".join(lines)


def _case(case: Case) -> Iterator[str]:
    yield escape(case.name)
    for outcome in case.outcomes:
        yield ""
        yield from aligned([(outcome.title, *COLUMNS[1:]), *cells(outcome)])
        yield from (f"{name}: {escape(why)}" for name, why in outcome.absent.items())
        best = outcome.best(case.backends)
        if best is not None:
            yield f"best: compile_step(backend={best!r})"


def cells(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """The table of an outcome: a row for each contender, then the limit."""
    bound = outcome.bound
    for row in outcome.rows:
        yield (
            escape(row.name),
            milliseconds(row.ms),
            f"{outcome.plain.ms / row.ms:.2f}",
            f"{100 * bound.ms / row.ms:.0f}",
            "" if row.tail is None else f"{row.tail:.2f}",
            _apart(row),
        )
    why = "arithmetic" if bound.arithmetic >= bound.memory else "memory"
    times = f"{outcome.plain.ms / bound.ms:.2f}"
    yield f"limit ({why})", milliseconds(bound.ms), times, "100", "", ""


def milliseconds(ms: float) -> str:
    """A figure in three digits."""
    return f"{ms:.3g}" if ms < 100 else f"{ms:.0f}"


def _apart(row: Row) -> str:
    if row.apart is None:
        return "another network" if not row.same else ""
    return f"{row.apart:.0e}{' WRONG' if row.wrong else ''}"


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows as lines, words to the left and figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        figures = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *figures)).rstrip()
