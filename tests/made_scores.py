"""A small set of scores with every kind of table, and the pieces it is made of."""

import numpy as np
import pandas as pd

from genomekit.scores import Record, ScorePart, build

MADE_WITH = {"model": "toy", "weights_sha256": "a" * 64, "organism": "worm", "device": "cpu"}


def tracks(*labels, **columns):
    """Rows of a track table: the strand stands at the end of a label, as in "gut +"."""
    strand = [label[-1] if label[-1] in "+-" else "." for label in labels]
    name = [label.removesuffix(" +").removesuffix(" -") for label in labels]
    given = {"label": labels, "name": name, "strand": strand, "channel": range(len(labels)), "biosample_name": name}
    return pd.DataFrame(given | columns)


RECORDS = [
    Record(0, "chrV", 100, "A", "G", "rs1"),
    Record(1, "chrV", 200, "C", "T"),
    Record(2, "chrV", 300, "N", "<DEL>", reason="symbolic allele"),
]


def make_parts():
    """A centre mask, genes on both strands, and junctions."""
    genes = pd.DataFrame(
        {
            "record": [0, 0, 1],
            "gene_id": ["g1", "g2", "g1"],
            "gene_name": ["one", "two", "one"],
            "gene_type": "protein_coding",
            "gene_strand": ["+", "-", "+"],
        }
    )
    by_gene = np.array([[1.0, np.nan, 5.0], [np.nan, -2.0, 6.0], [3.0, np.nan, 7.0]])
    junctions = pd.DataFrame(
        {
            "record": [1, 1],
            "gene_id": "g1",
            "gene_name": "one",
            "gene_type": "protein_coding",
            "gene_strand": "+",
            "junction_start": [110, 120],
            "junction_end": [190, 190],
            "junction_strand": "+",
        }
    )
    return [
        ScorePart(
            "Mask(dnase)",
            "dnase",
            True,
            pd.DataFrame({"record": [0, 1]}),
            tracks("egg", "gut", ontology_curie=["EFO:1", "EFO:2"]),
            np.array([[0.5, -2.0], [0.25, 0.0]]),
            ref=np.array([[1.0, 4.0], [1.0, 1.0]]),
            alt=np.array([[1.5, 2.0], [1.25, 1.0]]),
        ),
        ScorePart("Gene(rna_seq)", "rna_seq", True, genes, tracks("gut +", "gut -", "egg"), by_gene),
        ScorePart(
            "Junction()", "splice_junctions", False, junctions, tracks("egg", "gut"), np.array([[0.1, 4.0], [2.0, 0.3]])
        ),
    ]


def make_scores():
    """Three records, of which two have scores by three scorers."""
    return build(RECORDS, make_parts(), MADE_WITH)
