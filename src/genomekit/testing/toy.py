"""A toy genome on disk, made of designed genes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from genomekit.genome.interval import Interval
from genomekit.testing.gene import DesignedGene, designed_gene


@dataclass(frozen=True, slots=True)
class ToyGenome:
    """A genome written by `toy_genome`: the two files and the genes that are in them."""

    fasta: Path
    gtf: Path
    genes: tuple[DesignedGene, ...]


def toy_genome(folder: str | Path, seed: int = 0, *, genes: int = 4, length: int = 5_000) -> ToyGenome:
    """Write toy.fa and toy.gtf: designed genes on chrI and chrII, strands alternating.

    Args:
        folder: Where; made if it is not there.
        seed: Which genome.
        genes: How many genes; the first half lies on chrI.
        length: Letters per gene in bp, flanks included; a chromosome is its genes one after another.

    Raises:
        ValueError: There are fewer than two genes, or `length` is too short for one.

    Example:
        >>> import tempfile
        >>> toy = toy_genome(tempfile.mkdtemp())
        >>> toy.fasta.read_text().split()[0], len(toy.genes)
        ('>chrI', 4)
    """
    if genes < 2:
        raise ValueError(f"genes={genes} is too few: the toy genome has two chromosomes, so give 2 or more.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    placed: list[DesignedGene] = []
    chroms = {"chrI": "", "chrII": ""}
    for index in range(genes):
        chrom = "chrI" if index < genes // 2 else "chrII"
        gene = designed_gene(seed * 1_000 + index, length, "+-"[index % 2], introns=3)
        placed.append(gene.placed(chrom, len(chroms[chrom]), f"toy-{index + 1}"))
        chroms[chrom] += gene.sequence
    fasta, gtf = folder / "toy.fa", folder / "toy.gtf"
    lines = [f">{chrom}\n" + "\n".join(_wrapped(letters)) + "\n" for chrom, letters in chroms.items()]
    fasta.write_text("".join(lines), encoding="ascii")
    gtf.write_text("".join(itertools.chain(*map(_gtf, placed))), encoding="ascii")
    return ToyGenome(fasta, gtf, tuple(placed))


def _wrapped(letters: str, width: int = 60) -> list[str]:
    return [letters[start : start + width] for start in range(0, len(letters), width)]


def _gtf(gene: DesignedGene) -> list[str]:
    """Lines of one gene; GTF counts from 1 and includes the end."""
    names = f'gene_id "{gene.name}"; gene_name "{gene.name}"; gene_biotype "protein_coding";'
    in_transcript = f'{names} transcript_id "{gene.name}.1";'

    def line(feature: str, place: Interval, frame: str = ".", text: str = in_transcript) -> str:
        return f"{place.chrom}\ttoy\t{feature}\t{place.start + 1}\t{place.end}\t.\t{place.strand}\t{frame}\t{text}\n"

    lines = [line("gene", gene.gene, text=names), line("transcript", gene.gene)]
    lines += [line("exon", exon) for exon in gene.exons]
    written = 0
    for part in gene.coding:
        lines.append(line("CDS", part, frame=str(-written % 3)))
        written += part.end - part.start
    return lines
