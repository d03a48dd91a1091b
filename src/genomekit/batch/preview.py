"""What a job will take, from a few variants that are timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from genomekit.batch.isolate import Score, score_group
from genomekit.batch.on_disk import bytes_each
from genomekit.scores.records import AnyRecord
from genomekit.scores.score_set import ScoreSet


@dataclass(frozen=True, slots=True)
class Preview:
    """What scoring will take.

    Args:
        timed: Variants that were timed.
        per_second: Variants per second, after a first one that is not counted.
        bytes_each: Bytes on disk of a variant.
        total: Variants to be scored; None where the source does not say.
        workers: Processes that score, each at this speed.
    """

    timed: int
    per_second: float
    bytes_each: float
    total: int | None = None
    workers: int = 1

    @property
    def seconds(self) -> float | None:
        """Seconds that the job will take."""
        return None if self.total is None else self.total / self.per_second / self.workers

    @property
    def bytes(self) -> float | None:
        """Bytes on disk."""
        return None if self.total is None else self.total * self.bytes_each

    def __str__(self) -> str:
        """Write one line.

        Example:
            >>> print(Preview(4, 20.0, 5000.0, 10_000))
            10,000 variants at 20 per second (4 timed): about 8 min 20 s, 50.0 MB on disk
            >>> print(Preview(4, 20.0, 5000.0, 10_000, workers=2))
            10,000 variants at 20 per second (4 timed) on each of 2 workers: about 4 min 10 s, 50.0 MB on disk
        """
        each = f" on each of {self.workers} workers" if self.workers > 1 else ""
        rate = f"{self.per_second:.3g} per second ({self.timed} timed){each}"
        if self.seconds is None or self.bytes is None:
            return f"Variants: {rate}, {self.bytes_each / 1e3:,.1f} kB on disk each"
        took = f"about {_duration(self.seconds)}, {self.bytes / 1e6:,.1f} MB on disk"
        return f"{self.total:,} variants at {rate}: {took}"


def preview(
    score: Score,
    records: Sequence[AnyRecord],
    total: int | None = None,
    *,
    shard_size: int = 256,
    ending: str = "h5",
) -> Preview | None:
    """Time a few variants and write their scores; both are thrown away.

    Args:
        score: Scores a list of records.
        records: Variants to time. The first is scored before the clock starts: it loads and compiles.
        total: Variants of the whole job.
        shard_size: Records of a shard of that job.
        ending: Of its files: "h5" or "zarr".

    Returns:
        What the job will take; None where fewer than two of the records can be scored.
    """
    able = [record for record in records if not record.reason]
    if len(able) < 2:
        return None
    first = score_group(score, able[:1])
    start = time.perf_counter()
    scores = score_group(score, able[1:])
    seconds = max(time.perf_counter() - start, 1e-9)
    size = bytes_each(ScoreSet.concat([first, scores]), min(shard_size, total or shard_size), ending)
    return Preview(len(able) - 1, (len(able) - 1) / seconds, size, total)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.2g} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
