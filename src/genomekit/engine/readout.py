"""Heads on stretches: only the asked channels, cut out of the weights before the product.

Embeddings here are 1.702 times those of the network (the GELU's constant stays inside); the readers carry its inverse.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.engine.constants import GELU
from genomekit.nn.heads import ContactHead, SpliceClassHead, SpliceUsageHead, TrackHead
from genomekit.nn.scaling import unscale


class Reader(NamedTuple):
    """One head at one resolution, for one organism and some of its channels."""

    kind: str
    weight: Float[Tensor, "channel out"]
    bias: Float[Tensor, " out"]
    channels: Int[Tensor, " kept"] | None
    """Classes to keep after the softmax, which needs them all."""
    scale: Float[Tensor, " kept"] | None = None
    mean: Float[Tensor, " kept"] | None = None
    resolution: int = 1
    squash: bool = False

    @property
    def width(self) -> int:
        """Channels it gives."""
        return len(self.bias) if self.channels is None else len(self.channels)

    def __call__(self, embedding: Float[Tensor, "batch *row channel"]) -> Float[Tensor, "batch *row kept"]:
        """Predict, in float32 or wider."""
        flat = embedding.reshape(-1, embedding.shape[-1])
        if flat.dtype == self.bias.dtype:
            logits = torch.addmm(self.bias, flat, self.weight)
        else:
            logits = (flat @ self.weight).to(self.bias.dtype) + self.bias
        if self.kind == "splice_usage":
            logits = logits.sigmoid()
        elif self.kind == "splice_class":
            logits = logits.softmax(-1)
            logits = logits if self.channels is None else logits[:, self.channels]
        elif self.kind == "track":
            assert self.scale is not None
            assert self.mean is not None
            scaled = F.softplus(logits) * self.scale
            logits = unscale(scaled[None], self.mean[None], self.resolution, self.squash)[0]
        return logits.unflatten(0, embedding.shape[:-1])


def reader(
    head: nn.Module, organism: int, channels: Int[Tensor, " kept"] | None, resolution: int, dtype: torch.dtype
) -> Reader:
    """Cut a head to some channels of one organism.

    Args:
        head: A head of the network, not one of junctions.
        organism: Index of the organism.
        channels: Channels wanted; None is all.
        resolution: Which of the resolutions of a track head, bp.
        dtype: Type of the embedding.
    """
    if isinstance(head, TrackHead):
        layer: Any = head.resolutions[str(resolution)]
        weight, bias = _cut(layer.linear, organism, channels)
        scale, mean = layer.learnt_scale[organism], head.track_mean[organism]
        if channels is not None:
            scale, mean = scale[channels], mean[channels]
        return Reader("track", (weight / GELU).to(dtype), bias, None, F.softplus(scale), mean, resolution, head.squash)
    kinds = {ContactHead: "contact", SpliceClassHead: "splice_class", SpliceUsageHead: "splice_usage"}
    kind = kinds[type(head)]  # type: ignore[index]
    linear: Any = head.linear
    whole = kind == "splice_class"
    weight, bias = _cut(linear, organism, None if whole else channels)
    return Reader(kind, (weight / GELU).to(dtype), bias, channels if whole else None)


def _cut(linear: Any, organism: int, channels: Tensor | None) -> tuple[Tensor, Tensor]:
    weight, bias = linear.weight[organism], linear.bias[organism]
    if channels is not None:
        weight, bias = weight[channels], bias[channels]
    return weight.T.contiguous(), bias
