"""One number for the effect of a variant on splicing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from genomekit.scores.score_set import ScoreSet

# Junction scores are log ratios and run to larger numbers than changes of a probability.
WEIGHTS = {"splice_sites": 1.0, "splice_site_usage": 1.0, "splice_junctions": 0.2}


def merged_splicing(scores: ScoreSet, scorers: Mapping[str, object] | None = None) -> pd.DataFrame:
    """Merge the splicing scores of each variant into one.

    `max(splice_sites) + max(splice_site_usage) + max(splice_junctions) / 5`, each maximum over genes, junctions and
    tracks of raw scores. It runs from 0 to about 6; above 1 is a large effect.

    Args:
        scores: Scores that have one unsigned scorer of each of the three modalities.
        scorers: Scorer for each modality, where there are several.

    Returns:
        One row per record: record, variant, splice_sites, splice_site_usage, splice_junctions (the maxima; 0 where the
        variant lies in no gene or touches no junction) and merged_splicing. NaN for records that were not scored.

    Raises:
        ValueError: A modality has no scorer, or several and `scorers` does not say which.

    Source:
        AlphaGenome, documentation of splicing variants ("merged splicing score").
    """
    numbers = pd.Index(scores.records["record"])
    result = scores.records[["record", "variant"]].copy()
    scored = (scores.records["status"] == "ok").to_numpy()
    merged = np.zeros(len(result))
    for modality, weight in WEIGHTS.items():
        table = scores[_scorer(scores, modality, scorers or {})]
        # Strands that do not fit are NaN and never the maximum.
        best = np.fmax.reduce(np.asarray(table.X, dtype=np.float64), axis=1, initial=0.0)
        column = np.zeros(len(result))
        np.fmax.at(column, numbers.get_indexer(pd.Index(table.obs["record"])), best)
        result[modality] = np.where(scored, column, np.nan)
        merged += weight * column
    return result.assign(merged_splicing=np.where(scored, merged, np.nan))


def can_merge(scores: ScoreSet) -> bool:
    """Whether there is exactly one scorer for each part of the merged score."""
    return all(len(_candidates(scores, modality)) == 1 for modality in WEIGHTS)


def _candidates(scores: ScoreSet, modality: str) -> list[str]:
    known = scores.scorers
    return known.loc[(known["modality"] == modality) & (known["signed"] == 0), "scorer"].tolist()


def _scorer(scores: ScoreSet, modality: str, chosen: Mapping[str, object]) -> object:
    if modality in chosen:
        return chosen[modality]
    found = _candidates(scores, modality)
    if len(found) != 1:
        have = "; ".join(found) or "none"
        raise ValueError(
            f"The merged splicing score needs one unsigned scorer of {modality}; there are {len(found)}: {have}. "
            f"Score with one, or name it: scorers={{{modality!r}: ...}}."
        )
    return found[0]
