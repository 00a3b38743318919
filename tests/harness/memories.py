"""Random layers that remember what came before, as dicts of the YAML form, and what they give."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.value import At, Layers

if TYPE_CHECKING:
    from harness.chance import Chance


class Memories:
    """Draws layers that carry a state, or attend to items around their own."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def cumulative(self, at: At) -> tuple[Layers, At]:
        kind = self._chance.needed(("cumulative_layer_norm", "running_mean"))
        given: dict[str, Any] = {"name": self._chance.name()}
        if kind == "running_mean":
            given["momentum"] = self._chance.pick((None, 0.3))
        else:
            given["eps"] = 0.1
        return [{kind: given}], at

    def recurrent(self, at: At) -> tuple[Layers, At]:
        size = self._chance.between(2, 4)
        given: dict[str, Any] = {
            "name": self._chance.name(),
            "hidden_size": size,
            "num_layers": 2 if self._chance.of(0.3, "two layers") else 1,
            "bias": self._chance.of(0.7),
        }
        projects = self._chance.of(0.2, "projected")
        kind = "lstm" if projects else self._chance.needed(("rnn", "gru", "lstm"))
        if kind == "rnn":
            given["nonlinearity"] = self._chance.pick(("tanh", "relu"))
        if projects:
            given["proj_size"] = size = size - 1
        return [{kind: given}], replace(at, channels=size)

    def attention(self, at: At) -> tuple[Layers, At]:
        past, ahead = self._chance.between(0, 4), 0
        if self._chance.of(0.5, "attention with lookahead"):
            ahead = self._chance.pick((1, 2))
        heads = self._chance.pick([h for h in (1, 1, 2, 3) if at.channels % h == 0])
        given: dict[str, Any] = {"name": self._chance.name(), "past": past, "ahead": ahead}
        if at.channels // heads % 2 == 0 and self._chance.of(0.6, "rotary"):
            given["rotary_base"] = 50
        made = replace(at, field=at.field + at.stride * (past + ahead))
        word = self._chance.needed(("multihead_attention", "transformer_encoder_layer"))
        if word == "multihead_attention":
            return [{"multihead_attention": {**given, "num_heads": heads}}], made
        given |= {
            "nhead": heads,
            "dim_feedforward": 5,
            "norm_first": self._chance.of(0.5, "encoder layer, norm"),
        }
        given["layer_norm_eps"] = 0.1
        return [{"transformer_encoder_layer": given}], made
