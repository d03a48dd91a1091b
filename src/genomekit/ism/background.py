"""The letters that are mutated: those of the reference genome, or of a haplotype laid over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from genomekit.engine.encode import BASES
from genomekit.errors import ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window
from genomekit.predict.verbs import encode_letters


class Background(NamedTuple):
    """One window of letters, and where its bases lie on the genome."""

    encoded: np.ndarray
    """One-hot of the window, plus strand, variants applied."""
    offsets: np.ndarray
    """Offset in the window of each position of the interval shown; -1 where a variant deletes it."""
    letters: str
    """Letter at each position of the interval shown, "N" where there is none."""
    variants: tuple[Variant, ...]
    """What was applied."""


def background(genome: Genome, window: Window, variants: Iterable[Variant]) -> Background:
    """Read a window and lay variants over it.

    The window keeps its length and its first base: what an insertion pushes past its end is cut off, what a deletion
    leaves free is filled with the bases that follow.

    Args:
        genome: Where the letters come from.
        window: What is read, and the interval shown.
        variants: Phased variants of one haplotype, on the window's chromosome, that do not overlap.

    Raises:
        ReferenceMismatch: REF letters differ from the genome's.
        ValueError: Variants overlap, lie on another chromosome or outside the window.
    """
    ordered = _checked(genome, window, variants)
    deleted = sum(max(0, len(v.ref) - len(v.alt)) for v in ordered)
    letters = genome.sequence(Interval(window.chrom, window.start, window.end + deleted))
    pieces, origins, done = [], [], 0
    for variant in ordered:
        start = variant.start - window.start
        stop = start + len(variant.ref)
        pieces += [letters[done:start], variant.alt]
        shared = min(len(variant.ref), len(variant.alt))
        inserted = np.full(len(variant.alt) - shared, -1)
        origins += [np.arange(done, start), np.arange(start, start + shared), inserted]
        done = stop
    joined = ("".join(pieces) + letters[done:])[: window.length]
    origin = np.concatenate([*origins, np.arange(done, len(letters))])[: window.length]
    offsets = np.full(window.length + deleted, -1)
    offsets[origin[origin >= 0]] = np.flatnonzero(origin >= 0)
    shown = window.interval
    offsets = offsets[shown.start - window.start : shown.end - window.start]
    encoded = encode_letters(joined, window.start, window.chrom, genome)
    found = "".join(joined[offset].upper() if offset >= 0 else "N" for offset in offsets)
    return Background(encoded, offsets, "".join(x if x in BASES else "N" for x in found), ordered)


def _checked(genome: Genome, window: Window, variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """Put variants in order, and check them against the genome and each other."""
    ordered, last = [], window.start
    for variant in sorted(variants, key=lambda v: (v.start, v.end)):
        chrom = genome.locate(Interval(variant.chrom, variant.start, max(variant.end, variant.start + 1))).chrom
        if chrom != window.chrom:
            raise ValueError(f"Variant {variant} is on {chrom} and the interval on {window.chrom}; give one of there.")
        if variant.start < last or variant.end > window.end:
            raise ValueError(
                f"Variant {variant} overlaps another one, or lies outside the window {window.chrom}:"
                f"{window.start}-{window.end}. Give variants of one haplotype that do not overlap, inside the window."
            )
        there = genome.sequence(Interval(chrom, variant.start, variant.end)).upper() if variant.ref else ""
        if there != variant.ref:
            raise ReferenceMismatch(
                f"Variant {variant} has REF {variant.ref!r}, and {genome!r} has {there!r} at {chrom}:"
                f"{variant.position}. Check the position (1-based) and the assembly."
            )
        ordered.append(variant)
        last = variant.end
    return tuple(ordered)
