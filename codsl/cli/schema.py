"""`codsl schema`: the JSON Schema of the YAML form."""

from argparse import ArgumentParser, Namespace

from codsl.cli.use import declare_use
from codsl.layers.table import table
from codsl.spec.published import published

WORDS = "print the JSON Schema of YAML specs"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_use(parser)


def command(options: Namespace) -> int:
    """The schema on stdout, as editors read it."""
    print(published(table()), end="")
    return 0
