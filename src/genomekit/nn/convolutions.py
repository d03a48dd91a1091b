"""Encoder and decoder: from bases to 128 bp tokens and back.

Source: AlphaGenome paper, Methods, sequence encoder and decoder.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from genomekit.nn.config import NetworkConfig
from genomekit.nn.layers import Conv, ConvBlock, max_pool


class DNAEmbedder(nn.Module):
    """One-hot bases to channels at 1 bp."""

    def __init__(self, channels: int, stem_width: int, width: int) -> None:
        super().__init__()
        self.conv = Conv(4, channels, stem_width)
        self.block = ConvBlock(channels, channels, width)

    def forward(self, dna: Float[Tensor, "batch position 4"]) -> Float[Tensor, "batch position channel"]:
        """Embed bases."""
        x = self.conv(dna)
        return x + self.block(x)


class DownBlock(nn.Module):
    """Two convolutions at one resolution, widening by `step` channels."""

    def __init__(self, channels: int, step: int, width: int) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels + step, width)
        self.second = ConvBlock(channels + step, channels + step, width)
        self.step = step

    def forward(self, x: Float[Tensor, "batch position channel"]) -> Float[Tensor, "batch position wider"]:
        """Apply the block; the residual path gets zeros in the new channels."""
        hidden = self.first(x) + F.pad(x, (0, self.step))
        return hidden + self.second(hidden)


class Encoder(nn.Module):
    """Bases to tokens of 128 bp, keeping the seven resolutions above as skips."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.embedder = DNAEmbedder(config.channels, config.stem_width, config.width)
        self.blocks = nn.ModuleList(
            DownBlock(config.channels + i * config.channel_step, config.channel_step, config.width) for i in range(6)
        )

    def forward(
        self, dna: Float[Tensor, "batch position 4"]
    ) -> tuple[Float[Tensor, "batch token channel"], list[Tensor]]:
        """Return tokens and skips at 1, 2, 4, ..., 64 bp."""
        skips = [self.embedder(dna)]
        for block in self.blocks:
            skips.append(block(max_pool(skips[-1])))
        return max_pool(skips[-1]), skips


class UpBlock(nn.Module):
    """Double the resolution and add the skip."""

    def __init__(self, channels: int, out: int, width: int) -> None:
        super().__init__()
        self.conv_in = ConvBlock(channels, out, width)
        self.skip = ConvBlock(out, out, 1)
        self.conv_out = ConvBlock(out, out, width)
        self.residual_scale = nn.Parameter(torch.ones(()))
        self.channels = out

    def forward(
        self, x: Float[Tensor, "batch position wider"], skip: Float[Tensor, "batch double channel"]
    ) -> Float[Tensor, "batch double channel"]:
        """Apply the block; channels that the finer resolution lacks are dropped from the residual path."""
        hidden = (self.conv_in(x) + x[..., : self.channels]) * self.residual_scale
        hidden = hidden.repeat_interleave(2, dim=1) + self.skip(skip)
        return hidden + self.conv_out(hidden)


class Decoder(nn.Module):
    """Tokens and skips to channels at 1 bp."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        sizes = [config.channels + i * config.channel_step for i in (6, 5, 4, 3, 2, 1, 0)]
        wider = [sizes[0], *sizes[:-1]]
        self.blocks = nn.ModuleList(UpBlock(c, out, config.width) for c, out in zip(wider, sizes, strict=True))

    def forward(
        self, tokens: Float[Tensor, "batch token wider"], skips: list[Tensor]
    ) -> Float[Tensor, "batch position channel"]:
        """Decode; skips are ordered from 1 bp to 64 bp, as the encoder returns them."""
        x = tokens
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = block(x, skip)
        return x
