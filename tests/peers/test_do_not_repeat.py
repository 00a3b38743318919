"""What peers get wrong, and what is right: one test for each mistake."""

import copy
import io
import pickle
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import codsl
from codsl import SpecError
from codsl.network import Network

FRAMES = 23


def built(body: str, input: str = "2, T") -> Network:
    """A network of float64, so that only a wrong answer differs."""
    torch.manual_seed(0)
    text = f"codsl 1\nnetwork n {{\ninput ({input})\n{body}\n}}"
    return codsl.build(text, dtype=torch.float64).eval()


def noise(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def together(parts: Sequence[Tensor | None]) -> Tensor:
    return torch.cat([part for part in parts if part is not None], 2)


def stepped(net: Network, x: Tensor) -> tuple[Tensor, list[int]]:
    """All that steps and the end give, and the frames at which something came."""
    net.reset()
    parts = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [t for t, part in enumerate(parts) if part is not None]
    outputs = [part.unsqueeze(2) for part in parts if part is not None]
    return together([*outputs, net.flush()]), due


def assert_one_answer(net: Network, x: Tensor, wanted: Tensor | None = None) -> None:
    """Clip, steps and chunks agree, with each other and with what torch gives."""
    clip = net(x)
    if wanted is not None:
        assert torch.allclose(clip, wanted, atol=1e-12)
    y, due = stepped(net, x)
    assert torch.allclose(y, clip, atol=1e-12)
    assert due == list(range(net.delay, x.shape[2], net.graph.stride))
    net.reset()
    for sizes in ([1, 4, 18], [11, 0, 12], [23]):
        net.reset()
        chunks = [net.forward_steps(chunk) for chunk in x.split(sizes, 2)]
        assert torch.allclose(together([*chunks, net.flush()]), clip, atol=1e-12)


@torch.no_grad()
def test_strided_kernel_1_conv_emits_every_stride() -> None:
    net = built("c = conv1d(3, 1, stride=3)")
    x = noise(2, 2, FRAMES)
    _, due = stepped(net, x)
    assert due == [0, 3, 6, 9, 12, 15, 18, 21]
    conv = net.get_submodule("c")
    assert_one_answer(net, x, functional.conv1d(x, conv.weight, conv.bias, stride=3))


@torch.no_grad()
def test_branches_with_strides_meet_by_index() -> None:
    net = built(
        """parallel("sum") {
          long { c = conv1d(2, 5, stride=2, padding=2) }
          short { c = conv1d(2, 3, stride=2, padding=1) }
        }"""
    )
    x = noise(1, 2, FRAMES)
    long, short = net.get_submodule("long.c"), net.get_submodule("short.c")
    wanted = functional.conv1d(x, long.weight, long.bias, 2, 2)
    wanted = wanted + functional.conv1d(x, short.weight, short.bias, 2, 1)
    assert_one_answer(net, x, wanted)


@torch.no_grad()
def test_downsampling_residual() -> None:
    net = built(
        """residual {
          a = conv1d(4, 3, stride=2, padding=1)
          relu
          b = conv1d(4, 3, padding=1)
        } shortcut {
          project = conv1d(4, 1, stride=2)
        }"""
    )
    x = noise(1, 2, FRAMES)
    a, b, project = (net.get_submodule(name) for name in ("a", "b", "project"))
    body = functional.conv1d(x, a.weight, a.bias, 2, 1).relu()
    body = functional.conv1d(body, b.weight, b.bias, 1, 1)
    assert_one_answer(net, x, functional.conv1d(x, project.weight, project.bias, 2) + body)


@torch.no_grad()
def test_dilation_over_time() -> None:
    net = built("c = conv1d(3, 3, dilation=4, padding=4)")
    x = noise(2, 2, FRAMES)
    conv = net.get_submodule("c")
    assert net.receptive_field == 9
    assert_one_answer(net, x, functional.conv1d(x, conv.weight, conv.bias, 1, 4, 4))


@torch.no_grad()
def test_dilated_pool_over_time() -> None:
    net = built("max_pool1d(3, stride=2, padding=1, dilation=4)")
    x = noise(2, 2, FRAMES)
    assert net.receptive_field == 4 * (3 - 1) + 1
    assert_one_answer(net, x, functional.max_pool1d(x, 3, 2, 1, 4))


@torch.no_grad()
def test_max_pool_pads_minus_infinity() -> None:
    net = built("max_pool1d(3, stride=1, padding=1)")
    x = -1 - noise(1, 2, FRAMES).abs()
    assert net(x).max() < 0
    assert_one_answer(net, x, functional.max_pool1d(x, 3, 1, 1))


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ("count_include_pad=false", {"count_include_pad": False}),
        ("ceil_mode=true", {"ceil_mode": True}),
        ("divisor_override=7", {"divisor_override": 7}),
        (
            "count_include_pad=false, ceil_mode=true",
            {"count_include_pad": False, "ceil_mode": True},
        ),
    ],
)
@torch.no_grad()
def test_settings_of_avg_pool(arguments: str, settings: dict[str, int]) -> None:
    net = built(f"avg_pool3d(3, stride=2, padding=1, {arguments})", "2, T, 6, 7")
    for frames in (FRAMES, FRAMES + 1):
        x = noise(1, 2, frames, 6, 7)
        wanted = functional.avg_pool3d(x, 3, 2, 1, **settings)
        assert torch.allclose(net(x), wanted, atol=1e-12)
        assert torch.allclose(stepped(net, x)[0], wanted, atol=1e-12)


