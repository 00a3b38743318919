"""What is found under `codsl.nn` besides the classes that are made of rows."""

from codsl.nn import convert, onnx
from codsl.nn.attention.encoder import TransformerEncoder
from codsl.nn.attention.encoder_layer import (
    RetroactiveTransformerEncoderLayer,
    SingleOutputTransformerEncoderLayer,
    TransformerEncoderLayerFactory,
)
from codsl.nn.attention.recycling import RecyclingPositionalEncoding
from codsl.nn.attention.retroactive import RetroactiveMultiheadAttention
from codsl.nn.attention.single_output import SingleOutputMultiheadAttention
from codsl.nn.closures import Add, Constant, Identity, Lambda, Multiply, One, Reshape, Zero
from codsl.nn.conditional import Conditional
from codsl.nn.containers import BroadcastReduce, Parallel, Residual, Sequential
from codsl.nn.convert import continual
from codsl.nn.flat_state import flat_state_dict
from codsl.nn.module import CoModule
from codsl.nn.older import PaddingMode, call_mode
from codsl.nn.plainly import Conv, Linear
from codsl.nn.recurrent import GRU, LSTM, RNN
from codsl.nn.routing import Broadcast, ParallelDispatch, Reduce
from codsl.nn.running.state import State
from codsl.nn.stepping import forward_stepping
from codsl.nn.tracing.tracing import Traced
from codsl.nn.waiting import Delay, Skip

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Add",
    "Broadcast",
    "BroadcastReduce",
    "CoModule",
    "Conditional",
    "Constant",
    "Conv",
    "Delay",
    "Identity",
    "Lambda",
    "Linear",
    "Multiply",
    "One",
    "PaddingMode",
    "Parallel",
    "ParallelDispatch",
    "RecyclingPositionalEncoding",
    "Reduce",
    "Reshape",
    "Residual",
    "RetroactiveMultiheadAttention",
    "RetroactiveTransformerEncoderLayer",
    "Sequential",
    "SingleOutputMultiheadAttention",
    "SingleOutputTransformerEncoderLayer",
    "Skip",
    "State",
    "Traced",
    "TransformerEncoder",
    "TransformerEncoderLayerFactory",
    "Zero",
    "call_mode",
    "continual",
    "convert",
    "flat_state_dict",
    "forward_stepping",
    "onnx",
]
