"""The text of stages: kernels one after another, or in a loop over the images of a batch."""

from collections.abc import Iterator, Mapping, Sequence

from codsl.native.builder import Kernel
from codsl.native.fetching import Part, Parts
from codsl.native.loops import type_of
from codsl.native.turns import Stage
from codsl.native.values import Buffer, Kind


def declared(buffer: Buffer, at: str, before: str = "") -> str:
    """A buffer at an address, or so many numbers `before` it."""
    const = "const " if buffer.kind in (Kind.GIVEN, Kind.CONSTANT) else ""
    kind = f"{const}{type_of(buffer.dtype)}*"
    return f"{kind} const {buffer.name} = reinterpret_cast<{kind}>({at}){before};"


def staging(stage: Stage, parts: Parts, addresses: Mapping[Buffer, str]) -> Iterator[str]:
    """The lines of a stage whose kernels fetch these parts."""
    turn = stage.turn
    if stage.images and turn:
        count = stage.images.count
        yield f"for (long image = 0; image < {count}; image += {turn}) {{"
        yield f"const codsl::Images images = {{image, codsl::smaller(image + {turn}, {count})}};"
        for buffer, apart in stage.own.items():
            yield declared(buffer, addresses[buffer], f" - image * {apart}")
    for kernel, own in zip(stage.kernels, parts, strict=True):
        yield from _text(kernel, own, turn)
    if turn:
        yield "}"


def _text(kernel: Kernel, parts: Sequence[Part], turn: int) -> Iterator[str]:
    """A kernel, behind the declaration of its images and of what it fetches."""
    if not kernel.images:
        yield kernel.text
        return
    yield "{"
    if not turn:
        yield f"const codsl::Images images = {{0, {kernel.images.count}}};"
    if parts:
        spans = ", ".join(_span(part, turn) for part in parts)
        yield f"const codsl::Span spans[] = {{{spans}}};"
        yield f"codsl::Ahead ahead(spans, {len(parts)});"
    else:
        yield "codsl::Ahead ahead;"
    yield kernel.text
    yield "}"


def _span(part: Part, turn: int) -> str:
    at = f"reinterpret_cast<const char*>({part.buffer.name}) + {part.start}"
    if part.image and turn:
        at += f" + (image + {turn if part.later else 0}) * {part.image}"
    return f"{{{at}, {part.bytes}}}"
