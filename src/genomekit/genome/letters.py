"""Letters as small integers: what training and evaluation index with."""

from __future__ import annotations

import numpy as np

UNKNOWN = 4
COMPLEMENT_CODES = np.array([3, 2, 1, 0, UNKNOWN], np.uint8)
"""Code of the complement of each code."""


def _table() -> np.ndarray:
    table = np.full(256, UNKNOWN, np.uint8)
    for code, letter in enumerate("ACGT"):
        table[[ord(letter), ord(letter.lower())]] = code
    return table


_CODES = _table()


def base_codes(letters: str) -> np.ndarray:
    """Return uint8 codes A 0, C 1, G 2, T 3 and 4 for anything else; either case.

    Example:
        >>> base_codes("acgTN").tolist()
        [0, 1, 2, 3, 4]
    """
    return _CODES[np.frombuffer(letters.encode("latin-1", "replace"), np.uint8)]
