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

Values = TypeVar("Values", np.ndarray, Tensor)

SITE_KINDS = (("donor", "+"), ("acceptor", "+"), ("donor", "-"), ("acceptor", "-"))
"""Kind and strand of each row of a site array."""


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
