"""Continual modules to be used by hand: `import codsl.nn as co`."""

from typing import TYPE_CHECKING, Any

from codsl.layers.row import Layer
from codsl.layers.table import table
from codsl.nn import written
from codsl.nn.classes import TORCH_NAMES, hand_class
from codsl.nn.older import PLACES
from codsl.nn.written import *  # noqa: F403


def rows_by_hand() -> dict[str, type[Layer]]:
    """The rows whose classes are found here, by their own names and by torch's; another class may
    have the name of a row."""
    rows = {row.__name__: row for row in table().values()}
    rows |= {torch: rows[name] for name, torch in TORCH_NAMES.items()}
    return {name: row for name, row in rows.items() if name not in written.__all__}


if TYPE_CHECKING:
    from codsl.nn.rows import *  # noqa: F403
else:
    __all__ = written.__all__ + list(rows_by_hand())

    def __getattr__(name: str) -> Any:
        """The class of a row of the table: `co.Conv3d`; or an older name's place."""
        if name in PLACES:
            return PLACES[name]
        row = rows_by_hand().get(name)
        if row is None:
            raise AttributeError(f"`codsl.nn` has no `{name}`")
        return hand_class(row)


def __dir__() -> list[str]:
    return sorted({*written.__all__, *rows_by_hand()})
