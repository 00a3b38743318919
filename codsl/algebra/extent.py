"""One dimension of a sliding window: how far it reaches and how many outputs it gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A window over one dimension, in torch's terms, with padding of its own at either end."""

    kernel: int = 1
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil_mode: bool = False

    @property
    def reach(self) -> int:
        """Items from the first tap to the last, `dilation * (kernel - 1)`."""
        return self.dilation * (self.kernel - 1)

    @property
    def offset(self) -> int:
        """`A` of the length rule: `n` items give `floor((n + A) / stride)` outputs.

        `ceil_mode` keeps a last window that starts inside the input or the padding before it.
        """
        padded = self.before + self.after - self.reach
        if self.ceil_mode:
            return min(padded + 2 * self.stride - 2, self.before + self.stride - 1)
        return padded - 1 + self.stride

    def length(self, items: int) -> int:
        """How many outputs a sequence of `items` gives."""
        return max(0, (items + self.offset) // self.stride)
