"""Shards on the workers of a Dask cluster: processes of one machine, or the nodes of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomekit.batch.folder import write_shard
from genomekit.batch.isolate import Score, score_group
from genomekit.batch.preview import Preview, preview
from genomekit.scores.records import AnyRecord

if TYPE_CHECKING:
    from distributed import Client

_AHEAD = 3
"""Shards handed out for each worker, so that none waits."""
_LEAST = 64
"""Shards handed out at least: a cluster that adapts asks for workers by what is waiting."""


def check_client(client: Any) -> None:
    """Check that something can hand out work, and has somebody to do it.

    Raises:
        TypeError: It is no client.
        RuntimeError: The cluster has no worker.
    """
    if not all(callable(getattr(client, name, None)) for name in ("submit", "nthreads", "cancel")):
        raise TypeError(
            f"client={client!r} came; give a dask.distributed.Client, such as Client(cluster) or "
            "Client('tcp://HOST:8786')."
        )
    if not _count(client):
        raise RuntimeError("The cluster has no worker yet; call client.wait_for_workers(1) first.")


def preview_on(
    client: Client, score: Score, records: Sequence[AnyRecord], total: int | None, **shards: Any
) -> Preview | None:
    """Time a few variants on a worker, for all workers that there are now; see `preview`."""
    told = client.submit(preview, score, list(records), total, pure=False, **shards).result()
    return None if told is None else replace(told, workers=_count(client))


def run_on(client: Client, todo: Iterator[tuple[Path, list[AnyRecord]]], score: Score, on_error: str) -> Iterator[int]:
    """Score shards on workers, each of which writes its own; gives the records of each one that is done.

    A shard whose worker dies goes to another one; writing it twice does no harm.
    """
    from distributed import Future, as_completed

    running: set[Future] = set()
    done = as_completed()

    def hand_out() -> None:
        wanted = max(_AHEAD * _count(client), _LEAST)
        for target, records in islice(todo, max(wanted - len(running), 0)):
            # The recipe goes along with each shard: data left on a worker would be lost with it.
            future = client.submit(score_shard, score, records, on_error, str(target.absolute()), pure=False)
            running.add(future)
            done.add(future)

    hand_out()
    try:
        while running:
            future = next(done)
            running.discard(future)
            yield future.result()
            hand_out()
    finally:
        client.cancel(list(running))


def _count(client: Client) -> int:
    return len(dict(client.nthreads()))  # type: ignore[arg-type]


def score_shard(score: Score, records: list[AnyRecord], on_error: str, target: str) -> int:
    """Score and write one shard, on a worker; gives its number of records."""
    if not Path(target).exists():
        write_shard(score_group(score, records, on_error), Path(target))
    return len(records)
