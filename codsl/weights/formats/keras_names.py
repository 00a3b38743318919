"""The names of a Keras net's weights: of its layers in `config.json`, of variables by class."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]
Config: TypeAlias = Mapping[str, Any]

ROOTS = ("layers", "_layer_checkpoint_dependencies")
"""The group of a model's layers; the second in files written before Keras 3."""

KERNEL = (("kernel", ""), ("bias", "use_bias"))
SEPARABLE = (("depthwise_kernel", ""), ("pointwise_kernel", ""), ("bias", "use_bias"))
AFFINE = (("gamma", "scale"), ("beta", "center"))
CELL = (("kernel", ""), ("recurrent_kernel", ""), ("bias", "use_bias"))

VARIABLES: dict[str, tuple[tuple[str, str], ...]] = {
    **{f"Conv{n}D": KERNEL for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": KERNEL for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": KERNEL for n in (1, 2)},
    **{f"SeparableConv{n}D": SEPARABLE for n in (1, 2)},
    "Dense": KERNEL,
    "EinsumDense": (("kernel", ""), ("bias", "bias_axes")),
    "Embedding": (("embeddings", ""),),
    "BatchNormalization": (*AFFINE, ("moving_mean", ""), ("moving_variance", "")),
    "LayerNormalization": AFFINE,
    "GroupNormalization": AFFINE,
    "RMSNormalization": (("scale", ""),),
    "PReLU": (("alpha", ""),),
    "LSTMCell": CELL,
    "GRUCell": CELL,
    "SimpleRNNCell": CELL,
}
"""The variables of each class in the order of their making, and the argument each hangs on."""

CELLS = {"LSTM": "lstm_cell", "GRU": "gru_cell", "SimpleRNN": "simple_rnn_cell"}
HEADS = {
    "query_dense": "query",
    "key_dense": "key",
    "value_dense": "value",
    "output_dense": "attention_output",
}


def names(config: Config, held: Collection[Path]) -> dict[Path, str]:
    """A name such as `stem.conv.kernel` for each path of a `model.weights.h5` that has one.

    `held` are the paths of its datasets. A layer of an unknown class, or with other variables
    than its class has, gets no names.
    """
    counts = Counter(key[:-1] for key in held)
    found: dict[Path, str] = {}
    for path, name, variables in _Net(_groups(held)).model(config, (), ()):
        if counts[(*path, "vars")] == len(variables):
            for at, variable in enumerate(variables):
                found[(*path, "vars", str(at))] = ".".join((*name, variable))
    return found


def _groups(held: Iterable[Path]) -> frozenset[Path]:
    return frozenset(key[:end] for key in held for end in range(1, len(key)))


Found: TypeAlias = Iterator[tuple[Path, Path, list[str]]]
"""Paths of layers, their names, and the names of their variables."""


@dataclass(frozen=True)
class _Net:
    groups: frozenset[Path]

    def model(self, config: Config, path: Path, name: Path) -> Found:
        counts: Counter[str] = Counter()
        root = ROOTS[(*path, ROOTS[1]) in self.groups]
        for layer in _settings(config).get("layers", ()):
            if isinstance(layer, dict):
                key = _snake(str(layer.get("class_name", "")))
                counts[key] += 1
                key = f"{key}_{counts[key] - 1}" if counts[key] > 1 else key
                yield from self.layer(layer, (*path, root, key), name)

    def layer(self, layer: Config, path: Path, above: Path) -> Found:
        if path not in self.groups:
            return
        kind, settings = str(layer.get("class_name", "")), _settings(layer)
        called = str(settings.get("name", layer.get("name", "")))
        name = (*above, called)
        if kind in VARIABLES:
            variables = VARIABLES[kind]
            yield path, name, [v for v, flag in variables if not flag or settings.get(flag, True)]
        elif isinstance(settings.get("layers"), list):
            yield from self.model(layer, path, name)
        else:
            for part, inner in _parts(kind, settings):
                yield from self.layer(inner, (*path, part), name)


def _parts(kind: str, settings: Config) -> Iterator[tuple[str, Config]]:
    if kind in CELLS:
        inner = {"name": CELLS[kind], "use_bias": settings.get("use_bias", True)}
        yield "cell", {"class_name": f"{kind}Cell", "config": inner}
    elif kind == "MultiHeadAttention":
        for part, name in HEADS.items():
            inner = {"name": name, "use_bias": settings.get("use_bias", True)}
            yield part, {"class_name": "Dense", "config": inner}
    elif kind == "TimeDistributed" and isinstance(settings.get("layer"), dict):
        yield "layer", settings["layer"]
    elif kind == "Bidirectional" and isinstance(settings.get("layer"), dict):
        forward = settings["layer"]
        backward = settings.get("backward_layer")
        yield "forward_layer", _renamed(forward, "forward")
        backward = backward if isinstance(backward, dict) else _renamed(forward, "backward")
        yield "backward_layer", backward


def _renamed(layer: Config, way: str) -> Config:
    settings = _settings(layer)
    name = str(settings.get("name", "")).removeprefix("forward_")
    return {**layer, "config": {**settings, "name": f"{way}_{name}"}}


def _settings(layer: Config) -> Config:
    settings = layer.get("config")
    return settings if isinstance(settings, dict) else {}


def _snake(name: str) -> str:
    name = re.sub(r"\W+", "", name[:200])
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def legacy(paths: list[Path]) -> dict[Path, str]:
    """Names for the paths of a legacy `.h5`: a layer's group, then the variable's own path.

    The variable's path begins with the net's name (Keras 3), with the layer's (most files), or
    within the layer (nets in nets, TensorFlow 2), and ends in `:0` (TensorFlow 2).
    """
    firsts = {path[1] for path in paths if len(path) > 1}
    outer = firsts.pop() if len(firsts) == 1 else None
    if all(path[0] == outer for path in paths):
        outer = None
    named = {path: ".".join(_legacy(path, outer)) for path in paths}
    counts = Counter(named.values())
    return {path: name if counts[name] == 1 else ".".join(path) for path, name in named.items()}


def _legacy(path: Path, outer: str | None) -> Path:
    group, inner = path[0], (*path[1:-1], path[-1].split(":")[0])
    if len(inner) > 1 and inner[0] == outer:
        inner = inner[1:]
    if group in inner[:-1]:
        return inner[inner.index(group) :]
    return inner if group == "top_level_model_weights" else (group, *inner)
