"""The manual of the command line: made from the parsers, whole, and not stale."""

import re
from argparse import ArgumentParser
from pathlib import Path

from codsl.cli.main import COMMANDS, parser
from codsl.cli.manual import manual

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text("utf-8") == manual(parser()), "run `make generated`"


def test_every_command_has_its_part() -> None:
    heads = re.findall(r"^## codsl (\w+)", manual(parser()), flags=re.MULTILINE)
    assert set(heads) == set(COMMANDS)


def test_every_kind_of_argument_is_told() -> None:
    top = ArgumentParser("tool")
    part = top.add_subparsers().add_parser("cut", description="Cut things")
    part.add_argument("things", metavar="THING", nargs="+", help="what to cut")
    part.add_argument("rest", metavar="REST", nargs="*")
    part.add_argument("-d", "--depth", metavar="N", required=True, help="how deep")
    part.add_argument("--how", choices=("clean", "rough"), help="the cut")
    part.add_argument("--dry", action="store_true", help="only tell")
    assert manual(top).endswith("""
## tool cut

Cut things.

    tool cut THING... [REST...] --depth N

| argument | is |
| --- | --- |
| `THING` | what to cut |
| `REST` |  |
| `-d N`, `--depth N` | how deep |
| `--how WORD` | the cut: `clean`, `rough` |
| `--dry` | only tell |
""")
