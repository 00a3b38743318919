"""The page: of its own, the same each time, and nothing that a user wrote acts in it."""

import os
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from drawn import LARGE, SMALL, made_up, report_of, row

import codsl
from codsl.graph.report import LOOKS, Report
from codsl.report import html, svg
from codsl.report.page import fragment
from codsl.report.palette import COLOURS, sheet

EVIL = "</script><script>alert(1)</script>\"'&\x1b\u202e]]><!--"


class Reader(HTMLParser):
    """The elements of a page with their attributes, and its text but for scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data

    def rows(self) -> list[tuple[str, dict[str, str]]]:
        return [each for each in self.elements if "data-nodes" in each[1]]


def evil(report: Report) -> Report:
    """A report whose every text would break out of markup."""
    names = {each.path: f"{EVIL}{number}.{EVIL}" for number, each in enumerate(report.nodes)}
    rows = tuple(
        replace(
            each,
            path=names[each.path],
            type=EVIL,
            inputs=tuple(names.get(name, name) for name in each.inputs),
            outputs=(EVIL,) if each.outputs else (),
        )
        for each in report.nodes
    )
    output = {EVIL: report.total["output"]}
    return Report(EVIL, rows, {**report.total, "output": output, EVIL: EVIL})


def test_what_a_user_writes_is_text_and_nothing_else() -> None:
    plain, report = report_of("small"), evil(report_of("small"))
    page, as_usual = Reader(html(report)), Reader(html(plain))
    kinds = [[tag for tag, _ in each.elements if tag != "i"] for each in (page, as_usual)]
    assert kinds[0].count("script") == kinds[1].count("script") == 1
    assert set(kinds[0]) == set(kinds[1])
    assert not any(key.startswith("on") for _, given in page.elements for key in given)
    assert "<script>alert(1)</script>" in page.text
    for text in (html(report), fragment(report), svg(report)):
        assert text.count("<script") <= 1
        assert "alert(1)</script>" not in text
        assert not {"\x1b", "\u202e"} & set(text)
    root = ElementTree.fromstring(svg(report))
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert any("<script>" in "".join(each.itertext()) for each in root)


def test_names_of_specs_cannot_hold_markup_in_the_first_place() -> None:
    for place in ({"name": "<script>"}, {"layers": [{"relu": {"name": "</script>"}}]}):
        spec = {"codsl": 1, "input": [3, "T"], "layers": ["relu"], **place}
        with pytest.raises(codsl.SpecError):
            codsl.check(spec)


@pytest.mark.parametrize("name", ["small", "two", "x3d"])
def test_it_loads_nothing_and_runs_only_its_own_script(name: str) -> None:
    page = html(report_of(name))
    reader = Reader(page)
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"url\(|@import|\bsrc=|<link|<img|<iframe", page)
    policy = next(each["content"] for _, each in reader.elements if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; ")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert script == sheet("page.js")
    used = {each["href"] for tag, each in reader.elements if tag == "use"}
    assert used <= {f"#{each['id']}" for tag, each in reader.elements if tag == "symbol"}
    assert all(target.startswith("#") for target in used)


@pytest.mark.parametrize("name", ["small", "two", "inception", *LARGE])
def test_every_layer_is_there_folded_and_can_be_reached_by_keys(name: str) -> None:
    report = report_of(name)
    page = html(report)
    assert len(page) < 600_000
    reader = Reader(page)
    said = [given["aria-label"] for tag, given in reader.rows() if tag == "button"]
    inputs = report.total["input"]
    entering = len(inputs) if isinstance(inputs, dict) else 1
    assert [each.partition(": ")[0] for each in said[entering:]] == [r.path for r in report.nodes]
    assert {tag for tag, _ in reader.rows()} <= {"button", "summary"}
    assert reader.open == []
    ids = [given["id"] for _, given in reader.elements if "id" in given]
    assert len(ids) == len(set(ids))
    blocks = ["open" in given for tag, given in reader.elements if tag == "details"]
    assert all(blocks) == (name not in LARGE)


@pytest.mark.parametrize("name", ["small", "two", "inception"])
def test_a_layer_knows_what_it_reads(name: str) -> None:
    """The script lights up what is upstream by these numbers alone."""
    report = report_of(name)
    inputs = report.total["input"]
    values = [*(inputs if isinstance(inputs, dict) else ["input"]), *(r.path for r in report.nodes)]
    rows = [given for tag, given in Reader(html(report)).rows() if tag == "button"]
    for number, given in enumerate(rows):
        assert given["data-nodes"] == f"{number} {number}"
        reads = [values[int(each)] for each in given["data-reads"].split()]
        base = len(values) - len(report.nodes)
        expected = report.nodes[number - base].inputs if number >= base else ()
        assert reads == list(dict.fromkeys(expected))


def test_it_is_the_same_each_time_and_in_every_process() -> None:
    program = (
        "import sys, codsl; g = codsl.check(sys.stdin.read()).report(); "
        "print(codsl.report.html(g), codsl.report.svg(g))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=SMALL, capture_output=True, text=True,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONIOENCODING": "utf-8"}, check=True,
    )  # fmt: skip
    report = report_of("small")
    assert done.stdout == f"{html(report)} {svg(report)}\n"
    assert done.stdout == f"{html(report)} {svg(report)}\n"


def test_pictures_on_one_page_mix_nothing_up() -> None:
    ids = [
        {given["id"] for _, given in Reader(fragment(report_of(name))).elements if "id" in given}
        for name in ("small", "two")
    ]
    assert ids[0]
    assert not ids[0] & ids[1]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str, scheme: int) -> float:
    low, high = sorted(luminance(COLOURS[each][scheme]) for each in (one, two))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrasts(scheme: int) -> None:
    for text in ("ink", "soft", "held"):
        assert contrast(text, "paper", scheme) >= 4.5
    for mark in ("wire", "past-new", "ahead-new", "held"):
        assert contrast(mark, "paper", scheme) >= 3
    assert contrast("ink", "lit", scheme) >= 4.5
    assert contrast("soft", "lit", scheme) >= 4.5
    for kind in ("past", "ahead"):
        assert contrast(kind, f"{kind}-new", scheme) >= 2


def test_every_colour_is_used_and_known() -> None:
    used = set(re.findall(r"var\(--([a-z-]+)\)", sheet("marks.css") + sheet("page.css")))
    own = {"wires", "names", "shapes", "depth", "from", "to"}
    page = sheet("page.css") + html(report_of("small"))
    assert set(COLOURS) <= used
    assert used <= set(COLOURS) | own
    assert all(f"--{name}:" in page or name in ("from", "to") for name in own)


def test_notebooks_show_graphs_and_reports() -> None:
    graph = codsl.check(SMALL)
    report = graph.report()
    shown = report._repr_mimebundle_()
    assert set(shown) == {"text/plain", *LOOKS} == {"text/plain", "text/html", "image/svg+xml"}
    assert shown["text/plain"] == str(report)
    assert shown["image/svg+xml"] == svg(report)
    assert graph._repr_mimebundle_()["text/plain"] == repr(graph)
    assert graph._repr_mimebundle_()["text/html"] == shown["text/html"] == fragment(report)
    assert set(report._repr_mimebundle_(include={"text/html"})) == {"text/html"}
    assert set(report._repr_mimebundle_(exclude={"text/html"})) == {"text/plain", "image/svg+xml"}
    assert "<html" not in shown["text/html"]


def test_a_report_that_nobody_checked_is_drawn() -> None:
    deep = ".".join(f"b{depth}" for depth in range(60))
    long = "a_name_" * 40
    report = made_up("n", row(f"{deep}.x"), row(long, inputs=(f"{deep}.x",)), row("\u754c" * 50))
    assert ElementTree.fromstring(svg(report)).tag.endswith("svg")
    assert Reader(html(report)).open == []


@pytest.mark.parametrize(
    ("spec", "wide"),
    [
        ("input (64, T, 112, 112) adaptive_avg_pool3d(1, kernel_size=1) flatten", 18),
        ("input (4, T) relu", 6),
    ],
)
def test_the_column_of_shapes_has_room_for_inputs_and_its_head(spec: str, wide: int) -> None:
    page = html(codsl.check(f"codsl 1\nnetwork n {{ {spec} }}\n").report())
    assert int(re.search(r"--shapes:(\d+)ch", page)[1]) >= wide  # type: ignore[index]
