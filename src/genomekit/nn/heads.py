"""Heads: from embeddings to predictions, one class per kind of head.

Every head returns a dict of tensors named as upstream; see each class for the keys.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.nn.config import BIN, HeadConfig, NetworkConfig
from genomekit.nn.layers import OrganismLinear
from genomekit.nn.scaling import unscale
from genomekit.nn.splice import JunctionHead


class Scaled(nn.Module):
    """Linear layer, softplus and a learnt positive scale: one resolution of a track head."""

    def __init__(self, organisms: int, channels: int, out: int) -> None:
        super().__init__()
        self.linear = OrganismLinear(organisms, channels, out)
        self.learnt_scale = nn.Parameter(torch.ones(organisms, out))

    def forward(
        self,
        embedding: Float[Tensor, "batch bin channel"],
        organism: Int[Tensor, " batch"],
        channels: Int[Tensor, " kept"] | None = None,
    ) -> Float[Tensor, "batch bin out"]:
        """Return values in model space, positive."""
        scale = self.learnt_scale if channels is None else self.learnt_scale[:, channels]
        logits = self.linear(embedding, organism, channels)
        return F.softplus(logits) * F.softplus(scale[organism])[:, None].to(logits.dtype)


class TrackHead(nn.Module):
    """Coverage tracks at 1 bp, 128 bp or both.

    Keys: `scaled_predictions_{r}bp` (model space) and `predictions_{r}bp` (units of the data) for each resolution r.
    """

    track_mean: Tensor

    def __init__(self, config: NetworkConfig, head: HeadConfig) -> None:
        super().__init__()
        organisms = len(config.organisms)
        widths = {1: 2 * config.channels, BIN: 2 * config.trunk_channels}
        layers = {str(r): Scaled(organisms, widths[r], head.channels) for r in head.resolutions}
        self.resolutions = nn.ModuleDict(layers)
        self.squash = head.squash
        # A fact of the data, kept with the track table; NaN marks padding, so that its predictions are NaN.
        self.register_buffer("track_mean", torch.ones(organisms, head.channels), persistent=False)

    def forward(
        self,
        embeddings: dict[int, Tensor],
        organism: Int[Tensor, " batch"],
        channels: Int[Tensor, " kept"] | None = None,
        resolutions: Sequence[int] | None = None,
    ) -> dict[str, Tensor]:
        """Predict at the given resolutions (default all), from embeddings by resolution in bp."""
        mean = self.track_mean if channels is None else self.track_mean[:, channels]
        out: dict[str, Tensor] = {}
        for name, layer in self.resolutions.items():
            resolution = int(name)
            if resolutions is not None and resolution not in resolutions:
                continue
            scaled = layer(embeddings[resolution], organism, channels)
            out[f"scaled_predictions_{resolution}bp"] = scaled
            out[f"predictions_{resolution}bp"] = unscale(scaled, mean[organism], resolution, self.squash)
        return out


class ContactHead(nn.Module):
    """Contact maps. Key: `predictions` (batch, bin1, bin2, track)."""

    def __init__(self, config: NetworkConfig, head: HeadConfig) -> None:
        super().__init__()
        self.linear = OrganismLinear(len(config.organisms), config.pair_channels, head.channels)

    def forward(
        self,
        pair: Float[Tensor, "batch bin bin pair"],
        organism: Int[Tensor, " batch"],
        channels: Int[Tensor, " kept"] | None = None,
    ) -> dict[str, Tensor]:
        """Predict."""
        return {"predictions": self.linear(pair, organism, channels)}


class SpliceClassHead(nn.Module):
    """Splice-site classes. Keys: `logits` and `predictions` (softmax over all classes, the last being "other")."""

    def __init__(self, config: NetworkConfig, head: HeadConfig) -> None:
        super().__init__()
        self.linear = OrganismLinear(len(config.organisms), 2 * config.channels, head.channels)

    def forward(
        self,
        embedding: Float[Tensor, "batch position channel"],
        organism: Int[Tensor, " batch"],
        channels: Int[Tensor, " kept"] | None = None,
    ) -> dict[str, Tensor]:
        """Predict; `channels` picks classes after the softmax, which needs them all."""
        logits = self.linear(embedding, organism)
        probabilities = logits.softmax(-1)
        if channels is not None:
            logits, probabilities = logits[..., channels], probabilities[..., channels]
        return {"logits": logits, "predictions": probabilities}


class SpliceUsageHead(nn.Module):
    """Splice-site usage. Keys: `logits` and `predictions` (sigmoid)."""

    def __init__(self, config: NetworkConfig, head: HeadConfig) -> None:
        super().__init__()
        self.linear = OrganismLinear(len(config.organisms), 2 * config.channels, head.channels)

    def forward(
        self,
        embedding: Float[Tensor, "batch position channel"],
        organism: Int[Tensor, " batch"],
        channels: Int[Tensor, " kept"] | None = None,
    ) -> dict[str, Tensor]:
        """Predict."""
        logits = self.linear(embedding, organism, channels)
        return {"logits": logits, "predictions": logits.sigmoid()}


def build_head(config: NetworkConfig, head: HeadConfig) -> nn.Module:
    """Return the module of a head."""
    if head.kind == "splice_junction":
        return JunctionHead(config, head.channels)
    kinds = {
        "track": TrackHead,
        "contact": ContactHead,
        "splice_class": SpliceClassHead,
        "splice_usage": SpliceUsageHead,
    }
    return kinds[head.kind](config, head)
