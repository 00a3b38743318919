"""The same network in YAML and in the text form gives the same tree."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codsl
from codsl.diagnostics import Findings
from codsl.layers.row import arguments
from codsl.layers.table import table
from codsl.pipeline import _validator
from codsl.source import Source
from codsl.syntax import tree
from codsl.syntax.read import read
from codsl.syntax.validator import Validator

NETWORKS = Path(__file__).parents[2] / "networks"
PAIRS = sorted(path.with_suffix("") for path in NETWORKS.glob("*.yaml"))


def parsed(text: str) -> tree.Document:
    findings = Findings()
    document = read(Source("<text>", text), findings, _validator(frozenset(table().items())))
    assert not findings.diagnostics, "\n".join(map(str, findings.diagnostics))
    assert document is not None
    return document


def loosely(text: str) -> tree.Document:
    """The tree of a text whose values may be of any kind."""
    validator = Validator({})
    findings = Findings()
    document = read(Source("<text>", text), findings, validator)
    assert not findings.diagnostics, "\n".join(map(str, findings.diagnostics))
    assert document is not None
    return document


def positional(document: tree.Document) -> dict[str, list[str]]:
    """The order of the arguments of what a document can name."""
    order = {name: [each.name for each in arguments(row)] for name, row in table().items()}
    for template in document.templates:
        order[template.name.text] = [each.name.text for each in template.parameters]
    return order


def single(node: Any) -> list[Any]:
    """A statement that binds several values as several that bind one."""
    if isinstance(node, tree.Let):
        return [tree.Let((binding,), node.span) for binding in node.bindings]
    return [node]


def named(node: Any, order: dict[str, list[str]]) -> Any:
    """A tree as plain data, where positional arguments have their names."""
    if isinstance(node, tuple):
        return tuple(named(each, order) for part in node for each in single(part))
    if not hasattr(node, "__dataclass_fields__"):
        return node
    parts = {
        name: named(getattr(node, name), order)
        for name, field in node.__dataclass_fields__.items()
        if field.compare
    }
    kind = parts.get("type" if isinstance(node, tree.Layer) else "function")
    if isinstance(node, tree.Layer | tree.Call) and kind[1]["text"] in order:
        names = order[kind[1]["text"]]
        parts["arguments"] = {
            (argument.name.text if argument.name else names[at]): named(argument.value, order)
            for at, argument in enumerate(node.arguments)
        }
    if isinstance(node, tree.Literal):
        parts["kind"] = type(node.value).__name__
    return type(node).__name__, parts


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.name)
def test_the_networks_are_the_same_in_both(path: Path) -> None:
    yaml = parsed(path.with_suffix(".yaml").read_text("utf-8"))
    text = parsed(path.with_suffix(".codsl").read_text("utf-8"))
    order = positional(yaml)
    assert named(yaml.body, order) == named(text.body, order)
    assert named(yaml.templates, order) == named(text.templates, order)
    assert (yaml.parameters, yaml.variants) == (text.parameters, text.variants)
    assert (yaml.inputs, yaml.outputs) == (text.inputs, text.outputs)
    assert (yaml.name, yaml.doc) == (text.name, text.doc)
    one, other = (codsl.check(path.with_suffix(suffix)) for suffix in (".yaml", ".codsl"))
    assert one.report().to_dict() == other.report().to_dict()


def pair(yaml: str, text: str) -> None:
    """Assert that an item and a statement are the same."""
    top = "params: {n: 2, act: {type: layer, default: relu}}\ninput: [3, T]\n"
    top += "templates: {unit: {params: {d: int}, layers: []}}\n"
    head = 'network n(n = 2, act: layer = "relu") {\n  input (3, T)\n'
    one = parsed(f"codsl: 1\n{top}layers:\n  - {yaml}\n")
    other = parsed(f"codsl 1\ntemplate unit(d: int) {{}}\n{head}  {text}\n}}\n")
    assert one.body == other.body


CONSTRUCTS = [
    ("conv1d: {name: a, out_channels: 4}", "a = conv1d(out_channels=4)"),
    ("silu", "silu"),
    ("silu: {}", "silu()"),
    ("linear: 10", "linear(10)"),
    ("delay: 3", "delay(3)"),
    ("sequential: {name: stem, layers: [relu, silu]}", "stem = { relu silu }"),
    ("sequential: {layers: []}", "{}"),
    ("per_frame: {name: n, layers: [relu, silu]}", "n = per_frame { relu silu }"),
    ("per_frame: {from: a, layers: []}", "per_frame {} from a"),
    ("sequential: {}", "{ }"),
    (
        "residual: {name: r, aggregation: mul, shrink: centered, layers: [relu], shortcut: [silu]}",
        'r = residual("mul", shrink="centered") { relu } shortcut { silu }',
    ),
    ("residual: {layers: [relu]}", "residual { relu }"),
    (
        "parallel: {name: p, aggregation: concat, branches: {b1: [relu], b2: []}}",
        'p = parallel("concat") { b1 { relu } b2 {} }',
    ),
    ("parallel: {branches: [[relu], []]}", "parallel { { relu } { } }"),
    ("join: {name: j, from: [a, b], aggregation: sum}", 'j = join("sum") from a, b'),
    ("join: {from: [input, 'unit[*].skip', s.b1]}", "join from input, unit[*].skip, s.b1"),
    ("relu: {name: c, from: a.b}", "c = relu from a.b"),
    ('let: {c: "$(round_to(24 * n, 8))"}', "let c = round_to(24 * n, 8)"),
    ("let: {c: '$(n[0][i + 1])'}", "let c = n[0][i + 1]"),
    ("let: {c: $n, d: 2}", "let c = n, d = 2"),
    ('let: {c: "$(s[0][i + 1] * len(s))"}', "let c = s[0][i + 1] * len(s)"),
    (
        "when: {test: $(n != 1), layers: [relu], else: [silu]}",
        "when n != 1 { relu } else { silu }",
    ),
    (
        "when: {test: $(n == 1), else: [when: {test: true, layers: [silu]}]}",
        "when n == 1 {} else when true { silu }",
    ),
    (
        "repeat: {name: b, index: i, range: [1, $n], layer: {$unit: {d: $(2 ** (i - 1))}}}",
        "b[i in 1..n] = unit(d=2 ** (i - 1))",
    ),
    ("repeat: {name: b, range: [1, 3], layer: relu}", "b[1..3] = relu"),
    (
        "repeat: {name: b, index: i, range: [$n, 9, $(n + 1)], layer: {linear: $i}}",
        "b[i in n..9 step n + 1] = linear(i)",
    ),
    ("$unit: {name: u, d: 2}", "u = unit(d=2)"),
    ("$act", "act"),
    ("$unit: {d: {leaky_relu: {negative_slope: 0.1}}}", "unit(d=leaky_relu(negative_slope=0.1))"),
    ("threshold: {threshold: -1, value: 1e-5}", "threshold(threshold=-1, value=1e-5)"),
    ("gelu: {approximate: no}", 'gelu(approximate="no")'),
    ('gelu: {approximate: "1"}', 'gelu(approximate="1")'),
    ("gelu: {approximate: ~}", "gelu(approximate=none)"),
    ("gelu: {approximate: True}", "gelu(approximate=true)"),
    ("gelu: {approximate: [1, [2.0, x], []]}", 'gelu(approximate=(1, (2.0, "x"), ()))'),
    ("gelu: {approximate: [$n]}", "gelu(approximate=(n,))"),
    ('gelu: {approximate: "$(not n and -n < 2 or n // 2 % 3 == 1)"}',
     "gelu(approximate=not n and -n < 2 or n // 2 % 3 == 1)"),
    ('gelu: {approximate: "$(1 if n > 1 else 2 if n else -2 ** 2)"}',
     "gelu(approximate=1 if n > 1 else 2 if n else -2 ** 2)"),
    ("gelu: {approximate: 0x10}", "gelu(approximate=0x10)"),
    ("gelu: {approximate: 0o17}", "gelu(approximate=0o17)"),
]  # fmt: skip


@pytest.mark.parametrize(("yaml", "text"), CONSTRUCTS, ids=[text for _, text in CONSTRUCTS])
def test_every_construct_is_the_same_in_both(yaml: str, text: str) -> None:
    pair(yaml, text)


WORDS = ["rate", "codsl", "repeat", "join", "let", "when", "shortcut", "as", "is", "layers", "type"]
WORDS += ["name", "range", "index", "test", "branches", "sequential", "step", "delay", "T", "doc"]
WORDS += ["for", "class", "min", "import", "inputs", "outputs", "weights", "per_frame", "none"]


@pytest.mark.parametrize("word", WORDS)
def test_what_is_a_name_in_one_is_a_name_in_the_other(word: str) -> None:
    def accepted(spec: str) -> bool:
        try:
            codsl.check(spec)
        except codsl.SpecError:
            return False
        return True

    yaml = f"codsl: 1\ninput: [3, T]\nlayers:\n  - relu\n  - relu: {{name: {word}}}\n"
    first = f"codsl 1\nnetwork n {{\n  input (3, T)\n  {word} = relu\n}}\n"
    later = f"codsl 1\nnetwork n {{\n  input (3, T)\n  relu\n  {word} = relu\n}}\n"
    assert accepted(yaml) == accepted(first) == accepted(later)


NAMES = st.sampled_from(["a", "b", "step", "x1", "_y"])
NUMBERS = st.one_of(
    st.integers(-99, 99), st.floats(0.001, 1e6, allow_nan=False), st.booleans(), st.none()
)


@st.composite
def values(draw: st.DrawFn, depth: int = 0) -> tuple[str, str]:
    """A value in YAML and in the text form."""
    match draw(st.integers(0, 3 if depth < 2 else 1)):
        case 0:
            number = draw(NUMBERS)
            words = {True: "true", False: "false", None: "none"}
            if isinstance(number, bool) or number is None:
                return ("null" if number is None else words[number]), words[number]
            return repr(number), repr(number)
        case 1:
            word = draw(st.text("abc 0é漢:#{}[],&*!|>'%@`\\\"-", max_size=5))
            escaped = word.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"', f'"{escaped}"'
        case 2:
            items = draw(st.lists(values(depth + 1), max_size=3))
            comma = "," if len(items) == 1 else ""
            text = ", ".join(item for _, item in items)
            return f"[{', '.join(item for item, _ in items)}]", f"({text}{comma})"
        case _:
            one, other = draw(values(9)), draw(values(9))
            sign = draw(st.sampled_from(["+", "*", "**", "==", "and", "//", "<"]))
            text = f"(n {sign} {other[1]}) if not {one[1]} else min(n, 2)"
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            return f'"$({quoted})"', text


@st.composite
def statements(draw: st.DrawFn, depth: int = 0) -> tuple[str, str]:
    """A statement in YAML, in flow style, and in the text form."""
    name = draw(st.none() | NAMES)
    label, assign = (f"name: {name}, ", f"{name} = ") if name else ("", "")
    kind = draw(st.integers(0, 4 if depth < 3 else 0))
    if kind == 0:
        arguments = draw(st.dictionaries(NAMES, values(), max_size=3))
        yaml = ", ".join(f"{key}: {value}" for key, (value, _) in arguments.items())
        text = ", ".join(f"{key}={value}" for key, (_, value) in arguments.items())
        return f"{{layer: {{{label}{yaml}}}}}", f"{assign}layer({text})"
    bodies = draw(st.lists(st.lists(statements(depth + 1), max_size=2), min_size=2, max_size=2))
    yaml = [", ".join(item for item, _ in body) for body in bodies]
    text = [" ".join(item for _, item in body) for body in bodies]
    if kind == 1:
        return f"{{sequential: {{{label}layers: [{yaml[0]}]}}}}", f"{assign}{{ {text[0]} }}"
    if kind == 4:
        return (
            f"{{per_frame: {{{label}layers: [{yaml[0]}]}}}}",
            f"{assign}per_frame {{ {text[0]} }}",
        )
    if kind == 2:
        return (
            f"{{residual: {{{label}layers: [{yaml[0]}], shortcut: [{yaml[1]}]}}}}",
            f"{assign}residual {{ {text[0]} }} shortcut {{ {text[1]} }}",
        )
    return (
        f"{{parallel: {{{label}branches: {{p: [{yaml[0]}], q: [{yaml[1]}]}}}}}}",
        f"{assign}parallel {{ p {{ {text[0]} }} q {{ {text[1]} }} }}",
    )


@settings(max_examples=100, deadline=None)
@given(statements())
def test_random_statements_are_the_same_in_both(forms: tuple[str, str]) -> None:
    pair(*forms)


@st.composite
def selectors(draw: st.DrawFn) -> str:
    """A value by its names, in both surfaces."""
    steps = draw(st.lists(st.tuples(NAMES, st.sampled_from(["", "[*]"])), min_size=1, max_size=3))
    return ".".join(name + star for name, star in steps)


@st.composite
def shapes(draw: st.DrawFn) -> tuple[str, str]:
    """A frame in YAML and in the text form, perhaps with its rate."""
    sizes = draw(st.lists(values(), min_size=1, max_size=3))
    yaml = ", ".join(["8", "T", *(size for size, _ in sizes)])
    text = ", ".join(["8", "T", *(size for _, size in sizes)])
    if draw(st.booleans()):
        return f"[{yaml}]", f"({text})"
    rate, same = draw(values())
    return f"{{shape: [{yaml}], rate: {rate}}}", f"({text}) rate {same}"


@st.composite
def ports(draw: st.DrawFn) -> tuple[str, str]:
    """What enters and what leaves a network, in YAML and in the text form."""
    if draw(st.booleans()):
        one, other = draw(shapes())
        yaml, text = f"input: {one}", f"input {other}"
    else:
        named = draw(st.dictionaries(NAMES, shapes(), min_size=1, max_size=3))
        yaml = ", ".join(f"{name}: {one}" for name, (one, _) in named.items())
        text = ", ".join(f"{name} {other}" for name, (_, other) in named.items())
        yaml, text = f"inputs: {{{yaml}}}", f"inputs {text}"
    outputs = draw(st.lists(selectors(), max_size=3))
    if not outputs:
        return f"{yaml}\nlayers: [relu]", f"{text}\nrelu"
    listed = ", ".join(f'"{each}"' for each in outputs)
    said = f"outputs {', '.join(outputs)}"
    text = draw(st.sampled_from([f"{text} {said} relu", f"{text} relu {said}"]))
    return f"{yaml}\noutputs: [{listed}]\nlayers: [relu]", text


@settings(max_examples=100, deadline=None)
@given(ports())
def test_random_inputs_and_outputs_are_the_same_in_both(forms: tuple[str, str]) -> None:
    yaml, text = forms
    one = loosely(f"codsl: 1\n{yaml}\n")
    other = loosely(f"codsl 1\nnetwork n {{ {text} }}\n")
    assert (one.inputs, one.outputs, one.body) == (other.inputs, other.outputs, other.body)


PATTERNS = st.text("ab.{}_i+1:rest é$\\\"'#[]", min_size=1, max_size=9)
SETTINGS = st.sampled_from(["layout", "sha256", "envelope"])
LISTS = st.sampled_from(["allow_missing", "allow_unexpected"])


def in_quotes(word: str) -> str:
    """A text, in both surfaces."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def checkpoints(draw: st.DrawFn) -> tuple[str, str]:
    """The settings, rules and adapters of a checkpoint, in YAML and in the text form."""
    texts = draw(st.dictionaries(SETTINGS, PATTERNS, max_size=3))
    lists = draw(st.dictionaries(LISTS, st.lists(PATTERNS, max_size=3), max_size=2))
    pairs = {
        word: draw(st.dictionaries(PATTERNS, PATTERNS, max_size=3)) for word in ("rename", "adapt")
    }
    yaml, text = [], []
    for word, value in texts.items():
        yaml.append(f"{word}: {in_quotes(value)}")
        text.append(f"{word} = {in_quotes(value)}")
    for word, several in lists.items():
        items = [in_quotes(each) for each in several]
        yaml.append(f"{word}: [{', '.join(items)}]")
        text.append(f"{word} = ({', '.join(items)}{',' * (len(items) == 1)})")
    for word, sign in (("rename", "->"), ("adapt", "=")):
        quoted = [(in_quotes(one), in_quotes(other)) for one, other in pairs[word].items()]
        if quoted:
            yaml.append(f"{word}: {{{', '.join(': '.join(each) for each in quoted)}}}")
        text += [f"{one} {sign} {other}" for one, other in quoted]
    return f"{{{', '.join(yaml)}}}", f"{{ {draw(st.sampled_from([' ', '; '])).join(text)} }}"


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(PATTERNS, checkpoints(), max_size=3))
def test_random_checkpoints_are_the_same_in_both(forms: dict[str, tuple[str, str]]) -> None:
    yaml = ", ".join(f"{in_quotes(name)}: {one}" for name, (one, _) in forms.items())
    text = "\n".join(f"weights {in_quotes(name)} {other}" for name, (_, other) in forms.items())
    one = loosely(f"codsl: 1\ninput: [3, T]\nweights: {{{yaml}}}\nlayers: [relu]\n")
    other = loosely(f"codsl 1\n{text}\nnetwork n {{ input (3, T) relu }}\n")
    assert len(one.checkpoints) == len(forms)
    assert one.checkpoints == other.checkpoints


def test_one_output_needs_no_list() -> None:
    one = parsed("codsl: 1\ninput: [3, T]\noutputs: a\nlayers: [relu: {name: a}]\n")
    other = parsed("codsl 1\nnetwork n { input (3, T) a = relu outputs a }\n")
    assert one.outputs == other.outputs != ()
