"""The words that the language keeps for itself."""

POSITIONAL = {
    "residual": ("aggregation", "shrink"),
    "parallel": ("aggregation",),
    "join": ("aggregation",),
}
"""The order of the arguments of the language's own constructs in the text form."""

CONSTRUCTS = frozenset(
    {"sequential", "per_frame", "residual", "parallel", "join", "let", "when", "repeat"}
)
"""The keys of a YAML item that are no layer."""

RESERVED = CONSTRUCTS - {"sequential"} | frozenset(
    {
        "input",
        "inputs",
        "outputs",
        "else",
        "shortcut",
        "from",
        "template",
        "network",
        "variant",
        "doc",
        "in",
        "if",
    }
    | {"and", "or", "not", "true", "false", "none"}
)
"""Words that cannot be names, so that every network can be written in both surfaces."""

RESERVED_KEYS = RESERVED | {"rate"}
"""Words that cannot name a layer or a template either: `rate` may follow the input."""

TYPES = frozenset({"int", "float", "bool", "str", "layer", "tuple"})
"""The types of parameters."""

LAYOUTS = (
    "torch",
    "torch_time_last",
    "tripy",
    "megengine",
    "keras",
    "tensorflow",
    "flax",
    "flax_transpose_kernel",
    "onnx",
    "haiku",
    "paddle",
    "caffe2",
)
"""Whose layouts the tensors of a checkpoint may have."""

ADAPTERS = (
    "inflate_mean",
    "inflate_center",
    "inflate_last",
    "input_channels",
    "pointwise",
    "singletons",
    "rows[1:]",
    "fold {p}.bn",
    "unfold {p}.bn",
)
"""What may be done to tensors of another shape, any rows, and to any layer with its norm."""

ADAPTER = "|".join(
    (*(each for each in ADAPTERS if each.isidentifier()), r"rows\[\d{0,9}:\d{0,9}\]")
)
"""The form of a word for another shape."""

VERSION = 1
"""The version of the language that is read here."""
