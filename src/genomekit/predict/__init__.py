"""Prediction: a sequence or an interval in, a labelled tree of schema "genomekit-1" out."""

import genomekit.accessors  # noqa: F401  (registers .gk on what is returned here)
from genomekit.predict.request import AnyGenome, Names, Request, find_genome, find_own_organism, make_request
from genomekit.predict.result import predict_window
from genomekit.predict.variant import predict_haplotype, predict_variant
from genomekit.predict.verbs import predict_interval, predict_intervals, predict_sequence

__all__ = [
    "AnyGenome",
    "Names",
    "Request",
    "find_genome",
    "find_own_organism",
    "make_request",
    "predict_haplotype",
    "predict_interval",
    "predict_intervals",
    "predict_sequence",
    "predict_variant",
    "predict_window",
]
