"""The built wheel, in an environment of its own and run from elsewhere, does everything."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

import codsl

ROOT = Path(__file__).parents[1]
STEPS = """
import json, sys, torch, codsl
net = codsl.build("spec.yaml").eval()
clip = torch.rand(1, 2, 6, 4, 4)
with torch.inference_mode():
    steps = [net.forward_step(clip[:, :, t]) for t in range(6)]
    stream = torch.cat([torch.stack(steps[2:], 2), net.flush()], 2)
    apart = float((stream - net(clip)).abs().max())
print(json.dumps([steps[:2], apart, codsl.__file__, sys.path]))
"""
SPEC = """codsl: 1
input: [2, T, 4, 4]
layers:
  - residual: {layers: [{conv3d: {out_channels: 2, kernel_size: 3, padding: 1}}]}
  - avg_pool3d: {kernel_size: 3, stride: 1, padding: 1}
"""


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel, and a folder far from the sources."""

    wheel: Path
    bin: Path
    package: Path
    elsewhere: Path

    def run(self, *command: str, status: int = 0) -> str:
        hidden = ("PYTHON", "COV_", "VIRTUAL_ENV")
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.elsewhere,
            env={name: value for name, value in os.environ.items() if not name.startswith(hidden)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel, built from the source distribution as for a release."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a fresh environment; what it depends on is borrowed from this one.

    Borrowed folders stand behind the environment's own, and their `.pth` files are not read, so
    that no editable installation of these sources is found.
    """
    wheel = build_wheel(tmp_path_factory.mktemp("dist"))
    home = tmp_path_factory.mktemp("installed") / "env"
    venv.create(home, symlinks=True, with_pip=False)
    places = {"base": str(home), "platbase": str(home)}
    site = Path(sysconfig.get_path("purelib", "venv", places))
    install = ["-m", "pip", "--python", str(home), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([sys.executable, *install, str(wheel)], check=True, capture_output=True)
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "borrowed.pth").write_text("\n".join(sorted(borrowed)), encoding="utf-8")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "spec.yaml").write_text(SPEC, encoding="utf-8")
    scripts = Path(sysconfig.get_path("scripts", "venv", places))
    return Installed(wheel, scripts, site / "codsl", elsewhere)


def test_everything_travels_inside(installed: Installed) -> None:
    inside = set(ZipFile(installed.wheel).namelist())
    wanted = {
        f"codsl/{path.relative_to(base)}"
        for base, folder in ((ROOT / "codsl", "."), (ROOT, "schemas"), (ROOT, "networks"))
        for path in (base / folder).rglob("*")
        if path.suffix
        in {".py", ".pyi", ".typed", ".lark", ".json", ".yaml", ".codsl", ".css", ".js"}
    }
    assert {"codsl/syntax/grammar.lark", "codsl/py.typed", "codsl/nn/rows.pyi"} <= wanted
    assert wanted <= inside
    others = {name for name in inside if not name.startswith("codsl/")}
    assert all(name.startswith(f"codsl-{codsl.__version__}.dist-info/") for name in others)
    assert any(name.endswith("licenses/LICENSE") for name in others)


def test_the_version_is_one(installed: Installed) -> None:
    assert installed.run("codsl", "--version").split() == ["codsl", codsl.__version__]


def test_specs_are_checked_from_elsewhere(installed: Installed) -> None:
    networks = sorted((installed.package / "networks").iterdir())
    assert {path.suffix for path in networks} == {".yaml", ".codsl", ".md"}
    for path in [path for path in networks if path.suffix == ".yaml"][-1:]:
        assert "fine" in installed.run("codsl", "check", str(path))


def test_networks_are_found_from_elsewhere(installed: Installed) -> None:
    listed = json.loads(installed.run("codsl", "networks", "--json"))["networks"]
    paths = {Path(each["path"]) for each in listed}
    assert paths == set((installed.package / "networks").glob("*.codsl"))
    assert "fine" in installed.run("codsl", "check", "codsl:slowfast")


def test_a_mistake_is_told_from_elsewhere(installed: Installed) -> None:
    (installed.elsewhere / "wrong.codsl").write_text("codsl 1\nnetwork w { input (1, T) relux }\n")
    told = json.loads(installed.run("codsl", "check", "wrong.codsl", "--format=json", status=1))
    assert [each["code"] for each in told["diagnostics"]] == ["E0302"]


def test_a_report_is_made_from_elsewhere(installed: Installed) -> None:
    report = json.loads(installed.run("python", "-m", "codsl", "report", "spec.yaml", "--json"))
    assert report["total"]["delay"] == 2


def test_the_schema_is_the_one_that_travels(installed: Installed) -> None:
    travels = installed.package / "schemas" / "codsl-1.schema.json"
    assert installed.run("codsl", "schema") == travels.read_text(encoding="utf-8")


def test_a_network_streams_from_elsewhere(installed: Installed) -> None:
    first, apart, file, path = json.loads(installed.run("python", "-c", STEPS))
    assert first == [None, None]
    assert apart < 5e-6
    assert Path(file).is_relative_to(installed.package)
    assert not {str(ROOT), str(ROOT / "tests")} & set(path)
