"""A weight that is worked out of a direction and a magnitude whenever it is asked for."""

from functools import reduce

import torch
from torch import Tensor, nn


class WeightNorm:
    """A module whose `weight` is its magnitude times its direction (Salimans and Kingma, 2016).

    The two parameters go by the names in `normed`. Unlike with torch's own, the module can be
    copied and pickled at any time.
    """

    normed: tuple[str, str]

    @property
    def weight(self) -> Tensor:
        """The weight, of the parameters as they are."""
        magnitude, direction = (reduce(getattr, name.split("."), self) for name in self.normed)
        return torch._weight_norm(direction, magnitude, 0)  # type: ignore[arg-type]


def settle(module: nn.Module) -> None:
    """Make the weights of all modules in one that are normalised weights of their own, as they are
    now: they are no longer worked out anew."""
    for each in module.modules():
        if isinstance(each, WeightNorm):
            weight = each.weight.detach()
            _, each.__class__ = type(each).__bases__
            for name in each.normed:
                path, _, last = name.rpartition(".")
                del each.get_submodule(path)._parameters[last]
            each.register_parameter("weight", nn.Parameter(weight))


def normalise(module: nn.Module, names: tuple[str, str], normed_class: type) -> None:
    """Replace the weight of a module by a magnitude and a direction that make it."""
    weight = module._parameters.pop("weight")
    if weight is None:
        raise ValueError("only a module with a weight can be normalised")
    magnitude = torch.norm_except_dim(weight.detach(), 2, 0)
    for name, value in zip(names, (magnitude, weight.detach()), strict=True):
        *path, last = name.split(".")
        place = module
        for level in path:
            if level not in place._modules:
                place._modules[level] = nn.Module()
            place = place._modules[level]  # type: ignore[assignment]
        place.register_parameter(last, nn.Parameter(value))
    module.__dict__["normed"] = names
    module.__class__ = normed_class
