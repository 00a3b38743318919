"""Items on shelves: the memory of backends that are given what they read, and give what is new."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from codsl.engine.backends.form import TENSORS, Form
from codsl.engine.backends.memory import Kept, Needs, Step
from codsl.engine.listing import Listing, Straight
from codsl.engine.ring import Ring
from codsl.nn.running.program import Values

Forms = Sequence[Form]
KeptForm = Callable[[Sequence[int], torch.dtype], Form | None]
Prepare = Callable[[Listing, Sequence[Tensor], torch.dtype | None, Forms], Straight]
Shelf = deque[Any]
"""The last items of a value, the oldest first; one that comes takes the place of the oldest."""


@dataclass(frozen=True)
class Shelving:
    """How a backend has its shelves.

    `prepare` makes a function like `listing.straight()` of a listing, tensors of the kind that it
    will be given beside rings, a precision to compute in, if that is not theirs, and the forms in
    which the items of each feed are kept. What the function takes and gives has the `form` that the
    backend has tensors in, or that of its own which `kept_form` gives for the shape and the dtype
    of something kept.
    """

    prepare: Prepare
    form: Form = TENSORS
    kept_form: KeptForm | None = None

    def __call__(self, needs: Needs) -> "Shelves":
        """Shelves for what is needed, with nothing on them."""
        return Shelves(self, needs)

    def form_of(self, kept: Kept, dtype: torch.dtype) -> Form:
        """The form of what is kept; frames have that in which they come."""
        own = self.kept_form(kept.sizes, dtype) if self.kept_form and not kept.given else None
        return own or self.form


class Shelves:
    """The items of each feed on a shelf or in a ring, and carried tensors."""

    def __init__(self, shelving: Shelving, needs: Needs) -> None:
        self._prepare, self._form = shelving.prepare, shelving.form
        self._precision, self._last = needs.precision, needs.last
        self._forms = [shelving.form_of(each, needs.dtype) for each in needs.feeds]
        self._shelves: list[Shelf] = [deque(maxlen=each.depth) for each in needs.feeds]
        self._rings = {
            number: Ring(each.depth) for number, each in enumerate(needs.feeds) if each.joined
        }
        self._kept = [self._rings.get(number, shelf) for number, shelf in enumerate(self._shelves)]
        self._carried: Sequence[Any] = ()

    def load(self, items: Sequence[Sequence[Tensor]], carried: Sequence[Tensor]) -> None:
        """Remember copies of these instead: the items of each feed, the oldest first."""
        for kept, form, some in zip(self._kept, self._forms, items, strict=True):
            kept.extend(form.native(self._laid(x)) for x in some)
        self._carried = [self._form.native(x.clone()) for x in carried]

    def _laid(self, item: Tensor) -> Tensor:
        """An item in memory of its own, as kernels like it."""
        last = self._last and item.dim() == 4
        return item.clone(memory_format=torch.channels_last if last else torch.contiguous_format)

    def _own(self, x: Tensor) -> Any:
        """A frame as the backend keeps it."""
        return self._form.native(self._laid(x))

    def items(self) -> list[list[Tensor]]:
        """The items of each feed, the oldest first."""
        kept = zip(self._kept, self._forms, strict=True)
        return [[form.tensor(item) for item in items] for items, form in kept]

    def carried(self) -> list[Tensor]:
        """The carried tensors."""
        return [self._form.tensor(each) for each in self._carried]

    def step(self, listing: Listing, xs: list[Tensor]) -> Step:
        """What happens at a frame, in the way of the backend if anything is computed."""
        if not listing.operations and not any(listing.outputs):
            return self._step(listing, listing.straight())
        loads = (
            self._forms[each.feed].tensor(self._shelves[each.feed][-each.back])
            for each in listing.loads
        )
        frames = (self._form.tensor(self._own(x)) for x in xs)
        given = [*frames, *loads, *self.carried()]
        return self._step(listing, self._prepare(listing, given, self._precision, self._forms))

    def _step(self, listing: Listing, straight: Straight) -> Step:
        """A listing of one frame, taken in some way, that reads from shelves and writes to them."""
        shelves, tensor = self._shelves, self._form.tensor
        loads = [(shelves[load.feed], -load.back) for load in listing.loads]
        turned = [self._rings[feed] for feed in listing.rings]
        feeds = [(shelf, n) for n, shelf in enumerate(shelves) if listing.stores[n]]
        own = {slot for each in listing.operations if each.fresh for slot in each.outputs}
        own -= set().union(*listing.stores)
        fresh = [bool(slots) and slots[0] in own for slots in listing.outputs]

        def step(frames: list[Tensor]) -> Values:
            kept = [shelf[back] for shelf, back in loads]
            made = straight(*map(self._own, frames), *kept, *turned, *self._carried)
            outputs, stores, self._carried, _ = made
            for shelf, number in feeds:
                shelf.extend(stores[number])
            for ring in turned:
                ring.keep()
            ys = (tensor(items[0]) if items else None for items in outputs)
            return tuple(
                y if mine or y is None else y.clone() for y, mine in zip(ys, fresh, strict=True)
            )

        return step
