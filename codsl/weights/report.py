"""What became of every tensor of a checkpoint, and of every one of the network."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from codsl.diagnostics import escape, plural
from codsl.weights.grouping import grouped


@dataclass(frozen=True)
class Loaded:
    """A tensor of the network and the one that it came from.

    `rule` renamed it, `change` is what happened to its layout, `cast` to its dtype, `adapter` to
    its shape, each in words or empty; `nonfinite` counts its NaN and infinities.
    """

    name: str
    source: str
    shape: tuple[int, ...]
    rule: str = ""
    change: str = ""
    cast: str = ""
    adapter: str = ""
    nonfinite: int = 0


@dataclass(frozen=True)
class LoadReport:
    """What happened; `print` shows it.

    `kept` are the tensors of the network that were left as they were, `skipped` those of the
    checkpoint that were left out, both because that was allowed. `checkpoint` is the spec's name
    for one it knows; `opened` and `stripped` are what was taken off the names.
    """

    origin: str
    format: str
    layout: str
    checkpoint: str | None
    opened: tuple[str, ...]
    stripped: tuple[str, ...]
    loaded: tuple[Loaded, ...]
    kept: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def renamed(self) -> tuple[Loaded, ...]:
        """Those under another name than in the checkpoint."""
        return tuple(each for each in self.loaded if each.source not in ("", each.name))

    @property
    def converted(self) -> tuple[Loaded, ...]:
        """Those whose layout or shape is another."""
        return tuple(each for each in self.loaded if each.change or each.adapter)

    @property
    def cast(self) -> tuple[Loaded, ...]:
        """Those whose dtype is another."""
        return tuple(each for each in self.loaded if each.cast)

    @property
    def nonfinite(self) -> tuple[Loaded, ...]:
        """Those with NaN or infinities among their numbers."""
        return tuple(each for each in self.loaded if each.nonfinite)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(escape(line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        known = f", known as `{self.checkpoint}`" if self.checkpoint else ""
        yield f"{self.origin}: {self.format}, layout {self.layout}{known}"
        taken = (*(f"{each}." for each in self.opened), *self.stripped)
        if taken:
            yield f"  taken off the names: {', '.join(taken)}"
        yield f"  loaded     {plural(len(self.loaded), 'tensor')}"
        yield from _part("renamed", _sorted(self.renamed, "rule"))
        yield from _part("converted", _sorted(self.converted, "change", "adapter"))
        yield from _part("cast", _sorted(self.cast, "cast"))
        yield from _part("kept", {"not in the checkpoint, which is allowed": self.kept})
        yield from _part("skipped", {"no place in the network, which is allowed": self.skipped})
        nonfinite = {
            f"{each.nonfinite} of its numbers are NaN or infinite": (each.name,)
            for each in self.nonfinite
        }
        yield from _part("not finite", nonfinite)


def _sorted(loaded: Iterable[Loaded], *words: str) -> dict[str, list[str]]:
    """Names by what happened to them."""
    found: dict[str, list[str]] = {}
    for each in loaded:
        said = ", ".join(filter(None, (getattr(each, word) for word in words)))
        found.setdefault(said or "by the layout's words", []).append(each.name)
    return found


def _part(word: str, found: Any) -> Iterator[str]:
    count = sum(len(names) for names in found.values())
    if not count:
        return
    yield f"  {word:<10} {plural(count, 'tensor')}"
    for said, names in found.items():
        if names:
            yield f"    {said}"
            yield from (f"      {group}" for group in grouped(names))
