"""Every class of a row holds the contract by hand, alone and in a container."""

from typing import Any

import pytest
import torch
from by_hand import begun, layer_of

import codsl.nn as co
from harness.contract import contract, randomise
from layers.row_networks import BEFORE, examples, frame_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]
OTHERS = {"add", "identity", "linear", "reshape", "rnn", "gru", "lstm"}
OTHERS |= {"recycling_positional_encoding"}
"""Rows whose name is by hand that of another class, as in the older library."""
BEHIND = {"embedding": [co.Sigmoid(), co.Multiply(5)]}
EXAMPLES = [
    pytest.param(*case, id=f"{case[0]}-{number}-{case[2]}d")
    for number, case in enumerate(examples())
    if case[0] not in OTHERS
]


@pytest.mark.parametrize(("name", "example", "rank"), EXAMPLES)
def test_a_class_holds_the_contract(name: str, example: dict[str, Any], rank: int) -> None:
    x = frame_of(name, rank)
    torch.manual_seed(3)
    layer = layer_of(name, example, x)
    randomise(layer, 3)
    if name in BEFORE:
        layer = co.Sequential(*BEHIND.get(name, [co.Exp()]), layer)
    contract(begun(layer, x))
