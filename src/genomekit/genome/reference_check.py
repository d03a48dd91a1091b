"""Say why the REF letters of a variant are not those of the genome."""

from __future__ import annotations

from collections.abc import Callable

from genomekit.genome.fasta import reverse_complement
from genomekit.genome.variant import Variant

_NEAR = 20  # bp searched on either side for REF letters long enough to be no chance match
_LONG = 4


def explain(variant: Variant, here: str, read: Callable[[str, int, int], str], assembly: str) -> str:
    """Return the text of the error: what came, what the genome has, and the likely cause.

    Args:
        variant: Chromosome named as in the genome.
        here: What the genome has at its place.
        read: (chrom, start, end) -> letters, 0-based half-open.
        assembly: Name of the genome.
    """
    cause = _cause(variant, here, read) or f"Is the position 1-based and the build {assembly}?"
    return (
        f"Variant {_short(str(variant))} says the reference is {_short(variant.ref)!r}, but {assembly} has "
        f"{_short(here)!r} there. {cause}"
    )


def _short(text: str) -> str:
    return text if len(text) <= 50 else f"{text[:47]}..."


def _cause(variant: Variant, here: str, read: Callable[[str, int, int], str]) -> str:
    size = len(variant.ref)
    # Of one letter, a quarter of all places match by chance; so a swap or the other strand is looked for first.
    if variant.alt and read(variant.chrom, variant.start, variant.start + len(variant.alt)) == variant.alt:
        return "The genome has the ALT letters: REF and ALT may be swapped."
    flanks = read(variant.chrom, variant.start - _NEAR, variant.end + _NEAR)
    if flanks[_NEAR + 1 : _NEAR + 1 + size] == variant.ref:
        return f"REF fits at {variant.position + 1:,}: is the position 0-based? Positions are 1-based."
    if flanks[_NEAR - 1 : _NEAR - 1 + size] == variant.ref:
        return f"REF fits at {variant.position - 1:,}: the position may be one too high."
    if reverse_complement(variant.ref) == here:
        return "REF fits the other strand: give the letters of the plus strand."
    if size >= _LONG:
        shift = flanks.find(variant.ref) - _NEAR
        if shift >= -_NEAR:
            return f"REF fits at {variant.position + shift:,}, {abs(shift)} bp away: check the position and the build."
    return ""
