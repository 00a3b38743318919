"""The decoder of EnCodec, held against its structure in plain torch."""

from __future__ import annotations

import sys
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
import torch
from agreement import FOLDER, TOLERANCE, far, moving, tuned
from references.seanet import Decoder, Encoder
from torch import Tensor

import codsl
from codsl.network import Network

SPEC = FOLDER / "seanet_decoder.codsl"
SMALL: dict[str, dict[str, Any]] = {
    "encodec": {
        "channels": 2, "width": 4, "ratios": (2, 3, 2, 1), "depth": 1, "lstm": 2, "features": 5,
    },
    "encodec, deeper": {
        "channels": 1, "width": 4, "ratios": (2, 3, 2), "depth": 2, "lstm": 0, "features": 5,
    },
}  # fmt: skip


def streams(net: Network, x: Tensor, wanted: Tensor, chunk: int) -> None:
    """Each item gives its twelve samples at once, and nothing is left for the end."""
    net.reset()
    parts = [net.forward_steps(each) for each in x.split(chunk, 2)]
    found = [part for part in parts if isinstance(part, Tensor)]
    assert [each.shape[2] for each in found] == [12 * each.shape[2] for each in x.split(chunk, 2)]
    assert net.flush() is None
    assert far(torch.cat(found, 2), wanted) <= TOLERANCE


@pytest.mark.parametrize("known", SMALL)
@torch.no_grad()
def test_clip_and_stream_are_the_reference(known: str) -> None:
    reference = tuned(Decoder(**SMALL[known]), moving(2, 5, 20))
    net = codsl.build(SPEC, params=SMALL[known], dtype=torch.float64).eval()
    report = codsl.load_weights(net, reference.state_dict())
    assert (report.checkpoint, report.kept, report.skipped) == (known, (), ())
    for frames in (1, 2, 30):
        x = moving(1, 5, frames, seed=frames)
        wanted = reference(x)
        assert wanted.abs().max() > 0.05
        assert far(net(x), wanted) <= TOLERANCE
        streams(net, x, wanted, 1)
        streams(net, x, wanted, 7)


@torch.no_grad()
def test_the_whole_codec_streams_as_one() -> None:
    """A file of the codec holds both halves; a hop of sound goes in, a hop comes out."""
    sizes = SMALL["encodec"]
    theirs = torch.nn.ModuleDict(
        {
            "encoder": Encoder(**{**sizes, "ratios": sizes["ratios"][::-1]}),
            "decoder": Decoder(**sizes),
        }
    )
    for each, x in (("encoder", moving(2, 2, 48)), ("decoder", moving(2, 5, 20))):
        tuned(theirs[each], x)
    halves = []
    for each, ratios in (("encoder", sizes["ratios"][::-1]), ("decoder", sizes["ratios"])):
        params = {**sizes, "ratios": ratios}
        path = FOLDER / f"seanet_{each}.codsl"
        net = codsl.build(path, params=params, dtype=torch.float64).eval()
        assert codsl.load_weights(net, theirs.state_dict(), envelope=each).checkpoint == "encodec"
        halves.append(net)
    x = moving(1, 2, 120, seed=3)
    wanted = theirs["decoder"](theirs["encoder"](x))
    parts = []
    for hop in x.split(12, 2):
        latent = halves[0].forward_steps(hop)
        assert latent is not None
        parts.append(halves[1].forward_steps(latent))
        assert parts[-1] is not None
    assert far(torch.cat(parts, 2), wanted) <= TOLERANCE


@pytest.fixture
def encodec(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its networks, where it is installed: without the package itself, which asks for torchaudio
    and for a file of weights."""
    for name in ("encodec", "einops"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    found = find_spec("encodec")
    assert found is not None
    package = ModuleType("encodec")
    package.__path__ = [*(found.submodule_search_locations or ())]
    monkeypatch.setitem(sys.modules, "encodec", package)
    return import_module("encodec.modules.seanet")


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("known", SMALL)
@torch.no_grad()
def test_both_halves_are_encodec_live(known: str, encodec: Any) -> None:
    sizes = SMALL[known]
    said = {
        "channels": sizes["channels"],
        "dimension": sizes["features"],
        "n_filters": sizes["width"],
        "n_residual_layers": sizes["depth"],
        "ratios": [*sizes["ratios"]],
        "lstm": sizes["lstm"],
    }
    halves = {"encoder": (encodec.SEANetEncoder, sizes["channels"], sizes["ratios"][::-1]),
              "decoder": (encodec.SEANetDecoder, sizes["features"], sizes["ratios"])}  # fmt: skip
    for half, (kind, channels, ratios) in halves.items():
        theirs = tuned(kind(**said, causal=True, pad_mode="constant"), moving(2, channels, 48))
        path = FOLDER / f"seanet_{half}.codsl"
        net = codsl.build(path, params={**sizes, "ratios": ratios}, dtype=torch.float64).eval()
        assert codsl.load_weights(net, theirs.state_dict()).checkpoint == known
        x = moving(1, channels, 31, seed=1)
        assert far(net(x), theirs(x)) <= TOLERANCE


def test_it_is_as_published() -> None:
    """320 samples of an item (Defossez et al., 2022, section 3.1), and no wait for the next one;
    parameters as its reference implementation counts them."""
    graph = codsl.check(SPEC)
    assert graph.parameters == 7_426_018
    assert (graph.delay, graph.stride) == (0, Fraction(1, 320))
