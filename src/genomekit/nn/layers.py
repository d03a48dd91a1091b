"""Norms, activations, pooling and the standardised convolution.

Sequence tensors are channels-last, `(batch, position, channel)`: linear layers read them as they are, and a
convolution sees them as a channels-last image of height 1 without a copy.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

EPSILON = 1e-5


def gelu(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Apply `x * sigmoid(1.702 x)`, the GELU of the convolution blocks and output embedders.

    Example:
        >>> gelu(torch.tensor([0.0, 1.0])).tolist()
        [0.0, 0.8457...]
    """
    # silu is one fused kernel forward and backward; the identity is x*sigmoid(a x) = silu(a x) / a.
    return F.silu(x * 1.702) / 1.702


def max_pool(x: Float[Tensor, "batch position channel"]) -> Float[Tensor, "batch half channel"]:
    """Halve the positions, keeping the larger of each two neighbours.

    Of two equal ones the first takes the whole gradient, as upstream; `torch.maximum` would split it.
    """
    first, second = x[:, 0::2], x[:, 1::2]
    return torch.where(second > first, second, first)


def truncated_normal(weight: Tensor, std: float) -> None:
    """Fill in place from a normal of that standard deviation, cut at two of them."""
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


class Linear(nn.Linear):
    """Linear layer initialised as upstream: truncated normal of std 1/sqrt(in), zero bias."""

    def reset_parameters(self) -> None:
        """Draw fresh weights."""
        truncated_normal(self.weight, 1 / math.sqrt(self.in_features))
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class RMSBatchNorm(nn.Module):
    """Divide each channel by its root mean square over the data; no mean is subtracted.

    At inference the stored variance is used, as in the published network, which has no other form. In training mode
    the batch's own mean square is used and the stored one follows it with decay 0.9 (our choice: the update rule was
    not published). `frozen` keeps the stored one in training too, as upstream fine-tuning does.

    Source: google-deepmind/alphagenome_research, layers (inference form).
    """

    variance: Tensor

    def __init__(self, channels: int, *, decay: float = 0.9) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.offset = nn.Parameter(torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.decay = decay
        self.frozen = False

    def forward(self, x: Float[Tensor, "batch *positions channel"]) -> Float[Tensor, "batch *positions channel"]:
        """Normalise the last axis."""
        variance = self.variance
        if self.training and not self.frozen:
            axes = tuple(range(x.ndim - 1))
            count = x.numel() // x.shape[-1]
            variance = torch.linalg.vector_norm(x, dim=axes, dtype=torch.float32).square() / count
            with torch.no_grad():
                self.variance.lerp_(variance.detach().to(self.variance.dtype), 1 - self.decay)
        factor = self.scale * torch.rsqrt(variance + EPSILON)
        return torch.addcmul(self.offset.to(x.dtype), x, factor.to(x.dtype))


class LayerNorm(nn.Module):
    """Layer norm over the last axis; the RMS variant subtracts no mean but keeps an offset.

    Statistics are float32 whatever the activations are.
    """

    def __init__(self, channels: int, *, rms: bool = False) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.offset = nn.Parameter(torch.zeros(channels))
        self.rms = rms

    def forward(self, x: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        """Normalise the last axis."""
        wide = x if x.dtype == torch.float64 else x.float()
        if self.rms:
            normed = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPSILON)
            return (normed * self.scale + self.offset).to(x.dtype)
        return F.layer_norm(wide, x.shape[-1:], self.scale.to(wide.dtype), self.offset.to(wide.dtype), EPSILON).to(
            x.dtype
        )


def convolve(
    x: Float[Tensor, "batch position channel"], weight: Float[Tensor, "out channel width"], bias: Float[Tensor, " out"]
) -> Float[Tensor, "batch position out"]:
    """Cross-correlate over positions with zeros past the ends (SAME), stride 1."""
    image = x.unsqueeze(1).permute(0, 3, 1, 2)
    out = F.conv2d(image, weight.unsqueeze(2), bias, padding=(0, weight.shape[-1] // 2))
    return out.permute(0, 2, 3, 1).squeeze(1)


class Conv(nn.Module):
    """Plain convolution over positions, weights `(out, in, width)`."""

    def __init__(self, channels: int, out: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out, channels, width))
        self.bias = nn.Parameter(torch.zeros(out))
        truncated_normal(self.weight, 1 / math.sqrt(channels * width))

    def forward(self, x: Float[Tensor, "batch position channel"]) -> Float[Tensor, "batch position out"]:
        """Convolve."""
        return convolve(x, self.weight, self.bias)


class StandardizedConv(nn.Module):
    """Convolution whose kernel is centred and scaled per output channel before use.

    Upstream leaves fresh kernels at zero, which only makes sense before a checkpoint is loaded; here they are drawn
    so that each kernel has unit fan-in variance.
    """

    def __init__(self, channels: int, out: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out, channels, width))
        self.scale = nn.Parameter(torch.ones(out))
        self.bias = nn.Parameter(torch.zeros(out))
        truncated_normal(self.weight, 1 / math.sqrt(channels * width))

    def kernel(self) -> Float[Tensor, "out channel width"]:
        """Return the standardised kernel: a plain convolution with it gives the same result.

        Source: google-deepmind/alphagenome_research, convolutions; population variance over (width, in).
        """
        centred = self.weight - self.weight.mean((1, 2), keepdim=True)
        fan_in = self.weight.shape[1] * self.weight.shape[2]
        variance = centred.square().mean((1, 2), keepdim=True)
        return centred * (self.scale[:, None, None] * torch.rsqrt(torch.clamp(fan_in * variance, min=1e-4)))

    def forward(self, x: Float[Tensor, "batch position channel"]) -> Float[Tensor, "batch position out"]:
        """Convolve."""
        return convolve(x, self.kernel(), self.bias)


class ConvBlock(nn.Module):
    """Norm, GELU, then a standardised convolution, or a linear layer where the width is 1."""

    def __init__(self, channels: int, out: int, width: int) -> None:
        super().__init__()
        self.norm = RMSBatchNorm(channels)
        self.conv = Linear(channels, out) if width == 1 else StandardizedConv(channels, out, width)

    def forward(self, x: Float[Tensor, "batch position channel"]) -> Float[Tensor, "batch position out"]:
        """Apply the block."""
        return self.conv(gelu(self.norm(x)))


class OrganismLinear(nn.Module):
    """A linear layer with its own weights for each organism, chosen per batch element."""

    def __init__(self, organisms: int, channels: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(organisms, out, channels))
        self.bias = nn.Parameter(torch.zeros(organisms, out))
        truncated_normal(self.weight, 1 / math.sqrt(channels))

    def forward(
        self,
        x: Float[Tensor, "batch *positions channel"],
        organism: Int[Tensor, " batch"],
        channels: Int[Tensor, " kept"] | None = None,
    ) -> Float[Tensor, "batch *positions out"]:
        """Multiply; with `channels`, only those outputs are computed. The result is at least float32."""
        weight, bias = self.weight, self.bias
        if channels is not None:
            weight, bias = weight[:, channels], bias[:, channels]
        flat = x.reshape(len(x), -1, x.shape[-1])
        out = torch.bmm(flat, weight[organism].transpose(1, 2).to(x.dtype))
        out = out.to(torch.promote_types(out.dtype, torch.float32)) + bias[organism][:, None]
        return out.reshape(*x.shape[:-1], weight.shape[1])


class OrganismEmbedding(nn.Embedding):
    """One vector per organism, truncated normal of std 1."""

    def reset_parameters(self) -> None:
        """Draw fresh vectors."""
        truncated_normal(self.weight, 1.0)
