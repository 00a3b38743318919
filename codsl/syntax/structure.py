"""The shape of a YAML file, as JSON Schema: what stands where, before any layer is known.

There is no `anyOf`, so that each violation is a leaf at the right place. `x-words` holds what to
say of a violation, by the keyword that it violates; `x-later` the keywords whose violations a
later stage finds in both surfaces alike.
"""

from typing import Any

from codsl.syntax.words import ADAPTER, LAYOUTS, TYPES, VERSION

Schema = dict[str, Any]

IDENTIFIER: Schema = {
    "type": "string",
    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
    "x-words": {
        "type": "a name is a word",
        "pattern": "a name is made of letters, digits and `_`, and starts with no digit",
    },
}
NAMED: Schema = {
    "propertyNames": {"pattern": IDENTIFIER["pattern"], "x-words": IDENTIFIER["x-words"]}
}
SOURCES: Schema = {
    "description": "where the input comes from: a name given before, or a list of such",
    "type": ["string", "array"],
    "items": {"type": "string"},
    "minItems": 1,
}
STATEMENTS: Schema = {"$ref": "#/$defs/statements"}


def _layers(what: str) -> Schema:
    return {"description": what, **STATEMENTS}


BODY = _layers("the layers, one after another")
COMMON: Schema = {
    "name": {
        "description": "the name of what it gives, and a level of the keys of its weights",
        "$ref": "#/$defs/identifier",
    },
    "from": {"$ref": "#/$defs/sources"},
}
SCALAR = ["integer", "number", "boolean", "string"]
VALUE = [*SCALAR, "array", "object", "null"]
AGGREGATION: Schema = {
    "description": "how the values are joined: sum, mul, max, mean, or concat along channels",
    "type": "string",
}


