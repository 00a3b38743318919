"""The types of what a caller gives."""

import torch
from torch import nn


def check_network(net: object) -> None:
    """Raise `TypeError` for what has no weights of its own."""
    if not isinstance(net, nn.Module):
        raise TypeError(f"a network is a module of torch, not {type(net).__name__}")


def check_held(net: nn.Module) -> None:
    """Raise `ValueError` for a network whose tensors hold no numbers yet."""
    if any(tensor.is_meta for tensor in net.state_dict(keep_vars=True).values()):
        raise ValueError("the network is on `meta`, without numbers: `net.to_empty(device='cpu')`")


def check_writable(net: nn.Module) -> None:
    """Raise `ValueError` for a network whose tensors cannot be written to."""
    check_held(net)
    tensors = net.state_dict(keep_vars=True).values()
    if not torch.is_inference_mode_enabled() and any(each.is_inference() for each in tensors):
        raise ValueError("the network was built in `torch.inference_mode()`: build it outside")


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
