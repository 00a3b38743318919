"""A user's own module made continual: what torch.fx sees of it, laid out as a graph."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, fx, nn

from codsl.algebra.time import Time
from codsl.layers.recipe import Pointwise
from codsl.nn.convert import adopt, makes
from codsl.nn.joint import JoinBy, beside, probe
from codsl.nn.module import CoModule
from codsl.nn.streaming import Laying
from codsl.nn.trace import Trace
from codsl.nn.waiting import Cropped


class _Tracer(fx.Tracer):
    """Stops at continual modules, and at those of torch.nn that are no containers."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        containers = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
        known = type(m).__module__.startswith("torch.nn.") and type(m) not in containers
        return isinstance(m, CoModule) or known


class Traced(Laying):
    """A module of a user's class: its parts made continual, under the same keys.

    Between its parts there may be anything that treats every frame of time alike; that is tried
    before it is believed.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.name = type(module).__name__
        try:
            self.graph_of = _Tracer().trace(module)
        except Exception as error:
            raise ValueError(
                f"`{self.name}` cannot be made continual: torch.fx cannot trace it ({error}); "
                "build it of the containers of `codsl.nn`, or derive it from `co.CoModule`"
            ) from error
        self._copy(module)

    def _copy(self, module: nn.Module) -> None:
        """Take over the parts that are called, made continual, and all tensors, under their
        names."""
        called = {node.target for node in self.graph_of.nodes if node.op == "call_module"}
        for name, parameter in module.named_parameters():
            _place(self, name, parameter)
        for name, buffer in module.named_buffers():
            _place(self, name, buffer)
        for path in sorted(called):
            above, _, name = str(path).rpartition(".")
            _home(self, above)._modules[name] = adopt(module.get_submodule(str(path)))
        self.training = module.training

    @property
    def time(self) -> Time:
        """When its outputs see what, relative to its own input."""
        return Trace.alone(self)

    def forward(self, *clips: Any) -> Any:
        """The outputs of a clip `(B, C, T, *S)` at once, as the module computes them."""
        return self._run_clip(clips[0] if len(clips) == 1 else list(clips))

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add what the module does to a graph."""
        return _Layout(self, trace, path).run(values)


class _Layout:
    """One walk over what torch.fx saw."""

    def __init__(self, owner: Traced, trace: Trace, path: str) -> None:
        self._owner = owner
        self._trace = trace
        self._path = path
        self._made: dict[fx.Node, Any] = {}

    def run(self, values: Any) -> Any:
        given = iter(values if isinstance(values, list) else [values])
        for node in self._owner.graph_of.nodes:
            match node.op:
                case "placeholder":
                    self._made[node] = _Value(next(given))
                case "output":
                    return _numbers(self._filled(node.args[0]))
                case "get_attr":
                    self._made[node] = _found(self._owner, str(node.target))
                case "call_module":
                    self._made[node] = self._module(node)
                case _:
                    self._made[node] = self._function(node)
        raise ValueError(f"`{self._owner.name}` gives nothing")

    def _filled(self, arguments: Any) -> Any:
        return fx.node.map_arg(arguments, lambda node: self._made[node])

    def _module(self, node: fx.Node) -> "_Value":
        module: Any = _submodule(self._owner, str(node.target))
        inputs = _numbers(list(self._filled(node.args)))
        level = f"{self._path}.{node.target}" if self._path else str(node.target)
        return _Value(module.lay(self._trace, level, inputs[0] if len(inputs) == 1 else inputs))

    def _function(self, node: fx.Node) -> Any:
        """A function of values: of single frames, or one that leaves frames out at the ends."""
        arguments, named = self._filled(node.args), self._filled(node.kwargs)
        values = list(dict.fromkeys(_values((arguments, named))))
        apply = _applied(node)
        if not values:
            return apply(*arguments, **named)
        crop = _crop(node, arguments)
        if crop is not None:
            level = f"{self._path}.{node.name}" if self._path else node.name
            return _Value(Cropped(*crop).lay(self._trace, level, values[0].number))

        def join(tensors: Any) -> Tensor:
            at = dict(zip(values, tensors, strict=True))
            back = _replaced((arguments, named), at)
            return apply(*back[0], **back[1])  # type: ignore[no-any-return]

        frames = [self._trace.frames[each.number] for each in values]
        known = [frame for frame in frames if frame is not None]
        frame = probe(join, known, node.name) if len(known) == len(frames) else None
        edges = beside([each.number for each in values])
        level = f"{self._path}.{node.name}" if self._path else node.name
        return _Value(self._trace.join(level, JoinBy(join), Pointwise(), edges, frame))


class _Value:
    """A value of the graph among the arguments of a function."""

    def __init__(self, number: Any) -> None:
        self.number = number


def _numbers(values: Any) -> Any:
    if isinstance(values, _Value):
        return values.number
    if isinstance(values, list | tuple):
        return [_numbers(each) for each in values]
    raise ValueError(f"a stream is made of tensors, not of {type(values).__name__}")


def _values(arguments: Any) -> Any:
    if isinstance(arguments, _Value):
        yield arguments
    elif isinstance(arguments, Mapping):
        for each in arguments.values():
            yield from _values(each)
    elif isinstance(arguments, list | tuple):
        for each in arguments:
            yield from _values(each)


def _replaced(arguments: Any, at: Mapping[_Value, Tensor]) -> Any:
    if isinstance(arguments, _Value):
        return at[arguments]
    if isinstance(arguments, Mapping):
        return {name: _replaced(each, at) for name, each in arguments.items()}
    if isinstance(arguments, list | tuple):
        return type(arguments)(_replaced(each, at) for each in arguments)
    return arguments


def _applied(node: fx.Node) -> Callable[..., Any]:
    if node.op == "call_function" and callable(node.target):
        return node.target
    name = str(node.target)
    return lambda first, *rest, **named: getattr(first, name)(*rest, **named)


def _crop(node: fx.Node, arguments: Any) -> tuple[int, int] | None:
    """How many frames `x[:, :, a:-b]` leaves out at either end, where it does only that."""
    if node.target is not operator.getitem or not isinstance(arguments[1], tuple):
        return None
    (first, second, third, *rest) = (*arguments[1], *(slice(None),) * 3)
    if any(each != slice(None) for each in (first, second, *rest)):
        return None
    if not isinstance(third, slice) or third.step not in (None, 1):
        return None
    front, back = third.start or 0, third.stop
    if front < 0 or (back is not None and back >= 0):
        return None
    return front, -(back or 0)


def _home(owner: nn.Module, path: str) -> nn.Module:
    place = owner
    for name in path.split(".") if path else ():
        if name not in place._modules:
            place._modules[name] = nn.Module()
        place = place._modules[name]  # type: ignore[assignment]
    return place


def _place(owner: nn.Module, path: str, tensor: Tensor) -> None:
    above, _, name = path.rpartition(".")
    home = _home(owner, above)
    if isinstance(tensor, nn.Parameter):
        home._parameters[name] = tensor
    else:
        home._buffers[name] = tensor


def _found(owner: nn.Module, path: str) -> Any:
    above, _, name = path.rpartition(".")
    return getattr(_home(owner, above), name)


def _submodule(owner: nn.Module, path: str) -> nn.Module:
    above, _, name = path.rpartition(".")
    found = _home(owner, above)._modules[name]
    if found is None:
        raise ValueError(f"`{path}` is called, but is None")
    return found


makes(nn.Module, lambda module, _: Traced(module))
