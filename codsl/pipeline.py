"""The compiler on one page: a source is read, elaborated, checked and built."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from codsl import shipped
from codsl.diagnostics import Diagnostic, Findings, SpecError
from codsl.garbage import uncollected
from codsl.graph.check import check as check_spec
from codsl.graph.graph import Graph
from codsl.graph.written import Written
from codsl.layers.row import Layer
from codsl.layers.table import register, reserve, table
from codsl.source import Source
from codsl.spec.elaborate import elaborate
from codsl.spec.near import near_names
from codsl.spec.schema import schema
from codsl.syntax.files import Files, Folder, Texts
from codsl.syntax.imports import follow
from codsl.syntax.read import read
from codsl.syntax.validator import Validator
from codsl.syntax.words import CONSTRUCTS, RESERVED

reserve(CONSTRUCTS | RESERVED)

if TYPE_CHECKING:
    import torch

    from codsl.network import Network
    from codsl.weights.tensors import Checkpoint

Spec = str | Path | dict[str, Any] | Source

Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def check(
    spec: Spec,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    root: str | Path | None = None,
) -> Graph:
    """Check a spec and work out when everything in it happens; torch is not loaded.

    `spec` is a path, `codsl:NAME` for a network that comes with codsl, a text with a line break
    (`codsl: 1` is YAML, `codsl 1` the text form), or a dict of the YAML form. Params go over the
    variant, the variant over the defaults. What a file imports lies in its folder or below, or in
    the folder `root` or below; a text and a dict import from `root`. Raises `SpecError`, whose
    `diagnostics` are all the mistakes at once.
    """
    graph, _ = inspect(spec, variant=variant, params=params, root=root)
    return graph


@uncollected()
def inspect(
    spec: Spec,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    root: str | Path | None = None,
) -> tuple[Graph, tuple[Diagnostic, ...]]:
    """The graph of a spec, and the warnings. Raises `SpecError` as `check` does."""
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"params is a mapping of names to values, not {type(params).__name__}")
    findings = Findings()
    written = _written(spec, variant, params, findings)
    validator = _validator(frozenset(table().items()))
    document = written and read(written.source, findings, validator)
    module = meant = None
    if written and document:
        files, identity = _files(spec, written, root)
        module = follow(document, files, validator, findings, identity)
        meant = elaborate(module, table(), written.variant, written.params, findings)
    graph = meant and check_spec(meant, findings)
    warnings = findings.settle()
    if not (graph and written and module):
        raise RuntimeError("a spec gave neither a graph nor a mistake")
    return replace(graph, written=replace(written, imports=module.texts())), warnings


def _written(
    spec: Spec, variant: str | None, params: Mapping[str, Any] | None, findings: Findings
) -> Written | None:
    """A spec and what it is given, or the one inside a file of weights with what it was given."""
    path = weights_in(spec)
    if path is None:
        source = open_source(spec, findings)
        return Written(source, variant, params or {}) if source else None
    try:
        inside = Written.load(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        findings.add("E0103", f"`{path}` cannot be read: {reason}")
        return None
    return replace(
        inside,
        variant=inside.variant if variant is None else variant,
        params=inside.params if params is None else params,
    )


def _files(
    spec: Spec, written: Written, root: str | Path | None
) -> tuple[Files | None, str | None]:
    """Where the files are that a spec may import, and what it is among them itself."""
    if weights_in(spec) is not None:
        return Texts(written.source.name, written.imports), ""
    place = spec.name if isinstance(spec, Source) else spec
    unnamed = isinstance(spec, Source) and spec.name.startswith("<")
    if isinstance(place, Path) or (isinstance(place, str) and not unnamed and not _is_text(place)):
        path = shipped.located(place)
        files = Folder(path.parent, path.parent if root is None else Path(root))
        return files, files.identity(path.name)
    return (None if root is None else Folder(Path(root), Path(root))), None


def weights_in(spec: Spec) -> Path | None:
    """The path of a spec that is inside a file of weights."""
    if isinstance(spec, str | Path) and str(spec).endswith(".safetensors"):
        return None if shipped.is_named(spec) else Path(spec)
    return None


@uncollected()
def build(
    spec: Spec | Graph,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    root: str | Path | None = None,
    device: "torch.device | str | None" = None,
    dtype: "torch.dtype | None" = None,
    weights: "Checkpoint | None" = None,
) -> "Network":
    """A network of continual modules from a spec, or from a graph that `check` gave.

    `spec` may be a `.safetensors` file that `codsl.save_weights` wrote: its spec and its weights.
    `weights` is a checkpoint as `codsl.load_weights` takes it, by its names or as one that the spec
    knows. Otherwise weights are torch's own initialisation, drawn in the order written. Raises
    `SpecError` as `check` does, and `WeightsError`, which is one too, as `load_weights` does;
    `TypeError` where a graph comes with `variant`, `params` or `root`, which are for `check`.
    """
    from codsl.network import Network
    from codsl.weights.load import load_weights

    if isinstance(spec, Graph):
        _check_alone(variant=variant, params=params or None, root=root)
        graph = spec
    else:
        graph = check(spec, variant=variant, params=params, root=root)
    net = Network(graph, device, dtype)
    if weights is None and not isinstance(spec, Graph):
        weights = weights_in(spec)
    if weights is not None:
        load_weights(net, weights)
    return net


def _check_alone(**given: Any) -> None:
    """Raise `TypeError` where something is said to a graph, which `check` was to be told."""
    said = [f"`{name}`" for name, value in given.items() if value is not None]
    if said:
        raise TypeError(
            f"a graph is checked already, and takes no {', '.join(said)}: give that to `check`"
        )


def open_source(spec: Spec, findings: Findings) -> Source | None:
    """The text of a spec, however it is given; None where it cannot be read."""
    if isinstance(spec, Source):
        return spec
    if isinstance(spec, dict):
        try:
            return Source("<dict>", _in_yaml(spec))
        except (yaml.YAMLError, RecursionError) as error:
            kind = type(error.args[-1]).__name__
            findings.add("E0103", f"this dict holds what YAML cannot: something of type `{kind}`")
            return None
    if not isinstance(spec, str | Path):
        raise TypeError(f"a spec is a path, a text or a dict, not {type(spec).__name__}")
    if isinstance(spec, str) and _is_text(spec):
        return Source("<text>", spec)
    try:
        return Source.load(shipped.located(spec))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        findings.add("E0103", f"`{spec}` cannot be read: {reason}", helps=_meant(spec))
        return None


def _meant(spec: str | Path) -> list[str]:
    """What to do about a spec that is not there."""
    if shipped.is_named(spec):
        name = str(spec).removeprefix(shipped.PREFIX)
        near = near_names(name, shipped.names()) if name else []
        helps = [f"did you mean `{shipped.PREFIX}{each}`?" for each in near]
        return [*helps, "`codsl networks` lists those that there are"]
    if str(spec) in shipped.names():
        return [f"the one that comes with codsl is `{shipped.PREFIX}{spec}`"]
    if isinstance(spec, str) and spec.lstrip().startswith("codsl "):
        return ["a text, as opposed to a path, has a line break"]
    return []


def _is_text(spec: str) -> bool:
    """Whether this is a spec itself, not its path."""
    return "\n" in spec or not spec


def _in_yaml(spec: dict[str, Any]) -> str:
    """A dict in the YAML form, written by libyaml where it is there: that is quicker by far, but
    cannot write lone surrogates."""
    try:
        return str(yaml.dump(spec, Dumper=Dumper, sort_keys=False, allow_unicode=True))
    except UnicodeEncodeError:
        return yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)


@cache
def _validator(rows: frozenset[tuple[str, type[Layer]]]) -> Validator:
    return Validator(schema(dict(rows)))


__all__ = ["SpecError", "build", "check", "inspect", "open_source", "register"]
