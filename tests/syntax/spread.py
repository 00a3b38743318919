"""Specs in several files, and what is said of them."""

from pathlib import Path

import pytest

import codsl
from codsl.diagnostics import Diagnostic

BLOCKS_TEXT = """codsl 1
doc "Blocks."
template unit(d: int, act: layer = "relu") {
  residual { conv = conv1d(in_channels, 3, padding="causal", dilation=d) act }
}
template two(out = 8) { a = unit(1) b = unit(2, act=silu()) conv1d(out, 1) }
"""
BLOCKS_YAML = """codsl: 1
doc: Blocks.
templates:
  unit:
    params: {d: int, act: {type: layer, default: relu}}
    layers:
      - residual:
          layers:
            - conv1d:
                name: conv
                out_channels: $in_channels
                kernel_size: 3
                padding: causal
                dilation: $d
            - $act
  two:
    params: {out: 8}
    layers:
      - $unit: {name: a, d: 1}
      - $unit: {name: b, d: 2, act: silu}
      - conv1d: {out_channels: $out, kernel_size: 1}
"""
TEXT = """codsl 1
import "./BLOCKS" as blocks
network m(n = 2) {
  input (3, T)
  t = blocks.two(out=4)
  u[i in 1..n] = blocks.unit(i, act=leaky_relu(0.2))
}
"""
YAML = """codsl: 1
name: m
import: {blocks: ./BLOCKS}
params: {n: 2}
input: [3, T]
layers:
  - $blocks.two: {name: t, out: 4}
  - repeat:
      name: u
      index: i
      range: [1, $n]
      layer: {$blocks.unit: {d: $i, act: {leaky_relu: {negative_slope: 0.2}}}}
"""
WHOLE = TEXT.replace('import "./BLOCKS" as blocks\n', "").replace("blocks.", "") + "".join(
    BLOCKS_TEXT.splitlines(keepends=True)[2:]
)
RELU = "network n { input (3, T) relu }\n"


def lay(folder: Path, files: dict[str, str]) -> Path:
    """Write files into a folder, and give the first of them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / next(iter(files))


def mistakes(spec: object, **options: object) -> tuple[Diagnostic, ...]:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(spec, **options)  # type: ignore[arg-type]
    return caught.value.diagnostics


def said(spec: object, **options: object) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in mistakes(spec, **options)]
