"""How the weights of a convolution are laid out for the compiled kernels."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import pad


def dense(weight: Tensor, lanes: int) -> Tensor:
    """Lay (outs, ins, height, width) in panels of two vectors of outs, the last one or three."""
    outs = weight.shape[0]
    vectors = -(-outs // lanes)
    table = weight.permute(2, 3, 1, 0).reshape(-1, outs)
    table = pad(table, (0, vectors * lanes - outs))
    last = min(vectors, 3) if vectors % 2 else 0
    pairs, rest = table.split([(vectors - last) * lanes, last * lanes], dim=1)
    panels = pairs.reshape(len(table), -1, 2 * lanes).transpose(0, 1)
    return torch.cat([panels.reshape(-1), rest.reshape(-1)])


def winograd(weight: Tensor, lanes: int) -> Tensor:
    """Lay (outs, ins, 3, 3) transformed, as the 16 matrices of F(2 x 2, 3 x 3), each as `dense`
    does (Lavin and Gray, 2016)."""
    turn = torch.tensor([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]).double()
    turned = torch.einsum("ia,jb,ocab->ijoc", turn, turn, weight.double()).flatten(0, 1)
    return torch.cat([dense(each[:, :, None, None], lanes) for each in turned]).to(weight.dtype)


def depthwise(weight: Tensor, lanes: int) -> Tensor:
    """Lay (channels, 1, kernel height, kernel width) out tap by tap for each vector of channels."""
    channels = weight.shape[0]
    vectors = -(-channels // lanes)
    table = pad(weight.reshape(channels, -1).t(), (0, vectors * lanes - channels))
    return table.reshape(len(table), vectors, lanes).transpose(0, 1).reshape(-1)


LAYING: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "dense": dense,
    "winograd": winograd,
    "depthwise": depthwise,
}
"""What lays the weights out, by the name of the kernel that reads them."""
