"""`codsl networks`, and `codsl:NAME` wherever a spec is taken."""

import json
from pathlib import Path

import pytest
from shell import codsl

import codsl as package
from codsl import shipped

FOLDER = Path(__file__).parents[2] / "networks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.codsl"))


@pytest.fixture
def listed() -> list[dict[str, object]]:
    ran = codsl("networks", "--json")
    assert ran.returncode == 0
    found: list[dict[str, object]] = json.loads(ran.stdout)["networks"]
    return found


def test_all_are_listed_with_what_they_are(listed: list[dict[str, object]]) -> None:
    assert [each["name"] for each in listed] == NAMES
    assert [each["spec"] for each in listed] == [f"codsl:{name}" for name in NAMES]
    assert [each["path"] for each in listed] == [str(FOLDER / f"{name}.codsl") for name in NAMES]
    assert all(each["doc"] for each in listed)
    x3d = listed[NAMES.index("x3d")]
    assert x3d["variants"] == ["xs", "s", "m", "l"]


def test_the_list_says_the_same_to_readers(listed: list[dict[str, object]]) -> None:
    ran = codsl("networks")
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [each["spec"] for each in listed]
    assert max(map(len, lines)) <= 98
    at = lines.index("codsl:x3d")
    assert lines[at + 1].startswith("  X3D, a small image network")
    assert lines[at + 2] == "  --variant xs, s, m, l"


def test_a_name_is_a_spec_of_any_command(tmp_path: Path) -> None:
    ran = codsl("check", "codsl:x3d", "--variant", "m", cwd=tmp_path)
    assert ran.stdout == "codsl:x3d: fine: 370 layers, receptive field 72, delay 43\n"
    told = [
        json.loads(codsl("report", spec, "--json", "-p", "depth=1.0").stdout)
        for spec in ("codsl:x3d", FOLDER / "x3d.codsl")
    ]
    assert told[0] == told[1]
    copied = codsl("convert", "codsl:mbconv", "--to", "text").stdout
    assert copied == (FOLDER / "mbconv.codsl").read_text("utf-8")


def test_a_picture_of_one_goes_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "out.svg"
    for _ in range(2):
        assert codsl("report", "codsl:mbconv", "--svg", path).returncode == 0


def test_a_name_is_a_spec_in_python() -> None:
    spec = "codsl:mbconv"
    assert (
        package.build(spec).state_dict().keys()
        == package.build(FOLDER / "mbconv.codsl").state_dict().keys()
    )
    assert package.parse(spec) == package.parse(FOLDER / "mbconv.codsl")
    assert package.format(spec) == (FOLDER / "mbconv.codsl").read_text("utf-8")
    assert package.check(Path(spec)).name == "mbconv"
    assert package.check("codsl:x3d", variant="m").receptive_field == 72


def test_it_imports_what_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "import" in (FOLDER / "slowfast.codsl").read_text("utf-8")
    assert package.check("codsl:slowfast").name == "slowfast"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("codsl:X3D", "codsl:x3d"),
        ("codsl:slow_fast", "codsl:slowfast"),
        ("codsl:movinett", "codsl:movinet"),
        ("codsl:x3d.yaml", None),
        ("codsl:../networks/x3d", None),
        ("codsl:", None),
        ("codsl:\0", None),
        ("codsl:x3d.safetensors", None),
        ("codsl:" + "x" * 5000, None),
    ],
)
def test_an_unknown_name_is_a_mistake(given: str, meant: str | None) -> None:
    for ask in (package.check, package.parse):
        with pytest.raises(package.SpecError) as error:
            ask(given)
        (found,) = error.value.diagnostics
        assert found.code == "E0103"
        assert "no network of this name" in found.message or len(given) > 1000
        *near, last = [each.text for each in found.helps]
        assert last == "`codsl networks` lists those that there are"
        assert meant is None or near == [f"did you mean `{meant}`?"]


def test_a_name_without_its_prefix_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(package.SpecError, match="the one that comes with codsl is `codsl:x3d`"):
        package.check("x3d")
    Path("x3d").write_text("codsl 1\nnetwork mine { input (1, T) relu }\n")
    assert package.check("x3d").name == "mine"


def test_none_is_formatted_in_place(tmp_path: Path) -> None:
    ran = codsl("fmt", "codsl:x3d", cwd=tmp_path)
    assert ran.returncode == 2
    assert "comes with codsl and stays as it is" in ran.stderr
    assert not [*tmp_path.iterdir()]


def test_without_the_folder_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shipped, "FOLDERS", (tmp_path / "none",))
    with pytest.raises(package.SpecError, match="came without networks"):
        package.check("codsl:x3d")
    assert json.loads(codsl("networks", "--json").stdout) == {"networks": []}


def test_the_installed_folder_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own.codsl").write_text("codsl 1\nnetwork own { input (1, T) relu }\n")
    monkeypatch.setattr(shipped, "FOLDERS", (tmp_path, FOLDER))
    assert shipped.names() == ("own",)
    assert package.check("codsl:own").name == "own"
