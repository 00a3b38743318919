"""`codsl new`: a spec to begin with, in both surfaces, never over what is there."""

import stat
from pathlib import Path

import pytest
from shell import codsl

import codsl as package
from codsl.cli.new import NAME, starter

SURFACES = {".codsl": "text", ".yaml": "yaml", ".yml": "yaml"}


@pytest.mark.parametrize("ending", SURFACES)
def test_it_checks_and_is_formatted(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"gesture{ending}"
    ran = codsl("new", path.name, cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"written to {path.name}\n", "")
    assert [*tmp_path.iterdir()] == [path]
    assert codsl("check", path).returncode == 0
    assert codsl("fmt", "--check", path).returncode == 0
    assert package.check(path).name == "gesture"
    assert max(map(len, path.read_text("utf-8").splitlines())) <= 100


def test_both_surfaces_are_one_network_with_its_comments() -> None:
    text, yaml = (starter(NAME, surface) for surface in ("text", "yaml"))
    assert package.convert(yaml) == text
    reports = [package.check(each).report().to_dict() for each in (text, yaml)]
    assert reports[0] == reports[1]
    assert text.count("#") == yaml.count("#")


def test_what_its_comments_say_is_so() -> None:
    text = starter(NAME, "text")
    graph = package.check(text)
    late = package.check(text.replace("3, padding=1", '3, padding=("causal", 1, 1)'))
    assert graph.delay - late.delay == 2
    assert {node.path.partition(".")[0] for node in graph.nodes} >= {"unit1", "unit2"}
    wide, set_ = package.check(text, variant="wide"), package.check(text, params={"width": 32})
    assert wide.report().total["params"] > set_.report().total["params"]
    assert "unit1.norm.weight" in package.build(graph).state_dict()


def test_without_a_file_it_is_printed(tmp_path: Path) -> None:
    for given, surface in (((), "text"), (("-",), "text"), (("--to", "yaml"), "yaml")):
        ran = codsl("new", *given, cwd=tmp_path)
        assert (ran.returncode, ran.stdout) == (0, starter(NAME, surface))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my-net.codsl", "my_net"),
        ("no.yaml", "no"),
        ("true.yaml", NAME),
        ("input.codsl", NAME),
        ("3d.codsl", NAME),
        ("é.codsl", NAME),
        ("a b\n}.codsl", "a_b"),
        ("1e5.yaml", NAME),
    ],
)
def test_the_network_is_named_after_the_file(tmp_path: Path, file: str, name: str) -> None:
    assert codsl("new", tmp_path / file).returncode == 0
    assert package.check(tmp_path / file).name == name


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.codsl"
    path.write_text("mine")
    path.chmod(0o600)
    ran = codsl("new", path)
    assert ran.returncode == 2
    assert "is there already; --force writes over it" in ran.stderr
    assert path.read_text() == "mine"
    assert codsl("new", path, "--force").returncode == 0
    assert package.check(path).name == "mine"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_that_leads_nowhere_is_there_too(tmp_path: Path) -> None:
    link = tmp_path / "link.codsl"
    link.symlink_to("nowhere")
    assert "is there already" in codsl("new", link).stderr
    assert "no plain file" in codsl("new", link, "--force").stderr
    assert [*tmp_path.iterdir()] == [link]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("spec.txt",), "named after no surface"),
        (("spec",), "named after no surface"),
        (("spec.yaml", "--to", "text"), "is named after yaml, not text"),
        (("no/spec.yaml",), "`no` is no folder that is there"),
        ((".",), "named after no surface"),
        (("a" * 300 + ".yaml",), "cannot be written"),
    ],
)
def test_wrong_use_writes_nothing(tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    ran = codsl("new", *given, cwd=tmp_path)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not [*tmp_path.iterdir()]


def test_another_ending_with_a_surface(tmp_path: Path) -> None:
    assert codsl("new", "spec.txt", "--to", "yaml", cwd=tmp_path).returncode == 0
    assert package.check(tmp_path / "spec.txt").name == "spec"
