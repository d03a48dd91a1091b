"""Score any number of records into a folder, shard by shard, and go on where an earlier call stopped."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from genomekit.batch.folder import Folder, write_shard
from genomekit.batch.isolate import Score, score_group
from genomekit.batch.preview import Preview
from genomekit.batch.preview import preview as time_some
from genomekit.batch.records import as_records, groups
from genomekit.batch.workers import check_client, preview_on, run_on
from genomekit.errors import unknown
from genomekit.scores.records import AnyRecord
from genomekit.scores.score_set import ScoreSet
from genomekit.scores.sharded import open_sharded

if TYPE_CHECKING:
    from distributed import Client

Shard = tuple[Path, list[AnyRecord]]
_WORTH = 20  # times the variants that a preview times; a smaller job is done sooner than it is announced


def score_records(
    source: pd.DataFrame | Iterable[Any],
    score: Score,
    out: str | os.PathLike[str],
    *,
    identity: Mapping[str, object],
    shard_size: int = 256,
    on_error: str = "row",
    total: int | None = None,
    preview: int = 5,
    progress: bool = True,
    overwrite: bool = False,
    client: Client | Any = None,
    notes: Mapping[str, object] | None = None,
) -> ScoreSet:
    """Score records into a folder; the same call goes on where an earlier one was stopped.

    Records are read as a stream and cut into shards. A shard appears in the folder when it is complete, under a name
    that hashes its records and `identity`: whatever stops the process, at most the shards in flight are lost, and
    what a later call adds is the same to the byte.

    Args:
        source: A table, a list of variants or texts, or a stream of records; see `as_records`.
        score: Scores a list of records. With `client` it is pickled: see `PerProcess`.
        out: The folder; the ending `.zarr` makes it one Zarr store, any other name holds HDF5 files.
        identity: What else decides the numbers, such as scorers, hash of the weights, genome, window: plain strings and
            numbers. A folder of another identity is refused.
        shard_size: Records of a shard.
        on_error: "row" gives a record that fails a row with the reason; "raise" stops at it.
        total: Records there are, where `source` has no length.
        preview: Variants to time before a job of at least twenty times so many, to say what it will take; 0 for none.
        progress: Show the preview and a bar.
        overwrite: Replace what other records or another identity left in the folder; what fits is kept.
        client: A `dask.distributed.Client`: its workers score the shards. They need to see the folder.
        notes: What the source noticed of its records, looked at when all have come; for the attributes of the result.

    Returns:
        The scores, read from the folder as they are asked for; one row of `records` for each record.

    Raises:
        ValueError: The folder holds another job or something else, or is named like a file; records whose numbers do
            not rise; with `on_error="raise"`, a record that cannot be scored.
        TypeError: `client` is no client.
        RuntimeError: Another process writes into the folder, nothing can be scored for a reason not in the records, or
            `client` has no workers, or one that cannot make its scoring function.
        KeyboardInterrupt: Finished shards stay; the text says how many.
    """
    if shard_size < 1:
        raise ValueError(f"shard_size={shard_size} came; give at least 1 record.")
    if on_error not in ("row", "raise"):
        raise unknown("on_error", on_error, ("row", "raise"))
    if client is not None:
        check_client(client)
    if total is None and isinstance(source, Sized):
        total = len(source)
    records = as_records(source)
    folder = Folder(out, identity, shard_size, overwrite)
    with folder.opened(), _Progress(total, progress, folder.path) as bar:
        todo = _missing(folder, groups(records, shard_size), bar)
        if preview and progress:
            here = functools.partial(time_some, score)
            timed = here if client is None else functools.partial(preview_on, client, score)
            todo = _announced(todo, timed, preview, bar, folder)
        if client is None:
            for target, records in todo:
                write_shard(score_group(score, records, on_error), target)
                bar.add(len(records))
        else:
            for count in run_on(client, todo, score, on_error):
                bar.add(count)
        folder.finish(bar.shards, bar.seen, notes or {})
    return open_sharded(folder.path)


class _Progress:
    """Counts records, shows a bar, and says on an interruption what is kept."""

    def __init__(self, total: int | None, show: bool, path: Path) -> None:
        self.total, self.path = total, path
        self.bar = tqdm(total=total, unit=" variants", desc="score", delay=2, disable=not show)
        self.seen = self.shards = self.kept = 0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.bar.close()
        if isinstance(error, KeyboardInterrupt):
            error.add_note(f"{self.kept:,} records are done and kept in {self.path}; the same call goes on there.")

    def add(self, count: int, *, found: bool = False) -> None:
        """Count records of a finished shard; those of an earlier call say nothing about speed."""
        self.kept += count
        if found and not self.bar.disable:
            self.bar.initial += count
        self.bar.update(count)


def _missing(folder: Folder, parts: Iterator[list[AnyRecord]], bar: _Progress) -> Iterator[Shard]:
    """Give the shards that are not there yet."""
    for number, records in enumerate(parts):
        target = folder.target(number, records)
        bar.seen += len(records)
        bar.shards += 1
        if folder.has(target):
            bar.add(len(records), found=True)
        else:
            yield target, records


def _announced(
    todo: Iterator[Shard], timed: Callable[..., Preview | None], count: int, bar: _Progress, folder: Folder
) -> Iterator[Shard]:
    """Say what the job will take, before its first shard."""
    for first in todo:
        left = None if bar.total is None else bar.total - bar.kept
        if len(first[1]) < folder.shard_size:
            left = len(first[1])  # no other shard comes after one that is not full
        if left is None or left >= _WORTH * count:
            able = [record for record in first[1] if not record.reason]
            # Of the whole shard: neighbours are alike, and the first ones often lie where no gene is.
            places = np.unique(np.linspace(0, len(able) - 1, count + 1).astype(int)) if able else []
            shards = {"shard_size": folder.shard_size, "ending": folder.ending}
            if told := timed([able[place] for place in places], left, **shards):
                print(told, file=sys.stderr)
        yield first
        yield from todo
