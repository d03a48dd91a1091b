"""Junction: an intron and the exon bases on either side of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from genomekit.genome.coordinates import Whole, chrom_name, whole_number
from genomekit.genome.interval import Interval


@dataclass(frozen=True, slots=True, order=True)
class Junction:
    """A splice junction: the intron [start, end), 0-based half-open, on a strand.

    `donor` is the last exon base before the intron and `acceptor` the first exon base after it, read along the
    strand: the bases at which the splice modalities carry their signal. This differs on purpose from the
    AlphaGenome SDK, whose `donor` and `acceptor` are the boundaries of the intron (start and end).

    Junctions compare and hash by (chrom, start, end, strand).

    Args:
        chrom: Chromosome name.
        start: First base of the intron, 0-based.
        end: One past the last base of the intron.
        strand: "+" or "-".
        name: Free label.

    Raises:
        ValueError: No strand, or `end < start`.

    Example:
        >>> plus, minus = Junction("chr1", 100, 200, "+"), Junction("chr1", 100, 200, "-")
        >>> (plus.donor, plus.acceptor), (minus.donor, minus.acceptor)
        ((99, 200), (200, 99))
    """

    chrom: str
    start: Whole
    end: Whole
    strand: str
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "chrom", chrom_name(self.chrom))
        object.__setattr__(self, "start", whole_number(self.start, "Junction start"))
        object.__setattr__(self, "end", whole_number(self.end, "Junction end"))
        if self.strand not in ("+", "-"):
            raise ValueError(f"Junction {self} has strand {self.strand!r}; splicing has a direction. Give '+' or '-'.")
        if self.end < self.start:
            raise ValueError(f"Junction {self} ends before it starts. The lower coordinate comes first on '-' too.")

    def __str__(self) -> str:
        """Write `chrom:start-end:strand`, which `parse` reads back."""
        return f"{self.chrom}:{self.start}-{self.end}:{self.strand}"

    @classmethod
    def parse(cls, text: str | Junction) -> Junction:
        """Read a junction from the text of its intron, as `Interval.parse` does; a Junction comes back unchanged.

        Raises:
            ValueError: Malformed text, or text without a strand.

        Example:
            >>> Junction.parse("chr1:1,011-1,015:+").donor
            1010
        """
        if isinstance(text, Junction):
            return text
        intron = Interval.parse(text)
        return cls(intron.chrom, intron.start, intron.end, intron.strand, intron.name)

    @property
    def interval(self) -> Interval:
        """The intron as an Interval, strand and name kept."""
        return Interval(self.chrom, self.start, self.end, self.strand, self.name)

    @property
    def width(self) -> int:
        """Length of the intron in bp."""
        return self.end - self.start

    @property
    def donor(self) -> int:
        """Last exon base before the intron along the strand, 0-based."""
        return self.end if self.strand == "-" else self.start - 1

    @property
    def acceptor(self) -> int:
        """First exon base after the intron along the strand, 0-based."""
        return self.start - 1 if self.strand == "-" else self.end

    def dinucleotide_region(self) -> tuple[Interval, Interval]:
        """Return the first two and the last two bases of the intron, in genomic order on both strands.

        Example:
            >>> [str(i) for i in Junction("chr1", 100, 200, "+").dinucleotide_region()]
            ['chr1:100-102:+', 'chr1:198-200:+']
        """
        return (
            Interval(self.chrom, self.start, self.start + 2, self.strand),
            Interval(self.chrom, self.end - 2, self.end, self.strand),
        )

    def donor_region(self, overhang: tuple[int, int] = (250, 250)) -> Interval:
        """Return the bases around the exon-intron boundary.

        Args:
            overhang: bp kept on the exon side and on the intron side (before and after, along the strand).
        """
        return self._around(self.end if self.strand == "-" else self.start, overhang)

    def acceptor_region(self, overhang: tuple[int, int] = (250, 250)) -> Interval:
        """Return the bases around the intron-exon boundary.

        Args:
            overhang: bp kept on the intron side and on the exon side (before and after, along the strand).

        Example:
            >>> str(Junction("chr1", 100, 200, "-").acceptor_region((5, 10)))
            'chr1:90-105:-'
        """
        return self._around(self.start if self.strand == "-" else self.end, overhang)

    def _around(self, boundary: int, overhang: tuple[int, int]) -> Interval:
        return Interval(self.chrom, boundary, boundary, self.strand).pad(*overhang)
