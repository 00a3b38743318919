"""What a backend is: someone who makes a function of a listing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

import torch
from torch import Tensor

from codsl.engine.backends.form import TENSORS, Form
from codsl.engine.listing import Listing, Straight
from codsl.engine.style import Style

KeptForm = Callable[[Sequence[int], torch.dtype], Form | None]
Forms = Sequence[Form]
Prepare = Callable[[Listing, Sequence[Tensor], torch.dtype | None, Forms], Straight]


class NotInstalled(ImportError):
    """A backend needs a package that is not there."""


@dataclass(frozen=True)
class Backend:
    """`prepare` makes a function like `listing.straight()` of a listing, tensors of the kind that
    it will be given, a precision to compute in, if that is not theirs, and the forms in which the
    items of each feed are kept.

    `style` says for a batch how frames lie and which operations are chosen. `packages` are those
    that it needs, as they are imported, with the extra of codsl that brings each; `lacks` says what
    else it needs and is not here, with the remedy, or nothing. `own_precision`
    says that it computes in a lower precision by itself, of frames and weights in a higher one;
    `precisions` are those that it has. What its function takes and gives has the `form` that
    the backend has tensors in, or that of its own which `kept_form` gives for the shape and the
    dtype of something kept.
    """

    name: str
    words: str
    prepare: Prepare
    style: Callable[[int, torch.device], Style]
    packages: Mapping[str, str] = field(default_factory=dict)
    precisions: tuple[torch.dtype, ...] = ()
    own_precision: bool = False
    form: Form = TENSORS
    kept_form: KeptForm | None = None
    lacks: Callable[[], str] = str

    def form_of(self, shape: Sequence[int], dtype: torch.dtype) -> Form:
        """The form of what is kept of this shape, `(B, C, *S)`."""
        own = self.kept_form(shape, dtype) if self.kept_form is not None else None
        return own or self.form

    @property
    def missing(self) -> str:
        """The package that it lacks here; empty where it lacks none."""
        return next((name for name in self.packages if find_spec(name) is None), "")

    def check(self, precision: torch.dtype | None) -> None:
        """Raise `NotInstalled` where a package or another program is missing, `ValueError` for a
        precision that it does not have."""
        if self.missing:
            extra = self.packages[self.missing]
            raise NotInstalled(
                f"the backend `{self.name}` needs the package `{self.missing}`: "
                f'pip install "codsl[{extra}]"'
            )
        if lack := self.lacks():
            raise NotInstalled(f"the backend `{self.name}` needs {lack}")
        if precision is not None and precision not in self.precisions:
            has = ", ".join(map(str, self.precisions)) or "none but that of the network"
            raise ValueError(f"the backend `{self.name}` has no {precision}; it has {has}")
