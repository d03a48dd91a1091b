"""Scores of genes: expression over their exons, splicing over their bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from genomekit.errors import unknown
from genomekit.scoring.aggregation import aggregation_name
from genomekit.scoring.masks import body_targets, exon_targets
from genomekit.scoring.scorer import (
    AggregationScorer,
    Genes,
    GeneScorer,
    ModalityName,
    Place,
    Target,
    Width,
    whole_width,
)

MASKS = ("exons", "body")


@dataclass(frozen=True)
class GeneMaskLFCScorer(GeneScorer):
    """Log fold change of a gene's mean signal over its exons: ln(mean ALT + 0.001) - ln(mean REF + 0.001).

    One row for each gene with a transcript start in the window; its mask is every exon of those transcripts, whatever
    their type, cut to the window.

    Args:
        modality: A 1 bp modality.
        gene: Name or id of a gene, or several in a list: those to score. None is every gene.

    Example:
        >>> str(GeneMaskLFCScorer())
        "GeneMaskLFCScorer(modality='rna_seq')"

    Source:
        google-deepmind/alphagenome_research, gene variant scorer.
    """

    modality: ModalityName = "rna_seq"
    gene: Genes = None
    signed: ClassVar[bool] = True
    differentiable: ClassVar[bool] = True
    aligned: ClassVar[bool] = True
    nothing: ClassVar[str] = "no gene has a transcript start in the window"

    def targets(self, place: Place) -> list[Target]:
        """Give the genes."""
        return exon_targets(place, self, "diff_log_mean", self.gene)


@dataclass(frozen=True)
class GeneMaskActiveScorer(GeneScorer):
    """Larger of both alleles' mean signal over a gene's exons: how active the gene is, whatever the change.

    Args:
        modality: A 1 bp modality.
        gene: See `GeneMaskLFCScorer`.

    Source:
        google-deepmind/alphagenome_research, gene variant scorer.
    """

    modality: ModalityName = "rna_seq"
    gene: Genes = None
    signed: ClassVar[bool] = False
    aligned: ClassVar[bool] = True
    nothing: ClassVar[str] = GeneMaskLFCScorer.nothing

    def targets(self, place: Place) -> list[Target]:
        """Give the genes."""
        return exon_targets(place, self, "active_mean", self.gene)


@dataclass(frozen=True)
class GeneMaskSplicingScorer(GeneScorer):
    """Largest change of a splice modality over the body of each gene that the variant touches.

    Args:
        modality: "splice_sites" or "splice_site_usage".
        width: Only this many bp around the variant; None is the whole body. (Upstream's local model ignores it, and so
            does `parity=True`.)
        gene: See `GeneMaskLFCScorer`.

    Source:
        google-deepmind/alphagenome_research, gene variant scorer.
    """

    modality: ModalityName = "splice_sites"
    width: Width = None
    gene: Genes = None
    signed: ClassVar[bool] = False
    aligned: ClassVar[bool] = True
    head_kinds: ClassVar[tuple[str, ...]] = ("splice_class", "splice_usage")
    nothing: ClassVar[str] = "the variant touches no gene"

    def __post_init__(self) -> None:
        """Check what came."""
        super().__post_init__()
        object.__setattr__(self, "width", whole_width(self.width, "the whole gene"))

    def targets(self, place: Place) -> list[Target]:
        """Give the genes."""
        return body_targets(place, self, "max_abs_diff", self.gene, None if place.parity else self.width)


@dataclass(frozen=True)
class GeneMaskScorer(GeneScorer, AggregationScorer):
    """Any aggregation over the exons or bodies of genes; with `score_interval`, the signal of genes in an interval.

    Args:
        modality: What is read along the sequence.
        mask: "exons" of transcripts that start in the window, or the "body" of genes the variant touches.
        aggregation: One of `AGGREGATIONS`.
        width: bp around the middle of the variant or interval; None is the whole window.
        gene: See `GeneMaskLFCScorer`.

    Raises:
        ValueError: An unknown mask or aggregation, or a width below 1.

    Example:
        >>> GeneMaskScorer("rna_seq", width=200_001, aggregation="DIFF_SUM").aggregation
        'diff_sum'

    Source:
        google-deepmind/alphagenome_research, gene mask interval scorer.
    """

    modality: ModalityName = "rna_seq"
    mask: str = "exons"
    aggregation: str = "diff_mean"
    width: Width = None
    gene: Genes = None
    aligned: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check what came."""
        super().__post_init__()
        object.__setattr__(self, "aggregation", aggregation_name(self.aggregation))
        if self.mask not in MASKS:
            raise unknown("mask", self.mask, MASKS)
        object.__setattr__(self, "width", whole_width(self.width, "the whole window"))

    @property
    def nothing(self) -> str:
        """Why there may be no row."""
        if self.mask == "body":
            return GeneMaskSplicingScorer.nothing
        near = "in the window" if self.width is None else f"within the {self.width:,} bp around the place scored"
        return f"no gene has a transcript start {near}"

    def targets(self, place: Place) -> list[Target]:
        """Give the genes."""
        if self.mask == "body":
            return body_targets(place, self, self.aggregation, self.gene, self.width)
        within = None if self.width is None else place.touched.resize(self.width)
        return exon_targets(place, self, self.aggregation, self.gene, within)
