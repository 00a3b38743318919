"""The front end of networks that hear: torch's spectra, published mel bands, and both in a spec."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from row_networks import assert_refused, network

import codsl
import codsl.nn as co
from codsl.algebra.shape import Frame
from codsl.nn.functions.hearing import MelBands, in_hertz, in_mel
from engine.fast_streams import same_stream
from harness.contract import contract, randomise

FRONT = """codsl 1
network n {
  input (1, T) rate 1000
  stft(16, 4, win_length=12)
  mel(5, 1000)
  log(eps=0.01)
  conv = conv1d(3, 3, padding="causal")
}
"""


@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", "bartlett", "rectangular"])
@pytest.mark.parametrize(
    "given",
    [
        {"n_fft": 16},
        {"n_fft": 15, "hop_length": 7, "win_length": 10},
        {"n_fft": 12, "hop_length": 5, "win_length": 11, "center": True},
        {"n_fft": 9, "hop_length": 20, "center": True, "pad_mode": "replicate"},
    ],
)
def test_spectra_are_torchs(given: dict[str, Any], window: str) -> None:
    x = torch.randn(2, 1, 70, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    samples = given.get("win_length", given["n_fft"])
    shape = torch.ones(samples, dtype=torch.float64)
    if window != "rectangular":
        shape = getattr(torch, f"{window}_window")(samples, dtype=torch.float64)
    named = {"center": False, "pad_mode": "constant", **given, "window": shape}
    wanted = torch.stft(x[:, 0], **named, return_complex=True).abs()
    for power in (2, 1, 0.5):
        more = {"window": window, "power": power}
        made = network("stft", {**given, **more}, Frame(1), torch.float64)(x)
        torch.testing.assert_close(made, wanted**power, rtol=1e-10, atol=1e-10)


def test_silence_has_a_gradient() -> None:
    x = torch.zeros(1, 1, 8, requires_grad=True)
    co.Stft(8, power=1)(x).sum().backward()
    assert x.grad is not None
    assert (x.grad == 0).all()


def test_mel_bands_are_librosas() -> None:
    """`librosa.filters.mel(sr=22050, n_fft=2048)`, as the documentation of the crate `mel_filter`
    quotes it to the last digit."""
    bands = MelBands(1025, 128, 22050, 0, 11025, "slaney", "slaney", dtype=torch.float64).weight
    first = [0, 0.016182853208219942, 0.032365706416439884, 0.028990088037379964]
    second = [0.009779235793639925, 0.025962089001859864, 0.035393705451959974]
    wanted = torch.tensor(
        [
            [*first, 0.012807234829160026, 0, 0, 0, 0],
            [0, 0, 0, *second, 0.01921085224374004, 0.003027999035520103, 0],
        ],
        dtype=torch.float64,
    )
    torch.testing.assert_close(bands[:2, :9], wanted, rtol=0, atol=1e-9)


def test_the_scales_are_the_published_ones() -> None:
    """librosa's examples of `hz_to_mel` and `mel_to_hz`; HTK's scale has 1000 Hz at 1000 mel."""
    assert [in_mel(f, "slaney") for f in (60, 110, 220, 440)] == pytest.approx(
        [0.9, 1.65, 3.3, 6.6]
    )
    found = in_hertz(torch.tensor([1.0, 2, 3, 4, 5, 15, 42]), "slaney").tolist()
    wanted = [66.667, 133.333, 200, 266.667, 333.333, 1000, 6400]
    assert found == pytest.approx(wanted, abs=1e-3)
    assert in_mel(6400, "slaney") == pytest.approx(42)
    assert in_mel(1000, "htk") == pytest.approx(1000, abs=0.02)
    for scale in ("htk", "slaney"):
        for hertz in (0.0, 500.0, 999.0, 1001.0, 8000.0):
            back = in_hertz(torch.tensor(in_mel(hertz, scale), dtype=torch.float64), scale)
            assert float(back) == pytest.approx(hertz, abs=1e-6)


def test_window_and_delay_are_counted() -> None:
    graph = codsl.check(FRONT)
    assert (graph.receptive_field, graph.delay, graph.stride) == (16 + 2 * 4, 15, 4)
    assert graph.parameters == 3 * 5 * 3 + 3
    centred = codsl.check(FRONT.replace("win_length=12", "center=true"))
    assert (centred.receptive_field, centred.delay) == (24, 7)


@pytest.mark.parametrize("more", ["win_length=12", 'center=true, window="hamming", power=1'])
def test_a_front_end_streams(more: str) -> None:
    net = codsl.build(FRONT.replace("win_length=12", more), dtype=torch.float64).eval()
    randomise(net, 1)
    contract(net)
    same_stream(net, 2, torch.float64, 60)
    assert list(net.state_dict()) == ["conv.weight", "conv.bias"]


WRONG = [
    ("stft", "(1, T)", "E0304", "needs `n_fft`"),
    ("stft(8193)", "(1, T)", "E0305", "8192 or less"),
    ("stft(8, win_length=9)", "(1, T)", "E0305", "more than n_fft=8"),
    ('stft(8, window="kaiser")', "(1, T)", "E0305", "`hann` or `hamming`"),
    ('stft(8, center=true, pad_mode="reflect")', "(1, T)", "E0305", "`replicate`"),
    ("stft(8, power=0)", "(1, T)", "E0305", "0.1 or more"),
    ("stft(8)", "(2, T)", "E0402", "one channel, not 2"),
    ("stft(8)", "(1, T, 6)", "E0401", "time alone"),
    ("mel(3)", "(5, T)", "E0304", "needs `sample_rate`"),
    ("mel(3, 16000)", "(1, T)", "E0402", "not one channel"),
    ("mel(3, 16000, n_stft=6)", "(5, T)", "E0402", "n_stft=6, but the input has 5"),
    ("mel(3, 16000, f_max=8001)", "(5, T)", "E0305", "8000 Hz at most"),
    ("mel(3, 16000, f_min=8000)", "(5, T)", "E0305", "not below"),
    ('mel(3, 16000, mel_scale="bark")', "(5, T)", "E0305", "`htk` or `slaney`"),
    ('mel(3, 16000, norm="area")', "(5, T)", "E0305", "`slaney`"),
]


@pytest.mark.parametrize(("layer", "shape", "code", "said"), WRONG)
def test_wrong_uses_are_told(layer: str, shape: str, code: str, said: str) -> None:
    text = f"codsl 1\nnetwork n {{ input {shape} {layer} }}"
    assert_refused(lambda: codsl.check(text), code, said)
