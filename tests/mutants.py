"""Mutation testing by hand: `python tests/mutants.py codsl/algebra [--sample N --seed S --jobs J]`.

Every mutant is one small mistake in one line. The tests of its file run against a temporary copy of
the tree, the quickest first, until one fails; a mutant that no test tells from the original
survives, and is shown. Those that are no mistake stand in `equivalent_mutants.txt` with a reason.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mutations import Mutant, mutants_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.queues import Queue

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.txt")
Stage = tuple[str, ...]
NETWORKS = "18"
"""Random networks that are drawn for each mutant."""

OWN = (
    "tests/algebra/test_formulas.py", "tests/algebra/test_meeting.py",
    "tests/algebra/test_keeping.py", "tests/algebra/test_time.py",
)  # fmt: skip
STREAMS = (
    ("tests/nn/test_stream.py", "tests/nn/test_ports.py", "tests/nn/test_slots.py"),
    (
        "tests/nn/test_slots_rows.py",
        "tests/nn/test_slots_mistakes.py",
        "tests/nn/test_slots_own_steps.py",
    ),
    ("tests/harness", "tests/layers/test_upsampling.py", "tests/layers/test_recurrent.py"),
)
STATES = (
    "tests/nn/test_state.py", "tests/nn/test_state_differences.py", "tests/nn/test_state_files.py",
    "tests/nn/test_state_own_steps.py",
)  # fmt: skip
TESTS = {
    "codsl/algebra": (OWN, ("tests/graph", "tests/nn")),
    "codsl/algebra/cycle.py": (("tests/algebra/test_cycle.py",), *STREAMS),
    "codsl/algebra/extent.py": (("tests/algebra/test_extent.py", *OWN), ("tests/layers",)),
    "codsl/algebra/ports.py": (("tests/nn",),),
    "codsl/algebra/shape.py": (("tests/algebra/test_extent.py",), ("tests/layers",)),
    "codsl/graph/align.py": (("tests/graph",), ("tests/nn", "tests/harness")),
    "codsl/nn": (("tests/nn",), ("tests/harness",), ("tests/layers", "tests/peers")),
    "codsl/nn/running/program.py": (
        ("tests/nn/test_program.py", "tests/nn/test_late.py"),
        STATES,
        *STREAMS,
    ),
    "codsl/nn/running/state.py": (STATES, *STREAMS),
    "codsl/nn/running/ways.py": (("tests/nn/test_ways.py",), *STREAMS),
    "codsl/nn/running/windows.py": (("tests/nn/test_windows.py",), *STREAMS),
    "codsl/nn/running/work.py": (("tests/nn/test_late.py",), *STREAMS),
    "": (("tests",),),
}
"""The tests of a file in stages, by the longest path that it begins with; the quickest first."""

OWN_PROCESSES = (
    "tests/nn/test_training.py",
    "tests/nn/test_long.py",
    "tests/nn/test_state_differences.py::test_a_fingerprint_is_the_same_in_every_process",
    "tests/nn/test_state_processes.py::test_a_state_goes_on_in_another_process",
    "tests/nn/test_state_processes.py::test_a_hundred_kills_a_hundred_exact_resumes",
    "tests/nn/test_slots_rows.py::test_a_row_goes_on_in_another_process_bit_for_bit",
)
"""Tests that start processes of their own, which those of this tool cannot."""
PRELOAD = ("pytest", "torch", "lark", "yaml", "jsonschema", "safetensors.torch")
"""What every run of tests imports; never codsl itself."""

SLOWER = 4
"""Times the processor time that the tests take, and `--patience` more, after which a mutant hangs.
"""
WITHOUT = 3600
"""Seconds for the tests without a mutant, which alone leave compiled files behind."""
LOG = "log"
"""The file beside a copied tree that has what its last tests said."""
MEMORY = 6 * 2**30
"""Bytes that a run of tests may use."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: `killed`, `hung` or `survived`."""

    mutant: Mutant
    fate: str


def stages_of(path: str, given: Stage) -> tuple[Stage, ...]:
    """The tests that are run for a file, one stage after another."""
    if given:
        return (given,)
    return TESTS[max((key for key in TESTS if path.startswith(key)), key=len)]


