"""The letters that are mutated: those of the reference genome, or of a haplotype laid over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from genomekit.engine.encode import BASES
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import Edit, alt_offsets
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window
from genomekit.predict.verbs import encode_letters


class Background(NamedTuple):
    """One window of letters, and where its bases lie on the genome."""

    encoded: np.ndarray
    """One-hot of the window, plus strand, variants applied."""
    offsets: np.ndarray
    """Offset in the window of each position of the interval shown; -1 where a variant deletes it, and past the ends of
    the chromosome."""
    letters: str
    """Letter at each position of the interval shown, "N" where there is none."""
    variants: tuple[Variant, ...]
    """What was applied."""


def background(genome: Genome, window: Window, variants: Iterable[Variant]) -> Background:
    """Read a window and lay variants over it, by the rules of `Edit`.

    Args:
        genome: Where the letters come from.
        window: What is read, and the interval shown.
        variants: Phased variants of one haplotype, on the window's chromosome, that do not overlap.

    Raises:
        ReferenceMismatch: REF letters differ from the genome's.
        ValueError: Variants overlap, lie on another chromosome or outside the window.
    """
    edit = Edit.of(variants, window, genome)
    first, last = (place - window.start for place in (window.interval.start, window.interval.end))
    offsets = alt_offsets(edit.events, first, last, window.length)
    places = np.arange(window.interval.start, window.interval.end)
    offsets[(places < 0) | (places >= genome.chroms[window.chrom])] = -1
    found = "".join(edit.alt[offset] if offset >= 0 else "N" for offset in offsets)
    letters = "".join(letter if letter in BASES else "N" for letter in found)
    return Background(encode_letters(edit.alt, window.start, window.chrom, genome), offsets, letters, edit.variants)
