"""Constants of inference: norms folded into what follows or precedes them, kernels standardised, once at load.

At inference a norm is one multiply-add per channel. Before a GELU it stays one, with the GELU's 1.702 inside it; before
or after a linear layer it becomes part of that layer. A block `conv(gelu(norm(x)))` is then
`silu(x * factor + offset)` and one convolution whose kernel carries the 1 / 1.702.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from genomekit.nn.layers import EPSILON, ConvBlock, Linear, RMSBatchNorm, StandardizedConv

GELU = 1.702
"""`x * sigmoid(1.702 x) = silu(1.702 x) / 1.702`: the factor goes into constants on both sides."""


def own(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a copy: constants share no memory with the network, which may be mapped from a file."""
    return tensor.detach().to(dtype, copy=True)


def thrifty(function: Callable[..., Tensor], *arguments: Tensor | None) -> Tensor:
    """Call a function; where gradients are wanted, keep its arguments alone and compute the rest again for them."""
    if torch.is_grad_enabled():
        return checkpoint(function, *arguments, use_reentrant=False)
    return function(*arguments)


class Norm(NamedTuple):
    """A norm with stored statistics: `x * factor + offset`."""

    factor: Float[Tensor, " channel"]
    offset: Float[Tensor, " channel"]

    @classmethod
    def of(cls, norm: RMSBatchNorm) -> "Norm":
        """Read the stored statistics."""
        return cls(norm.scale * torch.rsqrt(norm.variance + EPSILON), own(norm.offset, norm.offset.dtype))


class Affine(NamedTuple):
    """A linear layer, laid out for `x @ weight + bias`."""

    weight: Float[Tensor, "channel out"]
    bias: Float[Tensor, " out"] | None

    @classmethod
    def of(cls, linear: nn.Linear, *, before: Norm | None = None, after: Norm | None = None) -> "Affine":
        """Fold the norms around a layer into it."""
        weight = linear.weight.T
        bias = linear.bias
        if before is not None:
            shift = before.offset @ weight
            bias = shift if bias is None else bias + shift
            weight = before.factor[:, None] * weight
        if after is not None:
            weight = weight * after.factor
            bias = after.offset if bias is None else bias * after.factor + after.offset
        return cls(weight.contiguous(), bias)

    def to(self, dtype: torch.dtype) -> "Affine":
        """Convert."""
        return Affine(self.weight.to(dtype), None if self.bias is None else own(self.bias, dtype))

    def __call__(self, x: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch out"]:
        """Apply to the last axis."""
        flat = x.reshape(-1, x.shape[-1])
        out = flat @ self.weight if self.bias is None else torch.addmm(self.bias, flat, self.weight)
        return out.unflatten(0, x.shape[:-1]) if x.ndim != 2 else out


class Block(NamedTuple):
    """Norm, GELU and a convolution (or linear layer, width 1), ready to run."""

    factor: Float[Tensor, " channel"]
    offset: Float[Tensor, " channel"]
    taps: Float[Tensor, "width channel out"]
    bias: Float[Tensor, " out"]

    @classmethod
    def of(cls, block: ConvBlock, dtype: torch.dtype, gain: Tensor | None = None) -> "Block":
        """Fold a block of the network; `gain` multiplies its output."""
        norm = Norm.of(block.norm)
        conv = block.conv
        if isinstance(conv, StandardizedConv):
            taps = conv.kernel().permute(2, 1, 0)
        else:
            assert isinstance(conv, Linear)
            taps = conv.weight.T[None]
        bias = conv.bias
        taps = taps / GELU
        if gain is not None:
            taps, bias = taps * gain, bias * gain
        wide = (norm.factor * GELU, norm.offset * GELU, taps.contiguous(), bias)
        return cls(wide[0].to(dtype), wide[1].to(dtype), wide[2].to(dtype), own(wide[3], dtype))

    @property
    def halo(self) -> int:
        """Rows of input that an output row reads on each side."""
        return len(self.taps) // 2
