"""The transformer tower: sequence attention with a bias from the pair track.

Source: AlphaGenome paper, Methods, transformer tower; constants from google-deepmind/alphagenome_research.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.nn.config import PAIR_BIN, NetworkConfig
from genomekit.nn.layers import LayerNorm, Linear, RMSBatchNorm
from genomekit.nn.pair import PairUpdate
from genomekit.nn.rotary import rotate, rotation

SOFT_CAP = 5.0
TOKENS_PER_PAIR = 16


class PairBias(nn.Module):
    """Pair track to one attention bias per head, at pair resolution.

    Each value stands for a block of 16 x 16 token pairs; it is never repeated in memory.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.norm = RMSBatchNorm(config.pair_channels)
        self.linear = Linear(config.pair_channels, config.num_heads, bias=False)

    def forward(self, pair: Float[Tensor, "batch bin1 bin2 channel"]) -> Float[Tensor, "batch head bin1 bin2"]:
        """Return the bias of query bin1 on key bin2."""
        return self.linear(F.gelu(self.norm(pair), approximate="tanh")).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Multi-query attention: all query heads share one key and one value head."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels, key, value = config.trunk_channels, config.key_channels, config.value_channels
        self.num_heads = config.num_heads
        self.norm_in = RMSBatchNorm(channels)
        self.query = Linear(channels, config.num_heads * key, bias=False)
        self.key = Linear(channels, key, bias=False)
        self.value = Linear(channels, value, bias=False)
        self.norm_query = LayerNorm(key)
        self.norm_key = LayerNorm(key)
        self.norm_value = LayerNorm(value)
        self.out = Linear(config.num_heads * value, channels)
        self.norm_out = RMSBatchNorm(channels)

    def forward(
        self,
        x: Float[Tensor, "batch token channel"],
        bias: Float[Tensor, "batch head bin bin"],
        angles: tuple[Float[Tensor, "token half"], Float[Tensor, "token half"]],
    ) -> Float[Tensor, "batch token channel"]:
        """Attend; the caller adds the result to `x`."""
        hidden = self.norm_in(x)
        query = self.norm_query(self.query(hidden).unflatten(-1, (self.num_heads, -1))).transpose(1, 2)
        key = self.norm_key(self.key(hidden))[:, None]
        value = self.norm_value(self.value(hidden))[:, None]
        query, key = rotate(query, angles), rotate(key, angles)
        logits = query @ key.transpose(-1, -2)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32)) / math.sqrt(key.shape[-1])
        # Blocks of 16 x 16 token pairs share a bias: a view adds it without an L x L copy of the bias.
        blocks = logits.unflatten(-1, (-1, TOKENS_PER_PAIR)).unflatten(-3, (-1, TOKENS_PER_PAIR))
        logits = (blocks + bias[:, :, :, None, :, None]).flatten(-2).flatten(-3, -2)
        weights = (SOFT_CAP * torch.tanh(logits / SOFT_CAP)).softmax(-1)
        mixed = (weights.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        return self.norm_out(self.out(mixed))


class MLP(nn.Module):
    """Two linear layers with ReLU between, norms outside."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.norm_in = RMSBatchNorm(channels)
        self.first = Linear(channels, ratio * channels)
        self.second = Linear(ratio * channels, channels)
        self.norm_out = RMSBatchNorm(channels)

    def forward(self, x: Float[Tensor, "batch token channel"]) -> Float[Tensor, "batch token channel"]:
        """Apply; the caller adds the result to `x`."""
        return self.norm_out(self.second(F.relu(self.first(self.norm_in(x)))))


class Layer(nn.Module):
    """One transformer layer; every second one first updates the pair track."""

    def __init__(self, config: NetworkConfig, *, updates_pair: bool) -> None:
        super().__init__()
        self.pair_update = PairUpdate(config) if updates_pair else None
        self.bias = PairBias(config)
        self.attention = Attention(config)
        self.mlp = MLP(config.trunk_channels, config.mlp_ratio)

    def forward(
        self,
        x: Float[Tensor, "batch token channel"],
        pair: Float[Tensor, "batch bin bin pair"] | None,
        angles: tuple[Float[Tensor, "token half"], Float[Tensor, "token half"]],
    ) -> tuple[Float[Tensor, "batch token channel"], Float[Tensor, "batch bin bin pair"]]:
        """Return the new tokens and pair track."""
        if self.pair_update is not None:
            pair = self.pair_update(x, pair)
        assert pair is not None, "the first layer makes the pair track"
        x = x + self.attention(x, self.bias(pair), angles)
        return x + self.mlp(x), pair


class Tower(nn.Module):
    """All transformer layers."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config, updates_pair=i % 2 == 0) for i in range(config.num_layers))
        self.max_tokens = config.max_length * TOKENS_PER_PAIR // PAIR_BIN
        self.key_channels = config.key_channels

    def forward(
        self, tokens: Float[Tensor, "batch token channel"]
    ) -> tuple[Float[Tensor, "batch token channel"], Float[Tensor, "batch bin bin pair"]]:
        """Return tokens and the last pair track."""
        positions: Int[Tensor, " token"] = torch.arange(tokens.shape[1], device=tokens.device)
        angles = rotation(positions, self.key_channels, self.max_tokens)
        x, pair = tokens, None
        for layer in self.layers:
            x, pair = layer(x, pair, angles)
        assert pair is not None
        return x, pair
