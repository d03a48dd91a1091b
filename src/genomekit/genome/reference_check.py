"""Say why the REF letters of a variant are not those of the genome, and of how many variants they are not."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable

from genomekit.errors import GenomekitWarning, shorten
from genomekit.genome.fasta import reverse_complement
from genomekit.genome.variant import Variant

Read = Callable[[str, int, int], str]

_NEAR = 20  # bp searched on either side for REF letters long enough to be no chance match
_LONG = 4
_EARLY = 100
"""Records after which it is said, long before a job is through."""
_FEW = 3
_MANY = 0.1
"""Share of records from which on the file is at fault, and not the record: of its own build every REF fits."""
_ALL = 0.9
"""Share of them that one cause has to explain: of single letters every third or fourth fits by chance."""


def explain(variant: Variant, here: str, read: Read, assembly: str) -> str:
    """Return the text of the error: what came, what the genome has, and the causes that would explain it.

    Args:
        variant: Chromosome named as in the genome.
        here: What the genome has at its place.
        read: (chrom, start, end) -> letters, 0-based half-open.
        assembly: Name of the genome.
    """
    found = list(_causes(variant, here, read).values())
    asked = ", ".join(found[:-1]) + (", or " if len(found) > 1 else "") + found[-1] + "?" if found else ""
    cause = (
        asked[:1].upper() + asked[1:] or f"Nothing near by fits REF: is the position 1-based and the build {assembly}?"
    )
    return (
        f"Variant {shorten(variant)} says the reference is {shorten(variant.ref)!r}, but {assembly} has "
        f"{shorten(here)!r} there. {cause}"
    )


def _causes(variant: Variant, here: str, read: Read) -> dict[str, str]:
    """Return what would make REF fit: the same words for every variant, and what to ask about this one."""
    size, position, found = len(variant.ref), variant.position, {}
    if variant.alt and read(variant.chrom, variant.start, variant.start + len(variant.alt)) == variant.alt:
        found["REF and ALT swapped"] = "are REF and ALT swapped (the genome has ALT)"
    flanks = read(variant.chrom, variant.start - _NEAR, variant.end + _NEAR)
    if flanks[_NEAR + 1 : _NEAR + 1 + size] == variant.ref:
        found["position + 1 (positions are 1-based)"] = f"is the position 0-based (REF fits at {position + 1:,})"
    if flanks[_NEAR - 1 : _NEAR - 1 + size] == variant.ref:
        found["position - 1"] = f"is the position one too high (REF fits at {position - 1:,})"
    if reverse_complement(variant.ref) == here:
        found["the letters of the plus strand"] = "are the letters those of the minus strand (their complement fits)"
    if size >= _LONG and not found and (shift := flanks.find(variant.ref) - _NEAR) >= -_NEAR:
        found["another place"] = f"is the position {abs(shift)} bp off (REF fits at {position + shift:,})"
    return found


class ReferenceTally:
    """Counts variants whose REF letters are not those of the genome, and warns once where they are many.

    Args:
        read: (chrom, start, end) -> letters, 0-based half-open, N past the ends.
        assembly: Name of the genome.

    Example:
        >>> tally = ReferenceTally(lambda chrom, start, end: "ACGTACGT"[max(start, 0) : end], "toy")
        >>> tally.fits(Variant("chrI", 2, "C", "A")), tally.fits(Variant("chrI", 3, "C", "A"))
        (True, False)
        >>> tally.missed, tally.seen
        (1, 2)
    """

    def __init__(self, read: Read, assembly: str) -> None:
        self.read = read
        self.assembly = assembly
        self.seen = self.missed = 0
        self._causes: Counter[str] = Counter()
        self._told = False

    def fits(self, variant: Variant) -> bool:
        """Compare the REF letters of a variant, its chromosome named as in the genome."""
        try:
            here = self.read(variant.chrom, variant.start, variant.end) if variant.ref else ""
        except ValueError:  # past the end of the chromosome
            self.count(False)
            return False
        if here == variant.ref:
            self.count(True)
            return True
        self._causes.update(list(_causes(variant, here, self.read)))
        self.count(False)
        return False

    def count(self, fits: bool) -> None:
        """Count a variant."""
        self.seen += 1
        self.missed += not fits
        if self.seen == _EARLY:
            self.tell(f"the first {self.seen:,}")

    def tell(self, among: str = "") -> None:
        """Warn where many of them do not fit, once."""
        if self._told or self.missed < _FEW or self.missed < _MANY * self.seen:
            return
        self._told = True
        cause, count = (self._causes.most_common(1) or [("", 0)])[0]
        remedy = "Are they on another build?"
        if count >= _ALL * self.missed:
            remedy = f"{'All' if count == self.missed else f'{count:,}'} of these would fit with {cause}."
        warnings.warn(
            f"{self.missed:,} of {among or f'{self.seen:,}'} records do not match the reference of {self.assembly}. "
            f"{remedy}",
            GenomekitWarning,
            stacklevel=2,
        )
