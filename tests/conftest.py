"""One thread and quick seeds for torch in all tests, long tests first, and the classes of random
networks in the summary."""

from collections import Counter
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import pytest

torch.set_num_threads(1)
if not torch.cuda.is_available():
    # Torch's own writes down a traceback for each kind of device that is not there.
    torch.manual_seed = torch.default_generator.manual_seed


def pytest_collection_modifyitems(items: "list[pytest.Item]") -> None:
    """Begin with what takes longest, so that processes which share the tests end together."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """How many random networks had what, whichever process they ran in."""
    hits: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        hits.update(dict(report.user_properties).get("networks", {}))
    if hits:
        terminalreporter.section("random networks")
        for name in sorted(hits):
            terminalreporter.write_line(f"{hits[name]:6}  {name}")
