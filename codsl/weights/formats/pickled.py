"""What a pickle of torch asks for, found out with stand-ins for everything that it names."""

import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

OPERATIONS = 10_000_000
"""Operations of a pickle at most."""
LONGEST = 64 << 20
"""Bytes of a pickle at most; the numbers of its tensors are not among them."""
NAME = 1000
"""Bytes of a name that is imported at most."""

TENSORS = frozenset({"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"})
UNTYPED = "torch._utils._rebuild_tensor_v3"
PARAMETERS = frozenset(
    {"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"}
)
TYPED = "torch._tensor._rebuild_from_type_v2"
PLAIN = {
    "collections.OrderedDict": OrderedDict,
    "collections.Counter": OrderedDict,
    "torch.Size": tuple,
}
HOLDERS = frozenset(
    {
        *(*PLAIN, "torch.device", "_codecs.encode", "torch.serialization._get_layout"),
        *(f"{room}.{name}" for room in ("builtins", "__builtin__") for name in ("set", "complex")),
    }
)
"""What is called with plain values only: a tensor of many numbers, unrolled, fills any memory."""
CLASSES = frozenset({"torch.nn.parameter.Parameter", "torch.Tensor"})
KINDS = {
    **{"DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2},
    **{"LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1},
    **{"BoolStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16},
    **{"storage.UntypedStorage": 1},
}
"""Bytes of one number by the kind of storage."""
KNOWN = (
    TENSORS
    | {UNTYPED, TYPED}
    | PARAMETERS
    | HOLDERS
    | CLASSES
    | {f"torch.{each}" for each in KINDS}
)


DTYPE = re.compile(r"bool|(bfloat|u?int|float|complex)\d+(_e\dm\d\w*)?")


class Suspect(Exception):
    """A pickle that does what no checkpoint of plain tensors does; the message says what."""


@dataclass
class Demands:
    """What a pickle asks for: globals that are not `KNOWN`, and bytes by the key of a storage."""

    strange: set[str] = field(default_factory=set)
    storages: dict[str, int] = field(default_factory=dict)


class Stand:
    """Stands for a storage, a tensor or another thing that was made, and does nothing."""


class Named(Stand):
    """Stands for what a global names."""

    def __init__(self, name: str) -> None:
        self.name = name


class Other(Stand):
    """Stands for an object of a class that torch was told to be safe, or that is refused."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Nothing, as where an item is set."""


def scan(stream: IO[bytes], known: frozenset[str] = KNOWN) -> tuple[Any, Demands]:
    """Go through one pickle: what it would give, of plain values and stand-ins, and its demands.

    No global is looked up and nothing of it is called. Raises `Suspect`, or whatever Python's
    unpickler raises where a pickle is broken.
    """
    scanner = _Scanner(_Counted(stream), known)
    return scanner.load(), scanner.demands


class _Counted:
    """A stream that ends an endless pickle, and that gives no more than there may be."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.operations = 0
        self.octets = 0

    def read(self, count: int) -> bytes:
        """As of the stream, which makes room for all that it is asked for."""
        self.operations += 1
        self.octets += count
        if self.operations > OPERATIONS or self.octets > LONGEST:
            raise EOFError(f"it takes more than {OPERATIONS} operations, or {LONGEST} bytes")
        return self.stream.read(count)

    def readline(self) -> bytes:
        """A name."""
        self.octets += NAME
        return self.stream.readline(NAME)


class _Scanner(pickle._Unpickler):
    """Python's own unpickler with those operations that `torch.load(weights_only=True)` has."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]]
    stack: list[Any]

    def __init__(self, stream: _Counted, known: frozenset[str]) -> None:
        super().__init__(stream, encoding="bytes")
        self.known = known
        self.demands = Demands()

    def find_class(self, module: str, name: str) -> Named:
        full = f"{module}.{name}"
        if full not in self.known and not _is_dtype(module, name):
            self.demands.strange.add(full)
        return Named(full)

    def persistent_load(self, asked: Any) -> Stand:
        if not isinstance(asked, tuple) or len(asked) not in (5, 6) or text(asked[0]) != "storage":
            raise Suspect("it asks for something that is no storage")
        kind, key, _, count, *view = asked[1:]
        name = kind.name.removeprefix("torch.") if isinstance(kind, Named) else ""
        if name.startswith("Q"):
            self.demands.strange.add(f"torch.{name}")
            return Stand()
        if name not in KINDS or type(count) is not int or count < 0:
            raise Suspect(f"it asks for a storage of the kind `{name[:60]}`")
        if not isinstance(key, str | bytes | int):
            raise Suspect("it asks for a storage without a name")
        _check_view(view, count)
        nbytes = count * KINDS[name]
        if self.demands.storages.setdefault(str(text(key)), nbytes) != nbytes:
            raise Suspect(f"storage `{str(key)[:60]}` has two sizes")
        return Stand()

    def reduce(self) -> None:
        """Call: of a known function, its arguments are looked at; the result is a stand-in."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Named) or not isinstance(arguments, tuple):
            raise Suspect("it calls what is no function")
        _check_call(function.name, arguments)
        made = Stand if function.name in KNOWN else Other
        self.stack.append(PLAIN.get(function.name, made)())

    def construct(self) -> None:
        """A new object, which is a stand-in."""
        _, kind = self.stack.pop(), self.stack.pop()
        if not isinstance(kind, Named) or kind.name in KNOWN:
            raise Suspect("it makes an object that no checkpoint has by itself")
        self.stack.append(Other())

    def build(self) -> None:
        """A state, which is left out; a tensor has none, and that of a dict is a dict."""
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Other) and not (
            isinstance(target, OrderedDict) and isinstance(state, Mapping)
        ):
            raise Suspect("it gives a state to something that has none")


ALLOWED = (
    *(pickle.PROTO, pickle.STOP, pickle.MARK, pickle.GLOBAL, pickle.BINPERSID),
    *(pickle.APPEND, pickle.APPENDS, pickle.SETITEM, pickle.SETITEMS),
    *(pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_TUPLE),
    *(pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.EMPTY_SET),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.LONG1, pickle.BINFLOAT),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.BINUNICODE, pickle.SHORT_BINSTRING),
    *(pickle.BINGET, pickle.LONG_BINGET, pickle.BINPUT, pickle.LONG_BINPUT),
)
_Scanner.dispatch = {
    **{operation[0]: pickle._Unpickler.dispatch[operation[0]] for operation in ALLOWED},
    pickle.REDUCE[0]: _Scanner.reduce,
    pickle.NEWOBJ[0]: _Scanner.construct,
    pickle.BUILD[0]: _Scanner.build,
}


def _check_call(name: str, arguments: tuple[Any, ...]) -> None:
    if name in TENSORS or name == UNTYPED:
        _check_tensor(name, arguments)
    elif name == TYPED:
        inner = arguments[0] if len(arguments) == 4 else None
        if not isinstance(inner, Named) or inner.name not in TENSORS | PARAMETERS | {UNTYPED}:
            raise Suspect(f"it calls `{name}` with something that makes no tensor")
        _check_call(inner.name, tuple(arguments[2]))
    elif name == "_codecs.encode":
        if len(arguments) != 2 or text(arguments[1]) not in ("latin1", "latin-1"):
            raise Suspect(f"it calls `{name}` to make no bytes")
    elif name in HOLDERS and not _are_pairs(arguments) and _holds_stand(arguments):
        raise Suspect(f"it calls `{name}` with something that is no plain value")
    elif name in CLASSES:
        raise Suspect(f"it calls `{name}` by itself")


def _check_tensor(name: str, arguments: tuple[Any, ...]) -> None:
    whole = len(arguments) >= 4 and all(
        isinstance(each, tuple | list) and all(type(n) is int for n in each)
        for each in arguments[2:4]
    )
    if not whole or not isinstance(arguments[0], Stand) or type(arguments[1]) is not int:
        raise Suspect(f"it calls `{name}` with no storage, offset, size and stride")


def _are_pairs(arguments: tuple[Any, ...]) -> bool:
    """Whether they are those of a dict as Python 2 pickled it: one list of keys and values."""
    pairs = arguments[0] if len(arguments) == 1 else None
    return isinstance(pairs, list) and all(
        isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str | bytes | int)
        for pair in pairs
    )


def _holds_stand(value: Any, levels: int = 3) -> bool:
    if isinstance(value, Mapping | tuple | list | set):
        return bool(levels) and any(_holds_stand(each, levels - 1) for each in value)
    return isinstance(value, Stand)


def _check_view(view: list[Any], count: int) -> None:
    """That of a storage in another, as the older form of files has it: key, offset, size."""
    if view and view[0] is not None:
        _, offset, size = (
            view[0] if isinstance(view[0], tuple) and len(view[0]) == 3 else (0, -1, 0)
        )
        if type(offset) is not int or type(size) is not int or not 0 <= offset <= count - size:
            raise Suspect("it asks for a part of a storage that is not in it")


def _is_dtype(module: str, name: str) -> bool:
    """Whether `torch.float32` or the like is meant: a constant."""
    return module == "torch" and DTYPE.fullmatch(name) is not None


def text(value: Any) -> Any:
    """Of bytes, as Python 2 wrote texts, the text; anything else as it is."""
    return value.decode("latin-1") if isinstance(value, bytes) else value
