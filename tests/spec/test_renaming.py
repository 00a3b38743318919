"""Rules of renaming: what they say, that they can be undone, and what they refuse."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codsl.spec.renaming import BadRule, Pattern, Renaming, Rule

RULES = {
    "blocks.{i}.res_blocks.{j}.branch2.{rest}": "stage{i}.block{j+1}.{rest}",
    "head.{x}_{i:int}.w": "h{i}.{x}.weight",
    "{path:path}.kernel": "{path}.weight",
    "exact.name": "other",
    "up{i+2}.{a:part}.{a:part}": "down{i}.{a}",
    "model.{3*i-2}.block.{2*j - 1}.{rest}": "stage{i}.conv{j}.{rest}",
}


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        ("blocks.1.res_blocks.0.branch2.conv_a.weight", "stage1.block1.conv_a.weight"),
        ("blocks.x.res_blocks.9.branch2.w", "stagex.block10.w"),
        ("blocks.1.res_blocks.00.branch2.w", "blocks.1.res_blocks.00.branch2.w"),
        ("head.a_b_3.w", "h3.a_b.weight"),
        ("a.b.c.kernel", "a.b.c.weight"),
        ("kernel", "kernel"),
        ("exact.name", "other"),
        ("my.exact.name", "my.exact.name"),
        ("exact.name.2", "exact.name.2"),
        ("up5.x.x", "down3.x"),
        ("up5.x.y", "up5.x.y"),
        ("up1.x.x", "up1.x.x"),
        ("model.1.block.3.conv.w", "stage1.conv2.conv.w"),
        ("model.10.block.1.w", "stage4.conv1.w"),
        ("model.2.block.1.w", "model.2.block.1.w"),
        ("model.1.block.2.w", "model.1.block.2.w"),
    ],
)
def test_names(name: str, renamed: str) -> None:
    renaming = Renaming.parse(RULES)
    found, rule = renaming.rename(name)
    assert found == renamed
    assert (rule is None) == (name == renamed)
    if rule is not None:
        assert rule.reverse.rename(renamed) == name
        assert renaming.undo(renamed) == name


def test_the_first_rule_that_fits_wins() -> None:
    renaming = Renaming.parse({"a.b": "x", "a.{rest}": "y.{rest}"})
    assert renaming.rename("a.b")[0] == "x"
    assert renaming.rename("a.c")[0] == "y.c"
    assert renaming.undo("x") == "a.b"
    assert renaming.undo("y.b") == "y.b"
    assert renaming.undo("z") == "z"
    assert renaming.undo("a.b") is None


PARTS = st.text("abz019_", min_size=1, max_size=4)
HOLES = {
    "{i:int}": "7",
    "{n}": "ab_1",
    "{p:path}": "x.y0.z",
    "{j+3}": "8",
    "{k-1}": "0",
    "{3*m+2}": "11",
}


@st.composite
def sides(draw: st.DrawFn) -> tuple[str, str, str]:
    """Both sides of a rule with the same holes, and a name for the left one."""
    used = draw(st.lists(st.sampled_from(sorted(HOLES)), unique=True, max_size=4))
    left, name = [], []
    for hole in used:
        before = draw(PARTS) + "_" if hole != "{p:path}" and draw(st.booleans()) else ""
        left.append(before + hole)
        name.append(before + HOLES[hole])
        if draw(st.booleans()):
            part = draw(PARTS)
            left.append(part)
            name.append(part)
    plain = draw(PARTS)
    right = [f"{draw(PARTS)}q_{hole}" if hole != "{p:path}" else hole for hole in used]
    order = draw(st.permutations(right))
    return ".".join([*left, plain]), ".".join([*order, draw(PARTS)]), ".".join([*name, plain])


@given(sides())
def test_what_a_rule_does_can_be_undone(drawn: tuple[str, str, str]) -> None:
    left, right, name = drawn
    rule = Rule.parse(left, right)
    renamed = rule.rename(name)
    assert renamed is not None
    assert rule.reverse.rename(renamed) == name


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("a{i}{j}", "b{i}.{j}", "nothing tells them apart"),
        ("{a}_{b}.w", "{b}_{a}.w", "take anything"),
        ("a.{x}", "b", "left only"),
        ("a", "b.{x}", "right only"),
        ("a..b", "c", "without a name"),
        (".a", "c", "without a name"),
        ("{x:path}.{y:path}", "{x}.{y}", "two paths"),
        ("a{x:path}", "{x}", "no whole part"),
        ("{i+1}.w", "{i:path}", "of kind"),
        ("{i:path}.w", "a.{i+1}", "of kind"),
        ("a b", "c", "spaces"),
        ("a.*", "b.{x}", "is no hole"),
        ("{", "c", "brace"),
        ("a}", "c", "brace"),
        ("{i:int}1{j:int}.w", "{i}.{j}.w", "only digits"),
        ("{a:foo}.w", "{a}.w", "a hole is"),
        ("{}.w", "w.{}", "has a name"),
        ("{0*i+1}.w", "{i}.w", "whatever `i` is"),
        ("{2*a:path}.w", "{a}.w", "only with a number"),
        ("", "c", "characters"),
        ("a" * 1001, "c", "characters"),
    ],
)
def test_what_cannot_be_a_rule(source: str, target: str, why: str) -> None:
    with pytest.raises(BadRule, match=why):
        Rule.parse(source, target)


def test_patterns_may_have_holes_without_names() -> None:
    pattern = Pattern.parse("head.{:path}")
    assert pattern.fits("head.a.b")
    assert not pattern.fits("heads.a")
    assert not pattern.fits("a.head.b")
    two = Pattern.parse("net.{:int}.twice.{:path}")
    assert two.fits("net.3.twice.a.b")
    assert not two.fits("net.x.twice.a")


def test_no_name_takes_long() -> None:
    hard = Pattern.parse("{a}x1.{p:path}.{b}x1.{c}x.{i:int}_x{j:int}")
    start = time.process_time()
    assert hard.read("x1" * 80 + "." + ".".join(["xx1xx1"] * 130)) is None
    assert time.process_time() - start < 5


def test_holes_without_a_name_are_apart() -> None:
    pattern = Pattern.parse("stage{:int}.{}.{}.{:path}")
    assert pattern.fits("stage1.a.b.c.d")
    assert not pattern.fits("stagex.a.b.c.d")
    assert not pattern.fits("stage1.a.b")
