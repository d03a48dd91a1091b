"""A network of every kind of head at tiny widths, and its parameters and input by a rule that needs no torch."""

import zlib

import numpy as np

from genomekit.nn import HeadConfig, NetworkConfig

LENGTH = 4096
ORGANISMS = (1, 0)
"""Organism index of the two batch elements."""

TINY = NetworkConfig(
    organisms=("worm", "yeast"),
    channels=6,
    channel_step=2,
    stem_width=15,
    width=5,
    num_layers=3,
    num_heads=2,
    key_channels=8,
    value_channels=5,
    pair_channels=6,
    pair_heads=3,
    pair_key_channels=4,
    pair_features=5,
    junction_channels=8,
    max_splice_sites=7,
    splice_threshold=0.2,
    max_length=32_768,
    default_length=4096,
    heads=(
        HeadConfig(modality="rna_seq", kind="track", channels=3, resolutions=(1, 128), squash=True),
        HeadConfig(modality="chip_tf", kind="track", channels=4, resolutions=(128,)),
        HeadConfig(modality="contact_maps", kind="contact", channels=2, resolutions=(2048,)),
        HeadConfig(modality="splice_sites", kind="splice_class", channels=5),
        HeadConfig(modality="splice_site_usage", kind="splice_usage", channels=4),
        HeadConfig(modality="splice_junctions", kind="splice_junction", channels=6),
    ),
)

TRACK_MEANS = {
    "rna_seq": np.array([[0.5, 2.0, np.nan], [1.0, 0.25, 3.0]]),
    "chip_tf": np.array([[1.5, 0.5, 1.0, np.nan], [0.75, np.nan, np.nan, np.nan]]),
}


def parameter(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Give a float64 array that depends on its name alone; sizes keep activations near 1."""
    return np.asarray(_values(name, shape))


def _values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    z = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    leaf = name.rsplit(".", 1)[1]
    if leaf == "variance":
        return np.exp(0.2 * z)
    if leaf in ("scale", "residual_scale"):
        # Sums along the decoder would grow without bound.
        return (0.4 if name.endswith((".conv.scale", ".residual_scale")) else 1) + 0.1 * z
    if leaf in ("bias", "offset", "query_bias", "key_bias"):
        return 0.2 * z
    if leaf == "learnt_scale":
        return 6 + 3 * z  # some values above 10, where the scaling bends
    is_linear = "resolutions" in name or name.endswith("linear.weight")
    return z / np.sqrt(shape[-1] if is_linear else int(np.prod(shape[1:])))


def dna() -> np.ndarray:
    """Give two one-hot sequences with some N."""
    rng = np.random.default_rng(7)
    letters = rng.integers(0, 4, (2, LENGTH))
    letters[rng.random(letters.shape) < 0.02] = 4
    return np.concatenate([np.eye(4), np.zeros((1, 4))])[letters]
