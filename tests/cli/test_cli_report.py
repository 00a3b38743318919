"""`codsl report`: plain when piped, a table in a terminal, JSON on demand."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import codsl, in_terminal

import codsl as package
from codsl.cli.main import main

KEYS = {
    "path",
    "type",
    "inputs",
    "shape",
    "params",
    "stride",
    "receptive_field",
    "past",
    "ahead",
    "delay",
    "fires",
    "holds",
    "macs",
    "state_bytes",
    "outputs",
    "live",
}


def test_piped_it_is_the_plain_table(video_spec: Path) -> None:
    ran = codsl("report", video_spec)
    assert ran.returncode == 0
    assert ran.stdout == f"{package.check(video_spec).report()}\n"
    assert ran.stderr == ""


def test_in_a_terminal_it_is_a_rich_table(video_spec: Path) -> None:
    status, shown = in_terminal("report", video_spec)
    assert status == 0
    assert "\u2500" in shown
    assert "\x1b[1m" in shown
    for row in package.check(video_spec).report().nodes:
        assert row.path.rpartition(".")[2] in shown


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_json_has_every_node_and_the_total(option: list[str], video_spec: Path) -> None:
    ran = codsl("report", video_spec, *option)
    assert ran.returncode == 0
    found = json.loads(ran.stdout)
    assert {"nodes", "total"} <= set(found)
    assert all(set(node) == KEYS for node in found["nodes"])
    assert [node["path"] for node in found["nodes"]] == ["stem", "relu", "conv", "sum", "down"]
    stem = found["nodes"][0]
    assert stem["shape"] == [4, "T", 12, 16]
    assert (stem["params"], stem["delay"], stem["receptive_field"]) == (4 * 3 * 27 + 4, 1, 3)
    assert stem["macs"] == 4 * 3 * 27 * 12 * 16
    graph = package.check(video_spec)
    assert found["total"]["delay"] == graph.delay == 3
    assert found["total"]["min_frames"] == graph.min_frames
    assert found["total"]["stride"] == 2
    assert found["total"]["state_bytes"] == sum(node["state_bytes"] for node in found["nodes"])


def test_mistakes_are_told_as_check_tells_them(wrong_spec: Path) -> None:
    text = codsl("report", wrong_spec)
    assert (text.returncode, text.stdout) == (1, "")
    assert text.stderr == codsl("check", wrong_spec).stderr
    data = codsl("report", wrong_spec, "--json")
    assert data.returncode == 1
    assert data.stdout == codsl("check", wrong_spec, "--format", "json").stdout


Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """What `codsl report` exits with and prints, in this process."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main(["report", *map(str, arguments)])
        except SystemExit as end:
            status = int(str(end.code))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_pictures_are_written_and_named(told: Told, video_spec: Path, tmp_path: Path) -> None:
    page, picture = tmp_path / "a <b>.html", tmp_path / "a.svg"
    said = told(video_spec, "--html", page, "--svg", picture, "--depth", "0")
    assert said == (0, f"written to {picture}\nwritten to {page}\n", "")
    report = package.check(video_spec).report()
    assert page.read_text(encoding="utf-8") == package.report.html(report, 0)
    assert picture.read_text(encoding="utf-8") == package.report.svg(report, 0)
    again = told(video_spec, "--svg", picture, "--json")
    assert again == (0, f"written to {picture}\n{report.to_json()}\n", "")


def test_a_dash_prints_the_picture(told: Told, video_spec: Path) -> None:
    report = package.check(video_spec).report()
    assert told(video_spec, "--svg", "-") == (0, f"{package.report.svg(report)}\n", "")


@pytest.mark.parametrize(
    ("where", "why"), [("nowhere/a.html", "is no folder that is there"), (".", "is a directory")]
)
def test_a_picture_that_cannot_be_written_is_wrong_use(
    where: str, why: str, told: Told, video_spec: Path, tmp_path: Path
) -> None:
    status, out, err = told(video_spec, "--html", tmp_path / where)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert why in err


def test_a_picture_never_takes_the_place_of_its_spec(told: Told, video_spec: Path) -> None:
    before = video_spec.read_text()
    said = told(video_spec, "--svg", video_spec)
    assert said == (2, "", f"codsl report: error: `{video_spec}` is the spec\n")
    assert video_spec.read_text() == before


@pytest.mark.parametrize("name", ["other.codsl", "other.yaml", "other.yml"])
def test_a_picture_never_takes_the_place_of_another_spec(
    name: str, told: Told, video_spec: Path, tmp_path: Path
) -> None:
    other = tmp_path / name
    other.write_text("codsl 1\n")
    said = told(video_spec, "--html", other)
    assert said == (2, "", f"codsl report: error: `{other}` is named after a spec\n")
    assert other.read_text() == "codsl 1\n"


def test_a_picture_never_takes_the_place_of_a_pipe(
    told: Told, video_spec: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    status, _, err = told(video_spec, "--svg", tmp_path / "pipe")
    assert status == 2
    assert "is no plain file to write over" in err
    assert (tmp_path / "pipe").is_fifo()


def test_mistakes_leave_no_picture(told: Told, wrong_spec: Path, tmp_path: Path) -> None:
    status, out, _ = told(wrong_spec, "--html", tmp_path / "a.html")
    assert (status, out) == (1, "")
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize("depth", ["-1", "x", "1.5", "9" * 5000])
def test_a_depth_is_a_number_of_levels(depth: str, told: Told, video_spec: Path) -> None:
    status, out, err = told(video_spec, "--svg", "-", f"--depth={depth}")
    assert (status, out) == (2, "")
    assert "is not a number of levels" in err
