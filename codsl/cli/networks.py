"""`codsl networks`: the networks that come with codsl."""

import json
from argparse import ArgumentParser, Namespace
from textwrap import fill
from typing import Any

from codsl import shipped
from codsl.surfaces import parse

WORDS = "list the networks that come with codsl"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON, with the paths")
    parser.set_defaults(use=())


def command(options: Namespace) -> int:
    """Names as they are given for a SPEC, with what each is and its variants, on stdout."""
    listed = [_about(name) for name in shipped.names()]
    if options.json:
        print(json.dumps({"networks": listed}, indent=2))
        return 0
    for each in listed:
        print(each["spec"])
        print(fill(each["doc"], 98, initial_indent="  ", subsequent_indent="  "))
        if each["variants"]:
            print(f"  --variant {', '.join(each['variants'])}")
    return 0


def _about(name: str) -> dict[str, Any]:
    """What the file of a network says of it."""
    spec = f"{shipped.PREFIX}{name}"
    document = parse(spec)
    return {
        "name": name,
        "spec": spec,
        "doc": document.doc or "",
        "variants": [each.name.text for each in document.variants],
        "path": str(shipped.located(spec)),
    }
