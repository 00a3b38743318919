"""What enters a network and what leaves it: frames and values, by name where there are several."""

from dataclasses import dataclass

from codsl.algebra.shape import Frame


@dataclass(frozen=True)
class Inlet:
    """A frame that enters a network; without a name where it is the only one."""

    name: str
    frame: Frame


@dataclass(frozen=True)
class Outlet:
    """A value that a network gives; without a name where it is the only one."""

    name: str
    value: int
