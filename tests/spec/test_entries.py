"""What enters and leaves by name: what `from` and `outputs` find, and where the flow starts."""

import pytest

import codsl
from codsl.algebra.ports import Inlet
from codsl.algebra.shape import Frame


def network(body: str, head: str = "inputs a (2, T), b (3, T)") -> str:
    return f"codsl 1\nnetwork n {{\n {head}\n {body}\n}}\n"


def codes(text: str) -> list[str]:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(text)
    return [each.code for each in caught.value.diagnostics]


def read_by(graph: codsl.Graph, at: int) -> list[str]:
    """What a node reads, by name."""
    names = [*(f"-> {inlet.name}" for inlet in graph.inputs), *(node.path for node in graph.nodes)]
    return [names[edge.source] for edge in graph.nodes[at].edges]


def outputs(graph: codsl.Graph) -> dict[str, str]:
    return {each.name: graph.nodes[each.value - graph.base].path for each in graph.outputs}


def test_each_input_is_a_value() -> None:
    graph = codsl.check(network("join from b, a"))
    assert graph.inputs == (Inlet("a", Frame(2)), Inlet("b", Frame(3)))
    assert read_by(graph, 0) == ["-> b", "-> a"]
    assert graph.frames[graph.output] == Frame(5)


def test_with_one_named_input_the_flow_starts_there() -> None:
    graph = codsl.check(network("relu x = silu join from a, x, input", "inputs a (2, T)"))
    assert read_by(graph, 0) == ["-> a"]
    assert read_by(graph, 2) == ["-> a", "x", "-> a"]
    assert graph.inputs == (Inlet("a", Frame(2)),)


@pytest.mark.parametrize(
    "body",
    [
        "x = relu from a {} y = { relu from b } join from x, y",
        "{ { join from a, b } }",
        "parallel { one { relu from a } two { relu from b } }",
        "when true { relu from a } join from b, b",
        "u[i in 1..2] = { relu from a silu }",
        'residual("concat") { relu from a } shortcut { relu from b }',
        "let c = 2 linear(c) from a",
    ],
)
def test_nothing_flows_until_an_input_is_chosen(body: str) -> None:
    assert codsl.check(network(body)).base == 2


@pytest.mark.parametrize(
    "body",
    [
        "relu relu",
        "residual {}",
        "residual { relu from a }",
        "parallel { one { relu from a } two {} }",
        "x = {} join from x, a",
        "x = { let c = 1 } relu from a",
        "let c = in_channels linear(c) from a",
        "when in_channels == 2 { relu from a }",
        "u[i in 1..2] = relu",
        "x = residual {} relu from x",
    ],
)
def test_what_needs_a_value_before_one_is_chosen_is_told_once(body: str) -> None:
    assert codes(network(body)) == ["E0315"]


def test_a_template_is_used_on_a_value() -> None:
    head = "codsl 1\ntemplate t { relu join from input, input }\n"
    body = network("{} t").removeprefix("codsl 1\n")
    assert codes(head + body) == ["E0315"]
    graph = codsl.check(head + body.replace("{} t", "t from b"))
    assert read_by(graph, 1) == ["-> b", "-> b"]


def test_an_input_that_is_not_well_given_is_told_once() -> None:
    bad = "inputs a (2, T), b (0, T)"
    assert codes(network("relu from a  conv1d(2, 1) from b  silu", bad)) == ["E0305"]
    assert codes("codsl: 1\nlayers: [relu: {from: a}]\n") == ["E0202"]


def test_names_of_inputs_and_of_layers_do_not_meet() -> None:
    assert codes(network("a = relu from b")) == ["E0306"]
    assert codes(network("relu from a", "inputs a (2, T), a (2, T)")) == ["E0306"]
    assert codes(network("relu from a", "inputs a (2, T), join (2, T)")) != []
    assert codes("codsl: 1\ninputs: {from: [2, T]}\nlayers: [relu]\n") == ["E0308"]
    assert codsl.check(network("x = { a = relu from b silu from a }")).nodes[1].path == "x.silu"


def test_rates_that_are_given_agree() -> None:
    one = "inputs a (2, T) rate 30, b (3, T), c (1, T) rate 60 / 2"
    assert codsl.check(network("join from a, b, c", one)).rate == 30
    assert codes(network("join from a, b, c", one.replace("/ 2", ""))) == ["E0317"]


LEVELS = "u[i in 1..3] = { skip = linear(i) linear(2) } from a\n join from b, u1"


@pytest.mark.parametrize("said", [" outputs {} " + LEVELS, LEVELS + " outputs {}"])
def test_outputs_are_found_at_the_end_wherever_they_are_said(said: str) -> None:
    graph = codsl.check(network(said.replace("{}", "u[*].skip, u2")))
    assert outputs(graph) == {
        "u1.skip": "u1.skip",
        "u2.skip": "u2.skip",
        "u3.skip": "u3.skip",
        "u2": "u2.linear",
    }


def test_without_outputs_the_last_value_is_the_only_one() -> None:
    graph = codsl.check(network(LEVELS))
    assert [(each.name, each.value) for each in graph.outputs] == [("", graph.base + 6)]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("x, x", "E0306"),
        ("u[*], u2", "E0306"),
        ("a", "E0316"),
        ("y", "E0309"),
        ("x.y", "E0309"),
        ("u", "E0309"),
        ("v[*]", "E0309"),
        ("x[*]", "E0309"),
        ("input", "E0309"),
    ],
)
def test_outputs_that_cannot_be_are_told(said: str, code: str) -> None:
    body = f"u[i in 1..2] = relu from a\n x = silu\n outputs {said}"
    assert codes(network(body)) == [code]


def test_an_output_behind_a_mistake_stays_silent() -> None:
    assert codes(network("x = rel from a  y = silu  outputs y, x")) == ["E0302"]


def test_two_names_for_a_value_are_two_outputs() -> None:
    graph = codsl.check(network("s = { last = relu from a } outputs s, s.last"))
    assert outputs(graph) == {"s": "s.last", "s.last": "s.last"}


def test_skip_sums_by_the_letter() -> None:
    """In YAML the selector of a repetition stands in quotes."""
    text = codsl.check(
        network(
            "x = relu from a\n"
            " u[i in 1..3] = { skip = linear(2) relu }\n"
            ' s = join("sum") from u[*].skip'
        )
    )
    yaml = codsl.check(
        {
            "codsl": 1,
            "inputs": {"a": [2, "T"], "b": [3, "T"]},
            "layers": [
                {"relu": {"name": "x", "from": "a"}},
                {
                    "repeat": {
                        "name": "u",
                        "index": "i",
                        "range": [1, 3],
                        "layer": {
                            "sequential": {
                                "layers": [
                                    {"linear": {"name": "skip", "out_features": 2}},
                                    "relu",
                                ]
                            }
                        },
                    }
                },
                {"join": {"name": "s", "aggregation": "sum", "from": "u[*].skip"}},
            ],
        }
    )
    for graph in (text, yaml):
        assert read_by(graph, -1) == ["u1.skip", "u2.skip", "u3.skip"]
