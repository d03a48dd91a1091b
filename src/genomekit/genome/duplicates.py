"""Find variants that make the same change as one before, however they are spelled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from genomekit.genome.variant import Variant, normalize


class Duplicates:
    """Remembers changes in the order they come, in 16 bytes each.

    Args:
        read: (chrom, start, end) -> letters, 0-based half-open, N past the ends: variants are compared shifted left and
            trimmed. None compares them as they are spelled.

    Example:
        >>> known = Duplicates(lambda chrom, start, end: "GGCACACAT"[start:end])
        >>> spelled = [Variant("chrI", 7, "CA", ""), Variant("chrI", 2, "GCA", "G"), Variant("chrI", 3, "C", "T")]
        >>> [known.first(number, variant) for number, variant in enumerate(spelled)]
        [None, 0, None]
    """

    def __init__(self, read: Callable[[str, int, int], str] | None = None) -> None:
        self.read = read
        self._first: dict[bytes, int] = {}

    def first(self, number: int, variant: Variant) -> int | None:
        """Return the number under which the same change came first; None where this is the first time.

        Args:
            number: Of this one.
            variant: Its chromosome named as in the genome.
        """
        key = hashlib.blake2b(str(self._normal(variant)).encode(), digest_size=16).digest()
        found = self._first.setdefault(key, number)
        return None if found == number else found

    def _normal(self, variant: Variant) -> Variant:
        if self.read is None or variant.is_snv:
            return variant
        try:
            # The letters that a shift passes over are those of the genome, so those of REF have to be as well.
            if variant.ref and self.read(variant.chrom, variant.start, variant.end) != variant.ref:
                return variant
            return normalize(variant, self.read)
        except ValueError:  # past the end of the chromosome
            return variant
