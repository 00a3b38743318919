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
    """A source, the variant that was chosen, and the parameters from outside.

    `imports` are the texts of the files that it imports, by their ways from it.
    """

    source: Source
    variant: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """Texts for the metadata of a file. Raises `ValueError` for parameters that JSON lacks."""
        try:
            params = json.dumps(dict(self.params))
        except TypeError as error:
            raise ValueError(f"a parameter of the spec cannot be written: {error}") from None
        chosen = {"variant": self.variant} if self.variant is not None else {}
        text = self.source.text
        imports = json.dumps(dict(self.imports)) if self.imports else ""
        known = {"version": VERSION, "sha256": digest(text + imports)}
        beside = {"imports": imports} if imports else {}
        return {**known, "spec": text, **beside, **chosen, "params": params}

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
        whole = digest(text + metadata.get("imports", ""))
        if metadata.get("sha256", whole) != whole:
            raise ValueError("the spec in this file is not the one that was written")
        params, imports = (_mapping(metadata, key) for key in ("params", "imports"))
        if not all(isinstance(each, str) for each in imports.values()):
            raise ValueError("the imports in this file are no texts")
        return cls(Source(str(path), text), metadata.get("variant"), params, imports)


def _mapping(metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    try:
        found = json.loads(metadata.get(key, "{}"))
    except RecursionError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"the {key} in this file are no mapping")
    return found
