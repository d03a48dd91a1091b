"""What scoring would do and cost, from the same checks that the verbs make."""

from __future__ import annotations

import inspect
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from genomekit.batch.folder import check_folder
from genomekit.batch.on_disk import bytes_each
from genomekit.batch.source import check_paths, records_of, within
from genomekit.batch.variants import score_variants
from genomekit.engine import Engine
from genomekit.engine.plan import Plan
from genomekit.errors import unknown
from genomekit.genome.spelling import read_variants
from genomekit.predict.request import AnyGenome, Options
from genomekit.scores import Record, ScorePart, ScoreSet, build
from genomekit.scores.records import AnyRecord
from genomekit.scoring.cost import cost_of
from genomekit.scoring.gene import GeneMaskScorer
from genomekit.scoring.job import Job, prepare
from genomekit.scoring.junction import JunctionScorer
from genomekit.scoring.scorer import Scorer
from genomekit.scoring.variant import Scene
from genomekit.scoring.verbs import INTERVAL_WIDTH, ON_ERROR, score_interval, score_variant

VERBS = ("score_variant", "score_variants", "score_interval")

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (score_variant, score_variants, score_interval)
}
_DECIDE = ("parity", "ref_check", "step")
_ELSE = ("out", "vcf_out", "on_error", "shard_size", "preview", "progress", "overwrite", "client")
"""Options that change nothing of what is computed."""
_SAMPLE = 16
"""Records, drawn from all, that say what one takes."""
_PACE = 0.7
"""Of the speed of whole passes, what scoring reaches: it reads many short stretches."""


def plan(engine: Engine, name: str, given: Any, genome: AnyGenome, options: dict[str, Any]) -> Plan:
    """Plan a call of a verb that scores.

    Args:
        engine: The network on a device.
        name: The verb, one of `VERBS`.
        given: Its first argument. Of many variants all are read, and some laid over their windows.
        genome: See `Model.score_variant`.
        options: Of that verb, by name.

    Raises:
        ValueError: What the verb itself would raise before it runs; or none of the variants can be scored.
    """
    _check(name, given, options)
    scorers, interval = options.pop("scorers", None), options.pop("interval", None)
    region = options.pop("region", None)
    settings = {key: options.pop(key) for key in _DECIDE if key in options}
    shared = {key: value for key, value in options.items() if key not in _ELSE}
    out, shard_size = options.get("out"), options.get("shard_size", 256)
    ending = None if out is None else "zarr" if check_folder(out).suffix == ".zarr" else "h5"
    if name == "score_interval" and scorers is None:
        scorers = GeneMaskScorer("rna_seq", width=INTERVAL_WIDTH)
    job = prepare(engine, genome, scorers, options=Options(**shared), **settings)
    if name == "score_interval":
        return _plan(name, "interval", _Drawn([Scene.of_interval(job, given)], 1, 1))
    if name == "score_variant":
        read = read_variants(given, job.genome)
        if not read:
            raise ValueError("No variant came; give at least one.")
        read = [job.resolved(one) for one in read]
        shown = None if interval is None else job.genome.locate(interval)
        return _plan(name, "variant" if len(read) == 1 else "haplotype", _Drawn([Scene.of(job, 0, read, shown)], 1, 1))
    check_paths(given, region=region)
    drawn = _drawn(job, records_of(job, given, within(job, region)))
    planned = _plan(name, "variant", drawn)
    if ending is None:
        return planned
    each = bytes_each(_made_up(drawn.scenes), min(shard_size, drawn.count), ending)
    return replace(planned, result_bytes=round(drawn.count * each))


def _check(name: str, given: Any, options: dict[str, Any]) -> None:
    """Refuse what the verb refuses, or what a plan would use up."""
    known = set(inspect.signature(_FUNCTIONS[name]).parameters) - {"engine", "genome", "options"}
    known |= set(Options.__annotations__)
    for option in options:
        if option not in known:
            raise unknown(f"option of {name}", option, sorted(known))
    if options.get("on_error", "row") not in ON_ERROR:
        raise unknown("on_error", options["on_error"], ON_ERROR)
    if options.get("shard_size", 1) < 1:
        raise ValueError(f"shard_size={options['shard_size']} came; give at least 1 record.")
    if isinstance(given, Iterator):
        raise ValueError("An iterator came; a plan would leave nothing of it. Give a list, a table or a VCF file.")


