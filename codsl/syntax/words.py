"""The words that the language keeps for itself."""

POSITIONAL = {
    "residual": ("aggregation", "shrink"),
    "parallel": ("aggregation",),
    "join": ("aggregation",),
}
"""The order of the arguments of the language's own constructs in the text form."""

CONSTRUCTS = frozenset({"sequential", "residual", "parallel", "join", "let", "when", "repeat"})
"""The keys of a YAML item that are no layer."""

RESERVED = CONSTRUCTS - {"sequential"} | frozenset(
    {"input", "else", "shortcut", "from", "template", "network", "variant", "doc", "in", "if"}
    | {"and", "or", "not", "true", "false", "none"}
)
"""Words that cannot be names, so that every network can be written in both surfaces."""

TYPES = frozenset({"int", "float", "bool", "str", "layer", "tuple"})
"""The types of parameters."""

VERSION = 1
"""The version of the language that is read here."""
