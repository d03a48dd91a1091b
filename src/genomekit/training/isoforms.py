"""Splice sites, their usage and junctions, counted over annotated isoforms.

Where no RNA-seq is at hand, an annotation still says which sites exist, in what share of a gene's isoforms a site is
used, and how many isoforms contain an intron. Track metadata must name these as derived from annotation.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

STRANDS = ("+", "-")


@dataclasses.dataclass(frozen=True)
class SpliceAnnotation:
    """Splicing of one chromosome; positions are 0-based exon-side bases."""

    site_position: np.ndarray
    """int64, sorted."""
    site_kind: np.ndarray
    """int64: 0 donor+, 1 acceptor+, 2 donor-, 3 acceptor-."""
    site_usage: np.ndarray
    """float32: share of the isoforms that reach over the site which use it."""
    junction_donor: np.ndarray
    junction_acceptor: np.ndarray
    junction_strand: np.ndarray
    """int64: 0 for +, 1 for -."""
    junction_count: np.ndarray
    """float32: isoforms that contain the intron."""


def annotate(exons: pd.DataFrame, chrom: str) -> SpliceAnnotation:
    """Derive the splicing of a chromosome from its exons.

    Args:
        exons: Columns chrom, start, end (0-based half-open), strand, gene_id, transcript_id; one row per exon. Exons
            without a strand tell nothing here and are left out.
        chrom: Which chromosome.

    Example:
        >>> exons = pd.DataFrame(
        ...     {
        ...         "chrom": "chrI",
        ...         "start": [0, 50, 0],
        ...         "end": [10, 60, 10],
        ...         "strand": "+",
        ...         "gene_id": "g",
        ...         "transcript_id": ["a", "a", "b"],
        ...     }
        ... )
        >>> found = annotate(exons, "chrI")
        >>> found.site_position.tolist(), found.site_kind.tolist(), found.junction_count.tolist()
        ([9, 50], [0, 1], [1.0])
    """
    here = (exons["chrom"] == chrom) & exons["strand"].isin(STRANDS)
    table = exons[here].sort_values(["transcript_id", "start"], kind="stable")
    same = (table["transcript_id"] == table["transcript_id"].shift(-1)).to_numpy()
    left = table["end"].to_numpy()[same] - 1
    right = table["start"].to_numpy()[np.flatnonzero(same) + 1]
    introns = table.loc[same, ["gene_id", "transcript_id", "strand"]].assign(left=left, right=right)
    introns = introns[introns["right"] - introns["left"] > 1]
    plus = (introns["strand"] == "+").to_numpy()
    introns["donor"] = np.where(plus, introns["left"], introns["right"])
    introns["acceptor"] = np.where(plus, introns["right"], introns["left"])
    introns["minus"] = (~plus).astype(np.int64)
    counted = introns.groupby(["donor", "acceptor", "minus"], sort=True)["transcript_id"].nunique().reset_index()
    sites = pd.concat(
        [
            introns.assign(position=introns[name], kind=offset + 2 * introns["minus"])
            for offset, name in enumerate(("donor", "acceptor"))
        ]
    ).drop_duplicates(["transcript_id", "position", "kind"])
    usage = _usage(sites, table)
    return SpliceAnnotation(
        site_position=usage["position"].to_numpy(np.int64),
        site_kind=usage["kind"].to_numpy(np.int64),
        site_usage=usage["usage"].to_numpy(np.float32),
        junction_donor=counted["donor"].to_numpy(np.int64),
        junction_acceptor=counted["acceptor"].to_numpy(np.int64),
        junction_strand=counted["minus"].to_numpy(np.int64),
        junction_count=counted["transcript_id"].to_numpy(np.float32),
    )


def _usage(sites: pd.DataFrame, exons: pd.DataFrame) -> pd.DataFrame:
    """Return position, kind and usage of each site: isoforms that use it over isoforms of its gene that span it."""
    spans = (
        exons.groupby(["gene_id", "transcript_id"])[["start", "end"]].agg({"start": "min", "end": "max"}).reset_index()
    )
    using = sites.groupby(["gene_id", "position", "kind"], sort=False).size().rename("using").reset_index()
    pairs = using.merge(spans, on="gene_id")
    pairs["spans"] = (pairs["start"] <= pairs["position"]) & (pairs["position"] < pairs["end"])
    spanning = pairs.groupby(["gene_id", "position", "kind"])["spans"].sum().reset_index()
    merged = using.merge(spanning, on=["gene_id", "position", "kind"])
    merged["usage"] = merged["using"] / merged["spans"]
    best = merged.groupby(["position", "kind"])["usage"].max().reset_index()
    return best.sort_values(["position", "kind"], kind="stable")
