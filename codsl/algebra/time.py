"""When a node sees what, and when it speaks: all that others may ask of time.

A node's time is relative to the frames that enter it. Its users compose and join times, ask
what is emitted, read and kept, and look at the named numbers; none of them calculates with these.
"""

from codsl.algebra.clip import length, longest, lost, rate, shortens
from codsl.algebra.formulas import crops, remembers, sees, spreads, steady, stretches, waits
from codsl.algebra.period import IDENTITY, Phase, Time
from codsl.algebra.series import MOST, Disagreement, Unsteady, compose, join
from codsl.algebra.stream import backlog, burst, emits, hold, postponed, reads, spare

__all__ = [
    "IDENTITY",
    "MOST",
    "Disagreement",
    "Phase",
    "Time",
    "Unsteady",
    "backlog",
    "burst",
    "compose",
    "crops",
    "emits",
    "hold",
    "join",
    "length",
    "longest",
    "lost",
    "postponed",
    "rate",
    "reads",
    "remembers",
    "sees",
    "shortens",
    "spare",
    "spreads",
    "steady",
    "stretches",
    "waits",
]