@torch.no_grad()
def test_going_on_after_a_flush() -> None:
    net = built("a = conv1d(3, 3, padding=1)\nb = conv1d(2, 5, stride=2, padding=2)")
    x = noise(1, 2, FRAMES)
    parts: list[Tensor | None] = []
    for start in range(0, FRAMES, 4):
        parts.append(net.forward_steps(x[:, :, start : start + 4]))
        seen = x[:, :, : start + 4]
        assert torch.allclose(together([*parts, net.flush()]), net(seen), atol=1e-12)


@pytest.mark.parametrize("pool", ["adaptive_avg_pool3d", "adaptive_max_pool3d"])
@torch.no_grad()
def test_adaptive_pool_means_one_thing(pool: str) -> None:
    net = built(f"{pool}(1, kernel_size=5)", "2, T, 3, 3")
    x = noise(1, 2, FRAMES, 3, 3)
    module = {
        "adaptive_avg_pool3d": nn.AdaptiveAvgPool3d,
        "adaptive_max_pool3d": nn.AdaptiveMaxPool3d,
    }
    windows = [module[pool](1)(x[:, :, t : t + 5]) for t in range(FRAMES - 4)]
    assert_one_answer(net, x, torch.cat(windows, 2))


@pytest.mark.parametrize("window", [1, 4])
@torch.no_grad()
def test_squeeze_excitation_means_one_thing(window: int) -> None:
    net = built(
        f"""residual("mul", shrink="lagging") {{
          adaptive_avg_pool3d(1, kernel_size={window})
          c = conv3d(2, 1)
          sigmoid
        }}""",
        "2, T, 3, 3",
    )
    x = noise(1, 2, FRAMES, 3, 3)
    conv = net.get_submodule("c")
    gates = [x[:, :, t : t + window].mean((2, 3, 4), True) for t in range(FRAMES - window + 1)]
    gate = functional.conv3d(torch.cat(gates, 2), conv.weight, conv.bias).sigmoid()
    assert_one_answer(net, x, x[:, :, : gate.shape[2]] * gate)


@pytest.mark.parametrize("layer", ["conv1d(2, 3, padding=3)", "conv1d(2, 3, padding=((0, 3),))"])
def test_padding_beyond_the_window_is_refused(layer: str) -> None:
    with pytest.raises(SpecError) as caught:
        built(layer)
    assert [each.code for each in caught.value.diagnostics] == ["E0404"]


@pytest.mark.parametrize("mode", ["forward_step", "forward_steps"])
@torch.no_grad()
def test_another_batch_size_mid_stream_is_an_error(mode: str) -> None:
    net = built("c = conv1d(2, 3)")
    x = noise(2, 2, 8)
    net.forward_steps(x[:, :, :5])
    before = net.get_state()
    other = noise(3, 2, 4)
    with pytest.raises(ValueError, match="batch"):
        getattr(net, mode)(other[:, :, 0] if mode == "forward_step" else other)
    assert net.get_state() is before
    rest = net.forward_steps(x[:, :, 5:])
    assert torch.allclose(rest, net(x)[:, :, 3:], atol=1e-12)


@torch.no_grad()
def test_a_snapshot_of_state_is_a_value() -> None:
    net = built("residual { a = conv1d(2, 3, padding=1) }\nmax_pool1d(2)")
    x = noise(1, 2, FRAMES)
    net.forward_steps(x[:, :, :9])
    snapshot = net.get_state()
    once = net.forward_steps(x[:, :, 9:], pad_end=True)
    net.set_state(snapshot)
    assert torch.equal(net.forward_steps(x[:, :, 9:], pad_end=True), once)
    file = io.BytesIO()
    torch.save(snapshot, file)
    file.seek(0)
    for state in (
        copy.deepcopy(snapshot),
        pickle.loads(pickle.dumps(snapshot)),
        torch.load(file, weights_only=False),
    ):
        net.set_state(state)
        assert torch.equal(net.forward_steps(x[:, :, 9:], pad_end=True), once)


@torch.no_grad()
def test_a_network_can_be_copied_and_pickled_mid_stream() -> None:
    net = built("residual { a = conv1d(2, 3, padding=1) }\nbatch_norm1d")
    x = noise(1, 2, FRAMES)
    net.forward_steps(x[:, :, :9])
    copies = [copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    wanted = net.forward_steps(x[:, :, 9:], pad_end=True)
    for each in copies:
        assert torch.equal(each.forward_steps(x[:, :, 9:], pad_end=True), wanted)


def test_keys_do_not_depend_on_a_siblings_delay() -> None:
    body = """parallel {{
      a {{ c = conv1d(2, {kernel}, padding="same") }}
      b {{ c = conv1d(2, 1)
           n = batch_norm1d }}
    }}"""
    narrow, wide = (built(body.format(kernel=kernel)) for kernel in (1, 9))
    assert narrow.delay != wide.delay
    assert list(narrow.state_dict()) == list(wide.state_dict())
    assert list(wide.state_dict())[:3] == ["a.c.weight", "a.c.bias", "b.c.weight"]


@pytest.mark.parametrize("layer", ["softmax(dim=2)", "softmin(dim=-1)", "log_softmax(dim=2)"])
def test_softmax_over_time_is_refused(layer: str) -> None:
    with pytest.raises(SpecError) as caught:
        built(layer)
    assert [each.code for each in caught.value.diagnostics] == ["E0409"]


@torch.no_grad()
def test_state_is_no_larger_than_the_window() -> None:
    """`k - 1` frames, not `(k - 1) ** 2`; a residual around `k3 p1` keeps two frames in all."""
    plain = built("conv1d(2, 9)")
    assert plain.init_state(1).bytes == 8 * 2 * 8
    padded = built("residual { conv1d(2, 3, padding=1) }")
    assert padded.init_state(1).bytes == 2 * 2 * 8
