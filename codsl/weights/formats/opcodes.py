"""The language of pickles, protocols 0 to 5, with no word left in it that runs code."""

import re
import struct
from collections.abc import Callable
from typing import Any, Protocol

from codsl.weights.formats.doubt import Broken, Excessive, Unsafe, quoted

MOST = 2_000_000
"""Opcodes of a pickle at most; each makes an object of some hundred bytes at most."""
WIDEST = 1 << 31
"""Integers that may be keys lie below it, so that keys that collide cannot be made."""
DIGITS = 1000
"""Bytes or digits of an integer at most."""

ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)")
ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
NAMED = 1024
"""Bytes of a string of Python 2 that may be a text; longer ones hold numbers."""

Value = Any
"""None, a bool, int, float, str, memoryview, list, dict, tuple, or a stand-in."""


class Old(str):
    """A string of Python 2, which has bytes and texts in one: its bytes as characters."""

    __slots__ = ()


class Names(Protocol):
    """What the names in a pickle stand for, and what is made with them."""

    def named(self, module: str, name: str) -> Value:
        """The stand-in for a name."""

    def called(self, function: Value, arguments: tuple[Value, ...]) -> Value:
        """What stands for a function's value."""

    def made(self, kind: Value, arguments: tuple[Value, ...]) -> Value:
        """What stands for a new object of a class."""

    def built(self, thing: Value, state: Value) -> None:
        """Give an object its state."""

    def extended(self, thing: Value, items: list[Value]) -> None:
        """Append to an object that is no list."""

    def filled(self, thing: Value, pairs: list[tuple[Value, Value]]) -> None:
        """Set items of an object that is no dict."""


def unpickled(data: memoryview, names: Names) -> Value:
    """What a pickle holds: plain values, and for each object the stand-in that `names` makes.

    Bytes are views into `data`. Raises `Broken`, `Unsafe`, `Excessive`.
    """
    machine = Machine(data, names)
    try:
        return machine.run()
    except (IndexError, KeyError, TypeError, ValueError, struct.error, OverflowError) as error:
        reason = quoted(f"{type(error).__name__}: {error}")
        raise Broken(f"it is no whole pickle: {reason} at byte {machine.at}") from None


