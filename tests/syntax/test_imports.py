"""Files that import others: what they mean, and all that can be wrong with the way there."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from test_surfaces import parsed

import codsl
from codsl.cli.main import main
from codsl.diagnostics import Diagnostic
from codsl.layers.table import table
from codsl.pipeline import inspect
from codsl.source import LARGEST
from codsl.spec.schema import schema
from codsl.syntax.imports import LONGEST, MOST

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


@pytest.mark.parametrize("spec", [TEXT, YAML, {"codsl": 1, "input": [3, "T"], "layers": ["$b.two"],
                                               "import": {"b": "./BLOCKS"}}])  # fmt: skip
def test_what_is_no_file_imports_from_the_root_alone(spec: object, tmp_path: Path) -> None:
    lay(tmp_path, {"BLOCKS": BLOCKS_TEXT})
    ((code, message),) = said(spec)
    assert code == "E0501"
    assert "this spec is no file" in message
    assert codsl.check(spec, root=tmp_path).nodes  # type: ignore[arg-type]
    assert codsl.build(spec, root=str(tmp_path)).graph.nodes  # type: ignore[arg-type]
    ((code, message),) = said(spec, root=tmp_path / "nowhere")
    assert message == "`./BLOCKS` cannot be imported: there is no such file"


def test_the_root_lets_out_of_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"nets/m.codsl": TEXT.replace("./BLOCKS", "../lib/b"), "lib/b": BLOCKS_TEXT}
    path = lay(tmp_path, files)
    ((code, message),) = said(path)
    assert (code, message) == ("E0502", "`../lib/b` lies outside the folder of the spec")
    ((_, message),) = said(path, root=tmp_path / "nets")
    assert "lies outside" in message
    graph = codsl.check(path, root=tmp_path)
    assert graph.written is not None
    assert list(graph.written.imports) == ["../lib/b"]
    assert main(["check", str(path)]) == 1
    assert "`--root` on the command line" in capsys.readouterr().err
    assert main(["check", str(path), "--root", str(tmp_path)]) == 0


def link(at: Path, to: Path | str) -> None:
    at.symlink_to(to)


def endless_pipe(folder: Path) -> None:
    os.mkfifo(folder / "b")


def out_and_back(folder: Path) -> None:
    link(folder / "b", folder.parent / "secret")


HOSTILE: dict[str, tuple[str, Callable[[Path], object], str, str]] = {
    "nothing": ("b", lambda folder: None, "E0501", "there is no such file"),
    "the empty path": ("", lambda folder: None, "E0501", "is a directory"),
    "a folder": ("b", lambda folder: (folder / "b").mkdir(), "E0501", "is a directory"),
    "a pipe": ("b", endless_pipe, "E0501", "is not a regular file"),
    "a link out of the folder": ("b", out_and_back, "E0502", "lies outside"),
    "a folder that is a link": (
        "b/secret", lambda folder: link(folder / "b", folder.parent), "E0502", "lies outside"),
    "a link to itself": ("b", lambda folder: link(folder / "b", "b"), "E0501", ""),
    "dots": ("../secret", lambda folder: None, "E0502", "lies outside"),
    "dots in the middle": ("a/../../secret", lambda folder: None, "E0502", "lies outside"),
    "many dots": ("../" * 400 + "etc/passwd", lambda folder: None, "E0502", "lies outside"),
    "an absolute path": ("/etc/passwd", lambda folder: None, "E0502", "is absolute"),
    "a device": ("/dev/zero", lambda folder: None, "E0502", "is absolute"),
    "backslashes": ("..\\\\secret", lambda folder: None, "E0501", "is no path"),
    "an address": ("https://x/y.codsl", lambda folder: None, "E0501", "there is no such file"),
    "a home": ("~/secret", lambda folder: None, "E0501", "there is no such file"),
    "a long name": ("x" * 5000, lambda folder: None, "E0501", "cannot be imported"),
    "bytes": ("b", lambda folder: (folder / "b").write_bytes(b"\xff\xfe"), "E0501", "not UTF-8"),
    "a huge file": (
        "b", lambda folder: (folder / "b").write_text("#" * (LARGEST + 1)), "E0501", "larger than"),
    "a large file": (
        "b", lambda folder: (folder / "b").write_text("#" * (LONGEST + 1)), "E0106", "1 MB"),
    "an empty file": ("b", lambda folder: (folder / "b").touch(), "E0201", "the file is empty"),
    "another version": (
        "b", lambda folder: (folder / "b").write_text("codsl 2\n"), "E0104", "version"),
    "the file itself": ("m.codsl", lambda folder: None, "E0503", "this file imports itself"),
    "a link to the file itself": (
        "b", lambda folder: link(folder / "b", "m.codsl"), "E0503", "this file imports itself"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_paths_are_refused(case: str, tmp_path: Path) -> None:
    path, prepare, code, message = HOSTILE[case]
    folder = tmp_path / "folder"
    lay(tmp_path, {"secret": BLOCKS_TEXT.replace("unit", "leaked")})
    main_file = lay(folder, {"m.codsl": f'codsl 1\nimport "{path}" as b\n{RELU}'})
    prepare(folder)
    (found,) = mistakes(main_file)
    assert found.code == code
    assert message in found.message
    assert "leaked" not in str(found)
    assert len(str(found)) < 2000


def test_a_path_with_a_nul_is_refused(tmp_path: Path) -> None:
    path = lay(tmp_path, {"m.yaml": 'codsl: 1\ninput: [3, T]\nlayers: [relu]\nimport: {b: "a\\0"}'})
    ((code, _),) = said(path)
    assert code == "E0501"


@pytest.mark.parametrize("length", [2, 3, 20])
def test_circles_of_any_length_are_refused(length: int, tmp_path: Path) -> None:
    files = {
        f"{at}": f'codsl 1\nimport "{(at + 1) % length}" as b\ntemplate t() {{ b.t() }}\n{RELU}'
        for at in range(length)
    }
    (found,) = mistakes(lay(tmp_path, files))
    assert (found.code, found.message) == ("E0503", "these files import each other")
    assert found.span
    assert Path(found.span.source.name).name == str(length - 1)
    assert found.notes[0].startswith("`0` imports `1`")


def test_a_circle_through_a_folder_in_itself_is_refused(tmp_path: Path) -> None:
    path = lay(tmp_path, {"m.codsl": f'codsl 1\nimport "d/m.codsl" as b\n{RELU}'})
    link(tmp_path / "d", ".")
    ((code, _),) = said(path)
    assert code == "E0503"


def test_a_chain_has_an_end(tmp_path: Path) -> None:
    def chain(length: int) -> dict[str, str]:
        link = 'codsl 1\nimport "{}" as b\ntemplate t() {{ b.t() }}\n'
        files = {f"{at}": link.format(at + 1) for at in range(length)}
        return {
            "m": f'codsl 1\nimport "0" as b\n{RELU}',
            **files,
            str(length): "codsl 1 template t() {}",
        }

    assert inspect(lay(tmp_path, chain(MOST - 1)))[1][0].code == "W0704"
    assert said(lay(tmp_path, chain(MOST))) == [("E0106", f"more than {MOST} files are imported")]


def test_many_ways_to_a_file_read_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file imports the next one twice: 2 ** 30 ways to the last."""
    body = 'codsl 1\nimport "{0}" as a import "./x/../{0}" as b\ntemplate t() {{ a.t() }}\n'
    files = {str(at): body.format(at + 1) for at in range(30)}
    files = {"m": f"{body.format(0)}network n {{ input (3, T) t() b.t() }}", **files}
    path = lay(tmp_path, {**files, "30": "codsl 1 template t() { relu }"})
    reads: list[str] = []
    load = codsl.source.Source.load
    monkeypatch.setattr(
        "codsl.source.Source.load", lambda path: reads.append(Path(path).name) or load(path)
    )
    assert len(codsl.check(path).nodes) == 2
    assert sorted(reads) == sorted([*files, "30"])


def test_many_files_that_are_too_much_together_are_told_of_once(tmp_path: Path) -> None:
    heads = "".join(f'import "{at}" as b{at}\n' for at in range(8))
    text = "codsl 1\ntemplate t() {}\n" + "#" + "x" * (LONGEST // 5)
    path = lay(tmp_path, {"m": f"codsl 1\n{heads}{RELU}", **{str(at): text for at in range(8)}})
    ((code, message),) = said(path)
    assert (code, message) == ("E0106", "imported files have 1 MB at most, all together")


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    path = lay(tmp_path, {"m.codsl": TEXT.replace("BLOCKS", "b"), "lib/b.codsl": BLOCKS_TEXT})
    link(tmp_path / "b", "lib/b.codsl")
    link(tmp_path / "other.codsl", "m.codsl")
    assert codsl.check(path).nodes
    assert codsl.check(tmp_path / "other.codsl").nodes


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
