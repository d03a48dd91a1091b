"""Scores of polyadenylation: does the variant move transcripts from one cleavage site to another?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.scoring.masks import Spans, annotated, gene_row, touched_genes
from genomekit.scoring.scorer import Bins, Genes, GeneScorer, ModalityName, Place, Target, Values

UPSTREAM = 400
"""bp read before each site, the last transcribed base included."""

_INSIDE = 0.8
"""Share of a gene's sites that must start after the window does, and as many that must end before it does."""


@dataclass(frozen=True)
class PolyadenylationScorer(GeneScorer):
    """Largest change of the ratio of proximal to distal polyadenylation, over every split of a gene's sites.

    c_i is the ratio ALT / REF of the coverage of the 400 bp before site i (0 where it is not a number). For the split
    after k of K sites, s_k = |log2((K - k) / k * sum of c_1..c_k / sum of c_k+1..c_K)|, 0 where it is not a number; the
    score is the largest. Genes are those that the variant touches, with at least two sites in the window and 80 % of
    their sites on either side within it.

    Args:
        modality: A 1 bp modality of transcription.
        gene: Names or ids of the genes to score; None is every gene that the variant touches.

    Source:
        google-deepmind/alphagenome_research, polyadenylation variant scorer.
    """

    modality: ModalityName = "rna_seq"
    gene: Genes = None
    signed: ClassVar[bool] = False
    aligned: ClassVar[bool] = True
    nothing: ClassVar[str] = "the variant touches no gene with two polyadenylation sites in the window"

    def targets(self, place: Place) -> list[Target]:
        """Give the genes."""
        genome = annotated(place, self)
        found = []
        for _, gene in touched_genes(place, self, self.gene).iterrows():
            sites = genome.polya_sites(gene=str(gene["gene_id"]))
            sites = sites[(sites["strand"] == gene["strand"]) & (sites["chrom"] == place.chrom)]
            spans = _spans(sites, place)
            if spans is None:
                continue
            row = {**gene_row(gene), "num_polya_sites": len(spans)}
            # Upstream fills in tracks of the other strand too.
            found.append(Target(PolyadenylationRule(spans), row, "." if place.parity else row["gene_strand"]))
        return found


@dataclass(frozen=True)
class PolyadenylationRule:
    """The score of one gene, from the stretches before its sites."""

    spans: Spans

    def bins(self, starts: Int[np.ndarray, " variant"], length: int, resolution: int) -> list[Bins]:
        """Give one stretch before each site."""
        return [
            Bins(np.array([low // resolution]), -(-high // resolution) - low // resolution) for low, high in self.spans
        ]

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF."""
        ratios = [_finite(_coverage(after) / _coverage(before)) for before, after in zip(ref, alt, strict=True)]
        count, best = len(ratios), torch.zeros_like(ratios[0])
        for k in range(1, count):
            proximal, distal = sum(ratios[:k], best * 0), sum(ratios[k:], best * 0)
            best = torch.maximum(best, _finite(torch.log2((count - k) / k * proximal / distal)).abs())
        return best

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the share of the coverage before all sites that lies before the first of them on the chromosome."""
        parts = [_coverage(one) for one in ref]
        return _finite(parts[0] / sum(parts[1:], parts[0]))


def _spans(sites: pd.DataFrame, place: Place) -> Spans | None:
    """Return the stretches before a gene's sites, or None where too few lie in the window."""
    position = np.sort(sites["position"].to_numpy())
    if not len(position):
        return None
    start, end = place.window.start, place.window.end
    after, before = position >= start, position < end
    inside = after & before
    if min(after.mean(), before.mean()) < _INSIDE or inside.sum() < 2:
        return None
    kept = position[inside]
    minus = bool((sites["strand"] == "-").iloc[0])
    low, high = (kept, kept + UPSTREAM) if minus else (kept + 1 - UPSTREAM, kept + 1)
    return tuple(
        (max(int(a), start) - place.start, min(int(b), end) - place.start) for a, b in zip(low, high, strict=True)
    )


def _coverage(values: Values) -> Float[Tensor, "variant track"]:
    return (values.signal * values.inside[..., None]).sum(1)


def _finite(x: Tensor) -> Tensor:
    return torch.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
