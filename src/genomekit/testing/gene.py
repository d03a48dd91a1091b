"""A designed gene of a worm-like kind, with everything that was planted in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from genomekit.genome.interval import Interval
from genomekit.genome.junction import Junction

# Codons per thousand of C. elegans, in the order AAA AAC AAG AAT ACA ... TTT; stop codons 0. Counted over the CDS
# of chromosomes I-III in WormBase WS245 (GC 44 %).
_USAGE = (
    (36, 17, 27, 30, 20, 10, 10, 19, 15, 8, 4, 12, 8, 19, 26, 30),
    (28, 9, 16, 15, 27, 4, 11, 9, 13, 5, 5, 12, 7, 15, 12, 21),
    (43, 17, 27, 39, 20, 13, 9, 23, 32, 7, 4, 11, 10, 14, 15, 24),
    (0, 12, 0, 16, 21, 11, 14, 17, 0, 8, 11, 11, 8, 23, 19, 19),
)
_CODONS = dict(zip(map("".join, itertools.product("ACGT", repeat=3)), itertools.chain(*_USAGE), strict=True))
_NONCODING = (0.34, 0.16, 0.15, 0.35)  # A C G T in worm introns, same source; also used between genes
_PHASES = (0.48, 0.26, 0.26)  # introns that fall between codons, after their first base, after their second; as above
_DONOR = "GTAAGTTT"  # intron side; the exon ends in AG
_ACCEPTOR = "TTTTCAG"  # intron side; the exon starts with a purine
_T_BLOCK, _TATA, _INITIATOR = "TTTCTTTTCTTT", "TATAAA", "TCATTCT"  # transcription starts at the A of TCA
_POLYA = "AATAAA"
# Splice signals that random letters must not spell, on either strand: the only sites are the planted ones.
_SIGNALS = ("GTAAGT", "GTGAGT", "GTATGT", "TTTCAG", "TTGCAG", "ACTTAC", "ACTCAC", "ACATAC", "CTGAAA", "CTGCAA")
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignedGene:
    """A made-up gene together with everything that was planted in it.

    All positions are 0-based and on the plus strand of `interval.chrom`; tuples run in the order of transcription.

    Attributes:
        sequence: Letters of `interval`, plus strand.
        interval: What `sequence` covers, 0-based half-open.
        gene: The transcribed part, from transcription start to cleavage, with the gene's strand.
        exons: One interval per exon.
        introns: One junction per intron, half-open on the intron side.
        coding: The coding part of each exon, stop codon included.
        tss: First transcribed base.
        polya_site: Last transcribed base.
        name: A name for tables and figures.
    """

    sequence: str
    interval: Interval
    gene: Interval
    exons: tuple[Interval, ...]
    introns: tuple[Junction, ...]
    coding: tuple[Interval, ...]
    tss: int
    polya_site: int
    name: str = "designed"

    @property
    def donors(self) -> tuple[int, ...]:
        """Last exon base before each intron, 0-based."""
        return tuple(intron.donor for intron in self.introns)

    @property
    def acceptors(self) -> tuple[int, ...]:
        """First exon base after each intron, 0-based."""
        return tuple(intron.acceptor for intron in self.introns)

    def to_frame(self) -> pd.DataFrame:
        """Give the exons as a table such as `Genome.exons` gives, e.g. to draw them; 0-based half-open.

        Example:
            >>> designed_gene().to_frame().columns[:4].tolist()
            ['chrom', 'start', 'end', 'strand']
        """
        rows = [(exon.chrom, exon.start, exon.end, exon.strand) for exon in sorted(self.exons, key=lambda e: e.start)]
        frame = pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])
        return frame.assign(
            gene_id=self.name, gene_name=self.name, gene_type="protein_coding", transcript_id=f"{self.name}.1"
        )

    def placed(self, chrom: str, start: int, name: str | None = None) -> DesignedGene:
        """Move the gene so that its sequence begins at `start` (0-based) of `chrom`.

        Example:
            >>> designed_gene().placed("chrI", 1_000).interval.start
            1000
        """
        offset = start - self.interval.start

        def move(place: Interval | Junction) -> Any:
            return replace(place, chrom=chrom, start=place.start + offset, end=place.end + offset)

        return replace(
            self,
            interval=move(self.interval),
            gene=move(self.gene),
            exons=tuple(map(move, self.exons)),
            introns=tuple(map(move, self.introns)),
            coding=tuple(map(move, self.coding)),
            tss=self.tss + offset,
            polya_site=self.polya_site + offset,
            name=name or self.name,
        )


class _Letters:
    """Letters written one after another; random ones never spell a splice signal."""

    def __init__(self, rng: np.random.Generator, before: str = ""):
        self.rng = rng
        self.letters = list(before)

    def plant(self, text: str) -> None:
        self.letters += text

    def random(self, length: int) -> None:
        for _ in range(length):
            self._draw(("A", "C", "G", "T"), _NONCODING)

    def codon(self, fits: Callable[[str], bool] = lambda codon: True) -> None:
        choices = {codon: weight for codon, weight in _CODONS.items() if weight and fits(codon)}
        self._draw(tuple(choices), tuple(choices.values()))

    def _draw(self, choices: tuple[str, ...], weights: tuple[int, ...] | tuple[float, ...]) -> None:
        bounds = np.cumsum(weights)
        tail = "".join(self.letters[-5:])
        while True:
            piece = choices[int(np.searchsorted(bounds, self.rng.random() * bounds[-1], side="right"))]
            if not any(signal in tail + piece for signal in _SIGNALS):
                self.letters += piece
                return


@dataclass(slots=True)
class _Transcript:
    """The transcribed part while it is written: plus strand, position 0 = transcription start."""

    text: _Letters
    introns: list[tuple[int, int]]
    start_codon: int = 0
    stop: int = 0

    def write(self, introns: int) -> None:
        rng, text = self.text.rng, self.text
        text.plant(_INITIATOR[2:])
        text.random(int(rng.integers(30, 60)))
        text.plant("AAAA")
        self.start_codon = len(text.letters)
        text.plant("ATG")
        self._codons(int(rng.integers(20, 50)))
        for _ in range(introns):
            self._intron()
            self._codons(int(rng.integers(34, 100)))
        text.plant("TAA")
        self.stop = len(text.letters)
        text.random(int(rng.integers(60, 140)))
        text.plant(_POLYA)
        text.random(int(rng.integers(12, 18)))

    def _codons(self, count: int) -> None:
        for _ in range(count):
            self.text.codon()

    def _intron(self) -> None:
        """Cut the reading frame in one of its three phases, so that the exons read AG | intron | R."""
        phase = int(self.text.rng.choice(3, p=_PHASES))
        if phase == 0:
            self.text.codon(lambda codon: codon.endswith("AG"))
            self._spliced_out(after="")
            self.text.codon(lambda codon: codon[0] in "AG")
        elif phase == 1:
            self.text.codon(lambda codon: codon.endswith("A"))
            self.text.plant("G")
            self._spliced_out(after="GA"[int(self.text.rng.integers(2))] + "TC"[int(self.text.rng.integers(2))])
        else:
            self.text.plant("AG")
            self._spliced_out(after="GA"[int(self.text.rng.integers(2))])

    def _spliced_out(self, after: str) -> None:
        start = len(self.text.letters)
        length = int(np.clip(50 + self.text.rng.exponential(80), 50, 400))
        self.text.plant(_DONOR)
        self.text.random(length - len(_DONOR) - len(_ACCEPTOR))
        self.text.plant(_ACCEPTOR)
        self.introns.append((start, len(self.text.letters)))
        self.text.plant(after)


def designed_gene(seed: int = 0, length: int = 8_192, strand: str = "+", *, introns: int = 6) -> DesignedGene:
    """Design a gene that looks like one of C. elegans, and keep what was planted.

    Promoter (T block, TATA box, initiator), 5' UTR, exons with the codon usage of the worm, introns of 50-400 bp that
    are rich in A and T and begin and end with the worm's consensus (AG|GTAAGTTT ... TTTTCAG|R, no branch point),
    3' UTR with AATAAA. The gene sits in the middle of letters with the composition of worm introns. The same
    arguments give the same letters. It is a toy: real genes use weaker sites and are often trans-spliced.

    Args:
        seed: Which gene.
        length: Length of the sequence in bp.
        strand: Strand the gene is on, "+" or "-"; the sequence is given on the plus strand either way.
        introns: How many.

    Raises:
        ValueError: The strand is unknown, `introns` is negative, or the gene does not fit into `length`.

    Example:
        >>> gene = designed_gene(seed=0)
        >>> len(gene.sequence), len(gene.exons), len(gene.donors)
        (8192, 7, 6)
        >>> [gene.sequence[intron.start : intron.start + 6] for intron in gene.introns[:2]]
        ['GTAAGT', 'GTAAGT']

    Source:
        Consensus: Blumenthal & Steward 1997, "RNA processing and gene structure", in C. elegans II. Initiator YYANWYY
        with A as the first base: Smale & Kadonaga 2003. Codons, composition, intron phases and the two T that end the
        donor: counted in WormBase WS245, see the constants of this module.
    """
    if strand not in ("+", "-"):
        raise ValueError(f"strand={strand!r} is not a strand; it must be '+' or '-'.")
    if introns < 0:
        raise ValueError(f"introns={introns} is negative; it must be 0 or more.")
    rng = np.random.default_rng(seed)
    core = _Transcript(_Letters(rng), [])
    core.write(introns)
    size, margin = len(core.text.letters), 100
    if length < size + 2 * margin:
        raise ValueError(
            f"length={length} bp is too short: this gene with {introns} introns is {size} bp and needs {margin} bp on "
            f"either side. Give length={size + 2 * margin} or more, or fewer introns."
        )
    before = _Letters(rng)
    before.random((length - size) // 2 - 70)
    before.plant(_T_BLOCK)
    before.random(70 - len(_T_BLOCK) - 31)
    before.plant(_TATA)  # its first base lies 31 bp upstream of transcription
    before.random(31 - len(_TATA) - 2)
    before.plant(_INITIATOR[:2])
    tss = len(before.letters)
    whole = _Letters(rng, before="".join(before.letters + core.text.letters))
    whole.plant("TTGTTT")  # the U-rich element behind the cleavage site
    whole.random(length - len(whole.letters))
    return _labelled("".join(whole.letters), core, tss, tss + size, strand)


def _labelled(letters: str, core: _Transcript, tss: int, end: int, strand: str) -> DesignedGene:
    """Turn offsets in transcription order into coordinates of the plus strand."""
    chrom, length = "designed", len(letters)

    def span(start: int, stop: int) -> tuple[int, int]:
        return (start, stop) if strand == "+" else (length - stop, length - start)

    introns = [(tss + start, tss + stop) for start, stop in core.introns]
    edges = [tss, *itertools.chain(*introns), end]
    exons = list(zip(edges[::2], edges[1::2], strict=True))
    first, last = tss + core.start_codon, tss + core.stop
    coding = [(max(start, first), min(stop, last)) for start, stop in exons]
    return DesignedGene(
        sequence=letters if strand == "+" else letters.translate(_COMPLEMENT)[::-1],
        interval=Interval(chrom, 0, length, "+"),
        gene=Interval(chrom, *span(tss, end), strand),
        exons=tuple(Interval(chrom, *span(*exon), strand) for exon in exons),
        introns=tuple(Junction(chrom, *span(*intron), strand) for intron in introns),
        coding=tuple(Interval(chrom, *span(*part), strand) for part in coding),
        tss=span(tss, tss + 1)[0],
        polya_site=span(end - 1, end)[0],
    )
