"""From junction tensors to introns: which pairs of splice sites can be one, and their values.

Shared by prediction and scoring. Site arrays are `(4, site)` in the order donor+, acceptor+, donor-, acceptor-, -1
past the last site; see `genomekit.nn.splice`.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.nn.splice import select_sites

Values = TypeVar("Values", np.ndarray, Tensor)


class Introns(NamedTuple):
    """The introns that a set of splice sites allows, + strand first, each in the order of donors, then acceptors."""

    start: Int[np.ndarray, " junction"]
    """First base of the intron, 0-based in the window."""
    end: Int[np.ndarray, " junction"]
    """Base after its last one."""
    forward: np.ndarray
    """Whether it is on the + strand, bool (junction,)."""
    donor: Int[np.ndarray, " junction"]
    """Index of its donor among the sites of that kind."""
    acceptor: Int[np.ndarray, " junction"]
    """Index of its acceptor."""


def introns(sites: Int[np.ndarray, "4 site"]) -> Introns:
    """Pair every donor with every acceptor of its strand that lies after it.

    A site is the exon base next to the intron, so an intron on + runs from donor + 1 to acceptor, one on - from
    acceptor + 1 to donor. Pairs without a base between them are left out; implausible lengths are not.

    Args:
        sites: 0-based positions in the window.

    Example:
        >>> found = introns(np.array([[10, 20, -1], [15, 30, -1], [40, -1, -1], [35, -1, -1]]))
        >>> list(zip(found.start.tolist(), found.end.tolist(), found.forward.tolist()))
        [(11, 15, True), (11, 30, True), (21, 30, True), (36, 40, False)]

    Source:
        google-deepmind/alphagenome_research, junction unstacking.
    """
    parts = []
    for forward, donors, acceptors in ((True, sites[0], sites[1]), (False, sites[2], sites[3])):
        before, after = (donors[:, None], acceptors[None]) if forward else (acceptors[None], donors[:, None])
        donor, acceptor = np.nonzero((before >= 0) & (before + 1 < after))
        start, end = (np.broadcast_to(edge, (len(donors), len(acceptors)))[donor, acceptor] for edge in (before, after))
        parts.append((start + 1, end, np.full(len(donor), forward), donor, acceptor))
    return Introns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def pair_values(
    predictions: Values,
    found: Introns,
) -> Values:
    """Take the values of introns out of a junction tensor, each from the half of its own strand.

    Args:
        predictions: (donor, acceptor, 2 x tissue), an array or a tensor on any device.
        found: Introns of the sites that `predictions` was made with.

    Returns:
        (junction, tissue), of the kind that came in.
    """
    tissues = predictions.shape[-1] // 2
    paired = predictions.reshape(*predictions.shape[:2], 2, tissues)
    donor, acceptor, half = found.donor, found.acceptor, (~found.forward).astype(np.int64)
    if isinstance(paired, np.ndarray):
        return paired[donor, acceptor, half]

    where = [torch.as_tensor(index, device=paired.device) for index in (donor, acceptor, half)]
    return paired[where[0], where[1], where[2]]


def unstack(
    predictions: Float[np.ndarray, "donor acceptor both"],
    sites: Int[np.ndarray, "4 site"],
    *,
    chrom: str = "",
    offset: int = 0,
    min_count: float = 0.0,
) -> tuple[pd.DataFrame, Float[np.ndarray, "junction tissue"]]:
    """Turn a junction tensor into a table of introns and their values.

    Args:
        predictions: Counts, tissues on + then the same on -.
        sites: 0-based positions in the window.
        chrom: Chromosome of the window.
        offset: Position of the first base of the window, 0-based.
        min_count: Keep introns with at least this count in one tissue or more; 0 keeps all, as upstream does.

    Returns:
        The table (chrom, start, end, strand; 0-based half-open, on the chromosome) and the values, row by row.

    Raises:
        ValueError: `min_count` is negative or NaN.

    Example:
        >>> table, values = unstack(np.ones((1, 1, 4)), np.array([[10], [15], [-1], [-1]]), offset=1000)
        >>> table["start"].tolist(), table["end"].tolist(), values.shape
        ([1011], [1015], (1, 2))
    """
    if not min_count >= 0:
        raise ValueError(f"min_count={min_count} came; give 0 (keep every pair of sites) or more.")
    found = introns(sites)
    values = pair_values(predictions, found)
    if min_count > 0:
        kept = values.max(axis=1, initial=0.0) >= min_count
        values, found = values[kept], Introns(*(column[kept] for column in found))
    strand = np.where(found.forward, "+", "-").astype(object)
    table = pd.DataFrame({"start": found.start + offset, "end": found.end + offset, "strand": strand})
    table.insert(0, "chrom", chrom)
    return table, values


def annotated_sites(sites: pd.DataFrame, start: int, length: int) -> Float[np.ndarray, "position 4"]:
    """Mark annotated splice sites as if they were predicted with probability 1.

    Args:
        sites: position (0-based, exon side), kind ("donor" or "acceptor") and strand, as `Genome.splice_sites` gives.
        start: First base of the window, 0-based.
        length: bp of the window.

    Returns:
        1 at sites, else 0, in the order donor+, acceptor+, donor-, acceptor-.

    Example:
        >>> table = pd.DataFrame({"position": [12, 14], "kind": ["donor", "acceptor"], "strand": ["+", "-"]})
        >>> np.argwhere(annotated_sites(table, 10, 8)).tolist()
        [[2, 0], [4, 3]]
    """
    marked = np.zeros((length, 4), dtype=np.float32)
    offset = sites["position"].to_numpy(np.int64) - start
    kind = (sites["kind"] == "acceptor").to_numpy() + 2 * (sites["strand"] == "-").to_numpy()
    inside = (offset >= 0) & (offset < length)
    marked[offset[inside], kind[inside]] = 1
    return marked


def pool_sites(
    ref: Float[np.ndarray, "position 4"],
    alt: Float[np.ndarray, "position 4"],
    *,
    annotated: Float[np.ndarray, "position 4"] | None = None,
    bodies: np.ndarray | None = None,
    count: int,
    threshold: float,
) -> Int[np.ndarray, "4 site"]:
    """Choose the splice sites that both alleles of a variant are counted at.

    Args:
        ref: Probabilities of donor+, acceptor+, donor-, acceptor-.
        alt: Those of ALT, on REF coordinates, 0 where ALT has no base.
        annotated: 1 at annotated sites, which count as predicted.
        bodies: Positions where sites may lie, bool (position,): bodies of the genes that the variant overlaps; None
            is the whole window.
        count: Most sites of a kind.
        threshold: Least probability.

    Returns:
        0-based positions in the window, ascending, -1 past the last.

    Example:
        >>> ref, alt = np.zeros((2, 6, 4), np.float32)
        >>> ref[4, 0], alt[1, 0], alt[2, 1] = 0.9, 0.3, 0.05
        >>> pool_sites(ref, alt, count=2, threshold=0.1)[:2].tolist()
        [[1, 4], [-1, -1]]

    Source:
        google-deepmind/alphagenome_research, splice sites of predict_variant and of the junction scorer.
    """
    pooled = np.maximum(ref, alt)
    if annotated is not None:
        pooled = np.maximum(pooled, annotated)
    if bodies is not None:
        pooled = np.where(bodies[:, None], pooled, 0)
    return select_sites(torch.from_numpy(np.ascontiguousarray(pooled))[None], count, threshold)[0].numpy()
