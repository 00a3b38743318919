"""Where a checkpoint has a network's layers under other names, the rules for it are offered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import torch

import codsl
from codsl.weights.refusal import WeightsError

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = """codsl 1
network n {
  input (3, T)
  stem = conv1d(4, 3)
  u[i in 1..12] = {
    conv = conv1d(4 + i, 3, padding=1)
    norm = batch_norm1d
  }
  head = linear(5)
}
"""


def network() -> Any:
    torch.manual_seed(0)
    return codsl.build(SPEC).eval()


def renamed(by: Callable[[str], str]) -> dict[str, torch.Tensor]:
    return {by(name): each for name, each in network().state_dict().items()}


def offered(given: dict[str, torch.Tensor]) -> list[str] | None:
    with pytest.raises(WeightsError) as caught:
        codsl.load_weights(network(), given)
    found = re.search(r"rename=\[(.*)\], by the shapes", str(caught.value))
    return re.findall(r'"([^"]+)"', found[1]) if found else None


def torchs(name: str) -> str:
    """As a `Sequential` of blocks would have them, under a first part."""
    name = re.sub(r"^u(\d+)\.", lambda each: f"net.blocks.{int(each[1]) - 1}.", name)
    return name.replace("stem.", "net.first.").replace("head.", "net.fc.")


WAYS = {
    "in order": (torchs, 3),
    "another first layer": (lambda name: name.replace("stem", "conv0"), 1),
    "a part more and names of its own": (lambda name: f"m.{torchs(name)}", 3),
    "layers in them": (
        lambda name: name.replace(".conv.", ".c.").replace(".norm.", ".bn."),
        2,
    ),
}


def test_what_is_offered_is_short() -> None:
    assert offered(renamed(torchs)) == [
        "net.blocks.{i}.{rest} -> u{i+1}.{rest}",
        "net.first.{rest} -> stem.{rest}",
        "net.fc.{rest} -> head.{rest}",
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("order", ["as it is", "sorted"])
def test_what_is_offered_loads_all(way: str, order: str) -> None:
    by, count = WAYS[way]
    given = renamed(by)
    if order == "sorted":
        given = dict(sorted(given.items()))
    rules = offered(given)
    if rules is None:
        assert order == "sorted"
        return
    assert len(rules) == count
    net = network()
    for each in net.parameters():
        each.data.zero_()
    codsl.load_weights(net, given, rename=rules)
    for name, each in network().state_dict().items():
        assert torch.equal(net.state_dict()[name], each), name


def test_names_in_order_of_their_numbers() -> None:
    """`blocks.10` stands before `blocks.2` in a file that is sorted."""
    given = {name: each for name, each in renamed(torchs).items() if "blocks" in name}
    given |= {name: each for name, each in network().state_dict().items() if name[0] in "sh"}
    rules = offered(dict(sorted(given.items())))
    assert rules == ["net.blocks.{i}.{rest} -> u{i+1}.{rest}"]


def test_nothing_is_offered_where_it_does_not_fit() -> None:
    given = renamed(torchs)
    assert offered({**given, "net.fc.weight": torch.ones(5, 7)}) is None
    assert offered({**given, "net.more.weight": torch.ones(5, 7)}) is None
    given.pop("net.fc.bias")
    assert offered(given) is None


def test_nothing_is_offered_across_names_that_are_known() -> None:
    """Three layers of one shape in a file that is sorted: their own words say which is which."""
    body = " ".join(f"{word} = linear(3)" for word in ("query", "key", "value"))
    net = codsl.build(f"codsl 1\nnetwork n {{ input (3, T)\n{body}\n}}")
    given = {f"old.{name}": each for name, each in sorted(net.state_dict().items())}
    given["old.extra.key.bias"] = torch.ones(2)
    with pytest.raises(WeightsError) as caught:
        codsl.load_weights(net, given)
    assert "rename=" not in str(caught.value)
    given.pop("old.extra.key.bias")
    inner = codsl.build(f"codsl 1\nnetwork n {{ input (3, T)\na = {{\n{body}\n}}\n}}")
    with pytest.raises(WeightsError) as caught:
        codsl.load_weights(inner, {**given, "old.extra.bias": torch.ones(2)})
    assert "rename=" not in str(caught.value)
    with pytest.raises(WeightsError, match=r'rename=\["old\.\{rest\} -> a\.\{rest\}"\], by the'):
        codsl.load_weights(inner, given)
