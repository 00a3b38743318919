"""Channels that become space: numbers in a row, and those that a pixel shuffle spreads, stand
otherwise where frames have channels last."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import codsl
from codsl.network import Network
from codsl.weights.layouts import CHANNELS_LAST
from harness.contract import randomise

LAST = sorted(CHANNELS_LAST)
WORDS = {"haiku": ("w", "b")}
TABLE = {"flax": "embedding", "flax_transpose_kernel": "embedding"}
T = 5


def network(frame: str, layers: str) -> Network:
    torch.manual_seed(0)
    net = codsl.build(f"codsl 1\nnetwork n {{ input ({frame})\n{layers} }}")
    randomise(net, 3)
    return net.eval()


def last(x: Tensor) -> Tensor:
    """A clip `(B, C, T, *S)` as `(B, T, *S, C)`."""
    return x.movedim(1, -1)


def first(x: Tensor) -> Tensor:
    """The reverse."""
    return x.movedim(-1, 1)


def given(layout: str, **layers: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    """Kernels and biases under the words of a layout."""
    words = WORDS.get(layout, ("kernel", "bias"))
    pairs = (
        (name, word, each)
        for name, two in layers.items()
        for word, each in zip(words, two, strict=True)
    )
    return {f"{name}.{word}": each for name, word, each in pairs}


def conv(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """A convolution of `(B, T, *S, C)` by a kernel `(*k, I, O)`."""
    weight = kernel.movedim((-1, -2), (0, 1))
    return last(functional.conv3d(first(x), weight, bias))


def depth_to_space(x: Tensor, r: int) -> Tensor:
    """As TensorFlow documents it: `(B, T, H, W, r * r * C)` to `(B, T, H * r, W * r, C)`."""
    batch, time, height, width, _ = x.shape
    apart = x.reshape(batch, time, height, width, r, r, -1)
    return apart.permute(0, 1, 2, 4, 3, 5, 6).flatten(2, 3).flatten(3, 4)


def space_to_depth(x: Tensor, r: int) -> Tensor:
    """The reverse."""
    batch, time, height, width, channels = x.shape
    apart = x.reshape(batch, time, height // r, r, width // r, r, channels)
    return apart.permute(0, 1, 2, 4, 3, 5, 6).flatten(4)


@pytest.mark.parametrize("layout", LAST)
@pytest.mark.parametrize("between", ["", "relu", "dropout square delay(1)", "residual { gelu }"])
def test_a_decoder_gives_what_it_gave(layout: str, between: str) -> None:
    net = network("7, T", f"up = linear(24) {between} reshape((2, 3, 4)) c = conv3d(5, (1, 2, 2))")
    up, c = (torch.randn(7, 24), torch.randn(24)), (torch.randn(1, 2, 2, 2, 5), torch.randn(5))
    codsl.load_weights(net, given(layout, up=up, c=c), layout=layout)
    x = torch.rand(1, 7, T)
    row = first(last(x) @ up[0] + up[1])
    row = last(network("24, T", between or "identity")(row))
    wanted = first(conv(row.unflatten(-1, (3, 4, 2)), *c))
    assert torch.allclose(net(x), wanted, atol=1e-4)


@pytest.mark.parametrize("layout", LAST)
@pytest.mark.parametrize("before", ["c = conv3d(8, (1, 2, 2))", "per_frame { c = conv2d(8, 2) }"])
def test_a_pixel_shuffle_is_depth_to_space(layout: str, before: str) -> None:
    after = "prelu pixel_shuffle(2) d = conv3d(3, (1, 2, 2))"
    net = network("2, T, 4, 5", f"{before} {after}")
    c, d = (torch.randn(2, 2, 2, 8), torch.randn(8)), (torch.randn(1, 2, 2, 2, 3), torch.randn(3))
    c = c if "per_frame" in before else (c[0][None], c[1])
    name = next(key for key in net.state_dict() if key.endswith("c.weight"))[: -len(".weight")]
    held = given(layout, **{name: c, "d": d})
    codsl.load_weights(net, held, layout=layout, allow_missing=["prelu.{}"])
    x = torch.rand(1, 2, T, 4, 5)
    kernel = c[0] if c[0].dim() == 5 else c[0][None]
    slope = net.get_parameter("prelu.weight").item()
    row = functional.leaky_relu(conv(last(x), kernel, c[1]), slope)
    assert torch.allclose(net(x), first(conv(depth_to_space(row, 2), *d)), atol=1e-4)


@pytest.mark.parametrize("layout", LAST)
def test_a_pixel_unshuffle_is_space_to_depth(layout: str) -> None:
    net = network("2, T, 4, 6", "pixel_unshuffle(2) relu c = conv3d(3, (1, 2, 2))")
    c = (torch.randn(1, 2, 2, 8, 3), torch.randn(3))
    codsl.load_weights(net, given(layout, c=c), layout=layout)
    x = torch.rand(1, 2, T, 4, 6)
    assert torch.allclose(net(x), first(conv(space_to_depth(last(x), 2), *c)), atol=1e-4)


def test_shuffling_back_what_was_unshuffled_needs_no_other_order() -> None:
    net = network("2, T, 4, 6", "pixel_unshuffle(2) relu pixel_shuffle(2) c = conv3d(3, 1)")
    kernel = torch.randn(1, 1, 1, 2, 3)
    codsl.load_weights(net, given("keras", c=(kernel, torch.zeros(3))), layout="keras")
    assert torch.equal(net.get_parameter("c.weight"), kernel.permute(4, 3, 0, 1, 2))


@pytest.mark.parametrize("layout", LAST)
def test_a_vector_of_an_id_becomes_a_frame(layout: str) -> None:
    net = network("1, T", "e = embedding(6, 24) reshape((2, 3, 4)) c = conv3d(5, (1, 2, 2))")
    table, c = torch.randn(6, 24), (torch.randn(1, 2, 2, 2, 5), torch.randn(5))
    held = {f"e.{TABLE.get(layout, 'embeddings')}": table, **given(layout, c=c)}
    codsl.load_weights(net, held, layout=layout)
    ids = torch.randint(6, (1, 1, T)).float()
    rows = table[ids[:, 0].long()].unflatten(-1, (3, 4, 2))
    assert torch.allclose(net(ids), first(conv(rows, *c)), atol=1e-4)


def test_all_that_counts_the_channels_of_a_row_is_in_its_order() -> None:
    """A norm behind the layer that makes them, and another layer that reads them too."""
    layers = """
      up = linear(24)  bn = batch_norm1d  relu
      residual { a = linear(6) b = linear(24) }
      reshape((2, 3, 4))  c = conv_transpose3d(2, (1, 2, 2))
    """
    net = network("7, T", layers)
    state = {name: each.clone() for name, each in net.state_dict().items()}

    def turned(tensor: Tensor, axis: int = 0) -> Tensor:
        return tensor.unflatten(axis, (2, 12)).transpose(axis, axis + 1).flatten(axis, axis + 1)

    held = {
        "up.kernel": turned(state["up.weight"]).T,
        "up.bias": turned(state["up.bias"]),
        "bn.gamma": turned(state["bn.weight"]),
        "bn.beta": turned(state["bn.bias"]),
        "bn.moving_mean": turned(state["bn.running_mean"]),
        "bn.moving_variance": turned(state["bn.running_var"]),
        "a.kernel": turned(state["a.weight"], 1).T,
        "a.bias": state["a.bias"],
        "b.kernel": turned(state["b.weight"]).T,
        "b.bias": turned(state["b.bias"]),
        "c.kernel": state["c.weight"].permute(2, 3, 4, 1, 0),
        "c.bias": state["c.bias"],
    }
    other = network("7, T", layers)
    with torch.no_grad():
        for each in other.state_dict().values():
            each.zero_()
    codsl.load_weights(other, held, layout="keras")
    found = other.state_dict()
    state["bn.num_batches_tracked"] = found["bn.num_batches_tracked"]
    assert all(torch.equal(found[name], each) for name, each in state.items())


def test_a_row_that_is_a_frame_of_one_place_stays_a_row() -> None:
    net = network("2, T, 3, 4", "flatten reshape((-1, 1, 1)) c = conv3d(5, 1)")
    kernel = torch.randn(1, 1, 1, 24, 5)
    codsl.load_weights(net, given("keras", c=(kernel, torch.zeros(5))), layout="keras")
    x = torch.rand(1, 2, T, 3, 4)
    wanted = first(last(x).flatten(2) @ kernel[0, 0, 0])
    assert torch.allclose(net(x).flatten(1, 1)[..., 0, 0], wanted, atol=1e-5)


def test_a_row_in_order_becomes_the_frame_that_it_was() -> None:
    net = network("2, T, 3, 4", "flatten relu reshape((2, 3, 4)) c = conv3d(5, 1)")
    kernel = torch.randn(1, 1, 1, 2, 5)
    codsl.load_weights(net, given("keras", c=(kernel, torch.zeros(5))), layout="keras")
    assert torch.equal(net.get_parameter("c.weight"), kernel.permute(4, 3, 0, 1, 2))


@pytest.mark.parametrize(
    ("frame", "between"),
    [
        ("6, T, 10", "reshape((30, -1)) bn = batch_norm2d reshape((6, -1))"),
        ("6, T, 3", "permute((1, 0)) flatten bn = batch_norm1d reshape((3, -1)) permute((1, 0))"),
    ],
)
def test_a_frame_that_is_reshaped_back_has_its_own_order(frame: str, between: str) -> None:
    """Whatever becomes of its numbers one by one, of which alone nobody knows."""
    net = network(frame, f"{between} relu c = conv2d(5, 1)")
    kernel = torch.randn(1, 1, 6, 5)
    held = given("keras", c=(kernel, torch.zeros(5)))
    codsl.load_weights(net, held, layout="keras", allow_missing=["bn.{}"])
    assert torch.equal(net.get_parameter("c.weight"), kernel.permute(3, 2, 0, 1))
    norm = {f"bn.{word}": torch.ones(net.get_parameter("bn.weight").shape) for word in ("gamma",)}
    with pytest.raises(codsl.WeightsError, match="not known in which order"):
        codsl.load_weights(net, held | norm, layout="keras", allow_missing=["bn.{}"])


def test_a_norm_is_folded_into_a_layer_whose_numbers_become_a_frame() -> None:
    after = "reshape((2, 3, 4)) c = conv3d(5, 1)"
    whole = network("7, T", f"up = linear(24) bn = batch_norm1d {after}")
    net = network("7, T", f"up = linear(24) {after}")
    held = {
        **given("flax", up=(torch.randn(7, 24), torch.randn(24))),
        **given("flax", c=(torch.randn(1, 1, 1, 2, 5), torch.randn(5))),
        **{f"bn.{word}": torch.rand(24) + 1 for word in ("scale", "bias", "mean", "var")},
    }
    codsl.load_weights(whole, held, layout="flax")
    codsl.load_weights(net, held, layout="flax", adapt={"up": "fold bn"})
    x = torch.rand(1, 7, T)
    assert torch.allclose(net(x), whole(x), atol=1e-5)


SAVED = [
    ("7, T", "up = linear(24) relu reshape((2, 3, 4)) c = conv_transpose3d(5, (1, 2, 2))"),
    ("2, T, 4, 4", "c = conv3d(8, 1) pixel_shuffle(2) d = conv3d(2, 1) flatten e = linear(2)"),
    ("2, T, 4, 4", "pixel_unshuffle(2) c = conv3d(3, 1) pixel_unshuffle(2) d = conv3d(2, 1)"),
    ("1, T", "e = embedding(6, 24) reshape((2, 3, 4)) c = conv3d(5, (1, 2, 2))"),
]


@pytest.mark.parametrize("layout", LAST)
@pytest.mark.parametrize(("frame", "layers"), SAVED)
def test_what_is_saved_is_loaded_again(
    frame: str, layers: str, layout: str, tmp_path: Path
) -> None:
    net, path = network(frame, layers), tmp_path / "saved.npz"
    codsl.save_weights(net, path, layout=layout)
    again = codsl.build(f"codsl 1\nnetwork n {{ input ({frame})\n{layers} }}")
    codsl.load_weights(again, path, layout=layout)
    for name, each in net.state_dict().items():
        assert torch.equal(each, again.state_dict()[name])


UNKNOWN = [
    ("7, T", "up = linear(24) reshape((2, 3, 4))", "up"),
    ("7, T", "up = linear(48) glu reshape((2, 3, 4)) c = conv3d(5, 1)", "c"),
    ("7, T", "up = gru(24) reshape((2, 3, 4)) c = conv3d(5, 1)", "up"),
    ("8, T, 2, 2", "up = conv3d(8, 1, groups=4) pixel_shuffle(2) c = conv3d(5, 1)", "up"),
    ("2, T, 2, 2", "pixel_unshuffle(2) up = conv3d(8, 1, groups=4)", "up"),
    ("2, T, 6, 4", "reshape((4, 3, 4)) bn = batch_norm3d", "bn"),
]


@pytest.mark.parametrize(("frame", "layers", "refused"), UNKNOWN)
def test_what_nobody_knows_the_order_of_is_refused(
    frame: str, layers: str, refused: str, tmp_path: Path
) -> None:
    net = network(frame, layers)
    with pytest.raises(codsl.WeightsError, match=f"E0609.*`{refused}"):
        codsl.save_weights(net, tmp_path / "saved.npz", layout="keras")
    codsl.load_weights(net, {name: each.clone() for name, each in net.state_dict().items()})
