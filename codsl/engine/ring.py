"""The last items of a value in memory that is written over and over, never moved."""

import torch
from torch import Tensor


class Ring:
    """Room for the last items of a value; item `n` lies where item `n - length` lay.

    Every `spread`-th item lies beside each other, and each is written twice, one turn apart, so
    that the taps of a window dilated by `spread` are one view whatever the place. With `last` the
    channels of a place lie beside each other.
    """

    def __init__(
        self, shape: tuple[int, ...], depth: int, spread: int, last: bool, like: Tensor
    ) -> None:
        """`shape` is that of an item with its batch, `depth` how many are kept between frames."""
        batch, channels, *space = shape
        rows = -(-(depth + 1) // spread)
        self.depth = depth
        self.spread = spread
        self.length = rows * spread
        self.place = 0
        self._rows = rows
        self._last = last
        item = (*space, channels) if last else (channels, *space)
        store = like.new_zeros((batch, spread, 2, rows, *item))
        twice = store.movedim(-1, 4) if last else store
        self._flat = twice.flatten(2, 3)
        places = [(n % spread, n // spread) for n in range(self.length)]
        self._slots = [twice[:, column, :, row].transpose(0, 1) for column, row in places]
        self.items = [self._flat[:, column, row] for column, row in places]

    def write(self, x: Tensor) -> None:
        """Take the next item `(B, C, *S)`."""
        place = self.place
        self._slots[place].copy_(x)
        self.place = place + 1 if place + 1 < self.length else 0

    def windows(self, taps: int) -> list[Tensor]:
        """For every place the window whose newest item lies there, the oldest first:
        `(B, taps * C, *S)`, or with `last` `(B, C, taps, *S)`."""
        ends = [(n % self.spread, n // self.spread + self._rows + 1) for n in range(self.length)]
        found = [self._flat[:, column, end - taps : end] for column, end in ends]
        return [each.transpose(1, 2) if self._last else each.flatten(1, 2) for each in found]

    def load(self, items: Tensor, given: int) -> None:
        """Take the last of `given` items from `(B, C, depth, *S)`."""
        self.place = (given - self.depth) % self.length
        for x in items.unbind(2):
            self.write(x)

    def dump(self) -> Tensor:
        """The last items, `(B, C, depth, *S)`, in memory of their own."""
        last = [self.items[self.place - back] for back in range(self.depth, 0, -1)]
        if last:
            return torch.stack(last, 2).contiguous()
        batch, _, _, channels, *space = self._flat.shape
        return self._flat.new_zeros((batch, channels, 0, *space))
