"""The text form as editors colour it: a TextMate grammar, made from the parser's own words."""

import json
from typing import Any

from lark.lexer import PatternStr

from codsl.syntax.grammar import grammar
from codsl.syntax.words import RESERVED, TYPES

Rule = dict[str, Any]

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
CONSTANTS = ("true", "false", "none")
OPERATORS = ("and", "or", "not", "if", "else", "in")
SECTIONS = ("template", "network", "variant")
"""Words that a name follows which they define."""

BETWEEN = {
    "codsl": (r"^\s*", r"(?=\s+[0-9])"),
    "import": ("", r'(?=\s*")'),
    "as": (r'(?<=")\s*', rf"(?=\s+{NAME})"),
    "weights": ("", r'(?=\s*")'),
    "rate": (r"(?<=\))\s*", r"(?=\s+[\w(+-])"),
}
"""Words that can be names too, and what stands before and after them where they are not."""


def keywords() -> frozenset[str]:
    """The words that the parser's grammar has, as opposed to names."""
    patterns = (each.pattern for each in grammar().terminals)
    words = (each.value for each in patterns if isinstance(each, PatternStr))
    return frozenset(word for word in words if word.isidentifier())


def coloured() -> str:
    """The TextMate grammar as a JSON text."""
    data = {
        "name": "codsl",
        "scopeName": "source.codsl",
        "fileTypes": ["codsl"],
        "patterns": _rules(),
    }
    return json.dumps(data, indent=1) + "\n"


def _rules() -> list[Rule]:
    """The rules, in the order in which they are tried; none goes over the end of a line."""
    always = keywords() - BETWEEN.keys()
    if not always <= RESERVED:
        raise ValueError(f"words that can be names need a place: {sorted(always - RESERVED)}")
    sections = "|".join(SECTIONS)
    control = sorted(always - {*CONSTANTS, *OPERATORS})
    bare = rf"(?!{_word(sorted(always))}){NAME}(?:\.{NAME})?(?=\s*(?:$|#|\}}|from\b))"
    return [
        _rule("comment.line.number-sign", _terminal("COMMENT")),
        _string(),
        _captured(rf"\b({sections})\s+({NAME})", "keyword.control", "entity.name.type"),
        *(_contextual(word) for word in sorted(BETWEEN)),
        _rule("constant.language", _word(CONSTANTS)),
        _rule("keyword.operator.word", _word(OPERATORS)),
        _rule("keyword.control", _word(control)),
        _captured(rf"(:)\s*({'|'.join(sorted(TYPES))})\b", "punctuation.separator", "support.type"),
        _rule("constant.language.time", r"\bT\b"),
        _rule("constant.numeric", rf"(?<![\w])(?:{_terminal('FLOAT')}|{_terminal('INT')})(?!\w)"),
        _rule("entity.name.function", rf"\b{NAME}(?:\s*\.\s*{NAME})?(?=\s*[(}}])"),
        _rule("variable.parameter", rf"\b{NAME}(?=\s*=(?!=))"),
        _captured(rf"^\s*({bare})", "entity.name.function"),
        _captured(
            rf"^\s*({NAME})\s*(=)\s*({bare})",
            *("variable.parameter", "keyword.operator", "entity.name.function"),
        ),
        _rule("variable.other", rf"\b{NAME}"),
        _rule("keyword.operator", r"\*\*|//|->|\.\.|[=!<>]=|[-+*/%<>=]"),
    ]


def _terminal(name: str) -> str:
    """The pattern of one of the parser's terminals."""
    return next(each.pattern.value for each in grammar().terminals if each.name == name)


def _word(words: Any) -> str:
    return rf"\b(?:{'|'.join(words)})\b"


def _rule(scope: str, pattern: str) -> Rule:
    return {"name": f"{scope}.codsl", "match": pattern}


def _captured(pattern: str, *scopes: str) -> Rule:
    captures = {str(at): {"name": f"{scope}.codsl"} for at, scope in enumerate(scopes, 1)}
    return {"match": pattern, "captures": captures}


def _contextual(word: str) -> Rule:
    before, after = BETWEEN[word]
    return _captured(rf"{before}\b({word})\b{after}", "keyword.control")


def _string() -> Rule:
    """A string, and in it what stands for something else: escapes, and the holes of rules."""
    inner = [
        _rule("constant.character.escape", r"\\."),
        _rule("constant.other.placeholder", r"\{[^{}\"]*\}"),
    ]
    whole = _rule("string.quoted.double", _terminal("STRING"))
    return {**whole, "captures": {"0": {"patterns": inner}}}
