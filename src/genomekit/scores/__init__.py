"""Scores of variants: one table per scorer, one row per record, tidy tables, quantiles and files."""

from genomekit.scores.calibrator import Calibrator
from genomekit.scores.layout import ScorePart, strand_conflict
from genomekit.scores.merged_splicing import merged_splicing
from genomekit.scores.psi import psi
from genomekit.scores.records import Record, record_table
from genomekit.scores.score_set import ScoreSet, build
from genomekit.scores.sharded import iter_shards, open_sharded
from genomekit.scores.store import open_scores

__all__ = [
    "Calibrator",
    "Record",
    "ScorePart",
    "ScoreSet",
    "build",
    "iter_shards",
    "merged_splicing",
    "open_scores",
    "open_sharded",
    "psi",
    "record_table",
    "strand_conflict",
]
