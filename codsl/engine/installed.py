"""Whether what something needs is installed, and how to have it."""

from collections.abc import Mapping
from importlib.util import find_spec


class NotInstalled(ImportError):
    """A package or a program is needed that is not there."""


def missing(packages: Mapping[str, str]) -> str:
    """The first of some packages that is not here; empty where all are."""
    return next((name for name in packages if find_spec(name) is None), "")


def check_installed(who: str, packages: Mapping[str, str], lacks: str) -> None:
    """Raise `NotInstalled` where one of the packages is missing, with the extra of codsl that
    brings it, or where something lacks, as it is said."""
    if name := missing(packages):
        remedy = f'pip install "codsl[{packages[name]}]"'
        raise NotInstalled(f"{who} needs the package `{name}`: {remedy}")
    if lacks:
        raise NotInstalled(f"{who} needs {lacks}")
