"""What is loaded and written back is what was there: random networks, random rules, every layout.

`CODSL_NETWORKS=300` draws more networks.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch

import codsl
from codsl.spec.renaming import Renaming
from codsl.weights import read
from codsl.weights.layouts import LAYOUTS
from harness.drawn import Networks

COUNT = int(os.environ.get("CODSL_NETWORKS", "8"))
RULES = (
    {},
    {"model.{path:path}": "{path}"},
    {"blocks.{i:int}.{rest}": "n{i+1}.{rest}", "top.{rest}": "{rest}"},
    {"a{i:int}_b.{leaf}": "n{i}.{leaf}", "deep.{i:int}.{j:int}.{rest}": "n{i}.n{j}.{rest}"},
    {"{rest:path}.of.n{i+5}": "n{i}.{rest}", "net.{rest:path}.end": "{rest}"},
)


NORMED = ("torch", "tripy", "onnx", "megengine", "paddle", "caffe2")
"""The layouts that know weight normalisation."""


def network(seed: int, layout: str) -> codsl.Network:
    """A random network of layers that the layout knows: Haiku has no PReLU."""
    spec = Networks(Random(seed), 1 + seed % 3).network(6)
    if layout == "haiku" and "'prelu'" in repr(spec):
        return network(seed + COUNT, layout)
    spec = spec if layout in NORMED else without(spec, "weight_norm")
    torch.manual_seed(seed)
    return codsl.build(instead(spec, "gru", "lstm") if layout == "haiku" else spec)


def without(tree: Any, key: str) -> Any:
    if isinstance(tree, dict):
        return {name: without(each, key) for name, each in tree.items() if name != key}
    return [without(each, key) for each in tree] if isinstance(tree, list) else tree


def instead(tree: Any, key: str, other: str) -> Any:
    if isinstance(tree, dict):
        pairs = ((other if name == key else name, each) for name, each in tree.items())
        return {name: instead(each, key, other) for name, each in pairs}
    return [instead(each, key, other) for each in tree] if isinstance(tree, list) else tree


def invented(shapes: dict[str, Any], seed: int) -> dict[str, Any]:
    """Other numbers of the same shapes and dtypes."""
    generator = np.random.default_rng(seed)
    return {
        name: generator.integers(-99, 99, array.shape).astype(array.dtype)
        for name, array in shapes.items()
    }


def same(left: Any, right: Any) -> bool:
    return list(left) == list(right) and all(np.array_equal(left[n], right[n]) for n in left)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_was_loaded_is_written_back(layout: str, tmp_path: Path) -> None:
    path, alike = tmp_path / "n.npz", tmp_path / "like.npz"
    tensors = 0
    for seed in range(COUNT):
        net, rules = network(seed, layout), RULES[seed % len(RULES)]
        if not net.state_dict():
            continue
        codsl.save_weights(net, path, rename=rules, layout=layout)
        given = invented(dict(read(path)), seed)
        tensors += len(given)
        rename = used(rules, given)
        codsl.load_weights(net, given, rename=rename, layout=layout)
        codsl.save_weights(net, path, rename=rules, layout=layout)
        assert same(read(path), given)
        codsl.save_weights(net, alike, rename=rename, layout=layout, like=given)
        found = read(alike)
        assert set(found) == set(given)
        assert same({name: found[name] for name in given}, given)
    assert tensors > 5 * COUNT


def used(rules: dict[str, str], given: dict[str, Any]) -> dict[str, str]:
    """The rules that some name fits first: idle ones are refused."""
    renaming = Renaming.parse(rules)
    first = {renaming.rename(name)[1] for name in given}
    pairs = zip(rules.items(), renaming.rules, strict=True)
    return {source: target for (source, target), rule in pairs if rule in first}
