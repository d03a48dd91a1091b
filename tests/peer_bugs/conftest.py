"""A chromosome with four genes, and the small random model with it."""

import numpy as np
import pytest

import genomekit as gk
from genomekit.model import Model

REPEAT = 3020
"""0-based start of CA five times, so that a change there has many spellings."""
GENES = {
    "g1": ("+", "protein_coding", [(2500, 2600), (2950, 3100), (3300, 3400)]),
    "g2": ("-", "protein_coding", [(2900, 3050), (3500, 3600)]),
    "g3": ("+", "protein_coding", [(3700, 3750), (3800, 3900)]),  # in the window, but not where the variants are
    "g4": ("+", "lncRNA", [(2800, 2850), (3060, 3150)]),
}


def made_letters():
    letters = "".join(np.random.default_rng(3).choice(list("ACGT"), 6000))
    return letters[:REPEAT] + "G" + "CA" * 5 + "T" + letters[REPEAT + 12 :]


def gtf_lines(genes=GENES):
    for gene, (strand, kind, exons) in genes.items():
        names = f'gene_id "{gene}"; gene_name "{gene}"; gene_type "{kind}";'
        own = f'{names} transcript_id "{gene}.1"; transcript_type "{kind}";'
        whole = exons[0][0], exons[-1][1]
        for feature, (start, end), text in [
            ("gene", whole, names),
            ("transcript", whole, own),
            *(("exon", one, own) for one in exons),
        ]:
            yield f"chrA\tmade\t{feature}\t{start + 1}\t{end}\t.\t{strand}\t.\t{text}\n"


@pytest.fixture(scope="session")
def letters():
    return made_letters()


@pytest.fixture(scope="session")
def fasta(tmp_path_factory, letters):
    path = tmp_path_factory.mktemp("peer_bugs") / "genome.fa"
    path.write_text(f">chrA\n{letters}\n")
    return path


@pytest.fixture(scope="session")
def gtf(fasta):
    path = fasta.with_name("genes.gtf")
    path.write_text("".join(gtf_lines()))
    return path


@pytest.fixture(scope="session")
def genome(fasta, gtf):
    return gk.Genome(fasta, gtf, organism="worm")


@pytest.fixture
def model(tiny_checkpoint, genome):
    return Model(tiny_checkpoint, device="cpu", precision="float64", genome=genome)


@pytest.fixture(scope="session")
def snv(letters):
    """Text of the substitution at a 1-based position."""
    return lambda position: f"chrA:{position}:{letters[position - 1]}>{'A' if letters[position - 1] != 'A' else 'C'}"
