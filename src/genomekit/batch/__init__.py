"""Long jobs: any number of variants, scored in shards that survive whatever happens, on one machine or many."""

from genomekit.batch.info import InfoField, info_fields, info_of
from genomekit.batch.isolate import score_group
from genomekit.batch.job import score_records
from genomekit.batch.per_process import PerProcess
from genomekit.batch.preview import Preview, preview
from genomekit.batch.records import as_records
from genomekit.batch.variants import score_variants

__all__ = [
    "InfoField",
    "PerProcess",
    "Preview",
    "as_records",
    "info_fields",
    "info_of",
    "preview",
    "score_group",
    "score_records",
    "score_variants",
]
