"""The spec while it is written: items whose keys are found once all names are known."""

from dataclasses import dataclass, replace

from codsl.diagnostics import Findings, Label
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
