"""What the channels of an output stand for, and which of them are the highest."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codsl.media.footage import Unusable

LARGEST = 16 * 1024**2
"""Bytes of a file of labels at most."""


@dataclass(frozen=True)
class Best:
    """A channel, its label, where there are labels, and its number."""

    index: int
    label: str | None
    score: float

    def __str__(self) -> str:
        """As it is shown: `cat 0.93`."""
        return f"{self.index if self.label is None else self.label} {self.score:.4g}"


@dataclass(frozen=True)
class Classes:
    """The `top` highest channels of an output are told, by their labels if there are such."""

    top: int
    labels: tuple[str, ...] | None = None

    def best(self, values: NDArray[np.floating]) -> list[Best]:
        """The highest channels of an output `(C,)`, the highest first; what is no number last."""
        order = np.argsort(-values, kind="stable")[: self.top]
        return [
            Best(int(at), self.labels[at] if self.labels else None, float(values[at]))
            for at in order
        ]


def read_labels(path: Path) -> tuple[str, ...]:
    """The labels in a file, one a line, or as a JSON list; raises `Unusable` where it has none."""
    try:
        if path.stat().st_size > LARGEST:
            raise Unusable(f"`{path}` is too large for a file of labels")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise Unusable(f"`{path}` cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"`{path}` is no text in UTF-8") from error
    labels = _listed(path, text)
    labels = _lines(text) if labels is None else labels
    if not labels:
        raise Unusable(f"`{path}` has no labels")
    return labels


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.rstrip().splitlines())


def _listed(path: Path, text: str) -> tuple[str, ...] | None:
    """The labels of a JSON list; None where lines are meant, which may begin as JSON does."""
    named = path.suffix.lower() == ".json"
    if not (named or text.lstrip().startswith(("[", "{"))):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not named:
            return None
        raise Unusable(f"`{path}` is no sound JSON") from error
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Unusable(f"`{path}`: labels in JSON are a list of texts")
    return tuple(found)
