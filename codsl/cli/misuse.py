"""Wrong use of the command line that argparse cannot see."""


class Misuse(Exception):  # noqa: N818
    """The command cannot be carried out as it was given; the message says why in one line."""
