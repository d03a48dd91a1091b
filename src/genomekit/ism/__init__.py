"""In-silico mutagenesis: the effect of every base of an interval."""

from genomekit.ism.verb import ism

__all__ = ["ism"]
