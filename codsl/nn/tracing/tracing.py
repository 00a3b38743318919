"""A user's own module made continual: what torch.fx sees of it, laid out as a graph."""

import operator
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from torch import Tensor, fx, nn

from codsl.layers.recipe import OWN
from codsl.nn.convert import adopt, makes
from codsl.nn.joint import JoinBy, NotByFrames, beside, probe
from codsl.nn.measured import evaluated, macs_of
from codsl.nn.module import CoModule
from codsl.nn.running.streaming import Laying
from codsl.nn.running.timed import Composed
from codsl.nn.running.trace import Trace
from codsl.nn.tracing.elsewhere import Ordered, Plainly, applies_plainly, order_of, parameters_of
from codsl.nn.tracing.expressions import (
    Call,
    Computed,
    Held,
    Parts,
    Several,
    Size,
    Unknown,
    Value,
    applied,
    asks_size,
    crop_of,
    found,
    gives_parts,
)
from codsl.nn.tracing.homes import adopted, home_at, part_at, place_in, share_alike
from codsl.nn.tracing.in_place import check_in_place
from codsl.nn.tracing.seen import graphs_of
from codsl.nn.waiting import Cropped


class Traced(Composed, Laying):
    """A module of a user's class: its parts made continual, under the same keys.

    Between its parts there may be anything that treats every frame of time alike; that is tried
    before it is believed.
    """

    adopts = staticmethod(adopted)

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.name = type(module).__name__
        before = set(vars(module))
        try:
            self.graphs = graphs_of(module)
        except Exception as error:
            raise ValueError(
                f"`{self.name}` cannot be made continual: torch.fx cannot trace it ({error}); "
                "build it of the containers of `codsl.nn`, or derive it from `co.CoModule`"
            ) from error
        finally:
            constants = {name: vars(module).pop(name) for name in set(vars(module)) - before}
        for graph in self.graphs.values():
            check_in_place(graph, module)
            graph.eliminate_dead_code(lambda node: node.op in ("placeholder", "output"))
        self._copy(module, constants)

    def _copy(self, module: nn.Module, constants: Mapping[str, Tensor]) -> None:
        """Take over the parts that are called, made continual, and all tensors, under their
        names; those that no state dict has stay out of it."""
        nodes = [node for graph in self.graphs.values() for node in graph.nodes]
        called = [node for node in nodes if node.op == "call_module"]
        self._orders: dict[str, Any] = {}
        kept = module.state_dict(keep_vars=True)
        known = {
            **dict(module.named_parameters(remove_duplicate=False)),
            **dict(module.named_buffers(remove_duplicate=False)),
            **constants,
        }
        for node in nodes:
            if node.op == "get_attr" and node.target not in known:
                known[node.target] = operator.attrgetter(node.target)(module)
        for name, tensor in known.items():
            place_in(self, name, tensor, name in kept)
        for path in sorted({str(node.target) for node in called}):
            part = module.get_submodule(path)
            streams = all(map(_of_modules, (node for node in called if node.target == path)))
            above, _, name = path.rpartition(".")
            home_at(self, above)._modules[name] = adopt(part) if streams else adopted(part)
            if not isinstance(part, CoModule):
                self._orders[path] = order_of(part)
        share_alike(self, module)
        self.training = module.training

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
        inputs = values if isinstance(values, list) else [values]
        given = iter(inputs)
        for node in self._graph(len(inputs)).nodes:
            match node.op:
                case "placeholder":
                    self._made[node] = Value(next(given))
                case "output":
                    return _numbers(self._filled(node.args[0]))
                case "get_attr":
                    self._made[node] = Held(self._owner, str(node.target))
                case "call_module":
                    self._made[node] = self._module(node)
                case _:
                    self._made[node] = self._function(node)
        raise ValueError(f"`{self._owner.name}` gives nothing")

    def _graph(self, inputs: int) -> fx.Graph:
        """The graph of so many inputs; raises `ValueError` where there is none."""
        graphs = self._owner.graphs
        if inputs not in graphs:
            taken = " or ".join(map(str, graphs))
            raise ValueError(
                f"`{self._path or self._owner.name}` takes {taken} input"
                f"{'' if taken == '1' else 's'}, got {inputs}"
            )
        return graphs[inputs]

    def _filled(self, arguments: Any) -> Any:
        return fx.node.map_arg(arguments, lambda node: self._made[node])

    def _module(self, node: fx.Node) -> Any:
        """A module of values. One of torch's own may also be given parts: it stays a function."""
        path = str(node.target)
        module: Any = part_at(self._owner, path)
        given = [*self._filled(node.args), *self._filled(node.kwargs).values()]
        order = self._owner._orders.get(path)
        if order is not None:
            return self._recurrent(path, module, order, given)
        if path in self._owner._orders and next(found(given, Parts), None) is not None:
            self._check(given)
            if not applies_plainly(module):
                raise ValueError(f"`{path}`: {next(found(given, Parts)).why}")
            named = self._filled(node.kwargs)
            return self._called(node, Call(Plainly(module), self._filled(node.args), named))
        inputs = _numbers(given)
        made = module.lay(self._trace, self._level(path), inputs[0] if len(inputs) == 1 else inputs)
        besides = getattr(module, "besides", None)
        return Several(Value(made), f"`{path}`: {besides}") if besides else Value(made)

    def _recurrent(self, path: str, module: Any, order: Ordered, given: list[Any]) -> Several:
        """A recurrent layer of torch, which reads and gives the dimensions in its own order."""
        x, *hidden = given
        if any(each is not None for each in hidden):
            raise ValueError(f"`{path}` is given hidden tensors; a stream begins with zeros")
        self._check(given)
        call = Call(order.back, [x], {})
        if not call.values:
            raise ValueError(f"`{path}` reads no stream")
        try:
            value = self._joined(f"{path}.input", call, call.values)
        except NotByFrames:
            raise ValueError(
                f"`{path}` reads {order}, but is not given a stream (B, C, T) in that order: "
                f"`{order.written}` is, or `batch_first` stands otherwise than was meant"
            ) from None
        made = Value(module.lay(self._trace, self._level(path), value.number))
        why = f"`{path}` gives {order}: put its dimensions back to (B, C, T)"
        return Several(Parts(Call(order, [made], {}), why), f"`{path}`: {module.besides}")

    def _function(self, node: fx.Node) -> Any:
        """A function of values: of single frames, or one that leaves frames out at the ends."""
        call = Call(applied(node), self._filled(node.args), self._filled(node.kwargs))
        if node.target is operator.getitem and isinstance(call.arguments[0], Several | Unknown):
            several, place = call.arguments
            return several if isinstance(several, Unknown) else several[place]
        self._check((call.arguments, call.named))
        values = call.values
        if asks_size(node, call.arguments):
            return Size(call, self._trace.frames[values[0].number])
        if not values:
            held = next(found((call.arguments, call.named), (Held, Parts)), None)
            if held is not None and not call.sized:
                return Parts(call, "numbers of the module alone are no stream")
            return Size(call) if call.sized else call.apply(*call.arguments, **call.named)
        if gives_parts(node, call.arguments):
            return Parts(call)
        crop = crop_of(node, call.arguments)
        if crop is not None:
            module = Cropped(*crop)
            return Value(module.lay(self._trace, self._level(node.name), values[0].number))
        return self._called(node, call)

    def _called(self, node: fx.Node, call: Call) -> Any:
        """The value that a call makes, or parts where it makes none."""
        try:
            return self._joined(node.name, call, call.values)
        except NotByFrames as error:
            parts = found((call.arguments, call.named), Parts)
            first = next((each for each in parts if each.call.values), None)
            return Parts(call, first.why if first is not None else str(error))

    @staticmethod
    def _check(given: Any) -> None:
        """Raise `ValueError` where something is given that nothing may be made of."""
        unknown = next(found(given, (Several, Unknown)), None)
        if unknown is not None:
            raise ValueError(unknown.why)

    def _joined(self, name: str, call: Call, values: list[Value]) -> Value:
        how = Computed(call, values)
        frames = [self._trace.frames[each.number] for each in values]
        known = [frame for frame in frames if frame is not None]
        frame, macs = None, Fraction(0)
        if len(known) == len(frames):
            with evaluated(self._owner):
                frame = probe(how, known, name, self._owner._like())
                macs = macs_of(how, known, self._owner._like())
        edges = beside([each.number for each in values])
        level = self._level(name)
        facts = (edges, frame, name, macs, parameters_of(call))
        return Value(self._trace.join(level, JoinBy(how), OWN, *facts))

    def _level(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _numbers(values: Any) -> Any:
    if isinstance(values, Value):
        return values.number
    if isinstance(values, list | tuple):
        return [_numbers(each) for each in values]
    if isinstance(values, Parts | Several | Unknown):
        raise ValueError(values.why)
    if isinstance(values, Mapping):
        return {name: _numbers(each) for name, each in values.items()}
    raise ValueError(f"a stream is made of tensors, not of {type(values).__name__}")


def _of_modules(node: fx.Node) -> bool:
    """Whether a node is made of inputs by modules alone, so that all on the way are streams."""
    if node.op == "placeholder":
        return True
    return node.op == "call_module" and all(map(_of_modules, node.all_input_nodes))


makes(nn.Module, lambda module, _: Traced(module))
