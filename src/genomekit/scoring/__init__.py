"""Scores of an edit: what a scorer reads of both alleles, and how it turns that into one number per track."""

from genomekit.scoring.aggregation import AGGREGATIONS, Aggregation
from genomekit.scoring.center_mask import CenterMaskScorer, recommended_scorer
from genomekit.scoring.scorer import Scorer, Values

__all__ = ["AGGREGATIONS", "Aggregation", "CenterMaskScorer", "Scorer", "Values", "recommended_scorer"]
