"""Scores of a stretch around the variant."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.scoring.aggregation import AGGREGATIONS, Aggregation, aggregation_name
from genomekit.scoring.scorer import AggregationScorer, Bins, ModalityName, Values, Width, whole_width
from genomekit.tracks import Modality

_FAR = ("contact", "splice_junction")
_RECOMMENDED_WIDTH = 501
_RECOMMENDED_WIDTHS = {"chip_histone": 2001}


@dataclass(frozen=True)
class CenterMaskScorer(AggregationScorer):
    """Compare the alleles in a stretch around the variant's first base.

    The mask has `ceil(width / resolution)` bins: those from `c - n // 2` on, c the bin of the variant; bins past the
    ends of the window are left out.

    Args:
        modality: What is read along the sequence; not contact maps nor junctions.
        width: bp of the stretch; None is the whole window. Upstream allows 501, 2001, 10001, 100001, 200001 and None.
        aggregation: One of `AGGREGATIONS`, in either case of letters.
        aligned: Whether ALT of an insertion or deletion is put on the coordinates of REF first; upstream does not, so
            what lies right of it in the mask is compared with its shifted neighbour.

    Raises:
        ValueError: A width below 1, an unknown aggregation or modality, or one that is not read along the sequence.

    Example:
        >>> scorer = CenterMaskScorer("dnase", 501, "DIFF_MEAN")
        >>> str(scorer)
        "CenterMaskScorer(modality='dnase', width=501, aggregation='diff_mean')"
        >>> scorer.bins(np.array([1000]), 16_384, 128)[0].width
        4

    Source:
        google-deepmind/alphagenome_research, centre mask variant scorer.
    """

    modality: ModalityName
    width: Width = _RECOMMENDED_WIDTH
    aggregation: str = "diff_log2_sum"
    aligned: bool = False

    def __post_init__(self) -> None:
        """Check what came."""
        super().__post_init__()
        object.__setattr__(self, "aggregation", aggregation_name(self.aggregation))
        object.__setattr__(self, "width", whole_width(self.width, "the whole window"))

    @property
    def _rule(self) -> Aggregation:
        return AGGREGATIONS[self.aggregation]

    def bins(self, starts: Int[np.ndarray, " variant"], length: int, resolution: int) -> list[Bins]:
        """Give the stretch of each variant; see `Scorer.bins`."""
        if self.width is None:
            return [Bins(np.zeros(1, dtype=np.int64), length // resolution)]
        count = -(-self.width // resolution)
        return [Bins(np.asarray(starts) // resolution - count // 2, count)]

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF."""
        return self._rule.score(ref[0].signal, alt[0].signal, _mask(alt[0]))

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the measure of one allele: mean, sum, sum of logarithms, logarithm of the sum, or largest value."""
        return self._rule.level(ref[0].signal, _mask(ref[0]))


def recommended_scorer(modality: Modality) -> CenterMaskScorer:
    """Return the centre-mask scorer of a modality: what is used where none is named.

    Coverage: 501 bp (2,001 bp for histone marks), log2 fold change of the sum, as upstream recommends for all but
    RNA-seq, which it scores by gene. Splice sites and their usage: the largest change within 501 bp.

    Raises:
        ValueError: Contact maps and junctions have none.
    """
    if modality.head_kind in _FAR:
        raise ValueError(
            f"{modality.name!r} has no centre-mask scorer. Leave it out, or give a scorer= of your own for it."
        )
    if modality.head_kind != "track":
        return CenterMaskScorer(modality, _RECOMMENDED_WIDTH, "max_abs_diff")
    return CenterMaskScorer(modality, _RECOMMENDED_WIDTHS.get(modality.name, _RECOMMENDED_WIDTH))


def _mask(values: Values) -> Float[Tensor, "variant bin 1"]:
    return values.inside[..., None].to(torch.promote_types(values.signal.dtype, torch.float32))
