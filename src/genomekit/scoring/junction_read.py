"""Junction counts of both alleles at the same splice sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
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
from genomekit.splicing import annotated_sites, introns, pair_values, pool_sites

_PARITY_SITES = 256
"""Sites of each kind that upstream's scorer looks at, from the left."""

_CLASSES = 4
"""Donor and acceptor of either strand."""


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
    sources = site_spans(events, sites, length)
    if orientation.minus:
        sites = reverse_sites(sites, length)
        # Positions ascend on the strand that is read.
        sites = np.take_along_axis(sites, np.argsort(np.where(sites < 0, length, sites), axis=1), axis=1)
        sources = {length - 1 - p: (length - b, length - a) if a < b else (0, 0) for p, (a, b) in sources.items()}
    found, tissues = introns(sites), orientation.channels(junctions)
    counts = []
    for reading, where in ((ref, None), (alt, sources)):
        values = reading.junctions(name, tissues, sites, 1, where)[0].movedim(0, -1)
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
    none = np.zeros((place.length, _CLASSES), dtype=np.float32)
    probability, bodies = [none, none.copy()], np.zeros(place.length, dtype=bool)
    spans = _bodies(place)
    asks = [Ask(classes, Bins(np.array([low]), high - low), aligned=True) for low, high in spans]
    for out, reading, changes in zip(probability, (ref, alt), ((), events), strict=True):
        for (low, high), values in zip(spans, read(reading, orientation, asks, events=changes), strict=True):
            out[low:high] = values.signal[0].float().cpu().numpy()
            bodies[low:high] = True
    known = np.zeros_like(none)
    if spans and place.genome is not None:
        known = annotated_sites(place.genome.splice_sites(place.window), place.start, place.length)
    return pool_sites(
        *probability,
        annotated=known,
        bodies=bodies,
        count=config.max_splice_sites,
        threshold=config.splice_threshold,
    )


def _bodies(place: Place) -> Spans:
    if place.genome is None:
        return ()
    genes = place.genome.genes(place.touched)
    return clipped(zip(genes["start"], genes["end"], strict=True), place)
