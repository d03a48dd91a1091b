"""The verb: an interval in, the effect of every substitution out."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, Unpack

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from genomekit.engine import Engine
from genomekit.engine.incremental import Reference
from genomekit.errors import GenomekitWarning, unknown
from genomekit.genome.interval import Interval
from genomekit.ism.exact import Exact, substitutions
from genomekit.ism.gradient import Sensitivity
from genomekit.ism.job import Job, Scorers, Variants, prepare
from genomekit.ism.partial import Partial
from genomekit.ism.verify import largest_error
from genomekit.labels import mutagenesis_dataset
from genomekit.predict.request import AnyGenome, Options
from genomekit.predict.result import provenance

METHODS = ("exact", "hybrid", "taylor")


class Effects(NamedTuple):
    """What a method found."""

    effect: np.ndarray
    """(position, 4, track); 0 at the reference base, NaN where there is no base to edit."""
    reference: np.ndarray
    """(track,)."""
    exact: np.ndarray
    """(position, 4): which effects are exact."""
    attrs: dict[str, Any]


def ism(
    engine: Engine,
    interval: Interval | str,
    *,
    genome: AnyGenome,
    scorer: Scorers = None,
    method: str = "exact",
    refine: int = 0,
    mask: str | None = None,
    variant: Variants = None,
    verify: int = 0,
    resume: bool = True,
    **options: Unpack[Options],
) -> xr.Dataset:
    """Score every substitution of an interval.

    Args:
        engine: The network on a device.
        interval: What is mutated, 0-based half-open.
        genome: See `predict.predict_interval`.
        scorer: See `Model.ism` for this and all the following.
        method: "exact", "hybrid" or "taylor".
        refine: Largest first-order effects to compute exactly.
        mask: "variant" or "interval".
        variant: What stays in the sequence.
        verify: Edits to compare with full passes.
        resume: Keep finished parts of a long job.
        **options: Tracks and window.

    Returns:
        `effect` (position, base, track) and `reference` (track).
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if refine < 0 or verify < 0 or (refine and method == "exact"):
        raise ValueError(
            f"refine={refine} and verify={verify} came with method={method!r}; give numbers of edits, 0 or more, and "
            "refine only with 'hybrid' or 'taylor'."
        )
    job = prepare(
        engine, interval, genome, scorer, variant, mask or ("variant" if method == "exact" else "interval"), options
    )
    if method != "exact":
        _check_first_order(job, method)
    edits = np.array(substitutions(job.letters.letters, job.letters.offsets)).reshape(-1, 3)
    _check_letters(job)

    def run() -> Effects:
        reference = job.reference()
        if method == "exact":
            found = _exact(job, reference, edits, resume)
        else:
            found = _first_order(job, reference, edits, method, refine)
        if verify:
            found.attrs["verify_max_error"] = largest_error(job, reference, edits, verify)
        return found

    found = engine.within_memory(run, job.window.length, [read.scorer.modality for read in job.reads])
    return _label(job, found, method)


def _check_letters(job: Job) -> None:
    """Say which positions have no reference base, and refuse an interval without any."""
    unknown_base, absent = np.array(list(job.letters.letters)) == "N", job.letters.offsets < 0
    if unknown_base.all():
        raise ValueError(f"Interval {job.window.interval} has no known base to mutate: it holds only N.")
    found = []
    if count := int((unknown_base & ~absent).sum()):
        found.append(f"{count:,} positions are N, where all four bases are scored against N and none contributes")
    if count := int(absent.sum()):
        found.append(f"{count:,} positions are deleted or lie past the chromosome, and are NaN")
    if found:
        warnings.warn(f"Interval {job.window.interval}: {'; '.join(found)}.", GenomekitWarning, stacklevel=4)


def _check_first_order(job: Job, method: str) -> None:
    """A first-order method has one gradient, so one mask, and needs a score that has one."""
    if job.mask_at is None:
        raise ValueError(
            f"mask='variant' needs method='exact': {method!r} takes one gradient, so its mask stays in the middle of "
            "the interval. Leave mask out, or use method='exact'."
        )
    for read in job.reads:
        if not read.scorer.differentiable:
            raise ValueError(
                f"{read.scorer} has no gradient where ALT is REF, which method={method!r} needs. Use a signed "
                "aggregation such as 'diff_mean' or 'diff_log2_sum', or method='exact'."
            )


def _empty(job: Job) -> np.ndarray:
    effect = np.full((len(job.letters.letters), 4, job.tracks), np.nan, dtype=np.float32)
    for number, letter in enumerate(job.letters.letters):
        if letter != "N":
            effect[number, "ACGT".index(letter)] = 0
    return effect


