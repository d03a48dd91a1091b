"""Window: the stretch of sequence the network reads for an interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from genomekit.genome.interval import Interval


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch fed to the network, and the interval inside it that was asked for.

    Args:
        interval: What was asked for, 0-based half-open.
        chrom: Chromosome, as the FASTA names it.
        start: First base of the window, 0-based; negative when it runs off the left end.
        end: One past its last base; may lie past the right end.
        chrom_length: Length of the chromosome in bp; None when it is not known.

    Raises:
        ValueError: The window is empty or does not hold the interval.

    Example:
        >>> window = Window.around(Interval("chr1", 100, 110), lengths=[256, 512], default=256, chrom_length=200)
        >>> window.start, window.end, window.pad_left, window.pad_right, window.bins(128)
        (-23, 233, 23, 33, slice(0, 2, None))
    """

    interval: Interval
    chrom: str
    start: int
    end: int
    chrom_length: int | None = None

    def __post_init__(self) -> None:
        if not self.start <= self.interval.start <= self.interval.end <= self.end or self.start == self.end:
            raise ValueError(
                f"Window {self.chrom}:{self.start}-{self.end} does not hold {self.interval}. "
                "Use Window.around, which centers one on it."
            )

    @classmethod
    def around(
        cls,
        interval: Interval | str,
        *,
        lengths: Iterable[int],
        default: int,
        length: int | None = None,
        chrom_length: int | None = None,
    ) -> Window:
        """Center a window of a supported length on an interval, by the rule of `Interval.resize`.

        The default length is used where the interval fits, else the next supported length. Real neighbouring
        sequence fills the window; N stands only past the ends of the chromosome (`pad_left`, `pad_right`).

        Args:
            interval: Where; may run past an end of the chromosome, but not lie wholly outside.
            lengths: Supported lengths in bp.
            default: Length in bp where nothing else is asked for; counts as supported.
            length: Exactly this supported length.
            chrom_length: Length of the chromosome in bp; None skips the check of the right end.

        Raises:
            ValueError: An empty interval, one outside the chromosome, one longer than the chosen or the
                longest window, or an unsupported `length`.

        Example:
            >>> Window.around("chr1:0-300", lengths=[256, 512, 1024], default=256).length
            512
        """
        interval = Interval.parse(interval)
        _check_place(interval, chrom_length)
        width = _choose(interval, sorted({default, *lengths}), default, length)
        placed = interval.resize(width)
        return cls(interval, placed.chrom, placed.start, placed.end, chrom_length)

    @property
    def length(self) -> int:
        """Bases the network reads, padding included."""
        return self.end - self.start

    @property
    def pad_left(self) -> int:
        """N bases before the first base of the chromosome."""
        return min(max(0, -self.start), self.length)

    @property
    def pad_right(self) -> int:
        """N bases past the last base of the chromosome; 0 when its length is not known."""
        return 0 if self.chrom_length is None else min(max(0, self.end - self.chrom_length), self.length)

    def bins(self, resolution: int) -> slice:
        """Return the slice of output bins that overlap the interval, counted along increasing positions.

        Bin k covers [start + k * resolution, start + (k + 1) * resolution) on both strands: on "-" the output
        of the network has to be turned before it is cut.

        Args:
            resolution: bp per bin; divides the length.

        Raises:
            ValueError: It does not divide the length.
        """
        if resolution < 1 or self.length % resolution:
            raise ValueError(
                f"Resolution {resolution} bp does not divide the window of {self.length:,} bp. "
                f"Use a window whose length is a multiple of it."
            )
        first = (self.interval.start - self.start) // resolution
        return slice(first, -((self.start - self.interval.end) // resolution))

    def as_interval(self) -> Interval:
        """Return the whole window as an Interval with the strand of the interval asked for."""
        return Interval(self.chrom, self.start, self.end, self.interval.strand)


def _check_place(interval: Interval, chrom_length: int | None) -> None:
    if interval.width == 0:
        raise ValueError(
            f"Interval {interval} is empty; give at least 1 bp, "
            f"e.g. {interval.chrom}:{interval.start}-{interval.start + 1}."
        )
    if interval.end <= 0 or (chrom_length is not None and interval.start >= chrom_length):
        known = f"0 to {chrom_length:,}" if chrom_length is not None else "0 upwards"
        raise ValueError(
            f"Interval {interval} lies outside {interval.chrom}, whose bases run from {known}. "
            "Check the coordinates and the assembly."
        )


def _choose(interval: Interval, supported: list[int], default: int, length: int | None) -> int:
    listed = ", ".join(f"{known:,}" for known in supported)
    if length is not None and length not in supported:
        raise ValueError(f"Window length {length:,} bp is not supported. Lengths in bp: {listed}.")
    if interval.width > supported[-1]:
        raise ValueError(
            f"Interval {interval} is {interval.width:,} bp and the longest window is {supported[-1]:,} bp. "
            "Cut it into shorter intervals and give them to predict_intervals."
        )
    if length is not None and interval.width > length:
        raise ValueError(
            f"Interval {interval} is {interval.width:,} bp and does not fit the window of {length:,} bp asked for. "
            f"Leave the window length out, or give a longer one of: {listed}."
        )
    return length or next(known for known in supported if known >= max(interval.width, default))
