"""The pair track: one vector for each pair of 2,048 bp bins.

Source: AlphaGenome paper, Methods, pair representation; constants from google-deepmind/alphagenome_research.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from genomekit.nn.config import PAIR_BIN, NetworkConfig
from genomekit.nn.layers import LayerNorm, Linear
from genomekit.nn.rotary import geometric


def distance_features(
    bins: int, features: int, max_bins: int, device: torch.device | None = None
) -> Float[Tensor, "distance features"]:
    """Return features of the distances -bins .. bins-1: which widths exceed it, and the same with its sign.

    Example:
        >>> distance_features(1, 32, 512).shape  # distances -1 and 0
        torch.Size([2, 64])
        >>> distance_features(1, 32, 512)[1].sum().item()  # distance 0: all widths, and sign 0
        32.0
    """
    distance = torch.arange(-bins, bins, device=device)
    widths = torch.arange(features, dtype=torch.float64) + geometric(max_bins - features + 1, features, endpoint=False)
    within = (widths.to(torch.float32).to(distance.device) > distance.abs()[:, None]).to(torch.float32)
    return torch.cat([within, distance.sign()[:, None] * within], dim=-1)


def shift_to_pairs(
    by_distance: Float[Tensor, "batch bin distance head"],
) -> Float[Tensor, "batch bin bin head"]:
    """Read entry [i, j - i + bins] for each pair of bins (i, j), by one strided view."""
    batch, bins, distances, heads = by_distance.shape
    flat = by_distance.reshape(batch, bins * distances, heads)
    # Entry [i, j] lies at i * distances + (j - i + bins): a view whose rows are one step shorter.
    outer, step, inner = flat.stride()
    offset = flat.storage_offset() + step * bins
    return flat.as_strided((batch, bins, bins, heads), (outer, step * (distances - 1), step, inner), offset)


class SequenceToPair(nn.Module):
    """Pooled tokens to pair features: products of queries and keys plus relative positions."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels, width = config.trunk_channels, config.pair_heads * config.pair_key_channels
        self.num_heads, self.features = config.pair_heads, config.pair_features
        self.max_bins = config.max_length // PAIR_BIN
        self.norm = LayerNorm(channels, rms=True)
        self.query = Linear(channels, width, bias=False)
        self.key = Linear(channels, width, bias=False)
        self.distance = Linear(2 * config.pair_features, width)
        self.query_bias = nn.Parameter(torch.zeros(config.pair_heads, config.pair_key_channels))
        self.key_bias = nn.Parameter(torch.zeros(config.pair_heads, config.pair_key_channels))
        self.to_pair = Linear(config.pair_heads, config.pair_channels)
        self.row = Linear(channels, config.pair_channels, bias=False)
        self.column = Linear(channels, config.pair_channels, bias=False)

    def forward(self, x: Float[Tensor, "batch token channel"]) -> Float[Tensor, "batch bin bin pair"]:
        """Return the pair features of these tokens."""
        hidden = self.norm(x.unflatten(1, (-1, 16)).mean(2))
        bins = hidden.shape[1]
        query = self.query(hidden).unflatten(-1, (self.num_heads, -1))
        key = self.key(hidden).unflatten(-1, (self.num_heads, -1))
        features = distance_features(bins, self.features, self.max_bins, x.device).to(x.dtype)
        distance = self.distance(features).unflatten(-1, (self.num_heads, -1))
        product = torch.einsum("bqhc,bkhc->bqkh", query, key)
        from_query = torch.einsum("bqhc,dhc->bqdh", query + self.query_bias.to(query.dtype), distance)
        from_key = torch.einsum("bkhc,dhc->bkdh", key + self.key_bias.to(key.dtype), distance)
        relative = shift_to_pairs(from_query.contiguous()) + shift_to_pairs(from_key.contiguous()).transpose(1, 2)
        smooth = F.gelu(hidden, approximate="tanh")
        pair = self.to_pair(product + 0.5 * relative)
        return pair + self.row(smooth)[:, :, None] + self.column(smooth)[:, None, :]


class RowAttention(nn.Module):
    """Single-head attention along the second pair axis, row by row."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = LayerNorm(channels, rms=True)
        self.query = Linear(channels, channels, bias=False)
        self.key = Linear(channels, channels, bias=False)
        self.value = Linear(channels, channels)

    def forward(self, pair: Float[Tensor, "batch bin bin pair"]) -> Float[Tensor, "batch bin bin pair"]:
        """Attend; the caller adds the result."""
        hidden = self.norm(pair)
        query, key, value = self.query(hidden), self.key(hidden), self.value(hidden)
        logits = query @ key.transpose(-1, -2)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32)) / math.sqrt(key.shape[-1])
        return logits.softmax(-1).to(value.dtype) @ value


class PairMLP(nn.Module):
    """Two linear layers with ReLU between, on every pair."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.norm = LayerNorm(channels, rms=True)
        self.first = Linear(channels, ratio * channels)
        self.second = Linear(ratio * channels, channels)

    def forward(self, pair: Float[Tensor, "batch bin bin pair"]) -> Float[Tensor, "batch bin bin pair"]:
        """Apply; the caller adds the result."""
        return self.second(F.relu(self.first(self.norm(pair))))


class PairUpdate(nn.Module):
    """Add the tokens' pair features, then attend along rows, then mix channels."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.sequence_to_pair = SequenceToPair(config)
        self.row_attention = RowAttention(config.pair_channels)
        self.mlp = PairMLP(config.pair_channels, config.mlp_ratio)

    def forward(
        self, x: Float[Tensor, "batch token channel"], pair: Float[Tensor, "batch bin bin pair"] | None
    ) -> Float[Tensor, "batch bin bin pair"]:
        """Return the updated pair track; `pair` is None before the first update."""
        update = self.sequence_to_pair(x)
        pair = update if pair is None else pair + update
        pair = pair + self.row_attention(pair)
        return pair + self.mlp(pair)
