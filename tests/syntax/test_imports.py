"""Files that import others: what they mean, and all that can be wrong with the way there."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from spread import BLOCKS_TEXT, BLOCKS_YAML, RELU, TEXT, WHOLE, YAML, lay, mistakes, said
from test_surfaces import parsed

import codsl
from codsl.layers.table import table
from codsl.pipeline import inspect
from codsl.spec.schema import schema


@pytest.mark.parametrize("blocks", [("b.codsl", BLOCKS_TEXT), ("b.yaml", BLOCKS_YAML)])
@pytest.mark.parametrize(("name", "text"), [("m.codsl", TEXT), ("m.yaml", YAML)])
def test_what_is_imported_means_what_it_means_in_one_file(
    name: str, text: str, blocks: tuple[str, str], tmp_path: Path
) -> None:
    path = lay(tmp_path, {name: text.replace("BLOCKS", blocks[0]), blocks[0]: blocks[1]})
    graph, warnings = inspect(path)
    whole = codsl.check(WHOLE)
    assert not warnings
    assert graph.fingerprint == whole.fingerprint
    assert graph.report().to_dict() == whole.report().to_dict()
    assert list(codsl.build(path).state_dict()) == list(codsl.build(whole).state_dict())


def test_both_surfaces_give_the_same_tree() -> None:
    one, other = parsed(YAML), parsed(TEXT.replace("i, act=leaky_relu(0.2)", "X"))
    assert one.imports == other.imports
    assert one.body[0] == other.body[0]
    both = [parsed(text) for text in (BLOCKS_YAML, BLOCKS_TEXT)]
    assert not any(each.has_network for each in both)
    assert both[0].doc == both[1].doc
    assert [each.name for each in both[0].templates] == [each.name for each in both[1].templates]


def test_a_file_of_templates_keeps_the_schema_and_has_no_network(tmp_path: Path) -> None:
    validator = Draft202012Validator(schema(table()))
    assert validator.is_valid({"codsl": 1, "templates": {"unit": {"layers": ["relu"]}}})
    for extra in ({"layers": ["relu"]}, {"input": [3, "T"]}, {"name": "n"}, {"params": {"n": 1}}):
        spec = {"codsl": 1, "templates": {"unit": {"layers": ["relu"]}}, **extra}
        assert not validator.is_valid(spec)
    for name, text in (("b.codsl", BLOCKS_TEXT), ("b.yaml", BLOCKS_YAML)):
        assert said(lay(tmp_path, {name: text})) == [("E0202", "this file has no network")]


def test_a_file_with_a_network_lends_its_templates(tmp_path: Path) -> None:
    """Its parameters, its input and its weights stay its own."""
    path = lay(tmp_path, {"m.codsl": TEXT.replace("BLOCKS", "whole.codsl"), "whole.codsl": WHOLE})
    assert codsl.check(path).fingerprint == codsl.check(WHOLE).fingerprint


def test_each_file_has_names_of_its_own(tmp_path: Path) -> None:
    files = {
        "m.codsl": """codsl 1
