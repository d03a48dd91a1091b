"""Junction counts of both alleles at the same splice sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int

from genomekit.align import site_spans
from genomekit.engine.encode import reverse_sites
from genomekit.engine.reading import Reading
from genomekit.engine.strands import Part
from genomekit.genome.edit import Event
from genomekit.nn.config import NetworkConfig
from genomekit.scoring.alleles import Ask, Orientation, read
from genomekit.scoring.masks import Spans, clipped
from genomekit.scoring.scorer import Bins, Place
from genomekit.splicing import SITE_KINDS, introns, pair_values

_PARITY_SITES = 256
"""Sites of each kind that upstream's scorer looks at, from the left."""


class Introns(NamedTuple):
    """What both alleles predict of the same introns."""

    table: pd.DataFrame
    """start and end on the chromosome, 0-based half-open, and strand."""
    ref: Float[np.ndarray, "junction tissue"]
    alt: Float[np.ndarray, "junction tissue"]


def read_introns(
    ref: Reading,
    alt: Reading,
    orientation: Orientation,
    place: Place,
    junctions: Part,
    classes: Part,
    events: Sequence[Event],
    config: NetworkConfig,
) -> Introns:
    """Choose the splice sites of a variant, and count their pairs on both alleles.

    Args:
        ref: REF after the transformer.
        alt: ALT after the transformer.
        orientation: Strand that is read.
        place: Where; its genes and annotated sites.
        junctions: The tissues.
        classes: The four tracks of splice sites.
        events: What ALT inserts and deletes.
        config: Of the network: how many sites of a kind, and how probable.
    """
    sites = _choose(ref, alt, orientation, place, classes, events, config)
    if place.parity:
        sites = sites[:, :_PARITY_SITES]
    length, name = orientation.length, junctions.modality.name
    first, last = site_spans(list(events), sites, length)
    if orientation.minus:
        # Each row is turned so that positions ascend on the strand that is read.
        sites, first, last = _turned(sites, first, last, length)
    found, tissues = introns(sites), orientation.channels(junctions)
    counts = []
    for reading, spans in ((ref, None), (alt, (first, last))):
        values = reading.junctions(name, tissues, sites, 1, spans)[0].movedim(0, -1)
        counts.append(pair_values(values, found).float().cpu().numpy())
    start, end, forward = found.start, found.end, found.forward
    if orientation.minus:
        start, end, forward = length - end, length - start, ~forward
    strand = np.where(forward, "+", "-").astype(object)
    table = pd.DataFrame({"start": start + place.start, "end": end + place.start, "strand": strand})
    return Introns(table, *counts)


def _choose(
    ref: Reading,
    alt: Reading,
    orientation: Orientation,
    place: Place,
    classes: Part,
    events: Sequence[Event],
    config: NetworkConfig,
) -> Int[np.ndarray, "4 site"]:
    """Take the most probable sites of either allele, and the annotated ones, in the genes that the variant touches."""
    spans = _bodies(place)
    if not spans:
        return np.full((len(SITE_KINDS), 0), -1)
    asks = [Ask(classes, Bins(np.array([low]), high - low), aligned=True) for low, high in spans]
    parts = []
    for one, two in zip(read(ref, orientation, asks), read(alt, orientation, asks, events=events), strict=True):
        parts.append(torch.maximum(one.signal[0], two.signal[0]).float().cpu().numpy())
    probability = np.concatenate(parts)
    position = np.concatenate([np.arange(low, high) for low, high in spans])
    for kind, known in enumerate(_annotated(place)):
        probability[np.isin(position, known), kind] = 1
    return best_sites(probability, position, config.max_splice_sites, config.splice_threshold)


def best_sites(
    probability: Float[np.ndarray, "position 4"], position: Int[np.ndarray, " position"], count: int, threshold: float
) -> Int[np.ndarray, "4 site"]:
    """Take the most probable positions of each kind, at least as probable as the threshold, in ascending order.

    Example:
        >>> p = np.array([[0.9, 0, 0, 0.2], [0.5, 0, 0, 0.3], [0.7, 0, 0, 0.0]])
        >>> best_sites(p, np.array([5, 6, 9]), 2, 0.1).tolist()
        [[5, 9], [-1, -1], [-1, -1], [5, 6]]
    """
    kinds = []
    for p in probability.T:
        best = np.argsort(-p, kind="stable")[:count]
        kinds.append(np.sort(position[best[p[best] >= threshold]]))
    out = np.full((len(kinds), max(map(len, kinds))), -1)
    for row, kept in zip(out, kinds, strict=True):
        row[: len(kept)] = kept
    return out


def _bodies(place: Place) -> Spans:
    if place.genome is None:
        return ()
    genes = place.genome.genes(place.touched)
    return clipped(zip(genes["start"], genes["end"], strict=True), place)


def _annotated(place: Place) -> list[np.ndarray]:
    """Return the annotated sites of each kind, 0-based in the window."""
    assert place.genome is not None
    sites = place.genome.splice_sites(place.window)
    return [
        sites["position"][(sites["kind"] == kind) & (sites["strand"] == strand)].to_numpy() - place.start
        for kind, strand in SITE_KINDS
    ]


def _turned(
    sites: np.ndarray, first: np.ndarray, last: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    turned = reverse_sites(sites, length)
    low, high = (length - edge[[2, 3, 0, 1]] for edge in (last, first))
    empty = (last <= first)[[2, 3, 0, 1]]
    low, high = np.where(empty, 0, low), np.where(empty, 0, high)
    order = np.argsort(np.where(turned < 0, length, turned), axis=1, kind="stable")
    return tuple(np.take_along_axis(x, order, axis=1) for x in (turned, low, high))  # type: ignore[return-value]
