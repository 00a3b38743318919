"""Where a network meets its user's other tools: hooks, exchanged parts, foreign states, dtypes."""

import pytest
import torch
from torch import nn

import codsl


def network(kernel: int = 5, **options: object) -> nn.Module:
    pool = {"max_pool1d": {"name": "pool", "kernel_size": 3, "stride": 1, "padding": 1}}
    conv = {"name": "conv", "out_channels": 4, "kernel_size": kernel, "padding": kernel // 2}
    layers = [{"conv1d": conv}, "relu", pool]
    return codsl.build({"codsl": 1, "input": [3, "T"], "layers": layers}, **options).eval()


def test_hooks_act_alike_on_clip_and_stream() -> None:
    net, x = network(), torch.randn(2, 3, 20)
    plain = net(x)
    for name in ("conv", "pool"):
        part = net.get_submodule(name)
        part.register_forward_hook(lambda module, inputs, output: 3 * output)
    clip = net(x)
    assert not torch.allclose(clip, plain)
    steps = [net.forward_step(x[:, :, t]) for t in range(20)]
    due = [step for step in steps if step is not None]
    streamed = torch.cat([torch.stack(due, 2), net.flush()], 2)
    assert torch.allclose(
        streamed, clip, rtol=0, atol=5e-6 * max(1, float(clip.detach().abs().max()))
    )


def test_parts_cannot_be_exchanged_behind_the_stream() -> None:
    net = network()
    with pytest.raises(TypeError, match="`conv` is as the spec says"):
        net.conv = nn.Conv1d(3, 4, 3)
    with pytest.raises(TypeError, match="`conv` is as the spec says"):
        net.add_module("conv", nn.Conv1d(3, 4, 3))
    net.add_module("extra", nn.Linear(2, 2))
    assert "extra.weight" in net.state_dict()


def test_a_state_of_another_network_is_refused_everywhere() -> None:
    wide, narrow, frame = network(5), network(3), torch.randn(1, 3)
    state = wide.init_state(1)
    with pytest.raises(ValueError, match="of another network"):
        narrow.step(frame, state)
    with pytest.raises(ValueError, match="of another network"):
        narrow.set_state(state)
    for wrong in (None, 3):
        with pytest.raises(TypeError, match="a state is what"):
            narrow.step(frame, wrong)


def test_a_network_without_weights_keeps_the_dtype_it_was_built_with() -> None:
    pool = {"avg_pool1d": {"kernel_size": 3, "stride": 1}}
    spec = {"codsl": 1, "input": [3, "T"], "layers": [pool]}
    net = codsl.build(spec, dtype=torch.float64)
    net.warm_up((1, 3))
    assert net.forward_step(torch.randn(1, 3, dtype=torch.float64)).dtype == torch.float64
    assert not net.state_dict()
    assert net.half().init_state().dtype == torch.float16
    net.reset()
    with pytest.raises(ValueError, match=r"the network is torch\.float16"):
        net.forward_step(torch.zeros(1, 3, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("layer", "argument"),
    [({"hardtanh": {"min_val": 1, "max_val": 1}}, "1"), ({"rrelu": {"lower": 2, "upper": 1}}, "2")],
)
def test_bounds_that_torch_refuses_are_mistakes_of_the_spec(
    layer: dict[str, object], argument: str
) -> None:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check({"codsl": 1, "input": [3, "T"], "layers": [layer]})
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.text) == ("E0305", argument)


def test_a_rank_is_only_offered_where_the_layer_exists() -> None:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check("codsl 1\nnetwork n {\n input (3, T)\n softmax2d\n}\n")
    assert not caught.value.diagnostics[0].helps


@pytest.mark.parametrize("said", [{"variant": "small"}, {"params": {"width": 4}}, {"root": "."}])
def test_what_a_checked_graph_cannot_take_is_refused(said: dict[str, object]) -> None:
    graph = codsl.check({"codsl": 1, "input": [3, "T"], "layers": ["relu"]})
    with pytest.raises(TypeError, match=f"takes no `{next(iter(said))}`: give that to `check`"):
        codsl.build(graph, **said)  # type: ignore[arg-type]
    assert codsl.build(graph, params={}).graph is graph
