"""Scores of an edit: what a scorer reads of both alleles, and how it turns that into one number per track."""

from genomekit.scoring.aggregation import AGGREGATIONS, Aggregation
from genomekit.scoring.center_mask import CenterMaskScorer, recommended_scorer
from genomekit.scoring.contact_map import ContactMapScorer
from genomekit.scoring.gene import GeneMaskActiveScorer, GeneMaskLFCScorer, GeneMaskScorer, GeneMaskSplicingScorer
from genomekit.scoring.interval_mask import IntervalMaskScorer
from genomekit.scoring.junction import JunctionScorer, SpliceJunctionScorer
from genomekit.scoring.polyadenylation import PolyadenylationScorer
from genomekit.scoring.recommended import RECOMMENDED, recommended_scorers
from genomekit.scoring.scorer import Bins, Place, Rule, Scorer, Target, Values

__all__ = [
    "AGGREGATIONS",
    "RECOMMENDED",
    "Aggregation",
    "Bins",
    "CenterMaskScorer",
    "ContactMapScorer",
    "GeneMaskActiveScorer",
    "GeneMaskLFCScorer",
    "GeneMaskScorer",
    "GeneMaskSplicingScorer",
    "IntervalMaskScorer",
    "JunctionScorer",
    "Place",
    "PolyadenylationScorer",
    "Rule",
    "Scorer",
    "SpliceJunctionScorer",
    "Target",
    "Values",
    "recommended_scorer",
    "recommended_scorers",
]
