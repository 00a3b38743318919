"""Files of weights as readers see them: what they read, whole, and how they refuse a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from codsl.weights.entry import Entry
from codsl.weights.refusal import WeightsError

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, content: bytes, name: str = "a.safetensors") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def entries(read: Any, path: Path) -> dict[str, Entry]:
    """What a reader finds in a file, whose numbers are all as they are said to be."""
    tree = read(path)
    assert isinstance(tree, dict)
    for entry in tree.values():
        numbers = entry.read()
        assert (numbers.shape, numbers.dtype) == (entry.shape, entry.dtype)
    return tree


def refused(read: Any, path: Path) -> tuple[str, str]:
    """The code and the message that name a file which a reader refuses."""
    with pytest.raises(WeightsError) as caught:
        read(path)
    (diagnostic,) = caught.value.diagnostics
    assert str(path.name) in diagnostic.message
    return diagnostic.code, diagnostic.message


def code(read: Any, path: Path, **options: Any) -> tuple[str, str]:
    """The code by which a file is refused, when it is read or when its numbers are, and all that is
    said."""
    with pytest.raises(WeightsError) as caught:
        read(path, **options)
    (found,) = caught.value.diagnostics
    return found.code, str(caught.value)
