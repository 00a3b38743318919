"""Pickles of arrays, as MegEngine, Paddle, Caffe2 and JAX have them: read and not run."""

from pathlib import Path
from typing import Any

from codsl.weights.entry import Entry, Tree
from codsl.weights.formats.doubt import Broken, Unsafe, guarded, quoted, refusing
from codsl.weights.formats.format import Format
from codsl.weights.formats.mapped import mapped
from codsl.weights.formats.opcodes import Value, unpickled
from codsl.weights.formats.stand_ins import (
    Budget,
    Encoded,
    Held,
    Kind,
    Named,
    Numbers,
    Thing,
)

DEEPEST = 100
"""Containers within one another at most."""

NAMES = {
    ("collections", "OrderedDict"): "dict",
    ("_codecs", "encode"): "encode",
    ("__builtin__", "bytes"): "bytes",
    ("builtins", "bytes"): "bytes",
    ("__builtin__", "bytearray"): "bytes",
    ("builtins", "bytearray"): "bytes",
    ("__builtin__", "set"): "list",
    ("builtins", "set"): "list",
    ("__builtin__", "frozenset"): "list",
    ("builtins", "frozenset"): "list",
    ("__builtin__", "object"): "object",
    ("builtins", "object"): "object",
    ("copy_reg", "_reconstructor"): "new",
    ("copyreg", "_reconstructor"): "new",
    ("numpy", "dtype"): "kind",
    ("numpy", "ndarray"): "ndarray",
    ("numpy.core.multiarray", "_reconstruct"): "array",
    ("numpy._core.multiarray", "_reconstruct"): "array",
    ("numpy.core.multiarray", "scalar"): "scalar",
    ("numpy._core.multiarray", "scalar"): "scalar",
    ("numpy.core.numeric", "_frombuffer"): "frombuffer",
    ("numpy._core.numeric", "_frombuffer"): "frombuffer",
    ("megengine.tensor", "Tensor"): "tensor",
    ("megengine.tensor", "Parameter"): "tensor",
    ("builtins", "tuple"): "tuple",
    ("__builtin__", "tuple"): "tuple",
    ("jax._src.array", "_reconstruct_array"): "jax",
    ("jax._src.device_array", "reconstruct_device_array"): "jax",
    ("haiku._src.data_structures", "FlatMapping"): "mapping",
    ("haiku._src.data_structures", "FlatMap"): "mapping",
    ("haiku._src.data_structures", "frozendict"): "mapping",
    ("flax.core.frozen_dict", "FrozenDict"): "mapping",
}
"""The names that mean something here."""

OPAQUE = {
    ("megengine.quantization.utils", "QParams"),
    ("megengine.quantization.utils", "LSQParams"),
    ("megengine.quantization.utils", "QuantMode"),
    ("megengine.core.tensor.dtype", "QuantDtypeMeta"),
}
"""The classes of what quantised tensors carry besides their integers: they are passed over."""

LEGACY_TORCH = bytes.fromhex("8a0a6cfc9c46f9206aa85019")
"""How files of torch begin, after the protocol, that are no zip archives."""

NUMBERS_ALONE = {
    "megengine": "save its numbers alone: `megengine.save(net.state_dict(), path)`",
    "paddle": "save its numbers alone: `paddle.save(net.state_dict(), path)`",
}


class Stands:
    """The names of `NAMES`, and with `modules` any other as a class of no code."""

    def __init__(self, size: int, modules: bool) -> None:
        self.modules = modules
        self.budget = Budget(size)

    def named(self, module: str, name: str) -> Named:
        """A name; `Unsafe` where it means nothing here and modules were not asked for."""
        known = (module, name) in NAMES or (module, name) in OPAQUE or module == "ml_dtypes"
        named = Named(module, name)
        if known or self.modules:
            return named
        framework = module.partition(".")[0]
        alone = NUMBERS_ALONE.get(framework, "save its arrays alone: `numpy.savez(path, **arrays)`")
        if framework in NUMBERS_ALONE:
            reason = f"it is a whole module or holds one, whose class {named} would have to run"
            raise Unsafe(reason, alone)
        raise Unsafe(f"it asks for {named}, whose code would have to run", alone)

    def called(self, function: Value, arguments: tuple[Value, ...]) -> Value:
        """The value of one of the known functions; of another, a thing of its name."""
        match _word(function), arguments:
            case "dict", ():
                return {}
            case "list", (list() as values,):
                return values
            case "bytes", ():
                return b""
            case "bytes", (memoryview() | bytes() | Encoded() as data,):
                return data
            case "encode", (str() as text, "latin1" | "latin-1"):
                return Encoded(text)
            case "kind", (name, *_):
                return Kind.of(name)
            case "array", (Named() as kind, (0,), _) if _word(kind) == "ndarray":
                return Numbers(self.budget)
            case "scalar", (kind, data):
                return Numbers(self.budget).fill((), kind, False, data)
            case "frombuffer", (data, kind, shape, "C" | "F" as order):
                return Numbers(self.budget).fill(shape, kind, order == "F", data)
            case "tuple", ((str(), Numbers() as numbers),):
                return Held(numbers)
            case "tuple", (list() | tuple() as values,):
                return tuple(values)
            case "jax", (Named() as kind, tuple() as given, state, _) if _word(kind) == "array":
                numbers = self.called(kind, given)
                numbers.build(state)
                return numbers
            case "mapping", (dict() as held,):
                return held
            case "new", (Named() as kind, Named(), None):
                return self.made(kind, ())
            case "", _:
                return Thing(function)
        raise Unsafe(f"it calls {_shown(function)} in a way that is not known")

    def made(self, kind: Value, arguments: tuple[Value, ...]) -> Value:
        """A tensor, or a thing of the class."""
        match _word(kind), arguments:
            case "tensor", ():
                return Held()
            case "tensor", (numbers, *_):
                return Held(numbers)
            case "dict", ():
                return {}
            case "", _:
                return Thing(kind)
        raise Unsafe(f"it makes a {_shown(kind)} in a way that is not known")

    def built(self, thing: Value, state: Value) -> None:
        """Give a stand-in its state; a dict keeps no attributes."""
        if isinstance(thing, Kind | Numbers | Held):
            thing.build(state)
        elif type(thing) is Thing and thing.state is None:
            thing.state = state
        elif type(thing) is not dict:
            raise Unsafe("it sets the state of what has none")

    def extended(self, thing: Value, items: list[Value]) -> None:
        """Append to a thing, as to a list."""
        if type(thing) is not Thing:
            raise Broken("it appends to what is no list")
        thing.values.extend(items)

    def filled(self, thing: Value, pairs: list[tuple[Value, Value]]) -> None:
        """Set items of a thing, as of a dict."""
        if type(thing) is not Thing:
            raise Broken("it sets items of what is no dict")
        thing.items.update(pairs)


