"""A spec as it was written, with what it was given: enough to build its network again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from codsl.source import Source

VERSION = "1"
"""Of the files of weights that hold a spec."""


def digest(text: str) -> str:
    """The SHA-256 of a spec."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Written:
    """A source, the variant that was chosen, and the parameters from outside."""

    source: Source
    variant: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """Texts for the metadata of a file. Raises `ValueError` for parameters that JSON lacks."""
        try:
            params = json.dumps(dict(self.params))
        except TypeError as error:
            raise ValueError(f"a parameter of the spec cannot be written: {error}") from None
        chosen = {"variant": self.variant} if self.variant is not None else {}
        text = self.source.text
        known = {"version": VERSION, "sha256": digest(text)}
        return {**known, "spec": text, **chosen, "params": params}

    @classmethod
    def load(cls, path: Path) -> "Written":
        """The spec in a file of weights that codsl has written; the weights are not read.

        Raises `OSError` or `ValueError` with a plain sentence where there is none.
        """
        with path.open("rb"):
            pass
        try:
            with safe_open(path, framework="np") as file:
                metadata = file.metadata() or {}
        except SafetensorError as error:
            raise ValueError(f"it is no safetensors file: {error}") from None
        if "spec" not in metadata:
            raise ValueError("there is no spec in this file of weights")
        text = metadata["spec"]
        if metadata.get("version", VERSION) != VERSION:
            raise ValueError("this file of weights is of another version")
        if metadata.get("sha256", digest(text)) != digest(text):
            raise ValueError("the spec in this file is not the one that was written")
        params = json.loads(metadata.get("params", "{}"))
        if not isinstance(params, dict):
            raise ValueError("the parameters in this file are no mapping")
        return cls(Source(str(path), text), metadata.get("variant"), params)
