"""A network as files that run without codsl: written, run, and compared, or not there at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from errno import ENOTDIR
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

import torch

from codsl.engine.installed import check_installed
from codsl.engine.widening import widened
from codsl.export.about import about as describe
from codsl.export.about import in_json
from codsl.export.block import block_of
from codsl.export.formats.format import Format, Model
from codsl.export.formats.table import FORMATS
from codsl.export.proof import ALLOWED, ROWS, Proof, prove
from codsl.export.samples import texts
from codsl.nn.running.streaming import Streaming

TRACED = 3
"""Rows while a graph is traced that takes any number: one that no dimension has by chance."""
NAMES = frozenset(
    {"README.md", "run.py", "run.cpp", "model.bin", "model.h", "model.so", "run"}
    | {each.file for each in FORMATS.values()}
)
"""The files of an export, and what its programs make."""


class ExportError(ValueError):
    """A network cannot be exported so; the message says why in a sentence."""


@dataclass(frozen=True)
class Exported:
    """The folder of an export, its model, and how this was verified."""

    folder: Path
    model: Path
    proof: Proof

    def __str__(self) -> str:
        return f"{self.model}\nverified: {self.proof}"


def export(
    net: Streaming,
    folder: str | os.PathLike[str],
    to: str = "onnx",
    *,
    frames: int | None = None,
    batch: int | None = None,
    force: bool = False,
) -> Exported:
    """Write the step of a network into a folder, with programs that run it.

    See `Network.export` for what is raised.
    """
    format = FORMATS.get(to)
    if format is None:
        raise ValueError(f"there is no format `{to}`; there are {', '.join(FORMATS)}")
    check_installed(f"an export to `{format.name}`", format.packages, format.lacks())
    dtype = _checked(net)
    if dtype == torch.float64 and not format.double:
        raise ExportError(f"`{format.name}` computes in float32, and the network is in float64")
    if batch is not None and batch < 1:
        raise ValueError(f"a batch is 1 or more, not {batch}")
    if frames is not None and frames < 1:
        raise ValueError(f"a step takes 1 frame or more, not {frames}")
    path = Path(folder)
    if format.most == 1:
        batch = batch or 1
    with _all_or_nothing(path, force) as part:
        proof = _write(net, format, part, dtype, frames, batch)
    return Exported(path, path / format.file, proof)


def _write(
    net: Streaming,
    format: Format,
    folder: Path,
    dtype: torch.dtype,
    frames: int | None,
    batch: int | None,
) -> Proof:
    net = deepcopy(net).requires_grad_(False)
    net.reset()
    program = net.program
    try:
        step, layout = block_of(widened(program, format.channels), dtype, frames)
    except ValueError as error:
        raise ExportError(str(error)) from None
    about = describe(program.graph, layout, (batch or 1, batch or format.most))
    given = layout.zeros(batch or TRACED)
    model = Model(step, given, layout, in_json(about), batch is None, format.most)
    try:
        format.write(model, folder / format.file)
    except Exception as error:
        remedy = "" if batch else "; a batch that is fixed, as `batch=1`, may be possible"
        raise ExportError(f"{format.words}: {_first_line(error)}{remedy}") from error
    try:
        with torch.inference_mode():
            rows = batch or ROWS
            proof = prove(format.load(folder / format.file, layout, rows), program, layout, rows)
    except Exception as error:
        raise ExportError(f"what was written does not do: {_first_line(error)}") from error
    for name, text in texts(format, about, proof).items():
        (folder / name).write_text(text, encoding="utf-8")
    return proof


def _checked(net: Streaming) -> torch.dtype:
    """The dtype of a network that can be exported."""
    training = next((name for name, each in net.named_modules() if each.training), None)
    if training is not None:
        what = f"`{training}`" if training else "the network"
        raise ValueError(f"{what} is in training mode, and an export is for inference: call eval()")
    like = net.init_state(1)
    if like.device.type != "cpu":
        raise ValueError(f"the network is on {like.device}: move it to the CPU first")
    if str(like.dtype).removeprefix("torch.") not in ALLOWED:
        raise ExportError(
            f"exports are in float32 or float64, not {like.dtype}: export float32, and let the "
            "runtime choose a lower precision"
        )
    return like.dtype


@contextmanager
def _all_or_nothing(path: Path, force: bool) -> Iterator[Path]:
    """A folder beside `path`, whose files are in `path` once all went well; raises what
    `check_place` does."""
    check_place(path, force)
    path = Path(os.path.realpath(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(path.parent)) from None
    part = path.with_name(f".{path.name}.{token_hex(4)}")
    part.mkdir()
    try:
        yield part
        if path.exists():
            _take(path, part)
        else:
            part.replace(path)
    finally:
        rmtree(part, ignore_errors=True)


def _take(path: Path, part: Path) -> None:
    """Put the files of a folder in the place of those of another, which stays where it is: it may
    be where somebody stands."""
    new = {each.name for each in part.iterdir()}
    for name in sorted(new):
        (part / name).replace(path / name)
    for name in NAMES - new:
        (path / name).unlink(missing_ok=True)


def check_place(path: Path, force: bool) -> None:
    """Raise `FileExistsError` where there is something else than an empty folder; with `force`
    where there is something else than exports."""
    if not path.exists():
        return
    if not path.is_dir():
        raise FileExistsError(f"`{path}` is there, and no folder")
    there = sorted(each.name for each in path.iterdir())
    if there and not force:
        raise FileExistsError(f"`{path}` is there, and not empty")
    strange = next((name for name in there if name not in NAMES), None)
    if strange is not None:
        raise FileExistsError(f"`{path}` has `{strange}` in it, which no export has written")


def _first_line(error: Exception) -> str:
    """What an error of another package says, in short."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
