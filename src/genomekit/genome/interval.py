"""Interval: a stretch of a chromosome, 0-based and half-open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from genomekit.genome.coordinates import FORMS, STRANDS, Whole, chrom_name, parse_locus, whole_number


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A stretch of a chromosome: 0-based, half-open, in bp.

    Intervals compare and hash by (chrom, start, end, strand); the name is a label only. Zero width and
    negative starts are allowed. On the minus strand "start" offsets of the methods count from the
    5' end (the higher coordinate) unless `use_strand=False`.

    Args:
        chrom: Chromosome name.
        start: First base, 0-based.
        end: One past the last base.
        strand: "+", "-" or "." (none).
        name: Free label.

    Raises:
        ValueError: `end < start`, an unknown strand, or coordinates that are not whole numbers.

    Example:
        >>> gene = Interval("chr1", 100, 110, "-")
        >>> str(gene.pad(2, 3)), str(gene.shift(5)), gene.width
        ('chr1:97-112:-', 'chr1:95-105:-', 10)

    Source:
        The arithmetic of `center`, `resize`, `pad`, `shift` and the coverage methods agrees with
        genome.Interval of the AlphaGenome SDK 0.10.0.
    """

    chrom: str
    start: Whole
    end: Whole
    strand: str = "."
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "chrom", chrom_name(self.chrom))
        object.__setattr__(self, "start", whole_number(self.start, "Interval start"))
        object.__setattr__(self, "end", whole_number(self.end, "Interval end"))
        if self.strand not in STRANDS:
            raise ValueError(f"Strand {self.strand!r} is not known. Use '+', '-' or '.' (no strand).")
        if self.end < self.start:
            raise ValueError(
                f"Interval {self} ends before it starts: end {self.end} < start {self.start}. "
                "Start is the lower coordinate on both strands; swap the two."
            )

    def __str__(self) -> str:
        """Write `chrom:start-end:strand`, which `parse` reads back."""
        return f"{self.chrom}:{self.start}-{self.end}:{self.strand}"

    @classmethod
    def parse(cls, text: str | Interval) -> Interval:
        """Read an interval from text; an Interval comes back unchanged.

        Accepted: thousands separators (comma or underscore), units k, kb, M, Mb, a dash, en dash or ".."
        between the ends, a strand after a colon, a space or in brackets, white space, and
        "chrom start end [strand]" in columns. Coordinates are 0-based half-open as written: nothing is shifted.

        Raises:
            ValueError: Malformed text (the accepted forms are listed) or end before start.

        Example:
            >>> Interval.parse("chr5:10,100,000-30M")
            Interval(chrom='chr5', start=10100000, end=30000000, strand='.', name='')
            >>> str(Interval.parse("chr1:5k..6.5kb(+)"))
            'chr1:5000-6500:+'
        """
        if isinstance(text, Interval):
            return text
        if not isinstance(text, str):
            raise ValueError(f"{text!r} ({type(text).__name__}) is no interval. Give an Interval or text: {FORMS}.")
        return cls(*parse_locus(text))

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Interval:
        """Build from chrom, start, end and, where present, strand and name (a bioframe row); other keys are ignored."""
        return _from_row(row, ("chrom", "start", "end", "strand", "name"))

    @classmethod
    def from_pyranges(cls, row: Mapping[str, Any]) -> Interval:
        """Build from Chromosome, Start, End and, where present, Strand and Name; other keys are ignored."""
        return _from_row(row, ("Chromosome", "Start", "End", "Strand", "Name"))

    def to_dict(self) -> dict[str, str | int]:
        """Return chrom, start, end, strand, name: a bioframe row.

        Example:
            >>> Interval("chr1", 5, 9).to_dict()
            {'chrom': 'chr1', 'start': 5, 'end': 9, 'strand': '.', 'name': ''}
        """
        return {"chrom": self.chrom, "start": self.start, "end": self.end, "strand": self.strand, "name": self.name}

    def to_pyranges(self) -> dict[str, str | int]:
        """Return Chromosome, Start, End, Name, Strand: a PyRanges row."""
        return {
            "Chromosome": self.chrom,
            "Start": self.start,
            "End": self.end,
            "Name": self.name,
            "Strand": self.strand,
        }

    @property
    def width(self) -> int:
        """Number of bases."""
        return self.end - self.start

    @property
    def negative_strand(self) -> bool:
        """Whether the strand is "-"."""
        return self.strand == "-"

    def swap_strand(self) -> Interval:
        """Return the same bases on the other strand.

        Raises:
            ValueError: The interval has no strand.
        """
        if self.strand == ".":
            raise ValueError(f"Interval {self} has no strand to swap. Give it '+' or '-' first.")
        return replace(self, strand="+" if self.negative_strand else "-")

    def as_unstranded(self) -> Interval:
        """Return the same bases with strand "."."""
        return replace(self, strand=".")

    def within_reference(self, length: int | None = None) -> bool:
        """Whether every base lies on a chromosome of `length` bp (None: only the lower end is checked)."""
        return self.start >= 0 and (length is None or self.end <= length)

    def truncate(self, length: int | None = None) -> Interval:
        """Clip to [0, length]; an interval wholly outside becomes empty at the nearer end.

        Raises:
            ValueError: `length` is not positive.
        """
        if length is not None and length <= 0:
            raise ValueError(f"Chromosome length {length} is not positive; give the number of bases.")
        upper = max(self.end, 0) if length is None else length
        return replace(self, start=min(max(self.start, 0), upper), end=min(max(self.end, 0), upper))

    def center(self, use_strand: bool = True) -> int:
        """Return the middle boundary, 0-based; an odd width rounds towards the 3' end of the strand.

        Example:
            >>> Interval("chr1", 10, 11).center(), Interval("chr1", 10, 11, "-").center()
            (11, 10)
        """
        floor = (self.start + self.end) // 2
        return floor if use_strand and self.negative_strand else floor + self.width % 2

    def shift(self, offset: int, use_strand: bool = True) -> Interval:
        """Move by `offset` bp, along the strand: on "-" a positive offset lowers the coordinates."""
        step = -offset if use_strand and self.negative_strand else offset
        return replace(self, start=self.start + step, end=self.end + step)

    def pad(self, start_pad: int, end_pad: int, use_strand: bool = True) -> Interval:
        """Extend outwards by bp at the 5' and 3' ends (negative values shrink).

        Raises:
            ValueError: The result would have negative width.
        """
        left, right = (end_pad, start_pad) if use_strand and self.negative_strand else (start_pad, end_pad)
        if self.width + left + right < 0:
            raise ValueError(
                f"Padding {self} by {start_pad} and {end_pad} leaves {self.width + left + right} bp. "
                f"Take off at most its {self.width} bp."
            )
        return replace(self, start=self.start - left, end=self.end + right)

    def boundary_shift(self, start_offset: int = 0, end_offset: int = 0, use_strand: bool = True) -> Interval:
        """Move the two ends: the same as `pad(-start_offset, end_offset)`."""
        return self.pad(-start_offset, end_offset, use_strand)

    def resize(self, width: int, use_strand: bool = True) -> Interval:
        """Change the width about the center; the result may run off the chromosome.

        Args:
            width: New width in bp.
            use_strand: Round as the strand asks; False treats "-" like "." (the SDK then still rounds the
                center by strand).

        Raises:
            ValueError: `width` is negative.

        Example:
            >>> str(Interval("chr1", 10, 11).resize(4)), str(Interval("chr1", 10, 11, "-").resize(4))
            ('chr1:9-13:.', 'chr1:8-12:-')
        """
        if width < 0:
            raise ValueError(f"Width {width} is negative; {self} can be resized to 0 bp or more.")
        larger = (width + 1) // 2
        before = width - larger if use_strand and self.negative_strand else larger
        start = self.center(use_strand) - before
        return replace(self, start=start, end=start + width)

    def overlaps(self, other: Interval) -> bool:
        """Whether the two share bases, whatever the strands."""
        return self.chrom == other.chrom and self.start < other.end and other.start < self.end

    def contains(self, other: Interval) -> bool:
        """Whether every base of `other` lies inside, whatever the strands."""
        return self.chrom == other.chrom and self.start <= other.start and other.end <= self.end

    def intersect(self, other: Interval) -> Interval | None:
        """Return the shared bases with this strand and name, or None."""
        if not self.overlaps(other):
            return None
        return replace(self, start=max(self.start, other.start), end=min(self.end, other.end))

    def overlap_ranges(self, intervals: Iterable[Interval]) -> np.ndarray:
        """Return int32 (n, 2): start and end, relative to this start, of each interval that overlaps."""
        shared = [part for part in map(self.intersect, intervals) if part is not None]
        ranges = [(part.start - self.start, part.end - self.start) for part in shared]
        return np.array(ranges, np.int32).reshape(-1, 2)

    def coverage(self, intervals: Iterable[Interval], *, bin_size: int = 1) -> np.ndarray:
        """Count the intervals on each base and sum the counts per bin: int32 (width / bin_size,).

        Raises:
            ValueError: `bin_size` is below 1 or does not divide the width.

        Example:
            >>> Interval("chr1", 0, 4).coverage([Interval("chr1", 1, 9)], bin_size=2).tolist()
            [1, 2]
        """
        if bin_size < 1 or self.width % bin_size:
            raise ValueError(
                f"Bin size {bin_size} does not divide the {self.width} bp of {self}. "
                "Give a divisor of the width, 1 or more."
            )
        ranges = self.overlap_ranges(intervals)
        steps = np.zeros(self.width + 1, np.int32)
        np.add.at(steps, ranges[:, 0], 1)
        np.add.at(steps, ranges[:, 1], -1)
        return steps[:-1].cumsum(dtype=np.int32).reshape(-1, bin_size).sum(axis=1, dtype=np.int32)

    def binary_mask(self, intervals: Iterable[Interval], *, bin_size: int = 1) -> np.ndarray:
        """Return bool (width / bin_size,): whether any interval touches the bin."""
        return self.coverage(intervals, bin_size=bin_size) > 0

    def coverage_stranded(self, intervals: Iterable[Interval], *, bin_size: int = 1) -> np.ndarray:
        """Count per strand, read 5' to 3': int32 (width / bin_size, 2).

        Column 0 holds intervals on the strand of this interval, column 1 those on the other; "." counts as
        "+" on either side. On "-" the bins run from the higher coordinate down.
        """
        given = list(intervals)
        plus = self.coverage([i for i in given if not i.negative_strand], bin_size=bin_size)
        minus = self.coverage([i for i in given if i.negative_strand], bin_size=bin_size)
        both = np.stack([plus, minus], axis=1)
        return both[::-1, ::-1] if self.negative_strand else both

    def binary_mask_stranded(self, intervals: Iterable[Interval], *, bin_size: int = 1) -> np.ndarray:
        """Return bool (width / bin_size, 2): `coverage_stranded` above zero."""
        return self.coverage_stranded(intervals, bin_size=bin_size) > 0


def _from_row(row: Mapping[str, Any], keys: tuple[str, str, str, str, str]) -> Interval:
    missing = [key for key in keys[:3] if key not in row]
    if missing:
        raise ValueError(f"A row with {', '.join(map(str, row))} has no {', '.join(missing)}: {keys[:3]} are needed.")
    strand, name = row.get(keys[3]), row.get(keys[4])
    # Tables write a missing strand or name as NaN or None.
    return Interval(
        str(row[keys[0]]),
        whole_number(row[keys[1]], "Interval start"),
        whole_number(row[keys[2]], "Interval end"),
        strand if isinstance(strand, str) else ".",
        name if isinstance(name, str) else "",
    )
