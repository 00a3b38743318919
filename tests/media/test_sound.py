"""Sound comes as samples of one channel at the rate that is wanted."""

from __future__ import annotations

import random
import sys
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from codsl.algebra.shape import Frame
from codsl.media.footage import Unusable, Wanted
from codsl.media.medium import footage
from media.sounds import tone, write

if TYPE_CHECKING:
    from pathlib import Path

MONO = Frame(1)


def heard(path: Path, wanted: Wanted) -> tuple[np.ndarray, str]:
    with footage(str(path), MONO, wanted) as found:
        return np.stack(list(found.frames), 1), found.words


@pytest.mark.parametrize(("width", "close"), [(1, 1e-2), (2, 1e-4), (3, 1e-6), (4, 1e-6)])
def test_a_plain_wav_needs_nothing(
    width: int, close: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    left, right = tone(440, 8000), tone(310, 8000)
    path = write(tmp_path / "a.wav", np.stack([left, right]), 8000, width)
    found, words = heard(path, Wanted(8000))
    assert found.shape == (1, 4000)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], (left + right) / 2, atol=close)
    assert words == "sound, 8000 samples a second, the mean of 2 channels"
    with pytest.raises(Unusable, match=r"spec's rate needs PyAV: pip install 'codsl\[video\]'"):
        heard(path, Wanted(16000))


def test_other_rates_are_resampled(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(440, 44100)[None], 44100)
    found, words = heard(path, Wanted(16000))
    assert abs(found.shape[1] - 8000) < 40
    inner = slice(200, 7800)
    np.testing.assert_allclose(found[0, inner], tone(440, 16000)[inner], atol=2e-3)
    assert "44100 samples a second, resampled to 16000" in words
    own, _ = heard(path, Wanted())
    assert own.shape == (1, 22050)
    fewer, _ = heard(path, Wanted(16000, fps=8000))
    assert abs(fewer.shape[1] - 4000) < 40


@pytest.mark.parametrize(("name", "codec"), [("a.flac", "flac"), ("a.mkv", "pcm_s16le")])
def test_other_files_are_read_by_pyav(name: str, codec: str, tmp_path: Path) -> None:
    samples = (tone(440, 16000) * 32767).round().astype(np.int16)
    with av.open(str(tmp_path / name), "w") as out:
        stream = out.add_stream(codec, rate=16000, layout="mono")
        block = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        block.rate = 16000
        for part in (block, None):
            out.mux(stream.encode(part))
    found, _ = heard(tmp_path / name, Wanted(16000))
    np.testing.assert_allclose(found[0, :8000], samples / 32768, atol=1e-6)


@pytest.mark.parametrize(("layout", "channels"), [("stereo", 2), ("5.1", 6)])
@pytest.mark.parametrize("rate", [16000, 8000])
def test_pyav_gives_the_mean_of_the_channels(
    layout: str, channels: int, rate: int, tmp_path: Path
) -> None:
    tones = np.stack([tone(200 + 50 * each, 16000) for each in range(channels)])
    samples = (tones * 32767).round().astype(np.int16)
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16000, layout=layout)
        block = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1), format="s16", layout=layout)
        block.rate = 16000
        for part in (block, None):
            out.mux(stream.encode(part))
    found, words = heard(tmp_path / "a.mkv", Wanted(rate))
    expected = samples.mean(0)[:: 16000 // rate] / 32768
    inner = slice(200, len(expected) - 200)
    np.testing.assert_allclose(found[0, inner], expected[inner], atol=2e-3)
    assert f"the mean of {channels} channels" in words
    assert found.dtype == np.float32


@pytest.mark.parametrize("channels", [3, 9, 17])
def test_any_number_of_channels_has_a_mean(channels: int, tmp_path: Path) -> None:
    samples = np.stack([tone(200 + 50 * each, 8000) for each in range(channels)])
    path = write(tmp_path / "a.wav", samples, 8000)
    found, _ = heard(path, Wanted(16000))
    expected = samples.mean(0)[100:-100]
    np.testing.assert_allclose(found[0, 200:7800:2], expected[:3800], atol=2e-3)


def test_a_start_is_a_second_or_a_sample(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(440, 8000)[None], 8000)
    whole, _ = heard(path, Wanted(8000))
    for wanted in (Wanted(8000, skip=2000), Wanted(8000, after=0.25)):
        found, words = heard(path, wanted)
        np.testing.assert_array_equal(found, whole[:, 2000:])
        assert "from frame 2000 on" in words
    with pytest.raises(Unusable, match="behind the end, after 4000 frames"):
        heard(path, Wanted(8000, skip=4000))


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(440, 8000)[None], 8000)
    with pytest.raises(Unusable, match="the network takes 2 x T; sound is one channel"):
        footage(str(path), Frame(2)).__enter__()
    with pytest.raises(Unusable, match="a whole number of samples"):
        heard(path, Wanted(8000.5))
    with pytest.raises(Unusable, match="--raw says how standard input"):
        heard(path, Wanted(raw="f32le"))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(Unusable, match="ends 500 samples before it should"):
        heard(path, Wanted(8000))
    text = tmp_path / "b.wav"
    text.write_text("RIFF, but only so called\n" * 9)
    with pytest.raises(Unusable, match="is not sound"):
        heard(text, Wanted(8000))
    text.write_text("#EXTM3U\na.wav\n")
    with pytest.raises(Unusable, match="is a list of other files"):
        heard(text, Wanted(8000))


@pytest.mark.parametrize("said", [0xFFFFFFFF, 0xFFFFFFFF - 36, 0x80000000, 0x7FFFF000, 0])
def test_what_was_written_into_a_pipe_says_no_length(said: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(440, 8000)[None], 8000)
    whole, _ = heard(path, Wanted(8000))
    octets = bytearray(path.read_bytes())
    assert octets[36:40] == b"data"
    octets[4:8] = octets[40:44] = said.to_bytes(4, "little")
    path.write_bytes(octets)
    with footage(str(path), MONO, Wanted(8000)) as found:
        assert found.count is None
    found, _ = heard(path, Wanted(8000))
    np.testing.assert_allclose(found, whole, atol=1e-6)


def test_broken_headers_are_refused_or_read(tmp_path: Path) -> None:
    path, draw = tmp_path / "a.wav", random.Random(1)
    sound = write(path, tone(440, 8000, 0.02)[None], 8000).read_bytes()
    refused = 0
    for _ in range(100):
        size = draw.choice((len(sound), draw.randrange(1, 60)))
        broken = bytearray(sound[:size])
        for _ in range(draw.randint(1, 3)):
            broken[draw.randrange(min(44, len(broken)))] = draw.randrange(256)
        path.write_bytes(broken)
        try:
            with footage(str(path), MONO, Wanted(draw.choice((8000, None)))) as found:
                assert all(sample.shape == (1,) for sample in islice(found.frames, 1000))
        except Unusable:
            refused += 1
    assert 30 < refused < 100
