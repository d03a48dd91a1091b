"""What a verb would do and cost, from the same checks that the verb makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from genomekit.batch import planned
from genomekit.engine import Engine
from genomekit.engine.cost import Asked, held_bytes, mutagenesis
from genomekit.engine.incremental import batch_size
from genomekit.engine.plan import Plan
from genomekit.engine.strands import Part
from genomekit.errors import unknown
from genomekit.genome.spelling import read_variants
from genomekit.genome.window import Window
from genomekit.ism.exact import substitutions
from genomekit.ism.job import prepare
from genomekit.predict.request import AnyGenome, Options, Request, find_genome, find_own_organism, make_request
from genomekit.predict.variant import window_of
from genomekit.predict.verbs import choose_window, listed, place_sequence

VERBS = (
    "predict_sequence",
    "predict_interval",
    "predict_intervals",
    "predict_variant",
    "predict_haplotype",
    "ism",
    *planned.VERBS,
)

_OWN = ("scorer", "method", "refine", "mask", "variant", "verify", "resume")


def plan(
    engine: Engine, call: str | Callable[..., Any], *arguments: Any, genome: AnyGenome = None, **options: Any
) -> Plan:
    """Plan a call of a verb; see `Model.plan`."""
    name = call if isinstance(call, str) else getattr(call, "__name__", repr(call))
    if name not in VERBS:
        raise unknown("verb", name, VERBS)
    if len(arguments) != 1:
        text = f"{name} takes one argument by position, and {len(arguments)} came; give that one, the rest by name."
        raise ValueError(text)
    if name in planned.VERBS:
        return planned.plan(engine, name, arguments[0], genome, options)
    if name == "ism":
        return _of_ism(engine, arguments[0], genome, options)
    if name == "predict_sequence":
        placed = options.pop("interval", None)
        request = make_request(engine, find_own_organism(engine, options.get("organism"), None), Options(**options))
        return _of_windows(engine, name, request, [place_sequence(engine, arguments[0], placed, options.get("window"))])
    if name in ("predict_variant", "predict_haplotype"):
        return _of_variants(engine, name, arguments[0], genome, options)
    found = find_genome(genome, options.get("organism"))
    request = make_request(engine, find_own_organism(engine, options.get("organism"), found), Options(**options))
    intervals = listed(arguments[0]) if name == "predict_intervals" else [arguments[0]]
    windows = [choose_window(engine, interval, found, options.get("window")) for interval in intervals]
    return _of_windows(engine, name, request, windows)


def _of_windows(engine: Engine, name: str, request: Request, windows: Iterable[Window]) -> Plan:
    windows = list(windows)
    channels = {modality: part.channels for modality, part in request.wanted.items()}
    flops = size = result = recomputed = longest = 0
    for window in windows:
        bins = {
            modality: window.bins(part.modality.resolution)
            for modality, part in request.wanted.items()
            if not part.is_junction
        }
        cost, kept = engine.cost(window.length, channels, bins)
        flops += cost.flops * (2 if request.average_strands else 1)
        size, recomputed, longest = max(size, cost.bytes), max(recomputed, kept), max(longest, window.length)
        result += sum(_result_bytes(engine, part, bins.get(modality)) for modality, part in request.wanted.items())
    passes = len(windows) * (2 if request.average_strands else 1)
    # Many windows come one after the other.
    result = result if len(windows) == 1 else result // max(len(windows), 1)
    return _plan(engine, name, request.wanted, longest, passes, "window", size, result, flops, recomputed)


def _of_variants(engine: Engine, name: str, variants: Any, genome: AnyGenome, options: dict[str, Any]) -> Plan:
    interval, *_ = (options.pop(own, None) for own in ("interval", "align", "ref_check"))
    found = find_genome(genome, options.get("organism"))
    request = make_request(engine, find_own_organism(engine, options.get("organism"), found), Options(**options))
    window = window_of(engine, read_variants(variants, found), interval, found, options.get("window"))
    one = _of_windows(engine, name, request, [window])
    # Two alleles. Junctions are counted at the sites of both, so that both windows are held, or read twice.
    held = 2 * one.passes * held_bytes(engine.config, window.length, engine.dtype, one.recomputed)
    fits = engine.budget is None or one.bytes + held <= engine.budget
    passes = 2 if fits or not any(part.is_junction for part in request.wanted.values()) else 4
    return replace(one, passes=passes * one.passes, seconds=passes * one.seconds, result_bytes=2 * one.result_bytes)


def _of_ism(engine: Engine, interval: Any, genome: AnyGenome, options: dict[str, Any]) -> Plan:
    own = {name: options.pop(name) for name in _OWN if name in options}
    method = own.get("method", "exact")
    mask = own.get("mask") or ("variant" if method == "exact" else "interval")
    job = prepare(engine, interval, genome, own.get("scorer"), own.get("variant"), mask, Options(**options))
    edits = len(substitutions(job.letters.letters, job.letters.offsets))
    computed = edits if method == "exact" else min(int(own.get("refine", 0)), edits)
    asked = []
    for read in job.reads:
        for part, bins, _ in read.asks(np.array([job.center]), job.window.length):
            asked.append(Asked(part.modality.head_kind, part.modality.resolution, len(part.channels), bins.width))
    shown = job.window.interval.width
    batch = batch_size(job.window.length)
    sizes = {"edits": computed, "batch": batch, "region": shown}
    cost = mutagenesis(engine.config, job.window.length, asked, engine.dtype, **sizes)
    parts = {read.scorer.modality: read.part for read in job.reads}
    result = shown * 4 * job.tracks * 4
    return _plan(engine, "ism", parts, job.window.length, edits, "substitution", cost.bytes, result, cost.flops, 0)


def _result_bytes(engine: Engine, part: Part, bins: slice | None) -> int:
    if bins is None:  # introns are not known before: as many as pairs of sites at the most
        return 2 * engine.config.max_splice_sites**2 * len(part.rows) * 4
    count = bins.stop - bins.start
    return count ** (2 if part.modality.head_kind == "contact" else 1) * len(part.rows) * 4


def _plan(
    engine: Engine,
    name: str,
    parts: Mapping[str, Part],
    window: int,
    passes: int,
    unit: str,
    size: int,
    result: int,
    flops: float,
    recomputed: int,
) -> Plan:
    return Plan(
        call=name,
        device=str(engine.device),
        dtype=str(engine.dtype).removeprefix("torch."),
        window=window,
        tracks={modality: len(part.channels) for modality, part in parts.items()},
        passes=passes,
        unit=unit,
        bytes=size,
        result_bytes=result,
        budget=engine.budget,
        seconds=flops / engine.speed.flops_per_second,
        recomputed=recomputed,
    )
