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
