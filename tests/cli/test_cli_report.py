"""`codsl report`: plain when piped, a table in a terminal, JSON on demand."""

import json
from pathlib import Path

import pytest
from shell import codsl, in_terminal

import codsl as package

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
