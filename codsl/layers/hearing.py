"""The front end of networks that hear: spectra of samples, and the mel bands of a spectrum."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.arguments import Count, Flag, MaybeCount, Number, Optional, Word
from codsl.layers.fit import inferred
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Call, Pointwise, Windowed
from codsl.layers.row import Layer, check_rank

Examples = tuple[Mapping[str, Any], ...]
Windows = Annotated[str, Word(("hann", "hamming", "blackman", "bartlett", "rectangular"))]
PadMode = Annotated[str, Word(("constant", "replicate"))]
Power = Annotated[float, Number(0.1, 10)]
Hertz = Annotated[float, Number(0)]
MaybeHertz = Annotated[float | None, Optional(Number(0))]
Norm = Annotated[str | None, Optional(Word(("slaney",)))]
Scale = Annotated[str, Word(("htk", "slaney"))]

MOST_POINTS = 8192
"""Points of a transform at most: it is a product with a matrix of their square."""


@final
@dataclass(frozen=True)
class Stft(Layer):
    """Spectra of `n_fft` samples, `hop_length` apart: `(B, 1, T)` to `(B, n_fft // 2 + 1, T')`, the
    magnitude of each frequency to the `power`: 2 is the power spectrum, 1 the magnitude.

    As `torch.stft`, with its window of `win_length` samples in the middle of `n_fft`, periodic.
    A quarter of `n_fft` is the hop if it is left out. In a stream the spectrum comes with the last
    sample of its window. `center` puts `n_fft // 2` zeros before the first sample and after the
    last, or with `pad_mode="replicate"` that sample; torch centres where nothing else is said, and
    then mirrors what stands there.
    """

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("spectrogram", "spectrum", "fft")
    samples: ClassVar[bool] = True
    examples: ClassVar[Examples] = (
        {"n_fft": 8, "hop_length": 3},
        {"n_fft": 9, "hop_length": 4, "win_length": 6, "window": "hamming", "center": True},
        {"n_fft": 8, "center": True, "pad_mode": "replicate", "power": 1},
    )
    n_fft: Count
    hop_length: MaybeCount = None
    win_length: MaybeCount = None
    window: Windows = "hann"
    center: Flag = False
    pad_mode: PadMode = "constant"
    power: Power = field(default=2.0, kw_only=True)

    def __post_init__(self) -> None:
        if self.n_fft > MOST_POINTS:
            raise Mistake(
                "E0305",
                f"`n_fft` of `stft`: expected {MOST_POINTS} or less, found `{self.n_fft}`",
                argument="n_fft",
                help=f"{MOST_POINTS} is the most",
                change=Give(MOST_POINTS),
            )
        if self.win_length is not None and self.win_length > self.n_fft:
            raise Mistake(
                "E0305",
                f"a window of {self.win_length} samples is more than n_fft={self.n_fft}",
                argument="win_length",
                help=f"it is {self.n_fft} at most",
                change=Give(self.n_fft),
            )

    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        if x.channels != 1:
            raise Mistake(
                "E0402",
                f"`stft` takes one channel, not {x.channels}",
                layer=f"the input is {x}",
                help="choose one with `slice`, or take the mean with a `conv1d` of kernel 1",
            )
        return Frame(self.n_fft // 2 + 1)

    def _over(self) -> Window:
        pad = self.n_fft // 2 if self.center else 0
        return Window(self.n_fft, self._hop(), pad, pad)

    def _hop(self) -> int:
        return self.hop_length or max(1, self.n_fft // 4)

    def time(self) -> Time:
        return sees(self._over())

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}

    def macs(self, x: Frame, y: Frame) -> int:
        return 2 * y.channels * self.n_fft

    def space(self, x: Frame) -> tuple[Time, ...]:
        return ()

    def recipe(self, x: Frame) -> Windowed:
        settings = {
            "n_fft": self.n_fft,
            "win_length": self.win_length or self.n_fft,
            "window": self.window,
        }
        call = Call("spectrum_frames", {"hop": self._hop(), "power": self.power})
        fill: Any = "replicate" if self.pad_mode == "replicate" else 0.0
        return Windowed("Spectrum", settings, self._over(), call, ("waves",), fill=fill)


@final
@dataclass(frozen=True)
class Mel(Layer):
    """`n_mels` triangular bands, evenly spaced on the mel scale, of a spectrum that `stft` makes of
    `sample_rate` samples a second: `(B, n_fft // 2 + 1, T)` to `(B, n_mels, T)`.

    As torchaudio's `MelScale`, with its defaults: the scale of HTK, `2595 * log10(1 + f / 700)`,
    or `mel_scale="slaney"`, linear below 1000 Hz and logarithmic above (Slaney's Auditory Toolbox,
    1998); `norm="slaney"` divides each band by half its width. librosa's defaults are both.
    Bands lie from `f_min` to `f_max`, half the sample rate if it is left out. They are no weights.
    """

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("mel_scale", "mel_spectrogram", "mel_filterbank", "fbank")
    rated: ClassVar[str] = "sample_rate"
    examples: ClassVar[Examples] = (
        {"n_mels": 3, "sample_rate": 16000},
        {"n_mels": 2, "sample_rate": 8000, "f_min": 50, "f_max": 3800, "mel_scale": "slaney"},
        {"n_mels": 3, "sample_rate": 22050, "norm": "slaney", "mel_scale": "slaney"},
    )
    n_mels: Count
    sample_rate: Count
    f_min: Hertz = 0.0
    f_max: MaybeHertz = None
    norm: Norm = None
    mel_scale: Scale = "htk"
    n_stft: MaybeCount = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self._top() > self.sample_rate / 2:
            raise Mistake(
                "E0305",
                f"`f_max` is {self.f_max} Hz, and {self.sample_rate} samples a second hold "
                f"{self.sample_rate / 2:g} Hz at most",
                argument="f_max",
                help="half the sample rate is the most",
                change=Give(self.sample_rate / 2),
            )
        if self.f_min >= self._top():
            raise Mistake(
                "E0305",
                f"`f_min` is not below `f_max`: {self.f_min} and {self._top():g} Hz",
                argument="f_min",
            )

    def _top(self) -> float:
        return self.sample_rate / 2 if self.f_max is None else self.f_max

    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        inferred("n_stft", self.n_stft, x)
        if x.channels < 2:
            raise Mistake(
                "E0402",
                "`mel` takes the frequencies of a spectrum, not one channel",
                layer=f"the input is {x}",
                help="put `stft` before it",
            )
        return Frame(self.n_mels)

    def time(self) -> Time:
        return IDENTITY

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}

    def macs(self, x: Frame, y: Frame) -> int:
        return x.channels * y.channels

    def space(self, x: Frame) -> tuple[Time, ...]:
        return ()

    def recipe(self, x: Frame) -> Pointwise:
        settings = {
            "n_stft": x.channels,
            "n_mels": self.n_mels,
            "sample_rate": self.sample_rate,
            "f_min": self.f_min,
            "f_max": self._top(),
            "norm": self.norm,
            "mel_scale": self.mel_scale,
        }
        return Pointwise("MelBands", settings, ("weight", "bias"), Call("linear_frames"))
