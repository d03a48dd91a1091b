"""Letters to one-hot and back from the other strand: reverse complement of inputs and of raw outputs.

Everything here is NumPy, on what goes into and what came out of the device.
"""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from genomekit.errors import GenomekitWarning

BASES = "ACGT"
AMBIGUOUS = "RYSWKMBDHV"
"""IUPAC codes for more than one base; like N they are read as "not known"."""


def _table() -> np.ndarray:
    """Row of each byte: one-hot for the bases, zeros for N and the ambiguity codes, NaN for all else."""
    table = np.full((256, 4), np.nan, dtype=np.float32)
    for letter in AMBIGUOUS + "N":
        table[[ord(letter), ord(letter.lower())]] = 0.0
    for index, letter in enumerate(BASES):
        table[[ord(letter), ord(letter.lower())]] = np.eye(4, dtype=np.float32)[index]
    return table


_ONE_HOT = _table()


def one_hot(sequence: Any) -> Float[np.ndarray, "position 4"]:
    """Encode a sequence as float32 in the order A C G T.

    Args:
        sequence: Letters in either case, or an array or tensor (position, 4) that already is one-hot. N and the other
            IUPAC codes become zeros; codes other than N are counted and warned about.

    Raises:
        ValueError: A letter that is no IUPAC code (its 0-based position is named), or an array of another shape.

    Example:
        >>> one_hot("aN").tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    if not isinstance(sequence, str):
        return _from_array(sequence)
    # Anything outside Latin-1 becomes "?", which is no IUPAC code either.
    codes = np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)
    encoded = _ONE_HOT[codes]
    bad = np.isnan(encoded[:, 0])
    if bad.any():
        first = int(bad.argmax())
        hint = " U is RNA: write T." if sequence[first] in "Uu" else ""
        allowed = f"{BASES}, N and the IUPAC codes {AMBIGUOUS}, in either case"
        raise ValueError(
            f"Letter {sequence[first]!r} at position {first} (0-based) is no DNA letter, one of {int(bad.sum())} such. "
            f"Allowed are {allowed}.{hint}"
        )
    _report_ambiguous(codes)
    return encoded


def _report_ambiguous(codes: np.ndarray) -> None:
    """Warn about codes for several bases."""
    of_byte = np.bincount(codes, minlength=256)
    counts = {letter: int(of_byte[ord(letter)] + of_byte[ord(letter.lower())]) for letter in AMBIGUOUS}
    if total := sum(counts.values()):
        found = ", ".join(f"{letter}: {count}" for letter, count in counts.items() if count)
        warnings.warn(f"{total} ambiguity codes ({found}) are read as N.", GenomekitWarning, stacklevel=4)


def _from_array(array: Any) -> Float[np.ndarray, "position 4"]:
    if hasattr(array, "detach"):
        array = array.detach().cpu()
    values = np.asarray(array)
    if values.ndim != 2 or values.shape[1] != 4:
        turned = " Transpose it." if values.ndim == 2 and values.shape[0] == 4 else ""
        raise ValueError(
            f"An array of shape {values.shape} came as a sequence; give letters, or one-hot of shape (position, 4) in "
            f"the order A C G T.{turned}"
        )
    if values.dtype.kind not in "fiub" or not np.isfinite(values).all():
        raise ValueError(
            f"A one-hot array holds finite numbers; this one is {values.dtype} or has NaN or infinity in it."
        )
    return values.astype(np.float32)


def reverse_complement(encoded: Float[np.ndarray, "position 4"]) -> Float[np.ndarray, "position 4"]:
    """Return the other strand: positions reversed, A and T swapped, C and G swapped.

    Example:
        >>> bool((reverse_complement(one_hot("AACG")) == one_hot("CGTT")).all())
        True
    """
    return np.ascontiguousarray(encoded[::-1, ::-1])


def reverse_bins(bins: slice, total: int, shifted: bool = False) -> slice:
    """Return the bins of the other strand's output that hold what `bins` of this strand's shall.

    Args:
        bins: Bins counted along this strand.
        total: Bins of the whole window.
        shifted: The modality shifts right by one bin after the flip (DNase), so that every bin comes from one later.

    Example:
        >>> reverse_bins(slice(0, 3), 10), reverse_bins(slice(0, 3), 10, shifted=True)
        (slice(7, 10, None), slice(8, 10, None))
    """
    late = int(shifted)
    return slice(total - bins.stop + late, min(total - bins.start + late, total))


def reverse_tracks(
    values: Float[np.ndarray, "*bins track"],
    *,
    shifted: bool = False,
    length: int | None = None,
    fill: float = float("nan"),
) -> Float[np.ndarray, "*shown track"]:
    """Map the output on the other strand back: flip every axis but the last.

    The channels are not touched: those asked for on the other strand must be the partners of those wanted here.

    Args:
        values: (bin, track), or (bin1, bin2, track) for contact maps.
        shifted: Shift right by one bin after the flip: the value belongs to the boundary before its base (DNase).
        length: Bins of the result of a shift, where `values` may lack the last one; None is as many as `values`.
        fill: What stands in the first bin of a shift where there is no value. The reference has 0 there.

    Example:
        >>> reverse_tracks(np.arange(6.0)[:, None], shifted=True, fill=0.0)[:, 0].tolist()
        [0.0, 5.0, 4.0, 3.0, 2.0, 1.0]

    Source:
        google-deepmind/alphagenome_research, reverse complement of outputs.
    """
    flipped = np.flip(values, axis=tuple(range(values.ndim - 1)))
    if not shifted:
        return np.ascontiguousarray(flipped)
    if length is None:
        length = len(values)
        flipped = flipped[: length - 1]
    moved = np.full((length, values.shape[-1]), fill, dtype=values.dtype)
    moved[length - len(flipped) :] = flipped
    return moved


def reverse_sites(sites: Int[np.ndarray, "4 site"], length: int) -> Int[np.ndarray, "4 site"]:
    """Map splice sites of the other strand back; -1 stays. Its own inverse.

    Args:
        sites: 0-based positions in the window, in the order donor+, acceptor+, donor-, acceptor-.
        length: Window in bp.
    """
    return np.where(sites >= 0, length - 1 - sites, -1)[[2, 3, 0, 1]]


def reverse_junctions(values: Float[np.ndarray, "donor acceptor both"]) -> Float[np.ndarray, "donor acceptor both"]:
    """Swap the strand halves of junction counts; the pair axes stay in the order of the sites."""
    return np.roll(values, values.shape[-1] // 2, axis=-1)
