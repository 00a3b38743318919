"""Where the parts and tensors of a traced module lie: under the names that they had."""

from typing import Any

from torch import Tensor, nn

from codsl.nn.convert import adopt
from codsl.nn.running.parted import Parted
from codsl.nn.tracing.elsewhere import Elsewhere


def adopted(part: nn.Module) -> Any:
    """A part that may be given what is no stream, for which it need not be one itself."""
    try:
        return adopt(part)
    except ValueError as error:
        if not type(part).__module__.startswith("torch.nn."):
            raise
        return Elsewhere(part, str(error))


class Home(Parted):
    """A place within a traced module that no call of torch.fx names: it holds parts and tensors."""

    adopts = staticmethod(adopted)


def home_at(owner: nn.Module, path: str) -> nn.Module:
    """The place of that name, made where it is not there."""
    place = owner
    for name in path.split(".") if path else ():
        if name not in place._modules:
            place._modules[name] = Home()
        place = place._modules[name]  # type: ignore[assignment]
    return place


def place_in(owner: nn.Module, path: str, tensor: Any, persistent: bool) -> None:
    """Put a tensor, or what else a trace reads, under its name."""
    above, _, name = path.rpartition(".")
    home = home_at(owner, above)
    if isinstance(tensor, nn.Parameter):
        home._parameters[name] = tensor
    elif isinstance(tensor, Tensor):
        home.register_buffer(name, tensor, persistent)
    else:
        home.__dict__[name] = tensor


def share_alike(owner: nn.Module, module: nn.Module) -> None:
    """Let parts that are one in `module` be one here, under all of their names."""
    first: dict[nn.Module, str] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        known = first.setdefault(part, path)
        if known != path and isinstance(home_at(owner, path), Home):
            above, _, name = path.rpartition(".")
            home_at(owner, above)._modules[name] = home_at(owner, known)


def part_at(owner: nn.Module, path: str) -> nn.Module:
    """The part of that name; raises `ValueError` where there is none."""
    above, _, name = path.rpartition(".")
    found = home_at(owner, above)._modules.get(name)
    if found is None:
        raise ValueError(f"`{path}` is called, but is not there")
    return found
