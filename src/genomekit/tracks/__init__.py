"""What: the modalities, and the tables that say what each track of a model is."""

from genomekit.tracks.modality import MODALITIES, Modality, modality_name
from genomekit.tracks.published import coverage, published, search
from genomekit.tracks.table import TrackTable

__all__ = ["MODALITIES", "Modality", "TrackTable", "coverage", "modality_name", "published", "search"]
