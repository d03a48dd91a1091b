"""Masks of a window: the exons or bodies of genes, or any intervals, as rows that are scored one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.genome.spans import merged
from genomekit.scoring.aggregation import AGGREGATIONS
from genomekit.scoring.scorer import Bins, Genes, Place, Target, Values

Spans = tuple[tuple[int, int], ...]
"""Stretches of a window, 0-based half-open, ascending and apart."""


@dataclass(frozen=True)
class MaskRule:
    """Aggregate the bins of fixed stretches of the window."""

    spans: Spans
    aggregation: str

    def bins(self, starts: Int[np.ndarray, " variant"], length: int, resolution: int) -> list[Bins]:
        """Give the bins that hold a base of the mask."""
        binned = merged((low // resolution, -(-high // resolution)) for low, high in self.spans)
        return [Bins(np.array([low]), high - low) for low, high in binned]

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF."""
        (before, mask), (after, _) = joined(ref), joined(alt)
        return AGGREGATIONS[self.aggregation].score(before, after, mask)

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the measure of one allele."""
        return AGGREGATIONS[self.aggregation].level(*joined(ref))


def joined(values: list[Values]) -> tuple[Float[Tensor, "variant bin track"], Float[Tensor, "variant bin 1"]]:
    """Join stretches into one, and their masks."""
    signal = torch.cat([one.signal for one in values], dim=1)
    mask = torch.cat([one.inside for one in values], dim=1)[..., None]
    return signal, mask.to(torch.promote_types(signal.dtype, torch.float32))


def clipped(spans: Iterable[tuple[int, int]], place: Place, within: Interval | None = None) -> Spans:
    """Turn genomic stretches into those of the window, cut to it (and to an interval)."""
    low, high = place.window.start, place.window.end
    if within is not None:
        low, high = max(low, within.start), min(high, within.end)
    return merged((max(a, low) - place.start, min(b, high) - place.start) for a, b in spans if a < high and low < b)


def annotated(place: Place, scorer: object) -> Genome:
    """Return the genome, which needs an annotation here.

    Raises:
        ValueError: There is none.
    """
    if place.genome is None or not place.genome.has_annotation:
        have = "there is no genome" if place.genome is None else f"{place.genome!r} has none"
        raise ValueError(
            f"{scorer} scores genes and needs an annotation; {have}. Give one: gk.Genome(fasta, gtf), or a "
            "preset that has one."
        )
    return place.genome


def exon_targets(
    place: Place, scorer: object, aggregation: str, gene: Genes, within: Interval | None = None
) -> list[Target]:
    """Give each gene with a transcript start in the window (or within an interval): all exons of those transcripts."""
    genome, where = annotated(place, scorer), within or place.window
    starts = genome.tss(where, gene=gene)
    exons = genome.exons(where, gene=gene) if len(starts) else starts.iloc[:0]
    exons = exons[exons["transcript_id"].isin(starts["transcript_id"])]
    genes = starts.drop_duplicates("gene_id").set_index("gene_id", drop=False)
    found = []
    for gene_id, parts in exons.groupby("gene_id", sort=False):
        spans = clipped(zip(parts["start"], parts["end"], strict=True), place, within)
        if spans:
            row = gene_row(genes.loc[gene_id])
            found.append(Target(MaskRule(spans, aggregation), row, row["gene_strand"]))
    return found


def body_targets(place: Place, scorer: object, aggregation: str, gene: Genes, width: int | None = None) -> list[Target]:
    """Give each gene that the variant touches: its body, cut to the window and to `width` bp around the variant."""
    within = None if width is None else place.touched.resize(width)
    found = []
    for _, gene_of in touched_genes(place, scorer, gene).iterrows():
        spans = clipped([(gene_of["start"], gene_of["end"])], place, within)
        if spans:
            row = gene_row(gene_of)
            found.append(Target(MaskRule(spans, aggregation), row, row["gene_strand"]))
    return found


def touched_genes(place: Place, scorer: object, gene: Genes, *, protein_coding: bool = False) -> pd.DataFrame:
    """Return the genes that the variant touches, or of these the ones that are named."""
    genome = annotated(place, scorer)
    found = place.genes[place.genes["coding"]] if protein_coding else place.genes
    if gene is not None:
        found = found[found["gene_id"].isin(genome.genes(gene=gene)["gene_id"])]
    return found


def gene_row(gene: pd.Series) -> dict[str, Any]:
    """Name a gene in a result."""
    return {
        "gene_id": str(gene["gene_id"]),
        "gene_name": str(gene["gene_name"]),
        "gene_type": str(gene["gene_type"]),
        "gene_strand": str(gene["strand"]),
    }
