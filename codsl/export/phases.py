"""A step that does something else from call to call, as one module and as one graph."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from codsl.export.gathering import gathered

Results = tuple[Tensor, ...]
Branch = Callable[..., Results]


class PhasedStep(nn.Module):
    """A step for each phase; which it is comes in as the tensor at `place`, before the rest that
    all of them take."""

    def __init__(self, steps: Sequence[nn.Module], place: int) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)
        self.place = place

    def forward(self, *given: Tensor) -> Results:
        """What the step of the phase gives."""
        phase, rest = _apart(given, self.place)
        made: Results = self.steps[int(phase)](*rest)
        return made


class BranchedStep(nn.Module):
    """The same as a graph: phases are branches of which a runtime runs one.

    Whatever branches read has to be given to them, so each is traced first, for the tensors that
    it holds; those that several hold are there once.
    """

    def __init__(self, step: PhasedStep, given: Sequence[Tensor], shapes: Any) -> None:
        """`shapes` says which dimensions may vary, as `torch.export` has it."""
        super().__init__()
        self._place = step.place
        self._held: dict[tuple[object, ...], int] = {}
        _, rest = _apart(given, self._place)
        shapes = shapes and (_apart(shapes[0], self._place)[1],)
        self._branches: list[tuple[fx.GraphModule, list[int]]] = []
        for each in step.steps:
            program = gathered(torch.export.export(each, rest, dynamic_shapes=shapes))
            self._branches.append((program.graph_module, self._holding(program)))

    def forward(self, *given: Tensor) -> Results:
        """What the step of the phase gives."""
        phase, rest = _apart(given, self._place)
        held = [self.get_buffer(f"held{number}") for number in range(len(self._held))]
        return self._among(0, len(self._branches))(phase, *held, *rest)

    def _holding(self, program: ExportedProgram) -> list[int]:
        """Which of the tensors that are held a program takes, in order."""
        names = [
            spec.target for spec in program.graph_signature.input_specs if spec.target is not None
        ]
        return [self._place_of({**program.state_dict, **program.constants}[name]) for name in names]

    def _place_of(self, x: Tensor) -> int:
        """Which of the tensors that are held this is; it is put with them if it is none."""
        key = (x.data_ptr(), x.dtype, x.shape, x.stride())
        if key not in self._held:
            self.register_buffer(f"held{len(self._held)}", x.detach())
            self._held[key] = len(self._held)
        return self._held[key]

    def _among(self, first: int, stop: int) -> Branch:
        """The branch of a phase from `first` up to `stop`."""
        if stop - first == 1:
            graph, places = self._branches[first]
            count = len(self._held)
            return lambda phase, *given: tuple(
                graph(*(given[place] for place in places), *given[count:])
            )
        middle = (first + stop) // 2
        before, after = self._among(first, middle), self._among(middle, stop)
        # `torch.cond` itself would trace what is traced here already.
        cond: Any = torch.ops.higher_order.cond
        return lambda phase, *given: cond(phase < middle, before, after, (phase, *given))


def _apart(given: Sequence[Any], place: int) -> tuple[Any, tuple[Any, ...]]:
    """What stands at a place, and the others."""
    return given[place], (*given[:place], *given[place + 1 :])