def _object(properties: Schema, *required: str, **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _parameters() -> Schema:
    return {
        "description": "what can be given from outside: a default, a type, or both",
        "type": "object",
        **NAMED,
        "additionalProperties": {
            "description": "a parameter: its default, or `{type: int, default: 3}`",
            "type": VALUE,
            "properties": {
                "type": {
                    "description": "what it is; if left out, what its default is",
                    "enum": sorted(TYPES),
                    "x-later": ["enum"],
                },
                "default": {
                    "description": "what it is if not given; without one it must be",
                    "type": VALUE,
                },
            },
            "additionalProperties": False,
        },
    }


_CONSTRUCTS: Schema = {
    "sequential": _object({**COMMON, "layers": BODY}, description="layers in a row"),
    "per_frame": _object(
        {**COMMON, "layers": BODY},
        description="layers in a row on single frames, as on images: their numbers of dimensions, "
        "as in conv2d, count space alone",
    ),
    "residual": _object(
        {
            **COMMON,
            "aggregation": AGGREGATION,
            "shrink": {
                "description": "which frames of the shortcut meet a body that shortens time: "
                "`lagging` the first ones, `leading` the last, `centered` those amid",
                "type": "string",
            },
            "layers": BODY,
            "shortcut": _layers("the layers on the way around; none if left out"),
        },
        description="a body and a shortcut around it, joined; `sum` if not said otherwise",
    ),
    "parallel": _object(
        {
            **COMMON,
            "aggregation": AGGREGATION,
            "branches": {
                "description": "a mapping, whose names become levels, or a list",
                "type": ["object", "array"],
                **NAMED,
                "additionalProperties": STATEMENTS,
                "items": STATEMENTS,
            },
        },
        "branches",
        description="branches from one value, joined; `concat` if not said otherwise",
    ),
    "join": _object(
        {**COMMON, "aggregation": AGGREGATION},
        "from",
        description="values named before, joined; `concat` if not said otherwise",
    ),
    "let": {
        "description": "local values; each may use those before it",
        "type": "object",
        "minProperties": 1,
        **NAMED,
        "additionalProperties": {"type": VALUE},
    },
    "when": _object(
        {
            "test": {
                "description": "true, false, or what is one of them: `$(stride > 1)`",
                "type": ["boolean", "string"],
            },
            "layers": _layers("the layers where it is true"),
            "else": _layers("the layers where it is not"),
        },
        "test",
        description="layers under a condition, and those for its absence",
    ),
    "repeat": _object(
        {
            "name": {
                "description": "the name of each, in front of its index",
                "$ref": "#/$defs/identifier",
            },
            "index": {
                "description": "what the index is called in the layer: `$i`",
                "$ref": "#/$defs/identifier",
            },
            "range": {
                "description": "the first index and the last, both included, and a step",
                "type": "array",
                "items": {"type": ["integer", "string"]},
                "minItems": 2,
                "maxItems": 3,
            },
            "layer": {"description": "the layer or block", "$ref": "#/$defs/statement"},
        },
        "name",
        "range",
        "layer",
        description="a layer for each index: `block1`, `block2`, ...",
    ),
}


_INPUT: Schema = {
    "description": "channels, T, space: `[3, T, 160, 160]`; with `rate`, frames a "
    "second: `{shape: [...], rate: 30}`",
    "type": ["array", "object"],
    "items": {"type": ["integer", "string"]},
    "minItems": 2,
    "x-later": ["minItems"],
    "properties": {
        "shape": {
            "description": "channels, T, space",
            "type": "array",
            "items": {"type": ["integer", "string"]},
            "minItems": 2,
            "x-later": ["minItems"],
        },
        "rate": {
            "description": "frames a second; with it, reports speak of milliseconds too",
            "type": ["number", "string"],
        },
    },
    "required": ["shape"],
    "additionalProperties": False,
}

_PATTERNS: Schema = {"type": "array", "items": {"type": "string"}}
_CHECKPOINT: Schema = _object(
    {
        "layout": {
            "description": "whose layout its tensors have",
            "type": "string",
            "enum": list(LAYOUTS),
            "x-words": {"type": "a layout is a word"},
            "x-later": ["enum"],
        },
        "sha256": {
            "description": "of its file, 64 hexadecimal digits",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "x-later": ["pattern"],
        },
        "envelope": {
            "description": "the key under which a nested file has the weights",
            "type": "string",
        },
        "rename": {
            "description": "rules in order: the checkpoint's name, and the name here: "
            "`blocks.{i}.{rest}: stage{i+1}.{rest}`",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        "allow_missing": {
            "description": "patterns of the network's tensors that it may lack",
            **_PATTERNS,
        },
        "allow_unexpected": {
            "description": "patterns of its tensors that are left out",
            **_PATTERNS,
        },
        "adapt": {
            "description": "what is done to another shape, for patterns of the network's tensors; "
            "`{p:path}.conv: fold {p}.bn` for layers with their norms",
            "type": "object",
            "additionalProperties": {
                "type": "string",
                "pattern": f"^({ADAPTER}|(un)?fold .+)$",
                "x-later": ["pattern"],
            },
        },
    },
    description="how a checkpoint calls its tensors, and how it lays them out",
)

OF_A_NETWORK = frozenset({"name", "input", "inputs", "outputs", "params", "variants", "layers"})
"""The keys that a file of templates alone has not."""

TOP: Schema = {
    "codsl": {
        "description": "the version of the language",
        "type": "integer",
        "minimum": 1,
        "maximum": VERSION,
        "x-words": {"maximum": f"this codsl reads version {VERSION} of the language"},
    },
    "name": {"description": "the name of the network", "$ref": "#/$defs/identifier"},
    "doc": {"description": "a line on what the network is", "type": "string"},
    "input": {"$ref": "#/$defs/input"},
    "inputs": {
        "description": "several inputs by name, instead of `input`; each gets a frame a step",
        "type": "object",
        "minProperties": 1,
        **NAMED,
        "additionalProperties": {"$ref": "#/$defs/input"},
        "x-words": {"minProperties": "a network has an input"},
    },
    "outputs": {
        **SOURCES,
        "description": "the values that the network gives, by name; if left out, the last one",
    },
    "params": _parameters(),
    "variants": {
        "description": "values of the parameters under a name",
        "type": "object",
        **NAMED,
        "additionalProperties": {
            "description": "parameters, each with its value in this variant",
            "type": "object",
            **NAMED,
            "additionalProperties": {"type": VALUE},
        },
    },
    "import": {
        "description": "files whose templates are used here, as `$blocks.unit`, by the name before "
        "the dot: `{blocks: ./blocks.yaml}`",
        "type": "object",
        **NAMED,
        "additionalProperties": {"type": "string", "x-words": {"type": "a path is a text"}},
    },
    "templates": {
        "description": "layers under a name, with parameters of their own",
        "type": "object",
        **NAMED,
        "additionalProperties": _object(
            {"params": _parameters(), "layers": BODY},
            "layers",
            description="used as a layer is: `- $unit: {name: first, width: 64}`",
        ),
    },
    "weights": {
        "description": "checkpoints that are known, by name",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/checkpoint"},
    },
    "layers": _layers("what the network is made of, one after another"),
}
"""The keys of a file."""


def structure(layers: Schema | None = None) -> Schema:
    """The schema of a file; with `layers`, the schemas of the known layers' arguments by name,
    also theirs, and other layers are refused."""
    return {
        "type": "object",
        "properties": TOP,
        "additionalProperties": False,
        **_COMPLETE,
        "$defs": {
            "input": _INPUT,
            "checkpoint": _CHECKPOINT,
            "identifier": IDENTIFIER,
            "sources": SOURCES,
            "statements": {
                "type": ["array", "null"],
                "items": {"$ref": "#/$defs/statement"},
                "x-words": {"type": "layers are a list, each behind a `-`"},
            },
            "statement": _statement(layers),
            **_CONSTRUCTS,
            **{f"layer.{name}": schema for name, schema in (layers or {}).items()},
        },
    }


_COMPLETE: Schema = {
    "if": {
        "required": ["templates"],
        "properties": dict.fromkeys(sorted(OF_A_NETWORK), False),
    },
    "then": {"required": ["codsl"]},
    "else": {
        "required": ["codsl", "layers"],
        "properties": dict.fromkeys(TOP, True),
        "if": {"required": ["inputs"]},
        "then": {"not": {"required": ["input"]}, "x-later": ["not"]},
        "else": {"required": ["input"], "properties": dict.fromkeys(TOP, True)},
    },
}
"""What a file must have: one of templates alone the version, any other layers and inputs too."""


def _statement(layers: Schema | None) -> Schema:
    """The schema of an item of `layers`."""
    known = {name: {"$ref": f"#/$defs/layer.{name}"} for name in layers or {}}
    anything = {"type": VALUE, "properties": COMMON}
    used = {
        "description": "a template, or a parameter that is a layer, with its arguments",
        **anything,
    }
    word = "a layer is a word, or a word with its arguments"
    return {
        "type": ["string", "object"],
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            **{word: {"$ref": f"#/$defs/{word}"} for word in _CONSTRUCTS},
            **known,
        },
        "patternProperties": {"^\\$": used},
        "additionalProperties": False if layers is not None else anything,
        "x-later": ["additionalProperties"],
        "x-words": {"type": word, "minProperties": word, "maxProperties": "one layer an item"},
    }