import "a/a.codsl" as a
import "b.yaml" as b
template unit() { tanh }
network m { input (3, T) unit() a.unit() b.unit() a.own() }
""",
        "a/a.codsl": 'codsl 1\nimport "../b.yaml" as c\ntemplate unit() { c.unit() relu }\n'
        "template own() { silu unit() }\n",
        "b.yaml": "codsl: 1\ntemplates: {unit: {layers: [sigmoid]}}\n",
    }
    graph = codsl.check(lay(tmp_path, files))
    types = ["tanh", "sigmoid", "relu", "sigmoid", "silu", "sigmoid", "relu"]
    assert [node.type for node in graph.nodes] == types
    assert graph.written is not None
    assert list(graph.written.imports) == ["a/a.codsl", "b.yaml"]


def test_import_and_as_are_names(tmp_path: Path) -> None:
    main = 'codsl 1\nnetwork import { input (3, T) import = as.t() as = relu }\nimport "b" as as'
    path = lay(tmp_path, {"m.codsl": main, "b": "codsl 1 template t() { relu }"})
    assert [node.type for node in codsl.check(path).nodes] == ["relu", "relu"]


def test_a_mistake_shows_where_it_stands_and_where_it_is_used(tmp_path: Path) -> None:
    blocks = "codsl 1\ntemplate unit(out: int) {\n  conv1d(out, 3, groups=2)\n}\n"
    main = 'codsl 1\nimport "b.codsl" as b\nnetwork m {\n  input (3, T)\n  b.unit(4)\n}\n'
    path = lay(tmp_path, {"m.codsl": main, "b.codsl": blocks})
    (found,) = mistakes(path)
    places = [(label.span.source.name, label.span.line) for label in found.labels]
    assert places == [(str(tmp_path / "b.codsl"), 3)] * 2 + [(str(path), 5)]
    assert found.labels[-1].text == "in this use of `b.unit`"
    assert f"--> {tmp_path / 'b.codsl'}:3:" in str(found)
    assert f"--> {path}:5:3" in str(found)
    data = json.loads(json.dumps(found.to_json()))
    assert [Path(label["source"]).name for label in data["labels"]] == ["b.codsl"] * 2 + ["m.codsl"]


def test_what_is_the_same_in_two_files_is_told_of_both(tmp_path: Path) -> None:
    blocks = "codsl 1\ntemplate unit() {\n  rel\n}\n"
    main = 'codsl 1\nimport "a" as a import "b" as b network m { input (3, T) a.unit() b.unit() }'
    found = mistakes(lay(tmp_path, {"m.codsl": main, "a": blocks, "b": blocks}))
    places = [each.span and Path(each.span.source.name).name for each in found]
    assert places == ["a", "b"]


def test_all_that_is_wrong_with_an_imported_file_is_told(tmp_path: Path) -> None:
    main = 'codsl 1\nimport "b.yaml" as b\nnetwork m { input (3, T) b.unit() b.other() rel }\n'
    blocks = "codsl: 1\ntemplates: {unit: {layer: [relu]}, relu: {layers: []}}\n"
    found = said(lay(tmp_path, {"m.codsl": main, "b.yaml": blocks}))
    assert [code for code, _ in found] == ["E0203", "E0308", "E0504", "E0302"]
    lay(tmp_path, {"b.yaml": "codsl: 1\ntemplates: {unit: {layers: [relu]}\n"})
    assert [code for code, _ in said(tmp_path / "m.codsl")] == ["E0101", "E0302"]


NAMES = [
    ('import "b" as a import "b" as a', "E0306", "the import `a` stands here twice"),
    ('import "b" as relu', "E0308", "`relu` is a layer and cannot be an import"),
    ('import "b" as let', "E0308", "`let` is a word of the language and cannot be a name"),
    ('import "b" as rate', "E0308", "`rate` is a word of the language and cannot be a name"),
    ('import "b" as a template a() {}', "E0306", "the template `a` has the name of an import"),
    ('import "b"', "E0202", "an import has a name, which stands before its templates"),
    ("import b as a", "E0101", "unexpected `b`"),
]


@pytest.mark.parametrize(("head", "code", "message"), NAMES, ids=[each[0] for each in NAMES])
def test_names_of_imports(head: str, code: str, message: str, tmp_path: Path) -> None:
    path = lay(tmp_path, {"m.codsl": f"codsl 1\n{head}\n{RELU}", "b": BLOCKS_TEXT})
    assert (code, message) in said(path)


def test_names_of_imports_in_yaml(tmp_path: Path) -> None:
    head = "codsl: 1\ninput: [3, T]\nlayers: [relu]\nimport: "
    for given, code in {
        "{a: b, a: b}": "E0107",
        "{relu: b}": "E0308",
        "{let: b}": "E0308",
        "{a b: b}": "E0201",
        "{a: 3}": "E0201",
        "{a: [b]}": "E0201",
        "{a: }": "E0201",
        "[b]": "E0201",
        "b": "E0201",
    }.items():
        path = lay(tmp_path, {"m.yaml": f"{head}{given}\n", "b": BLOCKS_TEXT})
        assert {each for each, _ in said(path)} == {code}, given


def test_inside_a_network_is_no_place_for_an_import() -> None:
    (found,) = mistakes('codsl 1\nnetwork n {\n  import "b" as b\n  input (3, T) relu\n}\n')
    assert "outside the network" in found.notes[0]
    (found,) = mistakes("codsl: 1\ninput: [3, T]\nlayers:\n  - import: {b: b}\n")
    assert found.code == "E0205"


def test_a_template_that_uses_itself_is_found_across_names(tmp_path: Path) -> None:
    blocks = "codsl 1\ntemplate unit() { two() }\ntemplate two() { unit() }\n"
    main = (
        'codsl 1\nimport "b" as b\ntemplate unit() { b.unit() }\nnetwork m { input (3, T) unit() }'
    )
    (found,) = mistakes(lay(tmp_path, {"m": main, "b": blocks}))
    assert (found.code, found.notes[0]) == ("E0310", "`unit` uses `two` uses `unit`")


def test_a_typo_finds_the_template_of_another_file(tmp_path: Path) -> None:
    for name, text in (("m.codsl", TEXT), ("m.yaml", YAML)):
        path = lay(tmp_path, {name: text.replace("BLOCKS", "b"), "b": BLOCKS_TEXT})
        typo = text.replace("BLOCKS", "b").replace("blocks.two", "two")
        path.write_text(typo)
        (found,) = mistakes(path)
        assert "blocks.two" in found.helps[0].text
        assert found.helps[0].edits[0].replacement == "blocks.two"
        start = found.helps[0].edits[0].span.start
        path.write_text(typo[:start] + "blocks." + typo[start:])
        assert codsl.check(path).nodes
