"""Toy data with a known answer: designed genes, a toy genome on disk, random intervals and variants.

Needs neither torch nor a download, so it also serves the tests of other packages.
"""

from genomekit.testing.gene import DesignedGene as DesignedGene
from genomekit.testing.gene import designed_gene as designed_gene
from genomekit.testing.strategies import intervals as intervals
from genomekit.testing.strategies import variants as variants
from genomekit.testing.toy import ToyGenome as ToyGenome
from genomekit.testing.toy import toy_genome as toy_genome
