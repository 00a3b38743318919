"""The public face of a built network."""

import os

import torch

from codsl.engine.fast import FastStep, compile_step
from codsl.export.export import Exported, export
from codsl.graph.graph import Graph
from codsl.graph.report import Report
from codsl.nn.block import Block, fill
from codsl.nn.running.state import State


class Network(Block):
    """A network that runs on clips and on streams; its weights are under the names of the spec."""

    def __init__(
        self,
        graph: Graph,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(graph, "")
        stated: torch.dtype | None = getattr(torch, graph.dtype) if graph.dtype else None
        where = torch.device(device) if device is not None else None
        like = torch.empty(0, dtype=dtype or stated, device=where)
        self.register_buffer("_built", like, persistent=False)
        fill(self, graph, where, dtype or stated)

    def report(self) -> Report:
        """What the network is, node by node; `print` shows it as a table."""
        return self.graph.report()

    def compile_step(
        self, backend: str = "eager", precision: torch.dtype | None = None
    ) -> FastStep:
        """A callable `fast(frame)` that gives what `forward_step` gives, faster, and keeps a state
        of its own; for inference. The weights are copied: those that are loaded later do not count.

        `backend` is `eager`, `native`, `compile`, `aoti`, `onnxruntime` or `openvino`; with
        `precision` (`torch.bfloat16`) a step computes in that, of frames and weights in the
        network's own, and the `error` of what it gives says what that cost; chunks that torch
        computes at once are in the network's own. Raises `ValueError` for an unknown backend, a
        precision that it lacks, and for a network in training mode, and `ImportError` where a
        package or a compiler is missing.
        """
        return compile_step(self, backend, precision)

    def export(
        self,
        folder: str | os.PathLike[str],
        to: str = "onnx",
        *,
        frames: int | None = None,
        batch: int | None = None,
        force: bool = False,
    ) -> Exported:
        """Write a step of the network into a folder, to be run without codsl, with a program that
        does so; nothing is written unless it gave what the network gives.

        `to` is `onnx`, `pt2` (torch.export), `aoti` (AOTInductor), `openvino` or `cpp` (C++ that
        needs nothing else). A step takes `frames` frames `(B, C, T, *S)`, `graph.cycle.turn` if not
        given, and the state of B streams, each of which may begin whenever such a turn does; B is
        `batch`, or any number if not given, but 1 in `cpp`. `force` writes over an export that is
        there.

        Raises `ValueError` for an unknown format, a network in training mode, not on the CPU, or
        in a precision below float32, and `ExportError`, which is one too, where the network cannot
        be written so or the file does something else; `FileExistsError` for a folder that is not
        empty, and `ImportError` where a package or a compiler is missing.
        """
        return export(self, folder, to, frames=frames, batch=batch, force=force)

    def save_state(self, path: str | os.PathLike[str]) -> None:
        """Write the state of the stream to a safetensors file, all at once.

        Raises `ValueError` before the first frame.
        """
        state = self.get_state()
        if state is None:
            raise ValueError("there is no state before the first frame")
        state.save(path)

    def load_state(self, path: str | os.PathLike[str]) -> None:
        """Go on from a state that was saved, on the device of this network.

        Raises `OSError` where the file cannot be read, and `ValueError` where it is no state, or
        one of another network: what differs is named.
        """
        self.set_state(State.load(path, self._own().device))
