"""What a call will cost: multiplications counted from the sizes of the network, bytes from what lives at once."""

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import torch

from genomekit.engine import ladder, passes
from genomekit.nn import NetworkConfig
from genomekit.nn.config import BIN, PAIR_BIN

LEVELS = ladder.LEVELS


class Asked(NamedTuple):
    """What is read of one modality."""

    kind: str
    resolution: int
    tracks: int
    bins: int
    """Bins of the result (rows of a contact map)."""


class Cost(NamedTuple):
    """Of one call on one window."""

    flops: float
    """Floating-point operations, a multiplication and an addition counted as two."""
    bytes: int
    """Most memory in use at once, above the idle process."""


def channels(config: NetworkConfig) -> list[int]:
    """Channels of each level of encoder and decoder."""
    return [config.channels + level * config.channel_step for level in range(LEVELS)]


def encoder_flops(config: NetworkConfig, kept: int = 0) -> float:
    """Count per base; levels finer than `kept` are computed once more for the decoder."""
    sizes, width = channels(config), config.width
    per_level = [2 * (4 * config.stem_width * sizes[0] + width * sizes[0] ** 2)]
    for level in range(1, LEVELS):
        before, here = sizes[level - 1], sizes[level]
        per_level.append(2 * width * (before * here + here**2) / 2**level)
    return sum(per_level) + sum(per_level[:kept])


def decoder_flops(config: NetworkConfig) -> float:
    """Count per base."""
    sizes, width = channels(config), config.width
    total = 0.0
    for level in range(LEVELS):
        above, here = sizes[min(level + 1, LEVELS - 1)], sizes[level]
        total += 2 * (width * above * here / 2 + here**2 + width * here**2) / 2**level
    return total