def copy_of(root: Path, folder: Path) -> Path:
    """A copy of a tree without what is made from it."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
    return Path(shutil.copytree(root, folder / "tree", ignore=left_out))


def run(tree: Path, tests: Sequence[str], seconds: float) -> tuple[int | None, float]:
    """The exit code of the tests, or None where they hang, and their seconds of processor time."""
    child = os.fork()
    if child == 0:
        _become_pytest(tree, tests, seconds)
    began, limit = time.monotonic(), 10 * seconds
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() - began > limit:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.02)
    hung = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
    return None if hung else os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def _become_pytest(tree: Path, tests: Sequence[str], seconds: float) -> None:
    """Run the tests in this process, silently and within limits, and end it."""
    code = 1
    log = os.open(tree.parent / LOG, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for stream in (0, 1, 2):
        os.dup2(log, stream)
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 5))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        os.chdir(tree)
        sys.dont_write_bytecode = seconds < WITHOUT
        os.environ.update(PYTHONPATH=str(tree), CODSL_NETWORKS=NETWORKS)
        sys.path[0] = str(tree)
        pytest = importlib.import_module("pytest")
        options = [
            "-x",
            "-p",
            "no:cacheprovider",
            f"--rootdir={tree}",
            *(f"--deselect={each}" for each in OWN_PROCESSES),
        ]
        code = pytest.main([*options, *tests])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code))


def baseline(tree: Path, tests: Stage, patience: float) -> float:
    """Seconds of processor time after which the tests of a mutant hang; they pass without one."""
    code, spent = run(tree, tests, WITHOUT)
    if code != 0:
        said = (tree.parent / LOG).read_text(encoding="utf-8", errors="replace")
        raise SystemExit(f"the tests fail without a mutant: {' '.join(tests)}\n{said[-2000:]}")
    return SLOWER * spent + patience


def judge(tree: Path, mutant: Mutant, limits: Mapping[Stage, float]) -> Verdict:
    """Run tests on a mutant, each stage in its seconds, and put the original back."""
    path = tree / mutant.path
    original = path.read_bytes()
    for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        stale.unlink()
    path.write_text(mutant.source, encoding="utf-8")
    try:
        for tests, seconds in limits.items():
            code, _ = run(tree, tests, seconds)
            if code != 0:
                return Verdict(mutant, "hung" if code is None else "killed")
    finally:
        path.write_bytes(original)
    return Verdict(mutant, "survived")


def work(asked: argparse.Namespace, todo: Queue[Mutant | None], done: Queue[Verdict | str]) -> None:
    """Judge mutants from a queue in a copy of the tree, until there is none."""
    limits: dict[Stage, float] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copy_of(asked.root, Path(folder))
        while (mutant := todo.get()) is not None:
            stages = stages_of(mutant.path, tuple(asked.tests))
            try:
                for tests in stages:
                    if tests not in limits:
                        limits[tests] = baseline(tree, tests, asked.patience)
            except SystemExit as error:
                done.put(str(error))
                return
            done.put(judge(tree, mutant, {tests: limits[tests] for tests in stages}))


def judged(asked: argparse.Namespace, mutants: Sequence[Mutant]) -> list[Verdict]:
    """What became of each mutant; survivors are shown as they are found."""
    todo: Queue[Mutant | None] = multiprocessing.Queue()
    done: Queue[Verdict | str] = multiprocessing.Queue()
    for each in (*mutants, *(None,) * asked.jobs):
        todo.put(each)
    fork = multiprocessing.get_context("fork")
    workers = [
        fork.Process(target=work, args=(asked, todo, done), daemon=True) for _ in range(asked.jobs)
    ]
    for worker in workers:
        worker.start()
    verdicts: list[Verdict] = []
    while len(verdicts) < len(mutants):
        verdict = done.get()
        if isinstance(verdict, str):
            raise SystemExit(verdict)
        verdicts.append(verdict)
        if verdict.fate == "survived":
            print(f"survived  {verdict.mutant}", flush=True)
    for worker in workers:
        worker.join()
    return verdicts


def equivalents(path: Path = EQUIVALENT) -> dict[str, str]:
    """The reason of each mutant that is no mistake, by its name."""
    reasons: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if line and not line.startswith("#"):
            name, _, reason = line.partition("  # ")
            reasons[name.strip()] = reason.strip()
    return reasons


def drawn(asked: argparse.Namespace) -> list[Mutant]:
    """The mutants of some files and folders that are mistakes, or so many of them."""
    found: list[Mutant] = []
    known = equivalents()
    for name in asked.paths:
        path = asked.root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            text = file.read_text(encoding="utf-8")
            found += mutants_of(file.relative_to(asked.root).as_posix(), text)
    found = [mutant for mutant in found if mutant.name not in known]
    if asked.sample is not None and asked.sample < len(found):
        return random.Random(asked.seed).sample(found, asked.sample)
    return found


def table(verdicts: Sequence[Verdict]) -> str:
    """Killed mutants in each file and in all."""
    files = sorted({verdict.mutant.path for verdict in verdicts})
    lines = []
    for name in (*files, "all"):
        fates = [each.fate for each in verdicts if name in (each.mutant.path, "all")]
        killed = len(fates) - fates.count("survived")
        share = 100 * killed / max(1, len(fates))
        lines.append(f"{name:<32} {killed:5} of {len(fates):5} killed, {share:5.1f} %")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants of some files; 1 where fewer are killed than `--least` per cent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", help="files and folders, relative to the tree")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--least", type=float, default=0.0, help="per cent that must be killed")
    parser.add_argument("--tests", nargs="*", default=(), help="instead of those of each file")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds more than it takes")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree")
    parser.add_argument("--list", action="store_true", help="show the mutants and judge none")
    asked = parser.parse_args(arguments)
    asked.root = asked.root.resolve()
    mutants = drawn(asked)
    if asked.list:
        print("\n".join(map(str, mutants)))
        return 0
    for module in PRELOAD if asked.root == ROOT else PRELOAD[:1]:
        with suppress(ImportError):
            importlib.import_module(module)
    verdicts = judged(asked, mutants)
    print(table(verdicts))
    survived = sum(verdict.fate == "survived" for verdict in verdicts)
    return int(100 * (len(verdicts) - survived) < asked.least * len(verdicts))


if __name__ == "__main__":
    raise SystemExit(main())
