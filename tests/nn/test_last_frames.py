"""Attention and encoders over the last frames: torch on each window, for ever."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl.nn as co
from codsl.nn.running.stream import Slots

L, E = 5, 8
FRAMES = 23


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def encoder(depth: int, norm_first: bool = False, dtype: Any = torch.float64) -> Any:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(
        E, 2, 16, activation="gelu", batch_first=True, norm_first=norm_first, dtype=dtype
    )
    norm = nn.LayerNorm(E, dtype=dtype)
    made = nn.TransformerEncoder(layer, depth, norm=norm, enable_nested_tensor=False)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.4)
    return made.eval()


def window(x: Tensor, newest: int) -> Tensor:
    """The last frames as torch takes them, `(B, L, E)`."""
    return x[:, :, newest - L + 1 : newest + 1].transpose(1, 2)


@torch.no_grad()
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_an_encoder_gives_the_newest_output_of_the_last_frames(
    depth: int, norm_first: bool
) -> None:
    reference = encoder(depth, norm_first)
    continual = co.TransformerEncoder.build_from(reference, sequence_len=L)
    x = noise(2, E, FRAMES)
    steps = [continual.forward_step(x[:, :, t]) for t in range(FRAMES)]
    assert all(y is None for y in steps[: L - 1])
    want = torch.stack([reference(window(x, t))[:, -1] for t in range(L - 1, FRAMES)], 2)
    assert torch.allclose(torch.stack(steps[L - 1 :], 2), want, atol=1e-12)
    held = co.Sequential(continual)
    assert torch.allclose(held(x), want, atol=1e-12)
    for sizes in ([1, 4, 18], [11, 0, 12], [23]):
        held.clean_state()
        chunks = [held.forward_steps(chunk) for chunk in x.split(sizes, 2)]
        made = torch.cat([chunk for chunk in chunks if chunk is not None], 2)
        assert torch.allclose(made, want, atol=1e-12)
    assert held.flush() is None
    assert (continual.delay, continual.receptive_field) == (L - 1, L)
    assert list(continual.state_dict()) == list(reference.state_dict())


@torch.no_grad()
def test_forward_of_one_layer_is_torchs_and_of_more_slides() -> None:
    x = noise(2, E, 9)
    one = encoder(1)
    whole = co.TransformerEncoder.build_from(one, sequence_len=L)(x)
    assert torch.allclose(whole, one(x.transpose(1, 2)).transpose(1, 2), atol=1e-12)
    assert co.TransformerEncoder.build_from(encoder(2), sequence_len=L)(x).shape == (2, E, 5)


@torch.no_grad()
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_an_encoder_does_not_drift_and_stands_large_inputs(size: float) -> None:
    reference = encoder(2, dtype=torch.float32)
    continual = co.TransformerEncoder.build_from(reference, sequence_len=L)
    x = size * noise(1, E, 1000, dtype=torch.float32)
    for _ in range(20):
        y = continual.forward_steps(x)
        assert y.isfinite().all()
    assert continual.get_state().frame == 20_000
    assert torch.allclose(y[:, :, -1], reference(window(x, 999))[:, -1], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", ["RetroactiveTransformerEncoderLayer", "RetroactiveAttention"])
def test_retroactive_steps_give_all_outputs_of_the_window(name: str) -> None:
    x = noise(2, E, FRAMES)
    layer = encoder(1, norm_first=True).layers[0]
    if name == "RetroactiveAttention":
        mha = layer.self_attn
        continual: Any = co.RetroactiveMultiheadAttention.build_from(
            mha, sequence_len=L, embed_dim_second=True, forward_returns_attn_mask=False
        )
    else:
        continual = co.RetroactiveTransformerEncoderLayer.build_from(layer, sequence_len=L)
    for t in range(FRAMES):
        y = continual.forward_step(x[:, :, t])
        if t < L - 1:
            assert y is None
            continue
        frames = window(x, t)
        want = mha(*3 * [frames])[0] if name == "RetroactiveAttention" else layer(frames)
        assert torch.allclose(y, want.transpose(1, 2), atol=1e-12)
    assert co.Sequential(continual)(x).shape == (2, E, FRAMES - L + 1, L)


@torch.no_grad()
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("place", [-1, 0, 2])
def test_single_output_with_streams_of_their_own(place: int, batch_first: bool) -> None:
    torch.manual_seed(0)
    mha = nn.MultiheadAttention(
        E, 2, 0.0, True, True, True, 3, 6, batch_first=batch_first, dtype=torch.float64
    )
    continual = co.SingleOutputMultiheadAttention.build_from(mha, sequence_len=L, query_index=place)
    streams = [noise(FRAMES, 2, size) for size in (E, 3, 6)]
    given = [each.transpose(0, 1) if batch_first else each for each in streams]
    y = continual.forward_steps(*given)
    y = y.transpose(0, 1) if batch_first else y
    for t in range(L - 1, FRAMES):
        last = [each.narrow(1 if batch_first else 0, t - L + 1, L) for each in given]
        want, weights = mha(*last)
        one, seen = continual(*last)
        row = want.select(1 if batch_first else 0, place)
        assert torch.allclose(y[t - L + 1], row, atol=1e-12)
        assert torch.allclose(one.squeeze(1 if batch_first else 0), row, atol=1e-12)
        assert torch.allclose(seen.squeeze(1), weights[:, place], atol=1e-12)


@torch.no_grad()
def test_copies_files_and_slots_go_on_alike() -> None:
    continual = co.TransformerEncoder.build_from(encoder(3), sequence_len=L)
    x = noise(2, E, FRAMES)
    continual.forward_steps(x[:, :, :7])
    want = continual.forward_steps(x[:, :, 7:], update_state=False)
    file = io.BytesIO()
    torch.save(continual, file)
    file.seek(0)
    for twin in (
        copy.deepcopy(continual),
        pickle.loads(pickle.dumps(continual)),
        torch.load(file, weights_only=False),
    ):
        assert torch.equal(twin.forward_steps(x[:, :, 7:]), want)
    slots = Slots(continual, 2)
    slots.join()
    for t in range(3):
        slots.step(x[:1, :, t], [0])
    slots.join()
    due: list[tuple[bool, ...]] = []
    for t in range(3, 3 + L):
        y, now = slots.step(torch.stack([x[0, :, t], x[1, :, t - 3]]))
        due.append(tuple(now.tolist()))
    assert due == [(False, False), *3 * [(True, False)], (True, True)]
    alone = co.Sequential(continual)(x)
    assert torch.allclose(y[0], alone[0, :, 3], atol=1e-12)
    assert torch.allclose(y[1], alone[1, :, 0], atol=1e-12)


def test_states_of_other_encoders_are_refused() -> None:
    two, three = (co.TransformerEncoder.build_from(encoder(n), sequence_len=L) for n in (2, 3))
    two.forward_step(noise(1, E))
    with pytest.raises(ValueError, match="another network"):
        three.set_state(two.get_state())


def test_gradients_of_a_stream_are_those_of_the_window() -> None:
    reference = encoder(2)
    continual = co.TransformerEncoder.build_from(reference, sequence_len=L)
    x = noise(1, E, L)
    for module in (*reference.modules(), *continual.modules()):
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    reference.train()(window(x, L - 1))[:, -1].sum().backward()
    continual.train()
    for module in (reference, continual):
        for layer in module.layers:
            layer.self_attn.dropout = 0.0
    reference.zero_grad()
    reference(window(x, L - 1))[:, -1].sum().backward()
    for t in range(L):
        y = continual.forward_step(x[:, :, t])
    y.sum().backward()
    for ours, theirs in zip(continual.parameters(), reference.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-10)


@torch.no_grad()
@pytest.mark.parametrize("axes", [{}, {"batch_first": True}, {"embed_dim_second": True}])
def test_a_warm_stream_has_an_output_at_once(axes: dict[str, bool]) -> None:
    mha = co.SingleOutputMultiheadAttention(E, 2, sequence_len=L, **axes)
    mha.warm_up((3, E))
    assert mha.forward_step(noise(3, E, dtype=torch.float32)).shape == (3, E)


def test_a_factory_makes_torchs_layers() -> None:
    factory = co.TransformerEncoderLayerFactory(E, 2, 16, sequence_len=L, activation="relu")
    made = co.TransformerEncoder(factory, 3, nn.LayerNorm(E))
    made.load_state_dict(encoder(3, dtype=torch.float32).state_dict())
    assert [type(each).__name__ for each in made.layers] == [
        "RetroactiveTransformerEncoderLayer",
        "RetroactiveTransformerEncoderLayer",
        "SingleOutputTransformerEncoderLayer",
    ]


def test_what_does_not_fit_is_said() -> None:
    mha = nn.MultiheadAttention(E, 2, kdim=3)
    with pytest.raises(ValueError, match="`sequence_len`"):
        co.RetroactiveMultiheadAttention(E, 2)
    with pytest.raises(ValueError, match="`query_index`"):
        co.SingleOutputMultiheadAttention(E, 2, sequence_len=L, query_index=L)
    with pytest.raises(ValueError, match="takes frames of"):
        co.RetroactiveMultiheadAttention.build_from(mha, sequence_len=L).forward_step(
            torch.zeros(1, E)
        )
    with pytest.raises(ValueError, match="takes frames of"):
        co.TransformerEncoder.build_from(encoder(2), sequence_len=L).forward_step(noise(1, 3))
    with pytest.raises(ValueError, match="one layer or more"):
        co.TransformerEncoder(co.TransformerEncoderLayerFactory(E, 2, sequence_len=L), 0)


def test_a_step_takes_less_work_than_torch_on_the_window() -> None:
    retro = co.RetroactiveMultiheadAttention(64, 4, sequence_len=32)
    single = co.SingleOutputMultiheadAttention(64, 4, sequence_len=32)
    assert retro.work().macs < 0.5 * retro.clip_work(32).macs
    assert single.work().macs < 0.06 * retro.clip_work(32).macs
    assert retro.flops(True, True, True) > retro.flops() > 0
