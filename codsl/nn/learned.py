"""Modules that hold parameters and constants which no class of torch.nn holds."""

from collections.abc import Mapping
from math import sqrt

import torch
from torch import Tensor, nn

from codsl.nn.functions.hearing import MelBands, Spectrum
from codsl.nn.holders import CyclicPattern, Gains

Matrix = tuple[tuple[float, ...], ...]


class Learned(nn.Module):
    """Parameters of these names and shapes, all numbers of which are `init` at first."""

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        init: float,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.init = init
        for name, shape in shapes.items():
            fresh = torch.empty(shape, device=device, dtype=dtype)
            self.register_parameter(name, nn.Parameter(fresh))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make all numbers `init` again."""
        for parameter in self.parameters(recurse=False):
            nn.init.constant_(parameter, self.init)

    def extra_repr(self) -> str:
        """Names, shapes and the first value."""
        shapes = (f"{name}={tuple(each.shape)}" for name, each in self.named_parameters())
        return ", ".join([*shapes, f"init={self.init}"])


class Constant(nn.Module):
    """Numbers `(C,)` that move with the module; the spec has them, so no state_dict does."""

    numbers: Tensor

    def __init__(
        self,
        numbers: tuple[float, ...],
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        fixed = torch.tensor(numbers, device=device, dtype=dtype or torch.get_default_dtype())
        self.register_buffer("numbers", fixed, persistent=False)


class Statistics(nn.Module):
    """`mean` and `std`, one for each channel or one for all, which no state_dict has either."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for name, given in (("mean", mean), ("std", std)):
            fixed = torch.tensor(given, device=device, dtype=dtype or torch.get_default_dtype())
            self.register_buffer(name, fixed, persistent=False)


class GraphConv(nn.Module):
    """What a graph convolution (Yan et al., 2018) learns and what it is given.

    `weight` `(K * out, in, 1, 1)` and `bias` `(K * out,)` start as those of torch's Conv2d,
    `adjacency` `(K, V, V)` as given, a parameter if `learned`, else in no state_dict, and
    `edge_importance` `(K, V, V)` as ones; what is not asked for is None.
    """

    adjacency: Tensor
    bias: Tensor | None
    edge_importance: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: tuple[Matrix, ...],
        bias: bool = True,
        learned: bool = False,
        edge_importance: bool = False,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self._given = adjacency
        graphs, places = len(adjacency), len(adjacency[0])

        def empty(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype))

        self.weight = empty(graphs * out_channels, in_channels, 1, 1)
        self.register_parameter("bias", empty(graphs * out_channels) if bias else None)
        start = empty(graphs, places, places)
        if learned:
            self.register_parameter("adjacency", start)
        else:
            self.register_buffer("adjacency", start.detach(), persistent=False)
        importance = empty(graphs, places, places) if edge_importance else None
        self.register_parameter("edge_importance", importance)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias as torch draws a convolution's; the rest starts anew."""
        nn.init.kaiming_uniform_(self.weight, a=sqrt(5))
        if self.bias is not None:
            bound = 1 / sqrt(self.weight.shape[1])
            nn.init.uniform_(self.bias, -bound, bound)
        with torch.no_grad():
            self.adjacency.copy_(torch.tensor(self._given, dtype=torch.float64))
        if self.edge_importance is not None:
            nn.init.ones_(self.edge_importance)

    def extra_repr(self) -> str:
        """Channels in and out, and how many nodes and kinds of edges there are."""
        kinds, nodes, _ = self.adjacency.shape
        maps, channels = self.weight.shape[:2]
        return f"{channels}, {maps // kinds}, nodes={nodes}, kinds={kinds}"


_LISTED: tuple[type[nn.Module], ...] = (
    *(Learned, Constant, Statistics, GraphConv, Gains, CyclicPattern),
    *(Spectrum, MelBands),
)
_OWN = {each.__name__: each for each in _LISTED}


def known(name: str) -> bool:
    """Whether there is a class that holds parameters under this name."""
    return isinstance(_OWN.get(name) or getattr(nn, name, None), type)


def holder(name: str) -> type[nn.Module]:
    """The class that holds a layer's parameters: codsl's own, or torch.nn's.

    Raises `AttributeError` where there is none of that name.
    """
    found = _OWN.get(name) or getattr(nn, name, None)
    if not isinstance(found, type):
        raise AttributeError(name)
    return found
