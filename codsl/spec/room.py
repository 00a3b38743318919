"""How large a network may become once everything is written out."""

from codsl.diagnostics import Findings
from codsl.source import Span

MOST = 20_000
"""Layers and other statements at most."""
DEEPEST = 64
"""Blocks and templates inside one another at most."""


class Full(Exception):
    """The network has become too large; the reason is reported."""


class Room:
    """What is left for statements, of which each takes a place."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._taken = 0

    def take(self, at: Span, depth: int) -> None:
        """Take the place of one statement; raises `Full` where there is none, or none so deep."""
        self._taken += 1
        if self._taken > MOST:
            message = f"the network is larger than {MOST} layers, written out"
            self._findings.add("E0311", message, at)
            raise Full
        if depth > DEEPEST:
            self._findings.add("E0106", f"blocks nest {DEEPEST} deep at most", at)
            raise Full

    def check(self, times: int, at: Span) -> None:
        """Raise `Full` where so many repetitions have no place."""
        if times > MOST - self._taken:
            message = f"{times} repetitions make the network larger than {MOST} layers"
            self._findings.add("E0311", message, at)
            raise Full
