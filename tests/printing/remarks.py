"""Specs with comments, blank lines and spaces where no one would put them."""

from __future__ import annotations

import random
import re

import yaml

TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|\w+|->|\*\*|//|\.\.|[=!<>]=|\s+|.')


def disturbed_text(text: str, chance: random.Random, most: int = 12) -> str:
    """A text of the text form with comments and white space between its words and signs."""
    tokens = TOKEN.findall(text)
    places = [at for at, each in enumerate(tokens) if not each.startswith("#")]
    for number in range(chance.randint(1, most)):
        at = chance.choice(places)
        if tokens[at - 1].startswith("#"):
            continue
        tokens[at] = _noise(chance, number) + tokens[at]
    return "".join(tokens)


def _noise(chance: random.Random, number: int) -> str:
    match chance.randrange(5):
        case 0:
            return " " * chance.randint(1, 5)
        case 1:
            return "\n" * chance.randint(1, 4)
        case 2:
            return f"\n# alone {number}\n"
        case 3:
            return f"\n\n    # far {number}\n\n\n"
    return f" # beside {number}\n"


def disturbed_yaml(text: str, chance: random.Random, most: int = 12) -> str:
    """A YAML file with comments and blank lines between and behind its lines."""
    lines = text.split("\n")
    for number in range(chance.randint(1, most)):
        at = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                lines.insert(at, "")
            case 1:
                lines.insert(at, " " * chance.choice([0, 2, 4, 6, 8, 3, 13]) + f"# alone {number}")
            case 2:
                indent = len(lines[at]) - len(lines[at].lstrip(" -"))
                lines.insert(at, " " * indent + f"# level {number}")
            case _ if "#" not in lines[at]:
                lines[at] += f" # beside {number}"
    return "\n".join(lines)


def restyled(text: str, chance: random.Random) -> str:
    """A YAML file as another program would write it, without its comments."""
    data = yaml.safe_load(text)
    flow = chance.choice([None, False, True])
    style = chance.choice([None, '"'])
    width = chance.choice([40, 80, 1000])
    indent = chance.choice([2, 4])
    return yaml.dump(
        data,
        default_flow_style=flow,
        default_style=style,
        sort_keys=False,
        width=width,
        indent=indent,
    )
