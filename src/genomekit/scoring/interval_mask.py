"""Scores of intervals of your own: enhancers, peaks, gene sets, anything with a place."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar

import pandas as pd

from genomekit.genome.interval import Interval
from genomekit.scoring.aggregation import aggregation_name
from genomekit.scoring.masks import MaskRule, clipped
from genomekit.scoring.scorer import AggregationScorer, ModalityName, Place, Target


@dataclass(frozen=True)
class IntervalMaskScorer(AggregationScorer):
    """Aggregate a modality over intervals of your own: one row for each that reaches into the window.

    Args:
        modality: What is read along the sequence.
        intervals: Intervals or their text, or a table (chrom, start, end, name), 0-based half-open; those of one name
            are one row.
        aggregation: One of `AGGREGATIONS`.
        title: What the intervals are, for the name of the scorer.

    Raises:
        ValueError: No interval, an unknown aggregation or modality, or one that is not read along the sequence.

    Example:
        >>> scorer = IntervalMaskScorer("dnase", ["chrV:100-300"], "diff_log2_sum", title="enhancers")
        >>> str(scorer), len(scorer.intervals)
        ("IntervalMaskScorer(modality='dnase', title='enhancers', aggregation='diff_log2_sum', intervals=1)", 1)
    """

    modality: ModalityName
    intervals: tuple[Interval, ...]
    aggregation: str = "diff_log2_sum"
    title: str = "intervals"
    aligned: ClassVar[bool] = True
    nothing: ClassVar[str] = "none of the intervals reaches into the window"

    def __init__(
        self,
        modality: ModalityName,
        intervals: Any,
        aggregation: str = "diff_log2_sum",
        title: str = "intervals",
    ) -> None:
        name = aggregation_name(aggregation)
        if isinstance(intervals, pd.DataFrame):
            intervals = [Interval.from_dict(row) for row in intervals.to_dict("records")]
        listed = intervals if isinstance(intervals, Iterable) and not isinstance(intervals, str) else [intervals]
        parsed = tuple(Interval.parse(one) for one in listed)
        if not parsed:
            raise ValueError("No interval came; give at least one, 0-based half-open.")
        for field, value in (("modality", modality), ("intervals", parsed), ("aggregation", name), ("title", title)):
            object.__setattr__(self, field, value)
        self.__post_init__()

    @classmethod
    def from_bed(
        cls,
        path: str | PathLike[str],
        modality: ModalityName,
        aggregation: str = "diff_log2_sum",
        title: str | None = None,
    ) -> IntervalMaskScorer:
        """Take the intervals of a BED file; rows of one name (column 4, "." is none) are one mask.

        Args:
            path: BED with at least three columns, plain or compressed.
            modality: See the class.
            aggregation: See the class.
            title: None is the name of the file.

        Raises:
            ValueError: An empty file, or a row that is no interval; it is named.
        """
        # Whole rows, as pandas opens compressed files: how columns are parted is a matter of each row.
        lines = pd.read_csv(path, sep="\x01", header=None, names=["text"], dtype=str, quoting=csv.QUOTE_NONE)
        intervals = []
        for number, line in enumerate(lines["text"], start=1):
            if line.startswith(("#", "track", "browser")):
                continue
            fields = line.split("\t") if "\t" in line else line.split()
            if len(fields) < 3 or not (fields[1].isdigit() and fields[2].isdigit()):
                raise ValueError(f"{path}, row {number}: {line!r}; a BED file has chrom, start, end (and a name).")
            name = fields[3] if len(fields) > 3 and fields[3] != "." else ""
            intervals.append(Interval(fields[0], int(fields[1]), int(fields[2]), name=name))
        if not intervals:
            raise ValueError(f"BED file {path} holds no interval.")
        return cls(modality, intervals, aggregation, title or str(path).replace("\\", "/").rpartition("/")[2])

    def __str__(self) -> str:
        return (
            f"IntervalMaskScorer(modality={self.modality!r}, title={self.title!r}, aggregation={self.aggregation!r}, "
            f"intervals={len(self.intervals)})"
        )

    def targets(self, place: Place) -> list[Target]:
        """Give the masks that reach into the window."""
        masks: dict[str | int, list[Interval]] = {}
        here = self._called(place)
        for number, interval in enumerate(self.intervals):
            if interval.chrom in here:
                masks.setdefault(interval.name or number, []).append(interval)
        found = []
        for name, own in masks.items():
            spans = clipped(((one.start, one.end) for one in own), place)
            if spans:
                low, high = min(one.start for one in own), max(one.end for one in own)
                row = {"mask": name if isinstance(name, str) else "", "mask_start": low, "mask_end": high}
                found.append(Target(MaskRule(spans, self.aggregation), row))
        return found

    def _called(self, place: Place) -> set[str]:
        """Return what the intervals call the chromosome of a place.

        Raises:
            ValueError: The genome has none of their chromosomes.
        """
        names = {interval.chrom for interval in self.intervals}
        if place.genome is None:
            return names & {place.chrom}
        known = {}
        for name in names:
            with suppress(ValueError):  # files of intervals have scaffolds that a genome may lack
                known[name] = place.genome.resolve(name)
        if not known:
            some = ", ".join(sorted(names)[:3])
            raise ValueError(f"The genome has none of the chromosomes of {self.title!r} ({some}); is it another build?")
        return {name for name, found in known.items() if found == place.chrom}