def trunk_flops(config: NetworkConfig, length: int) -> float:
    """Count for a window."""
    tokens, bins, c = length // BIN, length // PAIR_BIN, config.trunk_channels
    heads, key, value = config.num_heads, config.key_channels, config.value_channels
    layer = tokens * c * (heads * key + key + value + heads * value + 2 * config.mlp_ratio * c)
    layer += tokens**2 * heads * (key + value)
    wide, p = config.pair_heads * config.pair_key_channels, config.pair_channels
    pair = bins * c * (2 * wide + 2 * p) + bins**2 * 5 * wide
    pair += bins**2 * p * (config.pair_heads + 3 * p + 2 * config.mlp_ratio * p) + 2 * bins**3 * p
    return 2.0 * (config.num_layers * layer + (config.num_layers + 1) // 2 * pair)


def head_flops(config: NetworkConfig, asked: Iterable[Asked], length: int) -> float:
    """Count embedders and heads."""
    asked = list(asked)
    total, fine = 0.0, [one for one in asked if one.resolution == 1]
    base, token = 2 * config.channels, 2 * config.trunk_channels
    if any(one.resolution < PAIR_BIN for one in asked):
        total += length // BIN * config.trunk_channels * token
    if fine:
        most = length if any(one.kind == "splice_junction" for one in fine) else max(one.bins for one in fine)
        total += most * config.channels * base + length // BIN * token * base
    for one in asked:
        if one.kind == "splice_junction":
            pairs = config.max_splice_sites**2
            total += pairs * one.tracks * config.junction_channels + length * base * 5
        else:
            width = {1: base, BIN: token, PAIR_BIN: config.pair_channels}[one.resolution]
            total += one.bins ** (2 if one.kind == "contact" else 1) * width * one.tracks
    return 2 * total


def level_bytes(config: NetworkConfig, length: int, dtype: torch.dtype) -> list[int]:
    """Size of each level's skip."""
    return [size * (length >> level) * dtype.itemsize for level, size in enumerate(channels(config))]


def prediction(config: NetworkConfig, length: int, asked: Iterable[Asked], dtype: torch.dtype, kept: int = 0) -> Cost:
    """Cost of one full pass.

    Args:
        config: Sizes of the network.
        length: bp of the window.
        asked: What is read.
        dtype: Type of the activations.
        kept: Finest level whose skip stays in memory.
    """
    asked = list(asked)
    fine = [one for one in asked if one.resolution == 1]
    per_base = encoder_flops(config, kept if fine else 0)
    if fine:
        whole = any(one.kind == "splice_junction" for one in fine)
        shown = length if whole else min(length, max(one.bins for one in fine) + 2 * passes.BASES)
        per_base += decoder_flops(config) * shown / length
    flops = per_base * length + trunk_flops(config, length) + head_flops(config, asked, length)
    return Cost(flops, _prediction_bytes(config, length, asked, dtype, kept))


def held_bytes(config: NetworkConfig, length: int, dtype: torch.dtype, kept: int) -> int:
    """Size of a window that is held for a second reading."""
    tokens = 2 * (length // BIN) * config.trunk_channels
    return sum(level_bytes(config, length, dtype)[kept:]) + (tokens + 4 * length) * dtype.itemsize


def _prediction_bytes(config: NetworkConfig, length: int, asked: list[Asked], dtype: torch.dtype, kept: int) -> int:
    """The largest of three moments: the last level of the encoder, the transformer, the last tile of the decoder."""
    size, levels = dtype.itemsize, level_bytes(config, length, dtype)
    fine = [one for one in asked if one.resolution == 1]
    skips = sum(levels[kept:]) if fine else 0
    encoding = skips if fine else max(a + b for a, b in itertools.pairwise(levels))
    encoding += tile_bytes(config, dtype)
    tokens = length // BIN * config.trunk_channels * size
    trunk = skips + trunk_bytes(config, length, dtype)
    out = sum(_out_bytes(config, one) for one in asked)
    reading = skips + out + 5 * tokens
    if fine:
        rows, base = passes.READ, 2 * config.channels
        wide = max(4, size)
        reading += decode_bytes(config, dtype) + rows * base * size * 3 + rows * max(o.tracks for o in fine) * wide * 4
    return int(max(encoding, trunk, reading))


def mutagenesis(
    config: NetworkConfig,
    length: int,
    asked: Iterable[Asked],
    dtype: torch.dtype,
    *,
    edits: int,
    batch: int,
    region: int,
) -> Cost:
    """Cost of single-base edits, read incrementally; `bins` are those that a scorer reads around each.

    Args:
        config: Sizes of the network.
        length: bp of the window.
        asked: What is read for each edit.
        dtype: Type of the activations.
        edits: How many.
        batch: Edits read together.
        region: bp of what is edited.
    """
    asked = list(asked)
    sizes, width = channels(config), config.width
    changed = 19.0
    patch = 2 * changed * (4 * config.stem_width * sizes[0] + width * sizes[0] ** 2)
    for before, here in itertools.pairwise(sizes):
        patch += 2 * changed * width * (before * here + here**2)
    each = patch + trunk_flops(config, length)
    for one in asked:
        each += head_flops(config, [one], min(length, one.bins * one.resolution + BIN))
        if one.resolution == 1:
            each += sum(
                2 * (one.bins / 2**level + 14) * (width * sizes[min(level + 1, 6)] * here / 2 + (1 + width) * here**2)
                for level, here in enumerate(sizes)
            )
    once = encoder_flops(config) * length + batch * trunk_flops(config, length)
    size, levels = dtype.itemsize, level_bytes(config, length, dtype)
    kept = sum(levels) * min(1.0, (region + 4 * 1024) / length)
    encoding = max(a + b for a, b in itertools.pairwise(levels)) + tile_bytes(config, dtype)
    rows = batch * max([one.bins for one in asked if one.resolution == 1], default=0)
    tracks = max((one.tracks for one in asked), default=1)
    reading = batch * 3 * (length // BIN) * config.trunk_channels * size + rows * (
        5 * config.channels * size + 6 * config.channels * size + 4 * tracks * 4
    )
    trunk = trunk_bytes(config, length, dtype, batch)
    return Cost(once + edits * each, int(kept + max(encoding, trunk, reading)))


def tile_bytes(config: NetworkConfig, dtype: torch.dtype) -> int:
    """What computing a tile of a level holds: its input, active rows, hidden rows and the output."""
    widest = max(channels(config)[1:3])
    return 5 * ladder.TILE * widest * dtype.itemsize


def decode_bytes(config: NetworkConfig, dtype: torch.dtype) -> int:
    """What decoding a tile of bases holds at its finest level."""
    return 5 * passes.BASES * config.channels * dtype.itemsize


def trunk_bytes(config: NetworkConfig, length: int, dtype: torch.dtype, batch: int = 1) -> int:
    """What the transformer holds: tokens before and after, projections, the pair track and what updates it."""
    tokens, bins = length // BIN, length // PAIR_BIN
    row = 4 * config.trunk_channels + config.num_heads * (2 * config.key_channels + config.value_channels)
    pair = 3 * config.pair_channels + config.num_heads
    # Of one element at a time: products with every distance, twice, and their shifted sum.
    update = 6 * config.pair_heads * bins**2
    return (batch * (tokens * row + bins**2 * pair) + update) * dtype.itemsize


def _out_bytes(config: NetworkConfig, one: Asked) -> int:
    if one.kind == "splice_junction":
        return 2 * config.max_splice_sites**2 * one.tracks * 4
    return one.bins ** (2 if one.kind == "contact" else 1) * one.tracks * 4
