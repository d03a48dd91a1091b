"""Output embeddings: what the heads read.

Source: AlphaGenome paper, Methods, output embeddings.
"""

from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.nn.config import BIN, NetworkConfig
from genomekit.nn.layers import LayerNorm, Linear, OrganismEmbedding, RMSBatchNorm, gelu


class TokenEmbedder(nn.Module):
    """Tokens to the 128 bp embedding."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = config.trunk_channels
        self.linear = Linear(channels, 2 * channels)
        self.norm = RMSBatchNorm(2 * channels)
        self.organism = OrganismEmbedding(len(config.organisms), 2 * channels)

    def forward(
        self, tokens: Float[Tensor, "batch token channel"], organism: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch token double"]:
        """Embed."""
        hidden = self.norm(self.linear(tokens))
        return gelu(hidden + self.organism(organism)[:, None].to(hidden.dtype))


class BaseEmbedder(nn.Module):
    """Decoder output and the 128 bp embedding to the 1 bp embedding."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = 2 * config.channels
        self.linear = Linear(config.channels, channels)
        self.from_tokens = Linear(2 * config.trunk_channels, channels, bias=False)
        self.norm = RMSBatchNorm(channels)
        self.organism = OrganismEmbedding(len(config.organisms), channels)

    def forward(
        self,
        decoded: Float[Tensor, "batch position channel"],
        embedding: Float[Tensor, "batch token wide"],
        organism: Int[Tensor, " batch"],
    ) -> Float[Tensor, "batch position double"]:
        """Embed; each token's share is added to its 128 bases."""
        hidden = self.linear(decoded).unflatten(1, (-1, BIN))
        hidden = (hidden + self.from_tokens(embedding)[:, :, None]).flatten(1, 2)
        hidden = self.norm(hidden)
        return gelu(hidden + self.organism(organism)[:, None].to(hidden.dtype))


class PairEmbedder(nn.Module):
    """Pair track to the symmetric pair embedding."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.norm = LayerNorm(config.pair_channels, rms=True)
        self.organism = OrganismEmbedding(len(config.organisms), config.pair_channels)

    def forward(
        self, pair: Float[Tensor, "batch bin bin pair"], organism: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch bin bin pair"]:
        """Embed."""
        hidden = self.norm((pair + pair.transpose(1, 2)) / 2)
        return gelu(hidden + self.organism(organism)[:, None, None].to(hidden.dtype))
