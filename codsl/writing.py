"""Writing a file all at once: the file that was there stays, or the whole new one is there."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST
from pathlib import Path
from secrets import token_hex


@contextmanager
def in_place(path: Path) -> Iterator[Path]:
    """A path to write to; what is written there takes the place of `path` once all went well.

    Where `path` is a link, what it leads to is written; who may read the file is as it was, or as
    with any new file, whatever the writer makes of its part. Raises `OSError` where a device or a
    pipe would be lost.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(EEXIST, "is no plain file to write over", str(path))
    part = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        part.touch(exist_ok=False)
        mode = (path if path.exists() else part).stat().st_mode
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.chmod(stat.S_IMODE(mode))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
