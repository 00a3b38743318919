"""A spec as it was written, with what it was given: enough to build its network again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codsl.source import Source


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
        return {"spec": self.source.text, **chosen, "params": params}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], name: str) -> "Written | None":
        """The reverse; None where there is no spec, and raises `ValueError` where it is broken."""
        if "spec" not in metadata:
            return None
        params = json.loads(metadata.get("params", "{}"))
        if not isinstance(params, dict):
            raise ValueError("the parameters are no mapping")
        return cls(Source(name, metadata["spec"]), metadata.get("variant"), params)