class Machine:
    """A stack of values, a stack of marks, and a memo: what pickles are read with."""

    def __init__(self, data: memoryview, names: Names) -> None:
        self.data = data
        self.names = names
        self.at = 0
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.memo: dict[int, Value] = {}

    def run(self) -> Value:
        """Read up to the end of the pickle."""
        for _ in range(MOST):
            opcode = self.take(1)[0]
            if opcode == STOP:
                return self.pop()
            action = ACTIONS.get(opcode)
            if action is None:
                _forbid(opcode)
            else:
                action(self)
        raise Excessive(f"its pickle has more than {MOST} opcodes")

    def take(self, count: int) -> memoryview:
        """So many bytes."""
        left = len(self.data) - self.at
        if count > len(self.data):
            raise Excessive(f"a string of {count} bytes in a file of {len(self.data)}")
        if not 0 <= count <= left:
            raise Broken(f"it is cut short: {count} bytes are missing at byte {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, layout: str) -> Any:
        """A number of fixed size."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self, longest: int | None = None) -> memoryview:
        """Bytes up to the end of the line."""
        step, start = 4096, self.at
        while True:
            piece = bytes(self.data[self.at : self.at + step])
            found = piece.find(b"\n")
            self.at += len(piece) if found < 0 else found + 1
            if found >= 0:
                return self.data[start : self.at - 1]
            if not piece or (longest is not None and self.at - start > longest):
                raise Broken(f"the line at byte {start} does not end")
            step *= 2

    def push(self, value: Value) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Value:
        """Take the topmost value, if it lies above the last mark."""
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise Broken(f"a value is missing at byte {self.at}")
        return self.stack.pop()

    def popped(self) -> list[Value]:
        """Take all values above the last mark."""
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values


def _forbid(opcode: int) -> None:
    if opcode in FORBIDDEN:
        raise Unsafe(f"its pickle {FORBIDDEN[opcode]}")
    raise Broken(f"it is no pickle that can be read here: it has the opcode {opcode:#04x}")


def _key(value: Value) -> Value:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and -WIDEST < value < WIDEST:
        return value
    raise Broken("it has a dict whose keys are neither strings nor small integers")


def _pairs(values: list[Value]) -> list[tuple[Value, Value]]:
    if len(values) % 2:
        raise Broken("it has a dict with a key that has no value")
    return [(_key(key), value) for key, value in zip(values[::2], values[1::2], strict=True)]


def _fill(machine: Machine, values: list[Value]) -> None:
    pairs, target = _pairs(values), machine.stack[-1]
    if type(target) is dict:
        target.update(pairs)
    else:
        machine.names.filled(target, pairs)


def _extend(machine: Machine, values: list[Value]) -> None:
    target = machine.stack[-1]
    if type(target) is list:
        target.extend(values)
    else:
        machine.names.extended(target, values)


def _proto(machine: Machine) -> None:
    version = machine.take(1)[0]
    if version > 5:
        raise Broken(f"it is a pickle of protocol {version}, and 5 is the latest known")


def _frame(machine: Machine) -> None:
    size = machine.number("<Q")
    if size > len(machine.data):
        raise Excessive(f"a frame of {size} bytes in a file of {len(machine.data)}")


def _text(machine: Machine, layout: str) -> None:
    machine.push(str(machine.take(machine.number(layout)), "utf-8", "surrogatepass"))


def _bytes(machine: Machine, layout: str) -> None:
    machine.push(machine.take(machine.number(layout)))


def _old(machine: Machine, layout: str) -> None:
    data = machine.take(machine.number(layout))
    machine.push(Old(bytes(data), "latin-1") if len(data) <= NAMED else data)


def _quoted(machine: Machine) -> None:
    line = bytes(machine.line()).strip()
    if len(line) < 2 or line[:1] not in b"'\"" or line[-1:] != line[:1]:
        raise Broken("it has a string without quotes")
    machine.push(Old(ESCAPE.sub(_unescaped, line[1:-1]), "latin-1"))


def _unescaped(found: re.Match[bytes]) -> bytes:
    word = found[1]
    return bytes((int(word[1:], 16),)) if word[:1] == b"x" else ESCAPED.get(word, word)


def _long(machine: Machine, layout: str) -> None:
    size = machine.number(layout)
    if not 0 <= size <= DIGITS:
        raise Excessive(f"an integer of {size} bytes")
    machine.push(int.from_bytes(machine.take(size), "little", signed=True))


def _int(machine: Machine) -> None:
    text = bytes(machine.line(DIGITS)).rstrip(b"L")
    machine.push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text))


def _tuple(machine: Machine, count: int) -> None:
    values = [machine.pop() for _ in range(count)]
    machine.push(tuple(reversed(values)))


def _dict(machine: Machine) -> None:
    machine.push(dict(_pairs(machine.popped())))


def _pop(machine: Machine) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.stack.pop()


def _remember(machine: Machine, index: int) -> None:
    if index < 0:
        raise Broken("its pickle remembers a value under a negative number")
    machine.memo[index] = machine.stack[-1]


def _global(machine: Machine) -> None:
    module = str(machine.line(DIGITS), "utf-8")
    machine.push(machine.names.named(module, str(machine.line(DIGITS), "utf-8")))


def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    if type(name) is not str or type(module) is not str:
        raise Broken("it names something by what is no name")
    machine.push(machine.names.named(module, name))


def _arguments(machine: Machine) -> tuple[Value, ...]:
    arguments = machine.pop()
    if type(arguments) is not tuple:
        raise Broken("it has arguments that are no tuple")
    return arguments


def _reduce(machine: Machine) -> None:
    arguments = _arguments(machine)
    machine.push(machine.names.called(machine.pop(), arguments))


def _newobj(machine: Machine) -> None:
    arguments = _arguments(machine)
    machine.push(machine.names.made(machine.pop(), arguments))


def _newobj_ex(machine: Machine) -> None:
    named = machine.pop()
    if type(named) is not dict or named:
        raise Unsafe("its pickle makes an object with named arguments (NEWOBJ_EX)")
    _newobj(machine)


def _build(machine: Machine) -> None:
    state = machine.pop()
    machine.names.built(machine.stack[-1], state)


STOP = ord(".")

FORBIDDEN = {
    ord("i"): "makes an object by its name (INST)",
    ord("o"): "makes an object on a mark (OBJ)",
    ord("P"): "refers to what is kept elsewhere (PERSID)",
    ord("Q"): "refers to what is kept elsewhere (BINPERSID)",
    0x82: "refers to the registry of extensions (EXT1)",
    0x83: "refers to the registry of extensions (EXT2)",
    0x84: "refers to the registry of extensions (EXT4)",
    0x97: "refers to a buffer that is not in it (NEXT_BUFFER)",
}

Action = Callable[[Machine], None]

ACTIONS: dict[int, Action] = {
    0x80: _proto,
    0x95: _frame,
    ord("("): lambda m: m.marks.append(len(m.stack)),
    ord("0"): _pop,
    ord("1"): lambda m: m.popped().clear(),
    ord("2"): lambda m: m.push(m.stack[-1]),
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("I"): _int,
    ord("L"): _int,
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("<B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    0x8A: lambda m: _long(m, "<B"),
    0x8B: lambda m: _long(m, "<i"),
    ord("F"): lambda m: m.push(float(bytes(m.line(DIGITS)))),
    ord("G"): lambda m: m.push(m.number(">d")),
    ord("V"): lambda m: m.push(str(m.line(), "raw-unicode-escape")),
    ord("X"): lambda m: _text(m, "<I"),
    0x8C: lambda m: _text(m, "<B"),
    0x8D: lambda m: _text(m, "<Q"),
    ord("S"): _quoted,
    ord("U"): lambda m: _old(m, "<B"),
    ord("T"): lambda m: _old(m, "<i"),
    ord("B"): lambda m: _bytes(m, "<I"),
    ord("C"): lambda m: _bytes(m, "<B"),
    0x8E: lambda m: _bytes(m, "<Q"),
    0x96: lambda m: _bytes(m, "<Q"),
    0x98: lambda m: None,
    ord(")"): lambda m: m.push(()),
    0x85: lambda m: _tuple(m, 1),
    0x86: lambda m: _tuple(m, 2),
    0x87: lambda m: _tuple(m, 3),
    ord("t"): lambda m: m.push(tuple(m.popped())),
    ord("]"): lambda m: m.push([]),
    ord("l"): lambda m: m.push(m.popped()),
    ord("a"): lambda m: _extend(m, [m.pop()]),
    ord("e"): lambda m: _extend(m, m.popped()),
    ord("}"): lambda m: m.push({}),
    ord("d"): _dict,
    ord("s"): lambda m: _fill(m, [m.pop(), m.pop()][::-1]),
    ord("u"): lambda m: _fill(m, m.popped()),
    0x8F: lambda m: m.push([]),
    0x90: lambda m: _extend(m, m.popped()),
    0x91: lambda m: m.push(m.popped()),
    ord("p"): lambda m: _remember(m, int(bytes(m.line(DIGITS)))),
    ord("q"): lambda m: _remember(m, m.number("<B")),
    ord("r"): lambda m: _remember(m, m.number("<I")),
    0x94: lambda m: _remember(m, len(m.memo)),
    ord("g"): lambda m: m.push(m.memo[int(bytes(m.line(DIGITS)))]),
    ord("h"): lambda m: m.push(m.memo[m.number("<B")]),
    ord("j"): lambda m: m.push(m.memo[m.number("<I")]),
    ord("c"): _global,
    0x93: _stack_global,
    ord("R"): _reduce,
    0x81: _newobj,
    0x92: _newobj_ex,
    ord("b"): _build,
}
"""Every opcode that is read; sets are lists, since nothing that a file names is hashed."""
