"""The spec while it is written: items whose keys are found once all names are known."""

from dataclasses import dataclass, replace

from codsl.diagnostics import Findings, Label
from codsl.layers.still import Still
from codsl.spec.names import Flow, Level
from codsl.spec.spec import Block, Item


@dataclass
class Draft:
    """An item whose key may still have to be found."""

    item: Item
    level: Level
    key: str | None


class Drafts:
    """What there is of the spec so far."""

    def __init__(self, inputs: int) -> None:
        self._inputs = inputs
        self._drafts: list[Draft] = []
        self.blocks: list[Block] = []

    def __len__(self) -> int:
        return len(self._drafts)

    def add(self, item: Item, level: Level, key: str | None) -> Flow:
        """Note an item, and give the value that it makes."""
        self._drafts.append(Draft(item, level, key))
        return Flow(self._inputs + len(self._drafts) - 1, item.frame)

    def widens(self, value: int) -> Item | None:
        """The layer that gives a value its number of channels; None where that is an input's."""
        while value >= self._inputs:
            item = self._drafts[value - self._inputs].item
            before = item.inputs[0]
            if len(item.inputs) > 1:
                return None
            if stated_channels(item) or before < self._inputs:
                return item
            if self._drafts[before - self._inputs].item.frame.channels != item.frame.channels:
                return item
            value = before
        return None

    def items(self) -> tuple[Item, ...]:
        """The items with paths; those without a key of their own are told apart by a count."""
        counts: dict[str, int] = {}
        items = []
        for draft in self._drafts:
            path = draft.key
            if path is None:
                base = draft.level.path(draft.item.type)
                counts[base] = counts.get(base, 0) + 1
                first = counts[base] == 1 and draft.level.free(draft.item.type)
                path = base if first else f"{base}[{counts[base]}]"
            items.append(replace(draft.item, path=path))
        return tuple(items)


def row_of(item: Item) -> object:
    """The row of the table behind an item, on single frames too."""
    return item.operation.row if isinstance(item.operation, Still) else item.operation


def stated_channels(item: Item) -> str | None:
    """The argument of a layer that says how many channels it gives, where one is written."""
    row = row_of(item)
    named = (name for name in item.origin.arguments if name.startswith("out_"))
    return next((each for each in named if getattr(row, each, None) == item.frame.channels), None)


def dtype_of(items: tuple[Item, ...], findings: Findings) -> str | None:
    """The dtype that the layers state; they cannot differ, as values flow from one to the other."""
    stated: dict[str, Item] = {}
    for item in items:
        dtype = getattr(item.operation, "dtype", None)
        if dtype is not None:
            stated.setdefault(dtype, item)
    if len(stated) > 1:
        (one, first), (other, second), *_ = stated.items()
        at = second.origin.arguments.get("dtype", second.origin.span)
        findings.add(
            "E0411",
            f"a layer of `{other}` in a network of `{one}`",
            at,
            Label(first.origin.arguments.get("dtype", first.origin.span), f"`{one}` here"),
            notes=("a network has one dtype",),
        )
    return next(iter(stated), None)
