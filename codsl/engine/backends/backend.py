"""What a backend is: someone who remembers what a stream needs, and takes its steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from codsl.engine.backends.memory import Memory, Needs
from codsl.engine.installed import check_installed, missing
from codsl.engine.style import Style


@dataclass(frozen=True)
class Backend:
    """`memory` makes what a stream remembers, with nothing in it, which knows the backend's steps.

    `style` says for a batch how frames lie and which operations are chosen. `packages` are those
    that it needs, as they are imported, with the extra of codsl that brings each; `lacks` says what
    else it needs and is not here, with the remedy, or nothing. `own_precision`
    says that it computes in a lower precision by itself, of frames and weights in a higher one;
    `precisions` are those that it has. Where weights take `light` bytes at most, its steps one
    after the other are quicker than torch's kernels for a chunk, which read them once. Some compute
    `anywhere`, the others on the CPU; `without` are the dtypes of streams that it does not take.
    """

    name: str
    words: str
    memory: Callable[[Needs], Memory]
    style: Callable[[int, torch.device], Style]
    packages: Mapping[str, str] = field(default_factory=dict)
    precisions: tuple[torch.dtype, ...] = ()
    own_precision: bool = False
    lacks: Callable[[], str] = str
    light: int = 0
    anywhere: bool = False
    without: tuple[torch.dtype, ...] = ()

    @property
    def missing(self) -> str:
        """The package that it lacks here; empty where it lacks none."""
        return missing(self.packages)

    def style_on(
        self,
        device: torch.device,
        batch: int,
        dtype: torch.dtype,
        precision: torch.dtype | None = None,
    ) -> Style:
        """The style of so many streams on a device and in a dtype, computed in a precision or in
        their own; raises `ValueError` where it computes elsewhere, or has no such streams."""
        if device.type != "cpu" and not self.anywhere:
            raise ValueError(
                f"the backend `{self.name}` computes on the CPU, and the stream is on {device}"
            )
        if dtype in self.without and precision in (None, dtype):
            named = str(dtype).removeprefix("torch.")
            raise ValueError(
                f"the backend `{self.name}` has no streams in {named}: take another, or "
                "`net.float()`"
            )
        return self.style(batch, device)

    def check(self, precision: torch.dtype | None) -> None:
        """Raise `NotInstalled` where a package or another program is missing, `ValueError` for a
        precision that it does not have."""
        check_installed(f"the backend `{self.name}`", self.packages, self.lacks())
        if precision is not None and precision not in self.precisions:
            has = ", ".join(map(str, self.precisions)) or "none but that of the network"
            raise ValueError(f"the backend `{self.name}` has no {precision}; it has {has}")
