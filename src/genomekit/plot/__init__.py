"""Figures of labelled results and of the user's own files: panels stacked over one interval of the genome.

Matplotlib only: no torch, no global setting is changed, nothing is shown.
"""

from genomekit.plot.annotations import Annotation as Annotation
from genomekit.plot.annotations import Highlights as Highlights
from genomekit.plot.annotations import Labels as Labels
from genomekit.plot.annotations import Variants as Variants
from genomekit.plot.contacts import ContactMap as ContactMap
from genomekit.plot.difference import Difference as Difference
from genomekit.plot.figure import figure as figure
from genomekit.plot.genes import Genes as Genes
from genomekit.plot.intervals import Intervals as Intervals
from genomekit.plot.ism import IsmHeatmap as IsmHeatmap
from genomekit.plot.logo import Logo as Logo
from genomekit.plot.lollipop import Lollipop as Lollipop
from genomekit.plot.overlay import Overlay as Overlay
from genomekit.plot.panel import Panel as Panel
from genomekit.plot.sashimi import Sashimi as Sashimi
from genomekit.plot.scores import ScoreHeatmap as ScoreHeatmap
from genomekit.plot.sequence import Sequence as Sequence
from genomekit.plot.splice_sites import SpliceSites as SpliceSites
from genomekit.plot.theme import theme as theme
from genomekit.plot.tracks import Tracks as Tracks
from genomekit.plot.virtual_4c import Virtual4C as Virtual4C

__all__ = [
    "Annotation",
    "ContactMap",
    "Difference",
    "Genes",
    "Highlights",
    "Intervals",
    "IsmHeatmap",
    "Labels",
    "Logo",
    "Lollipop",
    "Overlay",
    "Panel",
    "Sashimi",
    "ScoreHeatmap",
    "Sequence",
    "SpliceSites",
    "Tracks",
    "Variants",
    "Virtual4C",
    "figure",
    "theme",
]
