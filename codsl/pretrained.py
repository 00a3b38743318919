"""A folder with a network in it, as model hubs keep one: spec, weights and `config.json`."""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codsl.graph.written import Written
from codsl.pipeline import build, check
from codsl.syntax.read import suffix
from codsl.weights.load import load_weights
from codsl.weights.refusal import unreadable
from codsl.weights.save import save_weights
from codsl.writing import in_place

if TYPE_CHECKING:
    import torch
    from torch import nn

    from codsl.network import Network

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
HELD = (
    WEIGHTS,
    f"{WEIGHTS}.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""The files that weights are in; the first that is there is taken."""
SURFACES = (".codsl", ".yaml", ".yml")
LARGEST = 1024 * 1024
"""Bytes of a `config.json` at most."""


@dataclass(frozen=True)
class Folder:
    """What is in a folder: the path of the spec, what it is given, and the path of the weights."""

    spec: Path
    variant: str | None
    params: Mapping[str, Any]
    weights: Path

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> "Folder":
        """What a folder holds. Raises `WeightsError` (E0601) where something is missing."""
        path = Path(path)
        if not path.is_dir():
            raise unreadable(path, "it is no folder")
        weights = next((path / name for name in HELD if (path / name).is_file()), None)
        if weights is None:
            raise unreadable(path, "it has no weights", f"what is read: {', '.join(HELD)}")
        told = _told(path / CONFIG)
        variant, params = told.get("variant"), told.get("params", {})
        if not isinstance(params, dict) or not isinstance(variant, str | None):
            raise unreadable(path / CONFIG, "its `variant` is no name, or its `params` no mapping")
        return cls(_spec(path, told.get("spec"), weights), variant, params, weights)


def _told(path: Path) -> dict[str, Any]:
    """What `config.json` says of codsl; nothing where it is not there."""
    if not path.exists():
        return {}
    told = _config(path).get("codsl", {})
    if not isinstance(told, dict):
        raise unreadable(path, "its `codsl` is no mapping")
    return told


def _config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise unreadable(path, f"it is larger than {LARGEST // 1024} KiB")
        config = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise unreadable(path, (error.strerror or str(error)).lower()) from None
    except (ValueError, RecursionError):
        raise unreadable(path, "it is no JSON") from None
    if not isinstance(config, dict):
        raise unreadable(path, "it is no mapping")
    return config


def _spec(path: Path, name: object, weights: Path) -> Path:
    """The file of the spec: the one that is told, else the only one, else the weights' own."""
    files = [each for each in path.iterdir() if each.is_file()]
    if name is not None:
        named = [each for each in files if each.name == name]
        if not named:
            raise unreadable(path, f"its {CONFIG} names the spec {str(name)[:80]!a}, not there")
        return named[0]
    found = sorted(each for each in files if each.suffix in SURFACES)
    if len(found) > 1:
        names = ", ".join(each.name for each in found[:8])
        help = f'say which in {CONFIG}: {{"codsl": {{"spec": "{found[0].name}"}}}}'
        raise unreadable(path, f"it has several specs: {names}", help)
    if not found and weights.name != WEIGHTS:
        raise unreadable(path, "it has no spec", f"put it there: a file {', '.join(SURFACES)}")
    return found[0] if found else weights


def from_pretrained(
    folder: str | os.PathLike[str],
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    device: "torch.device | str | None" = None,
    dtype: "torch.dtype | None" = None,
    **terms: Any,
) -> "Network":
    """A network out of a folder on this machine, with its weights, in `eval()`.

    The folder has `model.safetensors`, or what is in several files and an index
    (`model.safetensors.index.json`), or `pytorch_model.bin` likewise; the spec, in a file of its
    own or inside `model.safetensors`; and may have a `config.json`, whose `codsl` says the `spec`,
    its `variant` and its `params`. Those that are given go before. `terms` are those of
    `load_weights`: rules, a layout, what may be missing.

    Raises `WeightsError` where something is missing or does not fit, `SpecError` for a spec with
    mistakes. Nothing is fetched, and no code of the folder is run.
    """
    found = Folder.at(folder)
    variant = found.variant if variant is None else variant
    params = (found.params or None) if params is None else params
    net = build(check(found.spec, variant=variant, params=params), device=device, dtype=dtype)
    load_weights(net, found.weights, **terms)
    return net.eval()


def save_pretrained(net: "nn.Module", folder: str | os.PathLike[str]) -> None:
    """Write a network to a folder, which is made where it is not there: `from_pretrained` reads it.

    It gets `model.safetensors` with the spec inside, the spec as a file (`network.codsl` or
    `network.yaml`) unless it imports others, and `config.json`, of which what others have written
    stays. Raises `ValueError` for a network without a spec, and `WeightsError` for a `config.json`
    that is none.
    """
    written: Written | None = getattr(getattr(net, "graph", None), "written", None)
    if written is None:
        raise ValueError("a network without a spec cannot be built again: use `save_weights`")
    params = json.loads(written.to_metadata()["params"])
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    spec = WEIGHTS if written.imports else f"network{suffix(written.source.text)}"
    told = {"spec": spec, "variant": written.variant, "params": params}
    kept = _config(path / CONFIG) if (path / CONFIG).exists() else {}
    config = {**kept, "codsl": {name: each for name, each in told.items() if each}}
    texts = {CONFIG: json.dumps(config, indent=2) + "\n"}
    texts |= {} if written.imports else {spec: written.source.text}
    with ExitStack() as files:
        for name, text in texts.items():
            files.enter_context(in_place(path / name)).write_text(text, "utf-8")
        save_weights(net, path / WEIGHTS)