def _exact(job: Job, reference: Reference, edits: np.ndarray, resume: bool) -> Effects:
    """Score every edit, keeping what is done."""
    effect, done = _empty(job), np.zeros(len(edits), dtype=bool)
    partial = Partial(job.key("exact"), len(edits), resume)
    for rows, values in partial.load():
        effect[edits[rows, 0], edits[rows, 2]] = values
        done[rows] = True
    resumed = int(done.sum())
    offsets = np.append(edits[:, 1], job.center)
    scorer = Exact(reference, job.orientation, job.reads, offsets, job.mask_at)
    waiting = np.flatnonzero(~done)
    bar = tqdm(total=len(edits), initial=resumed, unit="SNV", desc="ism", delay=2)
    try:
        for start in range(0, len(waiting), reference.batch):
            rows = waiting[start : start + reference.batch]
            values = _checked(job, scorer.effects(edits[rows, 1], edits[rows, 2]))
            effect[edits[rows, 0], edits[rows, 2]] = values
            partial.add(rows, values)
            bar.update(len(rows))
    except BaseException as error:
        partial.flush()
        if partial.path is not None and isinstance(error, KeyboardInterrupt):
            error.add_note(f"{bar.n:,} of {len(edits):,} effects are kept; the same call goes on from there.")
        raise
    finally:
        bar.close()
    partial.finish()
    levels = _checked(job, scorer.levels(job.center if job.mask_at is None else job.mask_at)[None])[0]
    known = np.isfinite(effect).any(axis=-1)
    return Effects(effect, levels, np.asarray(known), {"resumed_effects": resumed} if resumed else {})


def _first_order(job: Job, reference: Reference, edits: np.ndarray, method: str, refine: int) -> Effects:
    """Estimate every edit from one gradient, and compute the largest exactly."""
    assert job.mask_at is not None
    effect, orientation = _empty(job), job.orientation
    sensitivity = Sensitivity(reference, orientation, job.reads, job.mask_at)
    values = np.empty((len(edits), job.tracks), dtype=np.float32)
    for start in range(0, len(edits), _FIRST_ORDER):
        part = edits[start : start + _FIRST_ORDER]
        values[start : start + _FIRST_ORDER] = _checked(
            job, sensitivity.effects(method, orientation, part[:, 1], part[:, 2])
        )
    known = np.zeros(effect.shape[:2], dtype=bool)
    scorer = Exact(reference, orientation, job.reads, edits[:1, 1], job.mask_at)
    levels = _checked(job, scorer.levels(job.mask_at)[None])[0]
    attrs: dict[str, Any] = {}
    if refine:
        largest = np.argsort(-np.abs(values).max(axis=-1), kind="stable")[:refine]
        estimate = values[largest].copy()
        bar = tqdm(total=len(largest), unit="SNV", desc="refine", delay=2)
        for start in range(0, len(largest), reference.batch):
            rows = largest[start : start + reference.batch]
            values[rows] = _checked(job, scorer.effects(edits[rows, 1], edits[rows, 2]))
            bar.update(len(rows))
        bar.close()
        known[edits[largest, 0], edits[largest, 2]] = True
        attrs = {"refined": len(largest), "refined_pearson": _pearson(estimate, values[largest])}
    effect[edits[:, 0], edits[:, 2]] = values
    return Effects(effect, levels, known, attrs)


_FIRST_ORDER = 96
"""Edits whose change of the encoder is computed together."""


def _pearson(estimate: np.ndarray, exact: np.ndarray) -> float:
    """Correlate estimates with exact values, all tracks together; NaN where there is nothing to correlate."""
    a, b = estimate.ravel().astype(np.float64), exact.ravel().astype(np.float64)
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _checked(job: Job, values: Any) -> np.ndarray:
    """Copy scores to the host, each modality guarded under its own name."""
    parts, done = [], 0
    for read in job.reads:
        width = len(read.part.rows)
        parts.append(job.engine.checked(values[:, done : done + width].detach(), read.scorer.modality))
        done += width
    return np.concatenate(parts, axis=1)


def _label(job: Job, found: Effects, method: str) -> xr.Dataset:
    window, shown = job.window, job.window.interval
    attrs = {
        **job.place,
        "start": shown.start,
        "end": shown.end,
        "strand": shown.strand,
        "organism": job.request.organism,
        "window": f"{window.chrom}:{window.start}-{window.end}",
        "window_start": window.start,
        "window_end": window.end,
        "method": method,
        "mask": "variant" if job.mask_at is None else "interval",
        "scorer": "; ".join(str(read.scorer) for read in job.reads),
        "variant": "; ".join(str(one) for one in job.letters.variants),
        **found.attrs,
        **provenance(job.engine),
    }
    made = mutagenesis_dataset(
        found.effect,
        found.reference,
        letters=job.letters.letters,
        parts=[(read.part.modality, read.part.rows, str(read.scorer)) for read in job.reads],
        start=shown.start,
        exact=found.exact if method != "exact" else None,
        attrs=attrs,
    )
    signed = np.concatenate([np.full(len(read.part.rows), bool(read.scorer.signed)) for read in job.reads])
    return made.assign_coords(signed=("track", signed))
