"""The parser of the text form: made of `grammar.lark`, and read as it was made where that is known.

Lark takes ten times as long to make it as to read it from `grammar.json`.
"""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from lark import Lark, __version__
from lark.grammar import Rule
from lark.lexer import TerminalDef

OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "contextual",
    "start": ["document", "expression"],
    "propagate_positions": True,
    "maybe_placeholders": True,
}
"""How Lark makes the parser."""


@cache
def grammar() -> Lark:
    """The parser of documents and of expressions. What is kept of another grammar, or of another
    Lark, is not read."""
    kept = json.loads(_file("grammar.json"), object_pairs_hook=_numbered)
    if kept["of"] != origin():
        return made()
    parser: Lark = Lark._load_from_dict(kept["parser"], kept["memo"])  # type: ignore[no-untyped-call]
    return parser


def made() -> Lark:
    """The parser, made anew."""
    return Lark(_file("grammar.lark"), **OPTIONS)


def table() -> str:
    """What `grammar.json` holds; Lark numbers the states of a parser in any order."""
    parser, memo = made().memo_serialize([TerminalDef, Rule])
    kept = {"of": origin(), "parser": parser, "memo": memo}
    return json.dumps(kept, separators=(",", ":")) + "\n"


def origin() -> dict[str, Any]:
    """What a parser is made of: the grammar, the Lark, and how that makes it."""
    grammar = sha256(_file("grammar.lark").encode()).hexdigest()
    return {"lark": __version__, "grammar": grammar, "options": OPTIONS}


def _file(name: str) -> str:
    return files("codsl.syntax").joinpath(name).read_text("utf-8")


def _numbered(pairs: list[tuple[str, Any]]) -> dict[int | str, Any]:
    """A dict of a JSON text whose keys were numbers before."""
    return {int(key) if key.isdecimal() else key: value for key, value in pairs}
