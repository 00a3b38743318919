"""The key of a parameter is the chain of names that were written."""

import pytest

import codsl


def graph(body: str, top: str = "", params: str = "") -> codsl.Graph:
    text = f"codsl 1\n{top}\nnetwork n{params} {{\n  input (4, T)\n  {body}\n}}\n"
    return codsl.check(text)


def keys(body: str, top: str = "", params: str = "") -> list[str]:
    return [node.path for node in graph(body, top, params).nodes if node.weights]


def codes(body: str, top: str = "", params: str = "") -> list[str]:
    with pytest.raises(codsl.SpecError) as caught:
        graph(body, top, params)
    return [each.code for each in caught.value.diagnostics]


UNIT = "template unit(out: int = 4) { conv = conv1d(out, 1) batch_norm1d }"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("conv1d(4, 1)", ["conv1d"]),
        ("a = conv1d(4, 1) conv1d(4, 1)", ["a", "conv1d"]),
        ("{ conv1d(4, 1) }", ["conv1d"]),
        ("s = { conv1d(4, 1) } conv1d(4, 1)", ["s.conv1d", "conv1d"]),
        ("s = { { t = { a = conv1d(4, 1) } } }", ["s.t.a"]),
        ("unit", ["conv", "batch_norm1d"]),
        ("u = unit", ["u.conv", "u.batch_norm1d"]),
        ("s = { u = unit }", ["s.u.conv", "s.u.batch_norm1d"]),
        ("s = { when true { u = unit } }", ["s.u.conv", "s.u.batch_norm1d"]),
        ("when false { a = relu } else { a = conv1d(4, 1) }", ["a"]),
        (
            "r = residual { a = conv1d(4, 1) } shortcut { b = conv1d(4, 1) }",
            ["r.a", "r.b"],
        ),
        ("residual { a = conv1d(4, 1) } shortcut { b = conv1d(4, 1) }", ["a", "b"]),
        (
            "p = parallel { b1 { conv1d(4, 1) } { a = conv1d(4, 1) } { c = conv1d(4, 1) } }",
            ["p.b1.conv1d", "p.a", "p.c"],
        ),
        ("parallel { b1 { conv1d(4, 1) } }", ["b1.conv1d"]),
        ("b[i in 1..2] = conv1d(4, 1)", ["b1", "b2"]),
        ("b[1..2] = { c[2..3] = conv1d(4, 1) }", ["b1.c2", "b1.c3", "b2.c2", "b2.c3"]),
        ("b[i in 0..0] = unit(4)", ["b0.conv", "b0.batch_norm1d"]),
        ("b[i in 2..1] = unit(4)  a = conv1d(4, 1)", ["a"]),
        ("unit = unit(4)", ["unit.conv", "unit.batch_norm1d"]),
        ("step = conv1d(4, 1) relu = prelu", ["step", "relu"]),
    ],
)
def test_keys(body: str, found: list[str]) -> None:
    assert keys(body, UNIT) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("conv1d(4, 1) conv1d(4, 1)", ["E0307"]),
        ("unit unit", ["E0307"]),
        ("prelu prelu", ["E0307"]),
        ("a = relu a = silu", ["E0306"]),
        ("a = relu { a = silu }", ["E0306"]),
        ("a = relu when true { a = silu }", ["E0306"]),
        ("residual { a = relu } shortcut { a = relu }", ["E0306"]),
        ("parallel { a {} a {} }", ["E0306"]),
        ("parallel { { a = relu } { a = relu } }", ["E0306"]),
        ("b1 = relu b[1..2] = relu", ["E0306"]),
        ("conv = relu unit", ["E0306"]),
        ("conv1d = relu conv1d(4, 1)", ["E0306"]),
    ],
)
def test_names_that_meet(body: str, found: list[str]) -> None:
    assert codes(body, UNIT) == found


def test_an_inserted_layer_moves_no_other_key() -> None:
    layers = ["a = conv1d(4, 3, padding=1)", "relu", "unit", "s = { prelu }", "b[1..2] = unit(4)"]
    before = keys(" ".join(layers), UNIT)
    for at in range(len(layers) + 1):
        for new in ("delay(2)", "new = conv1d(4, 1)", "relu", "residual { silu }"):
            after = keys(" ".join([*layers[:at], new, *layers[at:]]), UNIT)
            assert [key for key in after if key != "new"] == before


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        ("a = relu b = silu tanh from a", [(1,)]),
        ("a = relu b = silu join from a, b, input", [(1, 2, 0)]),
        ("a = { b = relu silu } join from a.b, a", [(1, 2)]),
        ('u[1..3] = { s = relu silu } join("sum") from u[*].s', [(1, 3, 5)]),
        ("u[1..3] = relu join from u[*]", [(1, 2, 3)]),
        ("when true { a = relu } silu tanh from a", [(1,)]),
        ("a = relu { { silu from a } }", [(1,)]),
        ("p = parallel { b1 { s = relu } b2 {} } join from p.b1, p.b1.s", [(1, 1)]),
        ("p = residual { s = relu } shortcut { t = silu } join from p.s, p.t", [(1, 2)]),
        ("{ relu silu } from input", [(1,)]),
        ("relu residual { silu } from input", [(0, 2)]),
        ("u = unit join from u, u.conv", [(2, 1)]),
        ("relu a = inner", [(1,)]),
    ],
)
def test_from_sees_what_is_named_before(body: str, inputs: list[tuple[int, ...]]) -> None:
    top = f"{UNIT}\ntemplate inner {{ silu from input }}"
    last = graph(body, top).nodes[-1]
    assert [tuple(edge.source for edge in last.edges)] == inputs


