"""Writing a file all at once: the file that was there stays, or the whole new one is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex


@contextmanager
def in_place(path: Path) -> Iterator[Path]:
    """A path to write to; what is written there takes the place of `path` once all went well."""
    part = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