def _word(named: Value) -> str:
    if type(named) is not Named:
        raise Unsafe("it calls what is no name")
    return NAMES.get((named.module, named.name), "")


def _shown(named: Value) -> str:
    return str(named) if type(named) is Named else "thing"


class Grown:
    """A tree out of stand-ins; what two hold is made once, and what holds itself is refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made: dict[int, tuple[Any, int]] = {}
        self.above: set[int] = set()

    def of(self, value: Value, depth: int = 0) -> Any:
        """The tree of a value."""
        return self._of(value, depth)[0]

    def _of(self, value: Value, depth: int) -> tuple[Any, int]:
        if isinstance(value, str | int | float | None):
            return value, 0
        if id(value) in self.above:
            raise Broken("it has a container that holds itself")
        if id(value) not in self.made:
            self.above.add(id(value))
            self.made[id(value)] = self._anew(value, depth + 1)
            self.above.remove(id(value))
        tree, height = self.made[id(value)]
        if depth + height > DEEPEST:
            raise Broken(f"it has more than {DEEPEST} containers within one another")
        return tree, height

    def _anew(self, value: Value, depth: int) -> tuple[Any, int]:
        if depth > DEEPEST:
            raise Broken(f"it has more than {DEEPEST} containers within one another")
        if type(value) is dict:
            held = {key: self._of(each, depth) for key, each in value.items()}
            tree: Any = {key: each for key, (each, _) in held.items()}
            return tree, 1 + max((height for _, height in held.values()), default=0)
        if type(value) in (list, tuple):
            several = [self._of(each, depth) for each in value]
            return [each for each, _ in several], 1 + max((h for _, h in several), default=0)
        if type(value) is Thing:
            tree, height = self._of(value.content, depth)
            return tree, height + 1
        if type(value) in (memoryview, bytes, Encoded):
            return bytes(value), 0
        entry = _entry(value)
        return entry and guarded(self.path, entry), 0


def _entry(value: Value) -> Entry | None:
    if type(value) is Held:
        value = value.numbers
        if type(value) is not Numbers:
            raise Broken("it has a tensor without an array")
    if type(value) is not Numbers:
        return None
    if value.entry is None:
        raise Broken("it has an array without numbers")
    return value.entry


def read(path: Path, modules: bool = False) -> Tree:
    """What a pickle holds; MegEngine's quantised tensors are their integers, a tensor that Paddle
    names is its array.

    A whole module is refused (E0602), unless with `modules` its attributes are asked for, which
    are then in dicts of their own. Raises `WeightsError`.
    """
    with refusing(path):
        data = mapped(path)
        tree = Grown(path).of(unpickled(data, Stands(len(data), modules)))
        if not isinstance(tree, dict | list | Entry):
            raise Broken(f"it holds no tensors, but {quoted(type(tree).__name__)}")
        return tree


def is_one(head: bytes) -> bool:
    """Whether it begins as a pickle, and not as one of torch's."""
    if head[:1] == b"\x80":
        return head[1:2] in b"\2\3\4\5" and not head[2:].startswith(LEGACY_TORCH)
    return head.startswith((b"ccollections\nOrderedDict\n", b"(dp", b"(lp", b"}q", b"]q"))


FORMAT = Format("pickle", (".pkl", ".pickle", ".mge", ".pdparams"), is_one, read)
