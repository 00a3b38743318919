"""The way to an imported file: from where, how far, and all that can be in it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from spread import BLOCKS_TEXT, RELU, TEXT, YAML, lay, mistakes, said

import codsl
from codsl.cli.main import main
from codsl.pipeline import inspect
from codsl.source import LARGEST
from codsl.syntax.imports import LONGEST, MOST


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
