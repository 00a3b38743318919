"""Why a file, or what is in it, is refused."""

import os
from collections.abc import Sequence

from codsl.diagnostics import Diagnostic, Help, SpecError


class WeightsError(SpecError):
    """Everything that is wrong with weights, in `diagnostics`; nothing was loaded or written."""


def refusal(
    code: str, message: str, notes: Sequence[str] = (), helps: Sequence[str] = ()
) -> WeightsError:
    """One thing that is wrong."""
    remedies = tuple(Help(each) for each in helps)
    return WeightsError((Diagnostic(code, message, (), tuple(notes), remedies),))


def unreadable(path: str | os.PathLike[str], reason: str, *helps: str) -> WeightsError:
    """A file that is not what it should be: no such file, cut short, of another kind (E0601)."""
    return refusal("E0601", f"`{os.fspath(path)}` cannot be read: {reason}", helps=helps)


def unsafe(path: str | os.PathLike[str], reason: str, *helps: str) -> WeightsError:
    """A file that asks for code to be run, or for other files to be opened (E0602)."""
    return refusal("E0602", f"`{os.fspath(path)}` is not safe to read: {reason}", helps=helps)


def oversized(path: str | os.PathLike[str], reason: str, *helps: str) -> WeightsError:
    """A file that claims more than it holds (E0603)."""
    return refusal("E0603", f"`{os.fspath(path)}` claims too much: {reason}", helps=helps)
