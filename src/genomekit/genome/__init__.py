"""Where: intervals, variants, sequence and annotation. No torch."""

from genomekit.genome.annotation import Annotation
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import Edit, Event
from genomekit.genome.interval import Interval
from genomekit.genome.junction import Junction
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window

__all__ = ["Annotation", "Edit", "Event", "Genome", "Interval", "Junction", "Variant", "Window"]
