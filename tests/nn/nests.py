"""Random networks of the language, put together by hand: the same layers in `codsl.nn`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from by_hand import layer_of

import codsl.nn as co
from codsl.algebra.shape import Frame
from codsl.algebra.time import lost
from codsl.layers.table import table
from codsl.nn.classes import hand_class
from codsl.nn.running.trace import Trace


def nest(spec: dict[str, Any]) -> Any:
    """The network of a spec by hand; what has no name there has a number here."""
    channels, _, *space = spec["input"]
    return chain(spec["layers"], Frame(channels, tuple(space)))


def chain(layers: list[Any], x: Frame) -> Any:
    """Statements one after another."""
    made: OrderedDict[str, Any] = OrderedDict()
    entries = list(layers)
    while entries:
        entry = entries.pop(0)
        ((kind, given),) = entry.items() if isinstance(entry, dict) else [(entry, {})]
        given = {"delay": given} if isinstance(given, int) else dict(given)
        name = given.pop("name", str(len(made)))
        if kind == "identity" and entries and "sequential" in entries[0]:
            module = forked([entries.pop(0), entries.pop(0)], entries.pop(0)["join"], x)
            name = str(len(made))
        else:
            module = one(kind, given, x)
        made[name] = module
        x = after(module, x)
    return co.Sequential(made)


def one(kind: str, given: dict[str, Any], x: Frame) -> Any:
    """A layer or a block."""
    match kind:
        case "residual":
            return residual(given, x)
        case "parallel":
            branches = given["branches"]
            named = branches.items() if isinstance(branches, dict) else enumerate(branches)
            parts = OrderedDict((str(name), chain(branch, x)) for name, branch in named)
            return co.BroadcastReduce(parts, reduce=given["aggregation"])
        case "delay":
            return co.Delay(given["delay"])
        case "identity":
            return co.Identity()
        case "glu":
            return co.GLU(1)
        case "add" | "reshape":
            return hand_class(table()[kind])(**given)
        case "recycling_positional_encoding" | "normalize" | "stft" | "mel":
            return layer_of(kind, {**given, "dtype": torch.float64}, x)
        case "linear":
            return co.Linear(x.channels, **given, channel_dim=1)
    return layer_of(kind, given, x)


def residual(given: dict[str, Any], x: Frame) -> Any:
    """`co.Residual`, or the same with a shortcut of its own."""
    body = chain(given["layers"], x)
    word, shrink = given["aggregation"], given.get("shrink", False)
    time = body.time
    if "shortcut" not in given and time.stride == 1:
        return co.Residual(body, reduce=word, residual_shrink=shrink)
    shortcut = chain(given.get("shortcut", []), x)
    fewer = max(0, lost(shortcut.time, time)) if shrink else 0
    front = {"lagging": 0, "leading": fewer, "centered": fewer // 2}.get(shrink, 0)
    shortcut.append(co.Crop(front, fewer - front))
    return co.BroadcastReduce(shortcut, body, aggregation=word)


def forked(sides: list[Any], join: dict[str, Any], x: Frame) -> Any:
    """Two blocks of one input that meet in a join."""
    parts = [side["sequential"] for side in sides]
    named = OrderedDict((part["name"], chain(part["layers"], x)) for part in parts)
    return co.BroadcastReduce(named, reduce=join["aggregation"])


def after(module: Any, x: Frame) -> Any:
    """The frame that a module makes of `x`."""
    trace = Trace([x])
    return trace.frames[module.lay(trace, "", 0)]
