"""Comments behind the values of keys that are no parts stay with these keys, in both surfaces."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

import codsl

HEAD = "codsl: 1\nname: n\ninput: [3, T]\n\nlayers:\n"


def body(of: str) -> str:
    return HEAD + indent(dedent(of).lstrip(), "  ")


PAIRS = {
    "branches of a condition": (
        """
        - when:
            test: true  # always
            layers: [relu]  # where it holds
            else: [tanh]  # where it does not
        """,
        """
        # always
        - when:
            test: true
            layers:  # where it holds
              - relu
            else:  # where it does not
              - tanh
        """,
        ["# always", "when true {  # where it holds", "} else {  # where it does not"],
    ),
    "a residual": (
        """
        - residual:
            aggregation: sum  # both added
            layers: [relu]  # the body
            shortcut: [{linear: {out_features: 3}}, tanh]  # the shortcut
        """,
        """
        - residual:
            aggregation: sum  # both added
            layers:           # the body
              - relu
            shortcut:  # the shortcut
              - linear: {out_features: 3}
              - tanh
        """,
        ['"sum"  # both added', ") {  # the body", "} shortcut {  # the shortcut"],
    ),
    "frame by frame": (
        "- per_frame:\n    layers: [relu]  # each\n",
        "- per_frame:\n    layers:  # each\n      - relu\n",
        ["per_frame {  # each"],
    ),
    "a name": (
        "- linear:\n    out_features: 3\n    name: head  # called so\n",
        "- linear: {name: head, out_features: 3}  # called so\n",
        ["head = linear(3)  # called so"],
    ),
    "what is joined": (
        "- relu: {name: a}\n- join:\n    aggregation: sum\n    from: [a, input]  # both\n",
        "- relu: {name: a}\n- join: {aggregation: sum, from: [a, input]}  # both\n",
        ['join("sum") from a, input  # both'],
    ),
    "a range": (
        "- repeat:\n    name: r\n    range: [1, 3]  # thrice\n    layer: relu\n",
        "- repeat: {name: r, range: [1, 3], layer: relu}  # thrice\n",
        ["r[1..3] = relu  # thrice"],
    ),
}


@pytest.mark.parametrize("written", PAIRS)
def test_a_comment_stays_with_its_key(written: str) -> None:
    given, formatted, said = PAIRS[written]
    assert codsl.format(body(given)) == body(formatted)
    assert codsl.format(body(formatted)) == body(formatted)
    in_text = codsl.convert(body(given))
    lines = [line.strip() for line in in_text.splitlines()]
    assert [line for line in lines if "#" in line] == said
    assert codsl.convert(in_text) == body(formatted)


def test_a_comment_stays_with_the_parameters() -> None:
    given = "codsl: 1\nparams: {width: 8}  # of the stem\ninput: [3, T]  # RGB\nlayers: [relu]\n"
    formatted = codsl.format(given)
    assert "params:  # of the stem\n  width: 8\ninput: [3, T]  # RGB\n" in formatted
    assert codsl.format(formatted) == formatted
    in_text = codsl.convert(given)
    assert "network(  # of the stem\n  width = 8\n) {\n  input (3, T)  # RGB\n" in in_text
    assert codsl.convert(in_text) == formatted


def test_a_comment_stays_with_the_parameters_of_a_template() -> None:
    given = (
        "codsl: 1\ntemplates:\n  unit:\n    params: {c: 8}  # pars\n    layers: [relu]  # body\n"
    )
    formatted = codsl.format(given)
    assert formatted.endswith(
        "  unit:\n    params:  # pars\n      c: 8\n    layers:  # body\n      - relu\n"
    )
    in_text = codsl.convert(given)
    assert "template unit(  # pars\n  c = 8\n) {  # body\n" in in_text
    assert codsl.convert(in_text) == formatted


def test_a_comment_stays_with_the_rules_of_weights() -> None:
    given = (
        f"{HEAD}  - relu\n\nweights:\n  main:\n    layout: keras\n    rename: {{a: b}}  # rules\n"
    )
    formatted = codsl.format(given)
    assert formatted.endswith("    layout: keras\n    rename:\n      # rules\n      a: b\n")
    assert codsl.format(formatted) == formatted


@pytest.mark.parametrize("value", ["[3, T]", "{shape: [3, T], rate: 5}"])
def test_a_comment_close_behind_a_bracket_is_not_lost(value: str) -> None:
    formatted = codsl.format(f"codsl: 1\ninput: {value}#kept\nlayers: [relu]\n")
    assert f"input: {value}  #kept\n" in formatted


def test_a_comment_close_behind_a_quote_is_not_lost() -> None:
    formatted = codsl.format(f'{HEAD}  - dropout: {{"p": 0.5}}\n  - "relu"#kept\n')
    assert formatted.endswith("  - relu  #kept\n")


@pytest.mark.parametrize("sign", ["|  # kept", "|-  # kept", "|# kept"])
def test_a_comment_behind_the_sign_of_a_block_of_text_stays_there(sign: str) -> None:
    given = f"codsl: 1\ndoc: {sign}\n  One line,\n  another.\ninput: [3, T]\n\nlayers:\n  - relu\n"
    formatted = given.replace("|#", "|  #")
    assert codsl.format(given) == formatted
    assert codsl.convert(codsl.convert(formatted)).replace("name: network\n", "") == formatted


def test_a_dash_at_the_end_of_a_text_begins_no_list() -> None:
    given = "codsl: 1\ndoc: A half-  # of it\ninput: [3, T]\n\nlayers:\n  - relu\n"
    assert codsl.format(given) == given


@pytest.mark.parametrize("value", ["8", "[8, 9]", "other"])
def test_a_comment_behind_a_layer_that_nobody_knows_is_not_lost(value: str) -> None:
    given = f"{HEAD}  - unheard_of: {value}  # so many\n  - relu\n"
    assert codsl.format(given) == given
    assert codsl.convert(codsl.convert(given)) == given


def test_a_comment_amid_a_layer_that_nobody_knows_is_said_of_it() -> None:
    above = f"{HEAD}  # so many\n  - unheard_of: 8\n"
    assert codsl.format(f"{HEAD}  - unheard_of:\n      # so many\n      8\n") == above
    one = "repeat: {name: u, range: [1, 3], layer: {unheard_of: 8}}"
    within = "repeat:\n      name: u\n      range: [1, 3]\n      layer:\n        unheard_of: 8"
    assert codsl.format(f"{HEAD}  - {within}  # so many\n") == f"{HEAD}  - {one}  # so many\n"
