"""What attention by hand has in common: torch's weights, three streams, and their order of axes."""

import copy
from abc import abstractmethod
from typing import Any, Self

import torch
from torch import Tensor, nn

from codsl.nn.attention.last_frames import LastFrames, length_of
from codsl.nn.attention.multihead import projected
from codsl.nn.attention.work_of_attention import Work, projections
from codsl.nn.counting import count_by


class Attentive(LastFrames, nn.MultiheadAttention, abstract=True):  # type: ignore[misc]
    """`torch.nn.MultiheadAttention` over the last frames: its arguments, weights and keys."""

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
        sequence_len: int | None = None,
        forward_returns_attn_mask: bool = True,
        embed_dim_second: bool = False,
    ) -> None:
        nn.MultiheadAttention.__init__(
            self,
            embed_dim,
            num_heads,
            dropout,
            bias,
            add_bias_kv,
            add_zero_attn,
            kdim,
            vdim,
            batch_first,
            device,
            dtype,
        )
        self.sequence_len = length_of(sequence_len)
        self.forward_returns_attn_mask = forward_returns_attn_mask
        self.embed_dim_second = embed_dim_second

    @property
    def besides(self) -> str:
        """Why what `forward` gives beside its outputs does not go on; empty where it is nothing."""
        given = self.forward_returns_attn_mask
        return "attention weights are no stream; the outputs, the first, are" if given else ""

    @classmethod
    def of(cls, module: Any, sequence_len: Any, **options: Any) -> Self:
        """A copy of a `torch.nn.MultiheadAttention`."""
        if not isinstance(module, nn.MultiheadAttention):
            raise TypeError(f"built from a torch.nn.MultiheadAttention, not from {module!r}")
        made = cls.__new__(cls)
        made.__dict__.update(copy.deepcopy(module).__dict__)
        options.setdefault("forward_returns_attn_mask", True)
        options.setdefault("embed_dim_second", False)
        made.__dict__.update(sequence_len=length_of(sequence_len), **options)
        return made

    def taken(self) -> tuple[int, ...]:
        """The channels of queries, keys and values."""
        return self.embed_dim, int(self.kdim or 0), int(self.vdim or 0)

    def kept(self) -> int:
        """The projected query, key and value of each frame."""
        return 3 * int(self.embed_dim)

    def keep(self, *items: Tensor) -> Tensor:
        """Projected queries, keys and values of items."""
        query, *others = (each.transpose(1, 2) for each in items)
        key, value = others or (query, query)
        return projected(self, query, key, value)

    def facts(self) -> dict[str, Any]:
        """The heads, and what else stands among the keys."""
        extra = (self.bias_k is not None, self.add_zero_attn)
        return {"num_heads": self.num_heads, "extra_keys": extra}

    def _attention(self, query: Tensor, key: Tensor, value: Tensor, masks: dict[str, Any]) -> Any:
        """Torch's own attention over a clip."""
        if self.embed_dim_second:
            query, key, value = map(self._in_order, (query, key, value))
        masks.setdefault("need_weights", self.forward_returns_attn_mask)
        y, weights = nn.MultiheadAttention.forward(self, query, key, value, **masks)
        if self.embed_dim_second:
            y = y.movedim(1 if self.batch_first else 0, -1)
        return (y, weights) if self.forward_returns_attn_mask else y

    @property
    def _time(self) -> int:
        """The axis of time of clips."""
        if self.embed_dim_second:
            return 2
        return 1 if self.batch_first else 0

    def _from_clip(self, x: Tensor) -> Tensor:
        """A clip as `(B, C, T)`."""
        if x.dim() != 3:
            raise ValueError(f"a clip has three axes, got a tensor of shape {tuple(x.shape)}")
        if self.embed_dim_second:
            return x
        return x.transpose(1, 2) if self.batch_first else x.permute(1, 2, 0)

    def _in_order(self, y: Tensor) -> Tensor:
        """`(B, E, T)` in torch's order of axes."""
        return y.transpose(1, 2) if self.batch_first else y.permute(2, 0, 1)

    @abstractmethod
    def _step_out(self, y: Tensor) -> Tensor:
        """An output of a step in the order of axes that was asked for."""

    @abstractmethod
    def _steps_out(self, y: Tensor) -> Tensor:
        """Outputs of a chunk in the order of axes that was asked for."""

    def forward_step(  # type: ignore[override]
        self,
        query: Any,
        key: Tensor | None = None,
        value: Tensor | None = None,
        update_state: bool = True,
    ) -> Any:
        """The output that is due with a frame `(N, E)` of each stream, None before there are
        `sequence_len`. Keys and values are the queries if not given."""
        y = super().forward_step(_streams(query, key, value), update_state)
        return None if y is None else self._step_out(y)

    def forward_steps(  # type: ignore[override]
        self,
        query: Any,
        key: Any = None,
        value: Any = None,
        pad_end: bool = False,
        update_state: bool = True,
    ) -> Any:
        """The outputs that become due with the frames of a chunk, in the order of axes of
        `forward`, time where it stands in the input. Nothing is padded."""
        streams = _streams(query, key, value)
        many = isinstance(streams, list)
        chunk = [self._from_clip(each) for each in streams] if many else self._from_clip(streams)
        y = super().forward_steps(chunk, pad_end, update_state)
        return None if y is None else self._steps_out(y)

    def warm_up(self, step_shape: Any) -> None:
        """Start anew with `delay` frames of zeros `(N, E)`, so that the next step has an output."""
        self.reset()
        batch, channels = step_shape
        clip = self._own().new_zeros((batch, channels, self.delay))
        self.forward_steps(clip if self.embed_dim_second else self._in_order(clip))

    def flops(
        self,
        include_muls: bool = True,
        include_adds: bool = False,
        include_exps: bool = False,
    ) -> int:
        """Operations of a step."""
        return self.work().counted(include_muls, include_adds, include_exps)

    @abstractmethod
    def clip_work(self, frames: int) -> Work:
        """What `forward` takes for a clip."""

    def extra_repr(self) -> str:
        """The window."""
        return f"sequence_len={self.sequence_len}"


def _streams(query: Any, key: Any, value: Any) -> Any:
    if key is None and value is None:
        return query
    key = query if key is None else key
    return [query, key, key if value is None else value]


def count(made: type[Attentive]) -> None:
    """Let `ptflops` know what attention takes: of a step, what was computed."""
    count_by(made, _count)


def _count(module: Any, inputs: Any, output: Any) -> None:
    x = inputs[0]
    if x.dim() == 2:
        query, rest = projections(module)
        done = module.work() if output is not None else query + rest
        module.__flops__ += done.macs * len(x)
        return
    frames = x.shape[module._time]
    module.__flops__ += module.clip_work(frames).macs * (x.numel() // frames // module.embed_dim)
