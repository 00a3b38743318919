"""Spectra of samples and their mel bands: fixed matrices, and what is made with them."""

from collections.abc import Callable
from math import log, log10, pi

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOWS: dict[str, Callable[..., Tensor]] = {
    "hann": torch.hann_window,
    "hamming": torch.hamming_window,
    "blackman": torch.blackman_window,
    "bartlett": torch.bartlett_window,
    "rectangular": torch.ones,
}


class Spectrum(nn.Module):
    """Cosines, then sines, of each frequency of `n_fft` samples under a window of `win_length` of
    them, `(2 * (n_fft // 2 + 1), n_fft)`, as torch.stft; in no state_dict."""

    waves: Tensor

    def __init__(
        self,
        n_fft: int,
        win_length: int,
        window: str,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self._say = f"n_fft={n_fft}, win_length={win_length}, window={window}"
        turns = torch.arange(n_fft // 2 + 1)[:, None] * torch.arange(n_fft) % n_fft
        angles = turns.double() * (2 * pi / n_fft)
        shape = WINDOWS[window](win_length, dtype=torch.float64)
        before = (n_fft - win_length) // 2
        shape = functional.pad(shape, (before, n_fft - win_length - before))
        waves = torch.cat([angles.cos(), -angles.sin()]) * shape
        fixed = waves.to(device, dtype or torch.get_default_dtype())
        self.register_buffer("waves", fixed, persistent=False)

    def extra_repr(self) -> str:
        """The window."""
        return self._say


def spectrum_frames(x: Tensor, waves: Tensor, hop: int, power: float) -> Tensor:
    """`(B, 1, T)` to the magnitudes `(B, bins, T')` of every `hop`-th window, to the `power`.

    Summed in float64: what a loud tone leaves of rounding would otherwise be all there is of the
    quiet frequencies beside it, and their logarithm another in a clip than in a stream.
    """
    windows = x.squeeze(1).unfold(1, waves.shape[1], hop)
    both = functional.linear(windows.double(), waves.double()).transpose(1, 2)
    parts = both.reshape(both.shape[0], 2, both.shape[1] // 2, both.shape[2])
    if power == 2:
        return parts.square().sum(1).to(x.dtype)
    sizes: Tensor = torch.linalg.vector_norm(parts, dim=1)
    return (sizes**power).to(x.dtype)


class MelBands(nn.Module):
    """The weight of each frequency in each mel band, `(n_mels, n_stft)`, as torchaudio's
    `melscale_fbanks` and librosa's `filters.mel` document them; in no state_dict."""

    weight: Tensor
    bias: None

    def __init__(
        self,
        n_stft: int,
        n_mels: int,
        sample_rate: float,
        f_min: float,
        f_max: float,
        norm: str | None,
        mel_scale: str,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.bias = None
        self._say = f"{n_stft}, {n_mels}, {f_min:g} to {f_max:g} Hz, mel_scale={mel_scale}"
        heard = torch.linspace(0, sample_rate / 2, n_stft, dtype=torch.float64)
        first, last = in_mel(f_min, mel_scale), in_mel(f_max, mel_scale)
        even = torch.linspace(first, last, n_mels + 2, dtype=torch.float64)
        corners = in_hertz(even, mel_scale)
        low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
        rise, fall = (heard - low) / (middle - low), (high - heard) / (high - middle)
        bands = torch.minimum(rise, fall).clamp(min=0)
        bands = bands * (2 / (high - low)) if norm == "slaney" else bands
        fixed = bands.to(device, dtype or torch.get_default_dtype())
        self.register_buffer("weight", fixed, persistent=False)

    def extra_repr(self) -> str:
        """Frequencies and bands."""
        return self._say


def in_mel(hertz: float, scale: str) -> float:
    """A frequency on the mel scale of HTK or of Slaney."""
    if scale == "htk":
        return 2595 * log10(1 + hertz / 700)
    return 15 + log(hertz / 1000) * 27 / log(6.4) if hertz >= 1000 else hertz * 3 / 200


def in_hertz(mel: Tensor, scale: str) -> Tensor:
    """The frequencies that stand at these places of the mel scale of HTK or of Slaney."""
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    return torch.where(mel < 15, mel * 200 / 3, 1000 * ((mel - 15) * (log(6.4) / 27)).exp())
