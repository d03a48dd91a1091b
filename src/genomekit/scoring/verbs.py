"""The verbs: a variant, or an interval, and scorers in; a set of scores out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Unpack

import pandas as pd

from genomekit.engine import Engine
from genomekit.errors import OutOfMemory, unknown
from genomekit.genome.interval import Interval
from genomekit.genome.spelling import read_variants
from genomekit.genome.variant import Variant
from genomekit.predict.request import AnyGenome, Options
from genomekit.scores import ScorePart, ScoreSet, build
from genomekit.scores.records import AnyRecord
from genomekit.scoring.apart import failure
from genomekit.scoring.cost import cost_of
from genomekit.scoring.gene import GeneMaskScorer
from genomekit.scoring.job import Job, Scorers, prepare
from genomekit.scoring.variant import Scene, SharedReference

ON_ERROR = ("raise", "row")
INTERVAL_WIDTH = 200_001
"""bp of the recommended interval scorer."""


def score_variant(
    engine: Engine,
    variant: Variant | str | Iterable[Variant | str] | pd.DataFrame,
    *,
    genome: AnyGenome,
    scorers: Scorers = None,
    interval: Interval | str | None = None,
    parity: bool = False,
    ref_check: str = "error",
    **options: Unpack[Options],
) -> ScoreSet:
    """Score a variant, or the variants of one haplotype, against the reference.

    Args:
        engine: The network on a device.
        variant: See `Model.score_variant` for this and all the following.
        genome: See there.
        scorers: See there.
        interval: See there.
        parity: See there.
        ref_check: See there.
        **options: Tracks, organism and window.
    """
    job = prepare(engine, genome, scorers, parity=parity, ref_check=ref_check, options=options)
    variants = [job.resolved(one) for one in read_variants(variant, job.genome)]
    if not variants:
        raise ValueError("No variant came; give at least one.")
    shown = None if interval is None else job.genome.locate(interval)
    scene = Scene.of(job, 0, variants, shown)
    parts = _run(job, scene)
    first, many = variants[0], len(variants) > 1
    table = pd.DataFrame(
        {
            "record": [0],
            "chrom": [first.chrom],
            "position": [first.position],
            "ref": ["" if many else first.ref],
            "alt": ["" if many else first.alt],
            "variant": ["; ".join(map(str, variants))],
            "id": [first.name],
            "window": [_spelled(scene)],
            "status": ["ok"],
            "reason": [_reason(parts, job)],
        }
    )
    return build(table, parts, job.attrs)


def score_records(job: Job, records: Sequence[AnyRecord], *, on_error: str = "row") -> ScoreSet:
    """Score the records of a shard, one row of `.records` for each.

    Args:
        job: What `prepare` gives.
        records: Records; one that comes with a reason is not scored.
        on_error: "row" writes down why a record cannot be scored and goes on; "raise" raises.

    Raises:
        ValueError: A record cannot be scored and `on_error` is "raise".
        OutOfMemory: What is free on the device is too little; with a memory budget it is a reason of the record.
    """
    if on_error not in ON_ERROR:
        raise unknown("on_error", on_error, ON_ERROR)
    # A budget that was given makes a record too large whatever else the machine does.
    own_fault: tuple[type[Exception], ...] = (ValueError, FloatingPointError)
    if job.engine.memory_budget is not None:
        own_fault += (OutOfMemory,)
    rows, parts = [], []
    shared = SharedReference() if job.step > 1 else None
    for record in records:
        row = {"record": record.number, "chrom": record.chrom, "position": record.position, "ref": record.ref}
        row |= {"alt": record.alt, "id": record.id, "window": "", "status": "", "reason": record.reason}
        rows.append(row)
        if record.reason:
            continue
        try:
            scene = Scene.of_record(job, record)
            found = _run(job, scene, shared)
        except own_fault as error:
            if on_error == "raise":
                raise type(error)(f"Record {record.number} ({record.chrom}:{record.position}): {error}") from error
            row |= {"status": "failed", "reason": str(error)}
            continue
        parts += found
        lost = [failure(scorer, error) for scorer, error in (scene.failed or {}).items()]
        reason = "; ".join(filter(None, [_reason(found, job), *lost]))
        row |= {"window": _spelled(scene), "status": "ok", "reason": reason}
    return build(pd.DataFrame(rows), parts, job.attrs)


def score_interval(
    engine: Engine,
    interval: Interval | str,
    *,
    genome: AnyGenome,
    scorers: Scorers = None,
    **options: Unpack[Options],
) -> ScoreSet:
    """Measure an interval of the reference: the level of every row that scorers give for it.

    Args:
        engine: The network on a device.
        interval: See `Model.score_interval` for this and all the following.
        genome: See there.
        scorers: See there.
        **options: Tracks, organism and window.
    """
    if scorers is None:
        scorers = GeneMaskScorer("rna_seq", width=INTERVAL_WIDTH)
    job = prepare(engine, genome, scorers, options=options)
    scene = Scene.of_interval(job, interval)
    shown = scene.window.interval
    found = _run(job, scene)
    levels = [replace(one, signed=False, raw=one.ref, ref=None, alt=None) for one in found if one.ref is not None]
    measured = {one.scorer for one in levels}
    if silent := [str(scorer) for scorer in job.reads if str(scorer) not in measured]:
        raise ValueError(
            f"{'; '.join(silent)} compares two alleles and has no level() of one, and an interval has no other. "
            "Measure it with another scorer, such as GeneMaskScorer or CenterMaskScorer."
        )
    row = {"record": 0, "chrom": shown.chrom, "position": shown.start + 1, "ref": "", "alt": "", "variant": str(shown)}
    row |= {"window": _spelled(scene), "status": "ok", "reason": _reason(levels, job)}
    return build(pd.DataFrame([row]), levels, job.attrs)


def _run(job: Job, scene: Scene, shared: SharedReference | None = None) -> list[ScorePart]:
    names = job.modalities
    if shared is None:  # else part of what it takes may be there already
        job.engine.require(cost_of(scene).total, scene.window.length, names)
    return job.engine.within_memory(lambda: scene.parts(shared), scene.window.length, names)


def _spelled(scene: Scene) -> str:
    return f"{scene.window.chrom}:{scene.window.start}-{scene.window.end}"


def _reason(parts: list[ScorePart], job: Job) -> str:
    """Say which scorers had nothing to score, and why."""
    why: dict[str, Any] = {}
    for scorer in job.reads:
        gene = getattr(scorer, "gene", None)
        asked = gene if isinstance(gene, str | None) else ", ".join(gene)
        why[str(scorer)] = scorer.nothing if asked is None else f"{scorer.nothing} (asked for: {asked})"
    return "; ".join(f"{part.scorer}: {why[part.scorer]}" for part in parts if not len(part.obs))
