"""What a variant will cost to score, before the network runs: both alleles, and what the scorers read of them."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from genomekit.engine import passes
from genomekit.engine.cost import (
    Asked,
    Cost,
    decode_bytes,
    decoder_flops,
    encoder_flops,
    head_flops,
    level_bytes,
    tile_bytes,
    trunk_bytes,
    trunk_flops,
)
from genomekit.engine.embedded import LIMIT
from genomekit.genome.spans import merged
from genomekit.nn.config import BIN, PAIR_BIN
from genomekit.scoring.junction import JunctionScorer
from genomekit.scoring.variant import Scene

_MARGIN = 1024
"""bp on either side of what is decoded, whose rows of the encoder stay in memory too."""


class SceneCost(NamedTuple):
    """Of one variant, or of one interval."""

    shared: float
    """Floating-point operations for the reference, which variants in one window can share."""
    own: float
    """Those for what is read: of both alleles, or of the one of an interval."""
    bytes: int
    """Most memory in use at once, above the idle process."""

    @property
    def total(self) -> Cost:
        """Where nothing is shared."""
        return Cost(self.shared + self.own, self.bytes)


def cost_of(scene: Scene) -> SceneCost:
    """Estimate what a scene costs.

    Args:
        scene: A variant or interval in its window, with what every scorer reads there.
    """
    if not scene.asks:
        return SceneCost(0.0, 0.0, 0)  # the network does not run
    config, dtype = scene.job.engine.config, scene.job.engine.dtype
    length, alleles = scene.window.length, 1 if scene.edit is None else 2
    asked = _asked(scene)
    trunk, encoder = trunk_flops(config, length), encoder_flops(config) * length
    bases = _bases(scene)
    read = head_flops(config, asked, length) + decoder_flops(config) * sum(high - low for low, high in bases)
    # An insertion or deletion shifts all that comes after it, which is encoded again.
    shift = (length - scene.events[0].start) / length if scene.events else 0.0
    own = alleles * read + (alleles - 1) * (trunk + shift * encoder)

    size, levels = dtype.itemsize, level_bytes(config, length, dtype)
    held = sum(levels) * _share_kept(scene, bases) * (1 + shift)
    held += alleles * (length // BIN * config.trunk_channels + (length // PAIR_BIN) ** 2 * config.pair_channels) * size
    encoding = max(one + two for one, two in itertools.pairwise(levels)) + tile_bytes(config, dtype)
    reading = 0
    if bases:
        base = 2 * config.channels
        reading = decode_bytes(config, dtype) + 3 * passes.READ * base * size
        widths = [high - low for low, high in bases]
        reading += alleles * min(sum(widths) * base * size, LIMIT) if _remembers(scene) else max(widths) * base * size
    # What was read stays on the device as float32 at the widest until both alleles are there.
    out = alleles * sum(_values(one) for one in asked if one.kind != "splice_junction") * 4
    out += sum(2 * config.max_splice_sites**2 * one.tracks * 4 for one in asked if one.kind == "splice_junction")
    most = held + max(encoding, trunk_bytes(config, length, dtype), reading + out)
    return SceneCost(encoder + trunk, own, int(most))


def _asked(scene: Scene) -> list[Asked]:
    asked = [
        Asked(ask.part.modality.head_kind, ask.part.modality.resolution, len(ask.part.channels), ask.bins.width)
        for ask in scene.asks
    ]
    if scene.edit is None:
        return asked
    introns = [part for scorer, part in scene.job.reads.items() if isinstance(scorer, JunctionScorer)]
    return asked + [Asked("splice_junction", 1, len(part.channels), 0) for part in introns]


def _values(one: Asked) -> int:
    return one.bins ** (2 if one.kind == "contact" else 1) * one.tracks


def _bases(scene: Scene) -> list[tuple[int, int]]:
    """Stretches that are decoded to 1 bp."""
    spans = [
        (max(int(ask.bins.starts[0]), 0), min(int(ask.bins.starts[0]) + ask.bins.width, scene.window.length))
        for ask in scene.asks
        if ask.part.modality.resolution == 1
    ]
    return list(merged(span for span in spans if span[0] < span[1]))


def _remembers(scene: Scene) -> bool:
    return scene.job.step > 1 or any(isinstance(scorer, JunctionScorer) for scorer in scene.job.reads)


def _share_kept(scene: Scene, bases: list[tuple[int, int]]) -> float:
    """What part of the encoder's rows stays in memory: those around what is read at 1 bp, or all."""
    if _remembers(scene):
        return 1.0
    reach = bases[-1][1] - bases[0][0] + 2 * _MARGIN if bases else 0
    return min(reach / scene.window.length, 1.0)
