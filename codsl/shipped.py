"""The networks that come with codsl: where they lie, and how a spec names one."""

from pathlib import Path

PREFIX = "codsl:"
"""What stands before the name of one where a spec is taken."""

SUFFIX = ".codsl"
"""Of their files; a twin in YAML, where there is one, is the same network."""

FOLDERS = (Path(__file__).parent / "networks", Path(__file__).parents[1] / "networks")
"""Where they may lie: installed, and in the sources."""


def folder() -> Path | None:
    """Where they lie; None where codsl came without them."""
    return next((each for each in FOLDERS if each.is_dir()), None)


def names() -> tuple[str, ...]:
    """What there is, in the order of the alphabet."""
    place = folder()
    return tuple(sorted(each.stem for each in place.glob(f"*{SUFFIX}"))) if place else ()


def is_named(spec: str | Path) -> bool:
    """Whether this is the name of one, whether it is there or not, rather than a path."""
    return str(spec).startswith(PREFIX)


def located(spec: str | Path) -> Path:
    """The path of a spec, which may be `codsl:NAME`.

    Raises `ValueError` with a plain sentence where no network of the name is there.
    """
    if not is_named(spec):
        return Path(spec)
    name, place = str(spec).removeprefix(PREFIX), folder()
    if place is None:
        raise ValueError("this installation of codsl came without networks")
    if name not in names():
        raise ValueError("no network of this name comes with codsl")
    return place / f"{name}{SUFFIX}"
