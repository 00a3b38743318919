"""From what a file holds to flat names: envelopes are opened, and what training tools add goes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from codsl.weights.entry import Entry
from codsl.weights.refusal import refusal

ENVELOPES = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "params",
    "weights",
    "module",
    "blobs",
)
"""The keys under which checkpoints have their weights, in the order in which they are tried."""

BESIDE = frozenset(
    {"state_dict_ema", "model_ema", "ema", "ema_state_dict", "ema_model", "model_ema_state"}
    | {"optimizer", "optimizer_state", "optimizer_state_dict", "optimizer_states", "optim"}
    | {"scheduler", "lr_scheduler", "lr_schedulers", "scheduler_state_dict", "scaler", "amp"}
    | {"callbacks", "loops", "rng_state", "rng_states", "cuda_rng_state", "opt_state", "step"}
    | {"StructuredToParameterName@@", "loss", "criterion", "config", "cfg", "args", "epoch"}
)
"""What stands beside weights and is none of them; averaged weights are read where one asks."""

COLLECTIONS = frozenset({"params", "batch_stats", "intermediates", "cache", "constants", "state"})
"""The collections of a tree of Flax or Haiku, whose layers are the same."""

MOST = 1_000_000
"""Tensors and nodes of a checkpoint at most."""
DEEPEST = 100
"""Mappings and lists inside one another at most."""


@dataclass
class Flat:
    """Entries by flat name; `opened` is the way to them, `stripped` what their names began with."""

    entries: dict[str, Entry]
    opened: tuple[str, ...] = ()
    stripped: tuple[str, ...] = ()


def unwrap(tree: Any, origin: str, envelope: str | None = None, strip: bool = True) -> Flat:
    """The tensors of what a file holds, by the names that the network itself gave them.

    `envelope` is a key to open instead of the usual ones, with dots for several; of flat names it
    is the parts that the wanted ones begin with. Raises `WeightsError` where there is no such key,
    and for two tensors of one name.
    """
    opened: tuple[str, ...] = ()
    if envelope is not None:
        opened = tuple(envelope.split("."))
        tree = _chosen(tree, opened, origin)
    else:
        while (key := _envelope(tree)) is not None:
            opened, tree = (*opened, key), tree[key]
    found = chain.from_iterable(_flat(each, origin) for each in _merged(_unfolded(tree)))
    entries: dict[str, Entry] = {}
    for count, (name, entry) in enumerate(found):
        if count >= MOST:
            raise refusal("E0603", f"`{origin}` has more than {MOST} tensors")
        if name in entries:
            raise refusal("E0606", f"`{origin}` has two tensors that are called `{name}`")
        entries[name] = entry
    stripped: tuple[str, ...] = ()
    if strip:
        entries, stripped = _stripped(entries, origin)
    return Flat(entries, opened, stripped)


def _chosen(tree: Any, keys: tuple[str, ...], origin: str) -> Any:
    for depth, key in enumerate(keys):
        below = _below(tree, key)
        if below is None:
            known = [str(each) for each in tree if _nested(tree[each])] if _nested(tree) else []
            where = ".".join(keys[: depth + 1])
            helps = [f"there is {', '.join(f'`{each}`' for each in known[:8])}"] if known else []
            raise refusal("E0601", f"`{origin}` has no `{where}` to open", helps=helps)
        tree = below
    return tree


def _below(tree: Any, key: str) -> Any:
    """What stands under a key, or has it as the first part of its name; None where nothing does."""
    if isinstance(tree, list | tuple):
        return dict(zip(map(str, range(len(tree))), tree, strict=True)).get(key)
    if not isinstance(tree, Mapping) or key in tree:
        return tree[key] if isinstance(tree, Mapping) else None
    begun = {str(name): value for name, value in tree.items() if str(name).startswith(f"{key}.")}
    return {name.removeprefix(f"{key}."): value for name, value in begun.items()} or None


def _envelope(tree: Any) -> str | None:
    """The key that is to be opened, where the others beside it are no weights."""
    if not isinstance(tree, Mapping) or "batch_stats" in tree:
        return None
    for key in ENVELOPES:
        others = (tree[each] for each in tree if each != key and each not in BESIDE)
        if key in tree and _nested(tree[key]) and not any(map(_weighs, others)):
            return key
    return None


def _nested(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _weighs(value: object) -> bool:
    return bool(value.shape) if isinstance(value, Entry) else _nested(value)


def _unfolded(tree: Any) -> Any:
    """A mapping whose names are paths with slashes, as JAX and TensorFlow join them, as a tree;
    TensorFlow's `:0` goes, and Haiku's `~` for what a method made."""
    if not isinstance(tree, Mapping):
        return tree
    if tree and COLLECTIONS.issuperset(map(str, tree)):
        return {key: _unfolded(each) for key, each in tree.items()}
    if not any("/" in str(key) for key in tree):
        return tree
    unfolded: dict[str, Any] = {}
    for key, value in tree.items():
        parts = str(key).removesuffix(":0").split("/")
        path = [part for part in parts if part not in ("", "~")]
        if not path or not _put(unfolded, path, value):
            return tree
    return unfolded


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> bool:
    """Put a value at a path; whether nothing else is there."""
    *inner, leaf = path
    for part in inner:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            return False
    if isinstance(value, Mapping):
        return all(_put(tree, [leaf, str(key)], each) for key, each in value.items())
    return tree.setdefault(leaf, value) is value


def _merged(tree: Any) -> list[Any]:
    """The trees that are one: those of the collections of Flax or Haiku, or the tree alone."""
    if not isinstance(tree, Mapping) or not tree or not COLLECTIONS.issuperset(map(str, tree)):
        return [tree]
    if not all(isinstance(each, Mapping) for each in tree.values()):
        return [tree]
    return list(tree.values())


def _flat(tree: Any, origin: str) -> Iterator[tuple[str, Entry]]:
    """The entries by dotted names, in the order of the file."""
    stack: list[tuple[str, Any, int]] = [("", tree, 0)]
    seen = 0
    while stack:
        name, node, depth = stack.pop()
        seen += 1
        if seen > MOST or depth > DEEPEST:
            raise refusal("E0603", f"`{origin}` nests deeper or wider than any checkpoint does")
        if isinstance(node, Entry):
            yield name, node
        elif isinstance(node, Mapping):
            inner = [(_joined(name, key), value, depth + 1) for key, value in node.items()]
            stack += reversed(inner)
        elif isinstance(node, Sequence) and not isinstance(node, str | bytes):
            inner = [(_joined(name, at), value, depth + 1) for at, value in enumerate(node)]
            stack += reversed(inner)


def _joined(name: str, key: object) -> str:
    return f"{name}.{key}" if name else str(key)


def _stripped(entries: dict[str, Entry], origin: str) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """Names without what `torch.compile` put into them and DataParallel before them."""
    found = []
    for word, without in (("_orig_mod.", _without_compiled), ("module.", _without_parallel)):
        renamed = without(entries)
        if all(name == new for name, new in renamed.items()):
            continue
        if len(set(renamed.values())) < len(renamed):
            message = f"`{origin}` has two tensors of one name once `{word}` is taken off"
            raise refusal("E0606", message)
        found.append(word)
        entries = {renamed[name]: entry for name, entry in entries.items()}
    return entries, tuple(found)


def _without_compiled(names: Iterable[str]) -> dict[str, str]:
    return {name: ".".join(p for p in name.split(".") if p != "_orig_mod") for name in names}


def _without_parallel(names: Iterable[str]) -> dict[str, str]:
    names = list(names)
    every = all(name.startswith("module.") and name != "module." for name in names)
    return {name: name.removeprefix("module.") if every else name for name in names}
