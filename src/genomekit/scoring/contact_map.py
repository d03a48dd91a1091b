"""Scores of contact maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.scoring.scorer import Bins, ModalityName, Scorer, Values


@dataclass(frozen=True)
class ContactMapScorer(Scorer):
    """Mean change of contact of the variant's bin with every bin of the window: mean |ALT - REF|.

    The average runs over the whole window, so scores of windows of different lengths do not compare.

    Args:
        modality: A modality of contact maps.

    Example:
        >>> ContactMapScorer().bins(np.array([5000]), 16_384, 2048)[0]
        Bins(starts=array([2]), width=1)

    Source:
        google-deepmind/alphagenome_research, contact map variant scorer.
    """

    modality: ModalityName = "contact_maps"
    signed: ClassVar[bool] = False
    head_kinds: ClassVar[tuple[str, ...]] = ("contact",)

    def bins(self, starts: Int[np.ndarray, " variant"], length: int, resolution: int) -> list[Bins]:
        """Give the bin of each variant's first base."""
        return [Bins(np.asarray(starts) // resolution, 1)]

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF."""
        return (alt[0].signal - ref[0].signal).abs().mean(1)[:, 0]

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the mean contact of the bin."""
        return ref[0].signal.mean(1)[:, 0]
