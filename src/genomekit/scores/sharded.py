"""Scores of a long job: a folder of shards, each a set of scores by itself, read together and only as needed.

Layout: `job.json` says what the job is and whether it is complete; `shards/` holds one `.h5` file or `.zarr` folder for
each stretch of records, named by its number and the hash of all that decides its content.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

from genomekit.errors import GenomekitWarning
from genomekit.scores.layout import common, join
from genomekit.scores.records import record_table
from genomekit.scores.score_set import ScoreSet
from genomekit.scores.store import open_scores, opened, read_records, read_table

JOB = "job.json"
SHARDS = "shards"


def is_sharded(path: Path) -> bool:
    """Whether a path is the folder of a job."""
    return (path / JOB).is_file()


def read_job(folder: Path) -> dict[str, Any]:
    """Read what a job is.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        job = json.loads((folder / JOB).read_text())
        return {**job, "identity": dict(job["identity"]), "complete": bool(job["complete"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder / JOB} cannot be read ({type(error).__name__}: {error}); the folder is damaged or not "
            "ours. Choose another folder."
        ) from error


def shard_paths(folder: Path) -> list[Path]:
    """List the shards that are there, by number."""
    return sorted(path for path in (folder / SHARDS).glob("[0-9]*-*") if path.suffix in (".h5", ".zarr"))


def iter_shards(path: str | os.PathLike[str]) -> Iterator[ScoreSet]:
    """Read the shards of a job one after the other, for work on more scores than fit into memory.

    Args:
        path: The folder of a job, finished or not.

    Raises:
        FileNotFoundError: There is no job.
        ValueError: A shard is damaged.
    """
    folder = Path(path)
    if not is_sharded(folder):
        raise FileNotFoundError(f"{folder} is not the folder of a batch job: it has no {JOB}.")
    return (open_scores(shard) for shard in shard_paths(folder))


def open_sharded(path: str | os.PathLike[str]) -> ScoreSet:
    """Open a job as one set of scores. Records are read at once, the table of a scorer each time it is asked for.

    Args:
        path: The folder of a job; one that is not complete gives what is there, with a warning.

    Raises:
        ValueError: The folder or a shard is damaged.
    """
    folder = Path(path)
    job = read_job(folder)
    records, attrs, about = [], [], []
    for shard in shard_paths(folder):
        with opened(shard) as (root, facts):
            records.append(read_records(root))
        attrs.append(facts["attrs"])
        about.append((shard, facts["facts"]))
    full = [table for table in records if len(table)]
    table = record_table(pd.concat(full, ignore_index=True)) if full else record_table([])
    if not job["complete"]:
        text = f"{folder} is not complete: {len(table):,} records are done so far. Run the same job again to go on."
        warnings.warn(text, GenomekitWarning, stacklevel=3)
    return ScoreSet(table, ShardTables(about), {**common(attrs), **job.get("notes", {})})


class ShardTables(Mapping[str, AnnData]):
    """Tables by scorer, each put together from the shards when it is asked for.

    Args:
        shards: Each shard, and what it holds, in the order of its tables.
    """

    def __init__(self, shards: Sequence[tuple[Path, list[dict[str, Any]]]]) -> None:
        self._shards = shards
        self._names = list(dict.fromkeys(known["scorer"] for _, facts in shards for known in facts))

    def __getitem__(self, scorer: str) -> AnnData:
        if scorer not in self._names:
            raise KeyError(scorer)
        parts = []
        for path, facts in self._shards:
            found = [number for number, known in enumerate(facts) if known["scorer"] == scorer]
            if found:
                with opened(path) as (root, _):
                    parts.append(read_table(root, found[0]))
        return join(parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, scorer: object) -> bool:
        return scorer in self._names

    def facts(self) -> list[dict[str, Any]]:
        """What the tables hold, from what each shard says of itself."""
        merged: dict[str, dict[str, Any]] = {}
        for _, facts in self._shards:
            for known in facts:
                before = merged.get(known["scorer"])
                if before is None or not before["rows"]:  # a table without rows cannot say what they are about
                    merged[known["scorer"]] = dict(known)
                else:
                    before["rows"] += known["rows"]
        return list(merged.values())
