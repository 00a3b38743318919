"""Values that nobody changes, and so need no copies."""

from typing import Any, Self


class Shared:
    """A value that a deep copy of what holds it holds as well."""

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self
