"""What is to be said of a word: the manual of a layer, the meaning of an argument or a section."""

from dataclasses import MISSING
from typing import Any

from codsl.layers.row import Layer, arguments
from codsl.layers.table import table
from codsl.spec.glossary import meaning
from codsl.spec.manual import entry, written
from codsl.syntax import tree
from codsl.syntax.structure import TOP, structure
from codsl.syntax.words import CONSTRUCTS


def layer(row: type[Layer]) -> str:
    """The manual of a layer, in Markdown, without its heading."""
    return entry(row).partition("\n")[2].strip()


def argument(row: type[Layer], name: str) -> str:
    """What an argument means, and what it is if left out."""
    known = next((each for each in arguments(row) if each.name == name), None)
    if known is None:
        return ""
    said = meaning(row, name)
    default = "" if known.default is MISSING else f"if left out: `{written(known.default)}`"
    return "\n\n".join(each for each in (said, default) if each)


def template(node: tree.Template) -> str:
    """A template with its parameters."""
    taken = ", ".join(parameter(each) for each in node.parameters)
    return f"template `{node.name.text}({taken})`"


def parameter(node: tree.Parameter) -> str:
    """A parameter with its type and its default."""
    kind = f": {node.type.text}" if node.type else ""
    default = getattr(node.default, "value", None)
    return f"{node.name.text}{kind}" + ("" if default is None else f" = {written(default)}")


def given(expression: tree.Expression) -> str:
    """A value as it stands in the text."""
    return expression.span.text


def construct(word: str) -> str:
    """What a construct of the language does; empty for another word."""
    return str(structure()["$defs"][word].get("description", "")) if word in CONSTRUCTS else ""


def section(word: str) -> str:
    """What a section of a file holds; empty for another word."""
    return _said(TOP.get(word, {}), structure()["$defs"])


def row_of(word: str) -> type[Layer] | None:
    """The layer of this name."""
    return table().get(word)


def keys_of(word: str) -> dict[str, str]:
    """The keys of a construct in YAML, with what each means."""
    definitions = structure()["$defs"]
    known = definitions[word].get("properties", {})
    return {name: _said(each, definitions) for name, each in known.items()}


def _said(entry: dict[str, Any], definitions: dict[str, Any]) -> str:
    target = definitions.get(str(entry.get("$ref", "")).rpartition("/")[2], {})
    return str(entry.get("description") or target.get("description", ""))
