"""C++ as a function of this process, made by the compiler of the machine."""

import atexit
import ctypes
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FLAGS = (
    "-std=c++17",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-ffp-contract=fast",
    "-fPIC",
)
"""None of them lets a compiler forget NaN or infinity, or add up in another order."""
KERNELS = STEPS = LIBRARIES = "-O3"
"""How far kernels, the steps that call them, and all in one text are optimised, where `CXXFLAGS`
says nothing else."""


def compiler() -> list[str]:
    """The command of the compiler of C++: that of `CXX`, else `g++` or `clang++`; empty where there
    is none, or not that one. Raises `ValueError` for a `CXX` that no shell could read."""
    own = _words("CXX")
    commands = [own] if own else [["g++"], ["clang++"], ["c++"]]
    return next((each for each in commands if shutil.which(each[0])), [])


def _words(variable: str) -> list[str]:
    """The words of a variable of the environment, as a shell has them."""
    text = os.environ.get(variable, "")
    try:
        return shlex.split(text)
    except ValueError as error:
        wrong = str(error).lower()
        raise ValueError(f"`{variable}` cannot be read, {wrong} in it: `{text}`") from None


def no_compiler() -> str:
    """What is missing, and how to have it; empty where there is a compiler."""
    if compiler():
        return ""
    own = os.environ.get("CXX", "").strip()
    if own:
        return f"the C++ compiler that `CXX` names, `{own}`, which is not here"
    return "a C++ compiler, which is not here: install `g++`, or set `CXX`"


def compiled(step: str, kernels: Sequence[str], given: int) -> Any:
    """The function `step`, of so many addresses, of a text that calls some kernels.

    Raises `RuntimeError` where there is no compiler, or it fails.
    """
    with TemporaryDirectory(prefix="codsl-") as folder:
        source, library = Path(folder) / "step.cpp", Path(folder) / "step.so"
        held = _kernels()
        with ThreadPoolExecutor() as side_by_side:
            parts = [side_by_side.submit(held.of, each) for each in kernels]
            parts.append(side_by_side.submit(_object, source, step, STEPS))
        _run(STEPS, "-shared", *(str(part.result()) for part in parts), "-o", str(library))
        made = ctypes.CDLL(str(library)).step
    made.restype, made.argtypes = None, [ctypes.c_void_p] * given
    return made


def library(source: Path) -> ctypes.CDLL:
    """A text that calls nothing else as a library of this process.

    Raises `RuntimeError` as `compiled` does.
    """
    with TemporaryDirectory(prefix="codsl-") as folder:
        made = Path(folder) / "library.so"
        _run(LIBRARIES, "-shared", str(source), "-o", str(made))
        return ctypes.CDLL(str(made))


class _Kernels:
    """Kernels that were compiled, each text once in a process."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="codsl-")
        atexit.register(self._folder.cleanup)
        self._made: dict[str, Path] = {}
        self._numbers = count()

    def of(self, text: str) -> Path:
        """The object file of a text."""
        if text not in self._made:
            source = Path(self._folder.name) / f"kernels{next(self._numbers)}.cpp"
            self._made[text] = _object(source, text, KERNELS)
        return self._made[text]


_kernels = cache(_Kernels)


def _object(source: Path, text: str, optimised: str) -> Path:
    """The object file of a text, which is written beside it."""
    source.write_text(text, encoding="utf-8")
    made = source.with_suffix(".o")
    _run(optimised, "-c", str(source), "-o", str(made))
    return made


def _run(optimised: str, *arguments: str) -> None:
    found = compiler()
    if not found:
        raise RuntimeError(no_compiler())
    own = _words("CXXFLAGS")
    command = [*found, *FLAGS, optimised, *own, *arguments]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"`{found[0]}` failed: {_first_error(made.stderr)}")


def _first_error(text: str) -> str:
    lines = text.splitlines()
    return next((line for line in lines if "error" in line), "it says nothing")[:300]
