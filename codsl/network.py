"""The public face of a built network."""

import torch

from codsl.graph.graph import Graph
from codsl.graph.report import Report
from codsl.nn.block import Block, fill


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
