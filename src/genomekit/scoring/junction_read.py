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
from genomekit.scoring.alleles import Ask, Orientation
from genomekit.scoring.masks import clipped
from genomekit.scoring.scorer import Bins, Place, Values
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


def no_introns(junctions: Part) -> Introns:
    """Return the introns of a place without genes."""
    none = np.zeros((0, len(junctions.channels)), dtype=np.float32)
    table = pd.DataFrame({"start": np.zeros(0, np.int64), "end": np.zeros(0, np.int64), "strand": np.zeros(0, object)})
    return Introns(table, none, none)


def body_asks(place: Place, classes: Part) -> list[Ask]:
    """Ask for splice sites in the bodies of the genes that the variant touches.

    Args:
        place: Where; its genes.
        classes: The four tracks of splice sites.
    """
    spans = clipped(zip(place.genes["start"], place.genes["end"], strict=True), place)
    return [Ask(classes, Bins(np.array([low]), high - low), aligned=True) for low, high in spans]


def choose_sites(
    ref: Sequence[Values], alt: Sequence[Values], bodies: Sequence[Ask], place: Place, config: NetworkConfig
) -> Int[np.ndarray, "4 site"]:
    """Take the most probable sites of either allele, and the annotated ones, in the genes that the variant touches.

    Args:
        ref: What was read of REF in each body.
        alt: The same of ALT, on the coordinates of REF.
        bodies: See `body_asks`.
        place: Where; its annotated sites.
        config: Of the network: how many sites of a kind, and how probable.
    """
    none = np.zeros((place.length, _CLASSES), dtype=np.float32)
    probability, inside = [none, none.copy()], np.zeros(place.length, dtype=bool)
    for out, allele in zip(probability, (ref, alt), strict=True):
        for ask, values in zip(bodies, allele, strict=True):
            low = int(ask.bins.starts[0])
            out[low : low + ask.bins.width] = values.signal[0].float().cpu().numpy()
            inside[low : low + ask.bins.width] = True
    known = np.zeros_like(none)
    if bodies and place.genome is not None:
        known = annotated_sites(place.genome.splice_sites(place.window), place.start, place.length)
    count, threshold = config.max_splice_sites, config.splice_threshold
    sites = pool_sites(*probability, annotated=known, bodies=inside, count=count, threshold=threshold)
    return sites[:, :_PARITY_SITES] if place.parity else sites


def read_introns(
    ref: Reading,
    alt: Reading,
    sites: Int[np.ndarray, "4 site"],
    orientation: Orientation,
    place: Place,
    junctions: Part,
    events: Sequence[Event],
) -> Introns:
    """Count the introns that splice sites allow, on both alleles.

    Args:
        ref: REF after the transformer.
        alt: ALT after the transformer.
        sites: 0-based positions along the plus strand, -1 past the last.
        orientation: Strand that is read.
        place: Where.
        junctions: The tissues.
        events: What ALT inserts and deletes.
    """
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
