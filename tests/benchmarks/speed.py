"""The figures in the README: `python tests/benchmarks/speed.py RESULTS.json` writes them anew.

RESULTS.json is what `codsl bench --bfloat16 --json` wrote on a quiet machine. It is kept as
`docs/speed.json`; of it are made `docs/speed.svg`, and the tables between two marks in the README.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from codsl.bench.contender import CLIP  # noqa: E402
from codsl.bench.peer import PEER  # noqa: E402
from codsl.bench.picture import svg  # noqa: E402
from codsl.bench.result import Case, Outcome, Results, Row  # noqa: E402
from codsl.bench.table import milliseconds, times  # noqa: E402
from codsl.graph.report import amount  # noqa: E402
from codsl.report.save import write  # noqa: E402

README, DATA, PICTURE = ROOT / "README.md", ROOT / "docs/speed.json", ROOT / "docs/speed.svg"
BEGIN, END = "<!-- made by tests/benchmarks/speed.py -->\n", "<!-- end -->\n"


def section(results: Results) -> str:
    """What stands between the marks."""
    steps = [(case, found) for case in results.cases if (found := outcome(case, 0, 1))]
    lower = any(
        not row.exact for case, found in steps for row in found.rows if row.name in case.backends
    )
    rows = [step_row(case, lower) for case, _ in steps]
    lines = [f"Milliseconds of a frame of one stream, on {results.machine}:", "", *table(rows)]
    wide = [case for case in results.cases if outcome(case, 0, 16) and outcome(case, 16, 1)]
    if wide:
        lines += ["", "The same for 16 streams in one batch, and for chunks of 16 frames:", ""]
        lines += table([wide_row(case) for case in wide])
    return "\n".join(lines) + "\n"


def outcome(case: Case, chunk: int, streams: int) -> Outcome | None:
    """What was measured of one kind of work, if it was."""
    return next((o for o in case.outcomes if (o.chunk, o.streams) == (chunk, streams)), None)


def step_row(case: Case, lower: bool) -> dict[str, str]:
    """A network's steps; with `lower` also in lower precisions."""
    found = outcome(case, 0, 1)
    if found is None:
        raise ValueError(f"no steps of `{case.name}` were measured")
    best, low = found.best(case.backends), found.best(case.backends, exact=False)
    return {
        "network": case.name,
        "MACs": amount(case.total["macs"]),
        "a clip again": figure(named(found, CLIP), best),
        PEER: figure(named(found, PEER), best),
        "`forward_step`": figure(found.plain, best),
        "`compile_step`": figure(named(found, "eager"), best),
        "the best backend": chosen(best),
        **({"in any precision": chosen(low)} if lower else {}),
        "limit": milliseconds(found.bound.ms),
    }


def wide_row(case: Case) -> dict[str, str]:
    """A network's steps of 16 streams, and its chunks."""
    steps, chunks = outcome(case, 0, 16), outcome(case, 16, 1)
    if steps is None or chunks is None:
        raise ValueError(f"no streams and chunks of `{case.name}` were measured")
    best, fastest = steps.best(case.backends), chunks.best(case.backends)
    return {
        "network": case.name,
        f"16 streams, {PEER}": figure(named(steps, PEER), best),
        "`forward_step`": figure(steps.plain, best),
        "the best backend": chosen(best),
        f"chunks, {PEER}": figure(named(chunks, PEER), fastest),
        "a clip in torch": figure(named(chunks, CLIP), fastest),
        "`forward_steps`": figure(chunks.plain, fastest),
        "that of `compile_step`": f"**{milliseconds(fastest.ms)}**" if fastest else "-",
    }


def named(outcome: Outcome, name: str) -> Row | None:
    """A contender, if it took part and was right."""
    return next((row for row in outcome.rows if row.name == name and not row.wrong), None)


def figure(row: Row | None, best: Row | None) -> str:
    """Milliseconds, and how many times those of the best they are."""
    if row is None:
        return "-"
    ratio = f" ({times(row.ms / best.ms)})" if best and row is not best else ""
    return milliseconds(row.ms) + ratio


def chosen(row: Row | None) -> str:
    """Milliseconds, and whose they are."""
    return f"**{milliseconds(row.ms)}** {row.name}" if row else "-"


def table(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """A table of Markdown, figures to the right."""
    if not rows:
        return
    yield f"| {' | '.join(rows[0])} |"
    yield f"| --- |{' --: |' * (len(rows[0]) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row.values())} |"


def picture(results: Results) -> str:
    """The picture: steps of one stream, and how they grow."""
    cases = [
        replace(case, outcomes=(found,))
        for case in results.cases
        if (found := outcome(case, 0, 1)) is not None
    ]
    return svg(replace(results, cases=cases))


def placed(text: str, inside: str) -> str:
    """A text with something else between the marks. Raises `ValueError` where there are none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README has no lines {BEGIN.strip()} and {END.strip()}")
    return f"{before}{begin}\n{inside}\n{end}{after}"


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, metavar="RESULTS.json")
    data = json.loads(parser.parse_args().results.read_text("utf-8"))
    results = Results.from_dict(data)
    write(json.dumps(data, indent=1) + "\n", DATA)
    write(picture(results), PICTURE)
    write(placed(README.read_text("utf-8"), section(results)), README)


if __name__ == "__main__":
    main()
