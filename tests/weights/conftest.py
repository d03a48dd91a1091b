"""A tiny network of the published kind of heads, and its track table."""

import pandas as pd
import pytest
import torch

from genomekit.nn import AlphaGenome, HeadConfig, NetworkConfig
from genomekit.tracks import MODALITIES, TrackTable

TINY = NetworkConfig(
    organisms=("worm", "yeast"),
    channels=8,
    channel_step=4,
    num_layers=2,
    num_heads=2,
    key_channels=8,
    value_channels=8,
    pair_channels=8,
    pair_heads=2,
    pair_key_channels=8,
    pair_features=4,
    junction_channels=8,
    max_length=8192,
    default_length=2048,
    heads=(
        HeadConfig(modality="rna_seq", kind="track", channels=4, resolutions=(1, 128), squash=True),
        HeadConfig(modality="chip_tf", kind="track", channels=3, resolutions=(128,)),
        HeadConfig(modality="contact_maps", kind="contact", channels=2, resolutions=(2048,)),
        HeadConfig(modality="splice_sites", kind="splice_class", channels=5),
        HeadConfig(modality="splice_site_usage", kind="splice_usage", channels=2),
        HeadConfig(modality="splice_junctions", kind="splice_junction", channels=2),
    ),
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = AlphaGenome(TINY).eval()
    for name, tensor in network.state_dict().items():
        if name.endswith("variance"):
            tensor.uniform_(0.5, 2.0)
    return network


@pytest.fixture(scope="session")
def tracks():
    rows = pd.DataFrame(
        {
            "organism": ["worm", "worm", "yeast"],
            "modality": ["rna_seq", "rna_seq", "chip_tf"],
            "channel": [0, 1, 1],
            "name": ["embryo RNA", "embryo RNA", "Scc1"],
            "strand": ["+", "-", "."],
            "nonzero_mean": [0.5, 0.25, float("nan")],
        }
    )
    widths = {head.modality: head.channels for head in TINY.heads}
    return TrackTable(rows, modalities=MODALITIES, organisms=TINY.organisms, widths=widths)


@pytest.fixture(autouse=True)
def no_weights_of_this_machine(monkeypatch, tmp_path_factory):
    """Caches and variables of whoever runs the tests stay out of them."""
    for variable in ("GENOMEKIT_WEIGHTS", "HF_HUB_CACHE", "HF_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GENOMEKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