class _Drawn(NamedTuple):
    """What is scored: some of it, and how much there is."""

    scenes: list[Scene]
    count: int
    windows: int
    """Different ones."""
    largest: Scene | None = None
    """That of the longest variant."""
    laid: float = 0.0
    """Seconds that it takes to lay one over its window."""


def _drawn(job: Job, records: Iterable[AnyRecord]) -> _Drawn:
    """Draw some records from all, and lay them over their windows."""
    draw, kept, count, reason = random.Random(0), [], 0, "no variant came"
    longest: AnyRecord | None = None
    laid: list[float] = []
    windows: set[tuple[str, int]] = set()
    for record in records:
        if record.reason:
            reason = record.reason
            continue
        count += 1
        if longest is None or _length(record) > _length(longest):
            longest = record
        if job.step > 1:
            windows.add((record.chrom, record.position // job.step))
        # Any of those so far is as likely to be among the kept ones as any other.
        if len(kept) < _SAMPLE:
            kept.append(record)
        elif (place := draw.randrange(count)) < _SAMPLE:
            kept[place] = record
    scenes: list[Scene] = []
    for record in kept:
        begin = time.perf_counter()
        try:
            scenes.append(Scene.of_record(job, record))
        except Exception as error:  # whatever a scorer of the user's own may raise; scoring gives it a row
            reason = str(error)
        laid.append(time.perf_counter() - begin)
    if not scenes:
        raise ValueError(f"None of the variants can be scored: {reason.rstrip('.')}.")
    largest = scenes[-1]
    with suppress(Exception):
        largest = Scene.of_record(job, longest or kept[0])
    return _Drawn(scenes, count, len(windows) or count, largest, statistics.median(laid))


def _length(record: AnyRecord) -> int:
    return max(len(record.ref), len(record.alt))


def _plan(name: str, unit: str, drawn: _Drawn) -> Plan:
    scenes, job = drawn.scenes, drawn.scenes[0].job
    engine, every = job.engine, [*scenes, *([drawn.largest] if drawn.largest else [])]
    costs = [cost_of(scene) for scene in every]
    typical = costs[: len(scenes)]
    shared, own = (sum(part) / len(typical) for part in ([c.shared for c in typical], [c.own for c in typical]))
    lengths = {scene.window.length for scene in every}
    flops = drawn.windows * shared + drawn.count * own
    return Plan(
        call=name,
        device=str(engine.device),
        dtype=str(engine.dtype).removeprefix("torch."),
        window=max(lengths),
        tracks={scorer.modality: len(part.channels) for scorer, part in job.reads.items()},
        passes=drawn.count,
        unit=unit,
        bytes=max(cost.bytes for cost in costs),
        result_bytes=round(drawn.count * sum(map(_result_bytes, scenes)) / len(scenes)),
        budget=engine.budget,
        seconds=flops / (_PACE * engine.speed.flops_per_second) + drawn.count * drawn.laid,
        recomputed=0,
        mixed=len(lengths) > 1,
    )


def _made_up(scenes: list[Scene]) -> ScoreSet:
    """Give scenes the rows and labels that they will have, and any numbers."""
    draw, job = np.random.default_rng(0), scenes[0].job
    parts, records = [], []
    for number, scene in enumerate(scenes):
        touched = scene.place.touched
        records.append(Record(number, touched.chrom, touched.start + 1, "A", "C"))
        for scorer, own in _rows(scene).items():
            tracks = job.reads[scorer].rows
            obs = pd.DataFrame(own, index=range(len(own))).assign(record=number)
            values = draw.normal(size=(3, len(own), len(tracks))).astype(np.float32)
            parts.append(ScorePart(str(scorer), scorer.modality, scorer.signed, obs, tracks, *values))
    return build(records, parts, job.attrs)


def _result_bytes(scene: Scene) -> int:
    """Size of the scores and of the level of each allele."""
    return sum(3 * 4 * len(rows) * len(scene.job.reads[scorer].rows) for scorer, rows in _rows(scene).items())


def _rows(scene: Scene) -> dict[Scorer, list[dict[str, Any]]]:
    """Name the rows of each scorer; introns are not known before: one for each gene."""
    found = {scorer: [dict(row.target.row) for row in own] for scorer, own in scene.rows.items()}
    introns = [scorer for scorer in scene.job.reads if isinstance(scorer, JunctionScorer)]
    return found | {scorer: [{"gene_id": ""}] * len(scene.bodies) for scorer in introns}
