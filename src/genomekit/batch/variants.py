"""The verb for many variants: a table, a list or a VCF in, scores in memory or in a folder out."""

from __future__ import annotations

import functools
import itertools
import os
import warnings
from collections.abc import Iterable, Iterator, Sized
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd
from tqdm.auto import tqdm

from genomekit.batch import vcf
from genomekit.batch.identity import identity
from genomekit.batch.isolate import Score, score_group
from genomekit.batch.job import score_records as score_into
from genomekit.batch.recipe import recipe
from genomekit.batch.records import groups
from genomekit.batch.source import Source, check_paths, records_of, within
from genomekit.batch.watch import watch
from genomekit.batch.workers import check_client
from genomekit.engine import Engine
from genomekit.errors import GenomekitWarning
from genomekit.genome.interval import Interval
from genomekit.predict.request import AnyGenome, Options
from genomekit.predict.verbs import choose_window
from genomekit.scores import ScoreSet, iter_shards
from genomekit.scores.records import AnyRecord
from genomekit.scoring.cost import cost_of
from genomekit.scoring.job import Job, Scorers, prepare
from genomekit.scoring.variant import Scene
from genomekit.scoring.verbs import score_records

if TYPE_CHECKING:
    from distributed import Client

_AT_ONCE = 32
"""Records scored between two looks at the bar, where nothing is written."""
_FIRST = 16
"""Records that say what memory the job takes."""


def score_variants(
    engine: Engine,
    source: Source,
    *,
    genome: AnyGenome,
    scorers: Scorers = None,
    region: Interval | str | None = None,
    out: str | os.PathLike[str] | None = None,
    vcf_out: str | os.PathLike[str] | None = None,
    on_error: str = "row",
    parity: bool = False,
    ref_check: str = "error",
    step: int = 1,
    shard_size: int = 256,
    preview: int = 5,
    progress: bool = True,
    overwrite: bool = False,
    client: Client | Any = None,
    **options: Unpack[Options],
) -> ScoreSet:
    """Score many variants.

    Args:
        engine: The network on a device.
        source: See `Model.score_variants` for this and all the following.
        genome: See there.
        scorers: See there.
        region: See there.
        out: See there.
        vcf_out: See there.
        on_error: See there.
        parity: See there.
        ref_check: See there.
        step: See there.
        shard_size: See there.
        preview: See there.
        progress: See there.
        overwrite: See there.
        client: See there.
        **options: Tracks, organism and window.
    """
    if client is not None:
        check_client(client)
        if out is None:
            raise ValueError("client= came without out=, and workers write into a folder. Give out='scores.zarr' too.")
    file = check_paths(source, out, vcf_out, region)
    settings: dict[str, Any] = {"parity": parity, "ref_check": ref_check, "step": step, "options": options}
    job = replace(prepare(engine, genome, scorers, **settings), apart=on_error == "row")
    if job.length is not None:  # said once, not in the row of every record
        choose_window(engine, Interval(next(iter(job.genome.chroms)), 0, 1), job.genome, job.length)
    place = within(job, region)
    records = records_of(job, source, place)
    if file is None:
        total = len(source) if isinstance(source, Sized) else None
    else:
        total = vcf.count(file, place) if progress else None  # of use to nobody else
    notes: dict[str, int] = {}
    records = watch(records, job.genome, notes, parity=parity, check=ref_check != "ignore")
    if client is None:  # else what fits is a matter of the workers
        records = _fitting(job, records)
    score: Score = functools.partial(score_records, job)
    if out is None:
        found = _in_memory(records, total, score, on_error, progress)
        if found is None:
            here = "" if place is None else f" that overlaps {place}"
            raise ValueError(
                "No variant came; give at least one." if file is None else f"VCF file {file} has no record{here}."
            )
        found.attrs |= notes
    else:
        known = identity(job)
        if client is not None:
            score, on_workers = recipe(job, client, **settings)
            known |= on_workers
        found = score_into(
            records,
            score,
            out,
            identity=known,
            shard_size=shard_size,
            on_error=on_error,
            total=total,
            preview=preview,
            progress=progress,
            overwrite=overwrite,
            client=client,
            notes=notes,
        )
    _tell_failures(job, found.records)
    if vcf_out is not None and file is not None:
        vcf.write(file, vcf_out, found, [found] if out is None else iter_shards(out))
    return found


def _tell_failures(job: Job, records: pd.DataFrame) -> None:
    """Warn of scorers that failed where others did not: such a record has scores, and nobody may read its reason."""
    for scorer in job.reads:
        mark = f"{scorer} failed"
        reasons = records["reason"][(records["status"] == "ok") & records["reason"].str.contains(mark, regex=False)]
        if len(reasons):
            first = reasons.iloc[0]
            warnings.warn(
                f"{scorer} has no scores of {len(reasons):,} of {len(records):,} records, where it failed; the other "
                f"scorers have theirs, and .records says why. The first: {first[first.index(mark) :].split('; ')[0]}",
                GenomekitWarning,
                stacklevel=4,
            )


def _fitting(job: Job, records: Iterator[AnyRecord]) -> Iterator[AnyRecord]:
    """Give the records back, once one that takes little is known to fit in memory.

    Raises:
        OutOfMemory: Not even the smallest of the first does; nothing was written yet.
    """
    first, scenes = list(itertools.islice(records, _FIRST)), []
    for record in first:
        with suppress(Exception):  # said again with its row, whatever a scorer of the user's own may raise
            scenes += [] if record.reason else [Scene.of_record(job, record)]
    if scenes:
        least = min(scenes, key=lambda scene: cost_of(scene).bytes)
        job.engine.require(cost_of(least).total, least.window.length, job.modalities)
    return itertools.chain(first, records)


def _in_memory(
    records: Iterable[AnyRecord], total: int | None, score: Score, on_error: str, progress: bool
) -> ScoreSet | None:
    done = []
    with tqdm(total=total, unit=" variants", desc="score", delay=2, disable=not progress) as bar:
        for group in groups(records, _AT_ONCE):
            done.append(score_group(score, group, on_error))
            bar.update(len(group))
    return ScoreSet.concat(done) if done else None
