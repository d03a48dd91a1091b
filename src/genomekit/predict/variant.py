"""Both alleles of a variant or haplotype, in one labelled tree on one set of coordinates."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
import pandas as pd
import torch
import xarray as xr

from genomekit.align import align, alt_span, site_spans
from genomekit.engine import Engine
from genomekit.engine.held import Held
from genomekit.engine.strands import Part, read_window
from genomekit.errors import shorten, unknown
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import Edit
from genomekit.genome.interval import Interval
from genomekit.genome.spelling import read_variants
from genomekit.genome.variant import Variant, normalize
from genomekit.genome.window import Window
from genomekit.labels import prediction_tree, track_dataset
from genomekit.predict.request import AnyGenome, Options, Request, find_genome, find_own_organism, make_request
from genomekit.predict.result import attributes, check_letters, junction_node
from genomekit.predict.verbs import choose_window, encode_letters, place_of
from genomekit.splicing import annotated_sites, pool_sites, unstack

ALIGNMENTS = ("ref", "raw")

_CLASSES = np.arange(4), np.array([2, 3, 0, 1])
"""Channels of the splice site classes, and those of the other strand."""


def predict_variant(
    engine: Engine,
    variant: Variant | str,
    *,
    genome: AnyGenome,
    interval: Interval | str | None = None,
    align: str = "ref",
    ref_check: str = "error",
    **options: Unpack[Options],
) -> xr.DataTree:
    """Predict both alleles of a variant.

    Args:
        engine: The network on a device.
        variant: A `Variant`, or text in a spelling that `genome.spelling.read_variant` knows.
        genome: A `Genome`, the path of a FASTA, the name of a preset, or one of these per organism.
        interval: What to show; its window must hold the variant. None shows the window centered on the variant.
        align: "ref" puts ALT on REF coordinates at 1 bp; "raw" leaves it as read.
        ref_check: What to do where REF differs from the genome: "error", "warn" or "ignore".
        **options: See `Model.predict_sequence`.

    Returns:
        A tree as from `predict_interval`, with a leading dim `allele` of "ref" and "alt". See `Model.predict_variant`.

    Raises:
        ValueError: A variant that is not understood or lies outside the window, or as `predict_interval`.
        ReferenceMismatch: REF differs from the genome.
        OutOfMemory: The device is too small; cheaper calls are named.
    """
    return predict_haplotype(
        engine, [variant], genome=genome, interval=interval, align=align, ref_check=ref_check, **options
    )


def predict_haplotype(
    engine: Engine,
    variants: Iterable[Variant | str],
    *,
    genome: AnyGenome,
    interval: Interval | str | None = None,
    align: str = "ref",
    ref_check: str = "error",
    **options: Unpack[Options],
) -> xr.DataTree:
    """Predict the reference and one haplotype: all variants together are ALT.

    Args:
        engine: The network on a device.
        variants: Variants of one chromosome that do not overlap, as for `predict_variant`; with an interval there may
            be none, a haplotype that is the reference.
        genome: See `predict_variant` for this and the following.
        interval: See there; None shows the window centered on the stretch from the first to the last variant.
        align: See there.
        ref_check: See there.
        **options: See there.

    Returns:
        See there.

    Raises:
        ValueError: No variant, variants that overlap or lie on several chromosomes, or as `predict_variant`.
        ReferenceMismatch: REF differs from the genome.
        OutOfMemory: The device is too small; cheaper calls are named.
    """
    if align not in ALIGNMENTS:
        raise unknown("alignment", align, ALIGNMENTS)
    found = find_genome(genome, options.get("organism"))
    own = find_own_organism(engine, options.get("organism"), found)
    request = make_request(engine, own, options)
    given = read_variants(variants, found)
    window = window_of(engine, given, interval, found, options.get("window"))
    edit = Edit.of(given, window, found, ref_check=ref_check)
    return _Comparison(engine, request, found, window, edit, aligned=align == "ref").tree()


def window_of(
    engine: Engine, variants: list[Variant], interval: Interval | str | None, genome: Genome, length: int | None
) -> Window:
    """Choose the window of the interval asked for, else one centered on the variants and shown whole.

    Args:
        engine: The network on a device.
        variants: Those that it must hold; none where the interval is given is a haplotype that is the reference.
        interval: What to show.
        genome: Its genome.
        length: bp, one of the supported lengths; None is the default, or the next longer.
    """
    if interval is not None:
        return choose_window(engine, interval, genome, length)
    if not variants:
        raise ValueError("No variant came; give at least one, or with interval= a haplotype that is the reference.")
    place = hull(variants, genome)
    check_span(variants, place, engine.config.lengths, length)
    return replace(window := choose_window(engine, place, genome, length), interval=window.as_interval())


def hull(variants: Sequence[Variant], genome: Genome, *, parity: bool = False) -> Interval:
    """Return the stretch from the first to the last variant, 1 bp at least; windows are centered on it.

    Args:
        variants: One or more.
        genome: Its letters: every spelling of a variant has one place.
        parity: Take variants as spelled.

    Raises:
        ValueError: They lie on several chromosomes, or past the end of one.
    """
    for one in variants:
        chrom = genome.resolve(one.chrom)
        if max(one.end, one.start) > genome.chroms[chrom]:
            raise ValueError(
                f"Variant {shorten(one)} lies outside {chrom}, whose bases are numbered 1 to "
                f"{genome.chroms[chrom]:,}. Check the position and the assembly."
            )
    normal = variants if parity else [normalize(one, genome.fasta.fetch) for one in variants]
    if len(chroms := {one.chrom for one in normal}) > 1:
        raise ValueError(f"Variants on {', '.join(sorted(chroms))} came; give those of one chromosome.")
    return Interval(normal[0].chrom, min(v.start for v in normal), max(max(v.end, v.start + 1) for v in normal))


def check_span(variants: Sequence[Variant], place: Interval, lengths: Iterable[int], length: int | None) -> None:
    """Refuse variants that no window, or not the one asked for, can hold.

    Args:
        variants: One or more.
        place: What they span, as `hull` gives it.
        lengths: Supported lengths in bp.
        length: The one asked for; None is any.

    Raises:
        ValueError: They do not fit; the text says which windows would do.
    """
    known = sorted(lengths)
    named = f"Variant {shorten(variants[0])} spans" if len(variants) == 1 else f"{len(variants)} variants span"
    longer = [one for one in known if one >= place.width]
    if not longer:
        raise ValueError(
            f"{named} {place.width:,} bp and the longest window is {known[-1]:,} bp. "
            + (
                "With interval=, predict_variant and score_variant take the part of it that lies in the window of that "
                "interval."
                if len(variants) == 1
                else "Give those that lie closer together."
            )
        )
    if length in known and place.width > length:
        raise ValueError(
            f"{named} {place.width:,} bp and does not fit the window of {length:,} bp asked for. Leave window= out, or "
            f"give one of: {', '.join(f'{one:,}' for one in longer)}."
        )


@dataclass(frozen=True, eq=False)
class _Comparison:
    """Two alleles of one window."""

    engine: Engine
    request: Request
    genome: Genome
    window: Window
    edit: Edit
    aligned: bool

    def tree(self) -> xr.DataTree:
        """Predict and label what was asked for."""
        attrs = attributes(self.engine, self.window, self.request, place_of(self.window, self.genome))
        attrs["variant"] = "; ".join(str(variant) for variant in self.edit.variants)
        wanted, nodes = self.request.wanted, {}
        junctions = {name: part for name, part in wanted.items() if part.is_junction}
        values, sites = self._tracks(with_sites=bool(junctions))
        for name, part in wanted.items():
            if part.is_junction:
                nodes[name] = self._junctions(name, part, sites, attrs)
                continue
            resolution = part.modality.resolution
            start = self.window.start + self.window.bins(resolution).start * resolution
            own = {**attrs, "allele_alignment": self._alignment(resolution)}
            nodes[name] = track_dataset(
                values.pop(name), modality=part.modality, rows=part.rows, start=start, attrs=own
            )
        shared = {"coordinate_system": "0-based half-open", **attrs, "allele_alignment": self._alignment(1)}
        return prediction_tree(nodes, shared)

    def _alignment(self, resolution: int) -> str:
        shifted = any(event.ref_length != event.alt_length for event in self.edit.events)
        return "raw" if shifted and (resolution > 1 or not self.aligned) else "ref"

    @functools.cached_property
    def _encoded(self) -> tuple[np.ndarray, np.ndarray]:
        letters = (self.edit.ref, self.edit.alt)
        ref, alt = (encode_letters(x, self.window.start, self.window.chrom, self.genome) for x in letters)
        check_letters(ref, self.window)
        return ref, alt

    @functools.cached_property
    def _held(self) -> Held:
        # Junctions are counted at the sites of both alleles, when both have been read once.
        return Held()

    def _read(self, allele: int, wanted: Mapping[str, Part], bins: Mapping[str, slice], **more: Any) -> dict[str, Any]:
        strand, average = self.window.interval.strand, self.request.average_strands
        encoded, organism = self._encoded[allele], self.request.organism
        return read_window(self.engine, encoded, organism, wanted, bins, strand=strand, average=average, **more)

    def _tracks(self, *, with_sites: bool) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Read everything but junctions: (allele, bin, track) by modality, and the splice sites of both alleles."""
        parts = {name: part for name, part in self.request.wanted.items() if not part.is_junction}
        bins = {name: self.window.bins(part.modality.resolution) for name, part in parts.items()}
        there = {name: self._alt_bins(part, bins[name]) for name, part in parts.items()}
        classes = next((h.modality for h in self.engine.config.heads if h.kind == "splice_class"), "")
        if with_sites:
            # Sites are chosen from the whole window; the tracks asked for are cut out afterwards.
            parts[classes] = Part(self.engine.tracks.modalities[classes], pd.DataFrame(), *_CLASSES)
        whole = {classes: slice(0, self.window.length)} if with_sites else {}
        held = {"held": (self._held, 0)} if with_sites else {}, {"held": (self._held, 1)} if with_sites else {}
        ref, alt = self._read(0, parts, bins | whole, **held[0]), self._read(1, parts, there | whole, **held[1])
        sites = self._sites(ref[classes], alt[classes]) if with_sites else np.empty((4, 0), dtype=np.int64)
        if classes in bins and with_sites:
            channels = self.request.wanted[classes].channels
            ref[classes] = ref[classes][bins[classes]][:, channels]
            alt[classes] = alt[classes][there[classes]][:, channels]
        values = {}
        for name, kept in bins.items():
            # Popped, so that no more than one modality is in memory twice.
            values[name] = np.stack([ref.pop(name), self._on_ref(alt.pop(name), parts[name], kept)])
        return values, sites

    def _moves(self, part: Part) -> bool:
        return self.aligned and part.modality.resolution == 1

    def _alt_bins(self, part: Part, bins: slice) -> slice:
        """Return what of ALT must be read to show these bins of REF."""
        if not self._moves(part):
            return bins
        return slice(*alt_span(self.edit.events, bins.start, bins.stop, self.window.length))

    def _on_ref(self, alt: np.ndarray, part: Part, bins: slice) -> np.ndarray:
        if not self._moves(part):
            return alt
        span = bins.start, bins.stop
        return align(torch.from_numpy(alt), self.edit.events, self.window.length, span=span, fill=np.nan).numpy()

    def _sites(self, ref: np.ndarray, alt: np.ndarray) -> np.ndarray:
        """Choose the splice sites that both alleles are counted at."""
        window, length = self.window, self.window.length
        alt = align(torch.from_numpy(alt), self.edit.events, length).numpy()
        annotated = bodies = None
        if self.genome.has_annotation:
            inside = Interval(window.chrom, max(window.start, 0), window.end)
            annotated = annotated_sites(self.genome.splice_sites(inside), window.start, length)
            bodies = self._bodies()
        config = self.engine.config
        count, threshold = config.max_splice_sites, config.splice_threshold
        return pool_sites(ref, alt, annotated=annotated, bodies=bodies, count=count, threshold=threshold)

    def _bodies(self) -> np.ndarray | None:
        """Mark the bodies of the genes that a variant overlaps; None where there is no such gene."""
        marked = np.zeros(self.window.length, dtype=bool)
        for variant in self.edit.variants:
            place = Interval(variant.chrom, variant.start, max(variant.end, variant.start + len(variant.alt)))
            genes = self.genome.genes(place)
            for start, end in zip(genes["start"], genes["end"], strict=True):
                marked[max(start - self.window.start, 0) : max(end - self.window.start, 0)] = True
        return marked if marked.any() else None

    def _junctions(self, name: str, part: Part, sites: np.ndarray, attrs: Mapping[str, Any]) -> xr.Dataset:
        """Count the same introns in both alleles."""
        events, window = self.edit.events, self.window
        sources = site_spans(events, sites, window.length)
        ref = self._read(0, {name: part}, {}, sites=sites, held=(self._held, 0))[name]
        alt = self._read(1, {name: part}, {}, sites=sites, sources=sources, held=(self._held, 1))[name]
        chrom = str(attrs["chrom"])
        table, counts = unstack(ref.predictions, ref.sites, chrom=chrom, offset=window.start)
        _, changed = unstack(alt.predictions, alt.sites, chrom=chrom, offset=window.start)
        values = np.stack([counts, changed])
        # An intron whose exon end ALT lacks has no count there.
        lost = [window.start + site for site, (first, last) in sources.items() if first == last]
        values[1, (table["start"] - 1).isin(lost) | table["end"].isin(lost)] = np.nan
        own = {**attrs, "allele_alignment": "ref"}
        return junction_node(part, table, values, window, self.request.min_count, own)
