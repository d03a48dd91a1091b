"""The published heads and track tables on a narrow random network."""

import dataclasses
from pathlib import Path

import torch

from genomekit.nn import ALPHAGENOME, AlphaGenome
from genomekit.tracks import published
from genomekit.weights.checkpoint import Checkpoint


def narrow_checkpoint() -> Checkpoint:
    """Every head of the published network, human and mouse, with their real tracks; random weights, 4 channels."""
    config = dataclasses.replace(
        ALPHAGENOME,
        channels=4,
        channel_step=2,
        num_layers=2,
        num_heads=2,
        key_channels=4,
        value_channels=4,
        pair_channels=4,
        pair_heads=2,
        pair_key_channels=4,
        junction_channels=8,
        max_splice_sites=8,
        splice_threshold=0.0,
    )
    torch.manual_seed(0)
    network = AlphaGenome(config)
    tracks = published()
    kinds = {head.modality: head.kind for head in config.heads}
    network.set_track_means({n: torch.from_numpy(tracks.means(n)) for n in tracks.modalities if kinds[n] == "track"})
    return Checkpoint("narrow", network, config, tracks, Path(), "genomekit")
