"""Where a layer states another rate of samples than it gets, that is told, and nothing else is."""

import pytest

from codsl.mending import edited
from mistakes.planted import diagnostics


def text(body: str, rate: str = "rate 16000") -> str:
    return f"codsl 1\nnetwork n {{\n  input (1, T) {rate}\n  {body}\n}}\n"


HEARS = "stft(400, 160) mel(40, 16000) log"


@pytest.mark.parametrize(
    "network",
    [
        text(HEARS),
        text(HEARS, rate=""),
        text(HEARS.replace("16000", "8000"), rate=""),
        text(HEARS.replace("160)", "160) avg_pool1d(3)")),
        text("avg_pool1d(2) stft(400, 160) mel(40, 8000)"),
        text("upsample(2) stft(400, 160) mel(40, 32000)"),
        "codsl 1\nnetwork n {\n  input (201, T) rate 100\n  mel(40, 16000)\n}\n",
    ],
)
def test_rates_that_agree_or_are_not_known(network: str) -> None:
    assert diagnostics(network, "n.codsl") == ()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("stft(400, 160) mel(40, 8000)", "16000"),
        ("stft(400, 160) clamp(min=1e-6) mel(40, 22050)", "16000"),
        ("avg_pool1d(2) stft(400, 160) avg_pool1d(2) mel(40, 16000)", "8000"),
        ("upsample(2) stft(400, 160) mel(40, 16000)", "32000"),
        ('parallel("sum") { a { stft(8) } b { stft(8, 2, power=1) } } mel(2, 8000)', "16000"),
    ],
)
def test_another_rate_is_told_and_can_be_written(body: str, found: str) -> None:
    (warning,) = diagnostics(text(body), "n.codsl")
    assert (warning.code, warning.severity) == ("W0705", "warning")
    assert f"{found} samples a second enter `stft`" in warning.message
    remedy = warning.helps[0]
    assert diagnostics(edited(text(body), remedy.edits), "n.codsl") == ()


def test_a_rate_that_is_no_integer_is_only_told() -> None:
    (warning,) = diagnostics(text("avg_pool1d(3) stft(400, 160) mel(40, 16000)"), "n.codsl")
    assert "5333.33" in warning.message
    assert warning.helps[0].edits == ()
