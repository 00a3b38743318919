"""The types of what a caller gives."""

from torch import nn


def check_network(net: object) -> None:
    """Raise `TypeError` for what has no weights of its own."""
    if not isinstance(net, nn.Module):
        raise TypeError(f"a network is a module of torch, not {type(net).__name__}")


def check_text(value: object, what: str) -> None:
    """Raise `TypeError` for what is neither a text nor left out."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{what} is a text, not {type(value).__name__}")


def check_known(known: object, rename: object, layout: object) -> None:
    """Raise `TypeError` for a name of a known checkpoint that is no text, or that comes with rules
    or a layout of its own."""
    check_text(known, "known")
    if known is not None and (rename is not None or layout is not None):
        raise TypeError("a `known` checkpoint has its rules and its layout in the spec")
