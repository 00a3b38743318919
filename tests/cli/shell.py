"""The command line as its users meet it: piped, in a process of its own, or in a terminal."""

import os
import pty
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

import forked
from codsl.cli.main import main

ROOT = Path(__file__).parents[2]

VIDEO = """codsl 1
network tiny(width = 4, kernel: tuple = (3, 3, 3), act: layer = "relu") {
  input (3, T, 12, 16) rate 15
  stem = conv3d(width, kernel, padding=1)
  act
  residual {
    conv = conv3d(width, 3, padding=1)
  }
  down = conv3d(2, (3, 1, 1), stride=(2, 1, 1), padding=(1, 0, 0))
}
variant wide { width = 6 }
"""

SIGNAL = """codsl: 1
name: signal
input: [2, T]
layers:
  - conv1d: {name: conv, out_channels: 3, kernel_size: 3, padding: causal}
  - conv1d: {name: late, out_channels: 3, kernel_size: 5, padding: same}
"""

WRONG = """codsl: 1
input: [2, T]
layers:
  - conv1d: {out_channels: 3, kernel_sise: 3}
  - convolve: {out_channels: 3}
"""


def environment() -> dict[str, str]:
    dropped = ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "PYTHONUTF8": "1"}


def codsl(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in this process with its output piped."""
    line, out, err = [*map(str, arguments)], piped(), piped()
    with redirect_stdout(out), redirect_stderr(err), chdir(cwd or Path.cwd()):
        try:
            status = main(line)
        except SystemExit as stop:
            status = int(stop.code or 0)
    return subprocess.CompletedProcess(line, status, shown(out), shown(err))


def piped() -> TextIOWrapper:
    """What a program prints into that is no terminal."""
    return TextIOWrapper(BytesIO(), encoding="utf-8")


def shown(stream: TextIOWrapper) -> str:
    """All that was printed."""
    stream.seek(0)
    return stream.read()


def started(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own with its output piped."""
    return subprocess.run(
        [sys.executable, "-m", "codsl", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
        cwd=cwd,
        check=False,
    )


def in_terminal(*arguments: str | Path, columns: int = 120) -> tuple[int, str]:
    """Run a command in a terminal: its status, and all that it shows."""
    ours, theirs = pty.openpty()
    env = {**environment(), "COLUMNS": str(columns)}
    process = forked.begun(
        forked.command, *map(str, arguments), streams=(theirs, theirs, theirs), environment=env
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return forked.ended(process), shown.decode()
