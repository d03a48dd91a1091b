"""Scores of splice junctions: the introns of a gene that change most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from genomekit.scoring.masks import gene_row, touched_genes
from genomekit.scoring.scorer import Genes, GeneScorer, ModalityName, Place, Scorer

_LEAST = 1e-7
"""Added to a count before its logarithm."""


class JunctionRows(NamedTuple):
    """Rows of a junction scorer."""

    rows: list[Mapping[str, Any]]
    raw: Float[np.ndarray, "row tissue"]
    ref: Float[np.ndarray, "row tissue"]
    alt: Float[np.ndarray, "row tissue"]


class JunctionScorer(Scorer):
    """A scorer of introns: it is given those that both alleles were read at, and says which of them are rows."""

    head_kinds: ClassVar[tuple[str, ...]] = ("splice_junction",)

    def choose(
        self, place: Place, introns: pd.DataFrame, ref: Float[np.ndarray, "junction tissue"],
        alt: Float[np.ndarray, "junction tissue"],
    ) -> JunctionRows:  # fmt: skip
        """Score introns.

        Args:
            place: Where.
            introns: start and end on the chromosome (0-based half-open) and strand; of REF, whichever the allele.
            ref: Predicted counts of REF.
            alt: Predicted counts of ALT.
        """
        raise TypeError(f"{self} has no rule for introns; define choose.")


@dataclass(frozen=True)
class SpliceJunctionScorer(GeneScorer, JunctionScorer):
    """Change of junctions, |ln(ALT + 1e-7) - ln(REF + 1e-7)|: for each gene those that change most in some tissue.

    Both alleles are read at the same splice sites: the most probable of either allele and the annotated ones, in the
    bodies of the genes that the variant touches. A gene's rows are the introns, inside it and on its strand, that have
    the largest score of some tissue; each row has the scores of all tissues.

    Args:
        modality: A modality of splice junctions.
        gene: Names or ids of the genes to score; None is every protein-coding gene that the variant touches.

    Source:
        google-deepmind/alphagenome_research, splice junction variant scorer. With `parity=True` scores are rounded to
        float16 and only the 256 left-most sites of each kind count, as there.
    """

    modality: ModalityName = "splice_junctions"
    gene: Genes = None
    signed: ClassVar[bool] = False
    head_kinds: ClassVar[tuple[str, ...]] = JunctionScorer.head_kinds
    nothing: ClassVar[str] = "no junction lies in a protein-coding gene that the variant touches"

    def choose(
        self, place: Place, introns: pd.DataFrame, ref: Float[np.ndarray, "junction tissue"],
        alt: Float[np.ndarray, "junction tissue"],
    ) -> JunctionRows:  # fmt: skip
        """Score the introns of genes."""
        raw = np.abs(np.log(alt + _LEAST) - np.log(ref + _LEAST))
        if place.parity:
            raw = raw.astype(np.float16).astype(np.float32)
        start, end, strand = (introns[name].to_numpy() for name in ("start", "end", "strand"))
        rows, chosen = [], []
        for _, gene in touched_genes(place, self, self.gene, protein_coding=True).iterrows():
            inside = (start > gene["start"]) & (end < gene["end"]) & (strand == gene["strand"])
            for junction in strongest(raw, np.flatnonzero(inside)):
                chosen.append(junction)
                where = {
                    "junction_start": int(start[junction]),
                    "junction_end": int(end[junction]),
                    "junction_strand": str(strand[junction]),
                }
                rows.append({**gene_row(gene), **where})
        return JunctionRows(rows, raw[chosen], ref[chosen], alt[chosen])


def strongest(raw: Float[np.ndarray, "junction tissue"], among: np.ndarray) -> list[int]:
    """Return the junctions with the largest score of some tissue, each once, in the order of the tissues.

    Example:
        >>> strongest(np.array([[9.0, 9.0], [1.0, 3.0], [2.0, 0.0]]), np.array([1, 2]))
        [2, 1]
    """
    if not len(among) or not raw.shape[1]:
        return []
    return list(dict.fromkeys(among[raw[among].argmax(axis=0)].tolist()))