@pytest.mark.parametrize(
    "body",
    [
        "relu from a a = relu",
        "{ a = relu } silu from a",
        "s = { a = relu } silu from a",
        "a = relu inner",
        "parallel { b1 { a = relu } b2 { silu from a } }",
        "a = relu silu from a.b",
        "a = relu silu from a[*]",
        "u[2..1] = relu silu from u[*]",
    ],
)
def test_from_sees_nothing_else(body: str) -> None:
    assert codes(body, "template inner { silu from a }") == ["E0309"]


def test_a_list_is_for_joins_alone() -> None:
    assert codes("a = relu b = relu silu from a, b") == ["E0309"]


def test_an_empty_block_is_the_identity() -> None:
    assert [node.type for node in graph("residual { relu }").nodes] == ["relu", "sum"]
    assert [edge.source for edge in graph("residual { } shortcut { relu }").nodes[1].edges] == [
        1,
        0,
    ]
    assert len(graph("{} relu { {} }").nodes) == 1


@pytest.mark.parametrize(
    ("act", "kind", "settings"),
    [
        ('act="silu"', "silu", {}),
        ("act=leaky_relu(0.1)", "leaky_relu", {"negative_slope": 0.1}),
        ("act=leaky_relu(negative_slope=0.1)", "leaky_relu", {"negative_slope": 0.1}),
        ("leaky_relu(2 * x)", "leaky_relu", {"negative_slope": 1.0}),
        ("act=outer", "celu", {"alpha": 2}),
        ("", "relu", {}),
    ],
)
def test_a_layer_can_be_a_parameter(act: str, kind: str, settings: dict[str, float]) -> None:
    top = 'template use(act: layer = "relu") { a = act }'
    node = graph(f"use({act})", top, "(x = 0.5, outer: layer = celu(2))").nodes[0]
    assert (node.path, node.type) == ("a", kind)
    assert dict(node.recipe.settings) == settings  # type: ignore[union-attr]


def test_a_layer_parameter_takes_more_arguments_where_it_is_used() -> None:
    top = "template use(down: layer) { a = down(stride=2) }"
    node = graph("use(conv1d(4, 3, padding=1))", top).nodes[0]
    assert node.edges[0].reach.stride == 2


def test_a_template_sees_its_own_names_alone() -> None:
    assert codes("unit", "template unit { linear(width) }", "(width = 2)") == ["E0301"]
    assert codes("let width = 3 unit", "template unit { linear(width) }") == ["E0301"]
    node = graph("linear(6) unit", "template unit { l = linear(2 * in_channels) }").nodes[1]
    assert node.frame.channels == 12


def test_templates_have_names_of_their_own() -> None:
    assert keys("let unit = 3 unit(unit)", UNIT) == ["conv", "batch_norm1d"]
    assert keys("a = unit(unit)", UNIT, "(unit = 5)") == ["a.conv", "a.batch_norm1d"]


def test_a_local_value_ends_with_its_block() -> None:
    assert codes("{ let c = 3 } linear(c)") == ["E0301"]
    assert graph("let c = 3 { let c = 5 linear(c) } fc = linear(c)").nodes[-1].frame.channels == 3


def test_mistakes_are_reported_at_once_and_one_cause_once() -> None:
    body = "a = conv1d(5, 3, groups=3) relu from a rel b = conv1d(x) linear(0) silu from b"
    assert codes(body) == ["E0414", "E0302", "E0301", "E0305"]


def test_what_a_state_dict_has_of_a_layer_is_keyed_by_its_type() -> None:
    """A norm that learns nothing keeps statistics: its key is as sure as that of weights."""
    found = graph("relu relu batch_norm1d(affine=false)").nodes
    assert [node.path for node in found] == ["relu", "relu[2]", "batch_norm1d"]
    assert codes("batch_norm1d(affine=false) batch_norm1d(affine=false)") == ["E0307"]
