"""One thread and quick seeds for torch in all tests, little garbage collection, long tests first,
and the classes of random networks in the summary."""

import gc
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

gc.set_threshold(10_000, 20, 20)


def pytest_collectstart() -> None:
    """Set up torch before the first test is read, in the processes that read any."""
    _set_up_torch()


@cache
def _set_up_torch() -> None:
    import torch

    torch.set_num_threads(1)
    if not torch.cuda.is_available():
        # Torch's own writes down a traceback for each kind of device that is not there.
        torch.manual_seed = torch.default_generator.manual_seed


def pytest_collection_modifyitems(items: "list[pytest.Item]") -> None:
    """Begin with what takes longest, so that processes which share the tests end together."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_collection_finish() -> None:
    """Leave out of every collection of garbage what stays until the end: torch, and all tests."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """How many random networks had what, whichever process they ran in."""
    hits: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        hits.update(dict(report.user_properties).get("networks", {}))
    if hits:
        terminalreporter.section("random networks")
        for name in sorted(hits):
            terminalreporter.write_line(f"{hits[name]:6}  {name}")
