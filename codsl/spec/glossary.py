"""What the arguments of layers mean: by their rows' own words, or by those that torch shares."""

import re
from inspect import cleandoc

from codsl.layers.fit import INFERRED
from codsl.layers.row import Layer

LONGEST = 240
"""Characters of a sentence at most, if there is a shorter way to say it."""

_CHANNELS = "the channels that come in; they are inferred, and checked where given"
SHARED = {
    "out_channels": "the channels that it gives",
    "out_features": "the channels that it gives",
    "kernel_size": "items that it sees at once: an integer, or one for each dimension, time first",
    "stride": "items from one output to the next: an integer, or one for each dimension",
    "padding": "what stands around: an integer, or for each dimension, time first, an integer or a "
    "pair; `same`, or `causal`, which is before the first item alone",
    "dilation": "items from one tap of the kernel to the next",
    "output_padding": "items that are added at the end",
    "groups": "into how many groups the channels fall; as many as come in: depthwise",
    "bias": "whether a learnt summand is added",
    "padding_mode": "what the padding holds; over time `zeros` or `replicate`",
    "temporal_fill": "what the padding over time holds; if left out, as `padding_mode` says",
    "conv_mode": "the name of what torch computes, as checkpoints of other frameworks ask for it",
    "dtype": "the dtype of its weights; that of the network if left out",
    "output_size": "what it leaves of each dimension; over time that is 1",
    "ceil_mode": "whether the last window may go over the edge",
    "count_include_pad": "whether padding counts in the mean",
    "divisor_override": "what the sum is divided by, instead of the size of the window",
    "eps": "what is added to the variance, so that nothing is divided by zero",
    "momentum": "the weight of a new batch in the running statistics, while training",
    "affine": "whether a factor and a summand are learnt for each channel",
    "elementwise_affine": "whether a factor and a summand are learnt",
    "track_running_stats": "whether running statistics are kept; a stream needs them",
    "normalized_shape": "torch's way to say what is normalised; it is inferred, and checked",
    "num_layers": "recurrent layers on one another",
    "bidirectional": "whether it also reads backwards, which no stream can",
    "num_heads": "heads of attention; they divide the channels",
    "nhead": "heads of attention; they divide the channels",
    "dim_feedforward": "the channels between the two linear layers",
    "activation": "what stands between the two linear layers",
    "layer_norm_eps": "what is added to the variance of the norms",
    "rotary_base": "turns queries and keys by their positions, if given; 10000 is common",
    "nonlinearity": "what the sum goes through",
    "num_parameters": "slopes: 1 for all channels, or as many as there are channels",
    "weight_norm": "whether the weight is a magnitude times a direction; `old` for torch's older "
    "names of the two",
    "hidden_size": "the channels that it gives, and carries on",
    "init": "what the learnt number is at first",
    "p": "the share that is zeroed, while training",
    "approximate": "`tanh` for the approximation by a hyperbolic tangent",
    "lower": "the least slope",
    "upper": "the largest slope",
    "mode": "how what lies between is found",
    "size": "the size that space gets, instead of a factor",
    **dict.fromkeys(INFERRED, _CHANNELS),
}
"""Arguments that mean the same wherever they stand."""


def meaning(row: type[Layer], argument: str) -> str:
    """A sentence on an argument of a layer; empty where nobody has said any."""
    sentences = re.split(r"(?<=[.:)])\s+(?=[A-Z`])", " ".join(cleandoc(row.__doc__ or "").split()))
    own = next((each for each in sentences if f"`{argument}`" in each), "")
    if own and (len(own) <= LONGEST or argument not in SHARED):
        return own
    named = re.compile(rf"`[^`]*\b{argument}\b[^`]*`")
    return SHARED.get(argument) or next((each for each in sentences if named.search(each)), "")
