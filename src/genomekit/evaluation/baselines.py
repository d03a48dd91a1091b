"""What a model without depth reaches: k-mer ridge regression of coverage, and a splice-site weight matrix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from genomekit.evaluation.metrics import pearson
from genomekit.genome.letters import COMPLEMENT_CODES, UNKNOWN, base_codes

PENALTIES = tuple(10.0**power for power in range(0, 9))


def as_codes(sequence: str | np.ndarray) -> np.ndarray:
    """Turn letters, one-hot rows or codes into codes 0 to 3 for A, C, G, T and 4 for anything else.

    Args:
        sequence: Letters of either case, codes (positions,), or an array of shape (positions, 4) whose all-zero rows
            are unknown bases.

    Raises:
        ValueError: The array has another shape.

    Example:
        >>> as_codes(np.eye(4)[[3, 0]]).tolist()
        [3, 0]
    """
    if isinstance(sequence, str):
        return base_codes(sequence)
    array = np.asarray(sequence)
    if array.ndim == 1 and array.dtype.kind in "ui":
        return array.astype(np.uint8)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"An array of shape {array.shape} came; it must be (positions, 4). Give letters or one-hot.")
    return np.where(array.any(1), array.argmax(1), UNKNOWN).astype(np.uint8)


def kmer_features(
    sequence: str | np.ndarray, *, resolution: int = 128, longest: int = 4, context: int = 1024
) -> np.ndarray:
    """Count k-mers in each bin, in both neighbouring bins, and in the wider context.

    Args:
        sequence: Letters or one-hot; the tail that does not fill a bin is left out.
        resolution: Bin width in bp.
        longest: Counts all k-mers of length 1 to this, on the given strand; those with an unknown base count as none.
        context: The context reaches this many bp to either side of the bin, in whole bins. Past the ends counts are 0.

    Returns:
        float32 of shape (bins, 4 * (4 + 16 + ... + 4**longest)): own bin, left bin, right bin, context.

    Example:
        >>> kmer_features("AACC" * 64, resolution=128, longest=1)[0, :4].tolist()
        [64.0, 64.0, 0.0, 0.0]
    """
    codes = as_codes(sequence)
    bins = len(codes) // resolution
    own = np.concatenate([_kmer_counts(codes, k, bins, resolution) for k in range(1, longest + 1)], axis=1)
    reach = -(-context // resolution)
    padded = np.pad(own, ((reach + 1, reach), (0, 0)))
    running = np.cumsum(padded, axis=0, dtype=np.float64)
    wide = running[2 * reach + 1 :] - running[:bins]
    edge = np.pad(own, ((1, 1), (0, 0)))
    return np.concatenate([own, edge[:-2], edge[2:], wide.astype(np.float32)], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KmerRidge:
    """A fitted k-mer ridge; made by `fit_kmer_ridge`."""

    weights: np.ndarray
    """Effect of each feature on log1p coverage, (features, tracks)."""
    intercept: np.ndarray
    """Mean log1p coverage, (tracks,)."""
    center: np.ndarray
    """Mean of each feature in training."""
    penalty: np.ndarray
    """The penalty chosen for each track."""
    tune_pearson: np.ndarray
    """Pearson r of log1p coverage on the tune part, per track, at that penalty."""
    resolution: int
    """Bin width in bp."""
    longest: int
    """Longest k-mer."""
    context: int
    """Reach of the wide context, bp."""

    def predict(self, sequence: str | np.ndarray) -> np.ndarray:
        """Predict coverage, float64 (bins, tracks), at least 0."""
        x = kmer_features(sequence, resolution=self.resolution, longest=self.longest, context=self.context)
        return np.expm1(np.maximum((x - self.center) @ self.weights + self.intercept, 0))


def fit_kmer_ridge(
    sequences: Sequence[str | np.ndarray],
    targets: Sequence[np.ndarray],
    *,
    tune_sequences: Sequence[str | np.ndarray],
    tune_targets: Sequence[np.ndarray],
    resolution: int = 128,
    longest: int = 4,
    context: int = 1024,
    penalties: Iterable[float] = PENALTIES,
) -> KmerRidge:
    """Fit ridge regression from k-mer counts to log1p coverage, in closed form.

    The penalty of each track is the one with the highest Pearson r of log1p coverage on the tune part.

    Args:
        sequences: Stretches to train on (whole chromosomes, say), letters or one-hot.
        targets: For each stretch the coverage per bin, (bins, tracks), at least 0. Bins with a NaN are left out.
        tune_sequences: Stretches to choose the penalty on.
        tune_targets: Their coverage.
        resolution: Bin width in bp.
        longest: Longest k-mer.
        context: Reach of the wide context in bp.
        penalties: Penalties to try, in units of standardised features.

    Raises:
        ValueError: Coverage and sequence disagree in bins, or no bin is left to fit.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> letters = "".join(rng.choice(list("ACGT"), 12800))
        >>> gc = np.array([[letters[i : i + 128].count("G")] for i in range(0, 12800, 128)], dtype=float)
        >>> half = {"tune_sequences": [letters[6400:]], "tune_targets": [gc[50:]]}
        >>> fitted = fit_kmer_ridge([letters[:6400]], [gc[:50]], longest=1, context=0, **half)
        >>> bool(fitted.tune_pearson[0] > 0.9)
        True
    """
    settings = {"resolution": resolution, "longest": longest, "context": context}
    x, y = _design(sequences, targets, **settings)
    tune_x, tune_y = _design(tune_sequences, tune_targets, **settings)
    center, intercept = x.mean(0, dtype=np.float64), y.mean(0)
    spread = x.std(0, dtype=np.float64)
    # A k-mer that never varies carries nothing; dividing by its spread would carry noise.
    inverse_spread = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    standard = (x - center) * inverse_spread
    eigenvalues, vectors = np.linalg.eigh(standard.T @ standard)
    projected = vectors.T @ (standard.T @ (y - intercept))
    tune_standard = (tune_x - center) * inverse_spread
    tracks = y.shape[1]
    best = {"r": np.full(tracks, -np.inf), "penalty": np.full(tracks, np.nan)}
    weights = np.zeros((x.shape[1], tracks))
    for penalty in penalties:
        candidate = vectors @ (projected / (np.maximum(eigenvalues, 0)[:, None] + penalty))
        fitted = tune_standard @ candidate + intercept
        r = np.array([pearson(np.maximum(fitted[:, t], 0), tune_y[:, t]) for t in range(tracks)])
        better = np.nan_to_num(r, nan=-1.0) > best["r"]
        weights[:, better] = candidate[:, better]
        best["r"][better], best["penalty"][better] = r[better], penalty
    return KmerRidge(
        weights=weights * inverse_spread[:, None],
        intercept=intercept,
        center=center,
        penalty=best["penalty"],
        tune_pearson=best["r"],
        **settings,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightMatrix:
    """Log-odds of each base at each place around a site; made by `fit_weight_matrix`."""

    log_odds: np.ndarray
    """Natural log of site over background frequency, (left + 1 + right, 4)."""
    left: int
    """Bases before the site, 5' on its strand."""
    right: int
    """Bases after the site."""

    def score(self, sequence: str | np.ndarray, *, strand: str = "+") -> np.ndarray:
        """Score every position of the given letters as a site of the strand, float32 (positions,).

        Unknown bases and places past the ends add nothing.

        Example:
            >>> donor = fit_weight_matrix(["AGGT", "CGGT"], left=1, right=2)
            >>> int(donor.score("TTTAGGTTTT").argmax()), int(donor.score("AAAACCTAAA", strand="-").argmax())
            (4, 5)
        """
        codes = as_codes(sequence)
        codes = _oriented(codes, strand)
        table = np.concatenate([self.log_odds, np.zeros((len(self.log_odds), 1))], axis=1).astype(np.float32)
        padded = np.pad(codes, (self.left, self.right), constant_values=4)
        score = np.zeros(len(codes), dtype=np.float32)
        for offset, row in enumerate(table):
            score += row[padded[offset : offset + len(codes)]]
        return score if strand == "+" else score[::-1]


def site_windows(
    sequence: str | np.ndarray, positions: Sequence[int] | np.ndarray, *, left: int, right: int, strand: str = "+"
) -> np.ndarray:
    """Cut the bases around sites, read 5' to 3' on the strand of the sites.

    Args:
        sequence: Letters or one-hot of the + strand.
        positions: 0-based positions of the sites (exon-side bases, for splice sites).
        left: Bases before the site, 5' on its strand.
        right: Bases after the site.
        strand: "+" or "-".

    Returns:
        Base codes, uint8 (sites, left + 1 + right); 4 past the ends.

    Raises:
        ValueError: A position is outside of the sequence.

    Example:
        >>> site_windows("AACCTT", [2], left=1, right=1, strand="-").tolist()  # reverse complement AAGGTT, site at 3
        [[2, 2, 3]]
    """
    codes = as_codes(sequence)
    positions = np.asarray(positions, dtype=np.int64)
    outside = positions[(positions < 0) | (positions >= len(codes))]
    if outside.size:
        raise ValueError(f"Position {outside[0]} is outside of the {len(codes)} bases; positions are 0-based.")
    if strand == "-":
        positions = len(codes) - 1 - positions
    padded = np.pad(_oriented(codes, strand), (left, right), constant_values=4)
    return padded[positions[:, None] + np.arange(left + 1 + right)]


def fit_weight_matrix(
    windows: Sequence[str] | np.ndarray,
    *,
    left: int,
    right: int,
    background: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
    pseudocount: float = 1.0,
) -> WeightMatrix:
    """Count the bases around known sites and turn them into log-odds.

    Args:
        windows: Letters around each site, 5' to 3', or codes from `site_windows`; each left + 1 + right long.
        left: Bases before the site.
        right: Bases after the site.
        background: Frequencies of A, C, G, T elsewhere.
        pseudocount: Sites added, spread as the background.

    Raises:
        ValueError: No window, or windows of another length.

    Example:
        >>> matrix = fit_weight_matrix(["AG", "CG", "AG"], left=0, right=1)
        >>> matrix.log_odds[1].argmax().item()
        2
    """
    codes = [as_codes(window) for window in windows] if not isinstance(windows, np.ndarray) else windows
    lengths = {len(window) for window in codes}
    if lengths != {left + 1 + right}:
        raise ValueError(f"Windows of lengths {sorted(lengths)} came; all must be {left} + 1 + {right} bases long.")
    stacked = np.stack(list(codes))
    counts = np.stack([(stacked == code).sum(0) for code in range(4)], axis=1)
    prior = np.asarray(background, dtype=np.float64)
    frequency = (counts + pseudocount * prior) / (counts.sum(1, keepdims=True) + pseudocount)
    return WeightMatrix(log_odds=np.log(frequency / prior), left=left, right=right)


def _oriented(codes: np.ndarray, strand: str) -> np.ndarray:
    """Read base codes on the strand, 5' to 3'."""
    if strand not in ("+", "-"):
        raise ValueError(f"Strand {strand!r} came; it must be '+' or '-'.")
    return codes if strand == "+" else COMPLEMENT_CODES[codes[::-1]]


def _kmer_counts(codes: np.ndarray, k: int, bins: int, resolution: int) -> np.ndarray:
    """Count the k-mers that start in each bin, float32 (bins, 4**k)."""
    starts = max(0, min(len(codes) - k + 1, bins * resolution))
    kmer = np.zeros(starts, dtype=np.int64)
    known = np.ones(starts, dtype=bool)
    for offset in range(k):
        base = codes[offset : offset + starts]
        kmer = kmer * 4 + np.minimum(base, 3)
        known &= base < 4
    place = (np.arange(starts) // resolution) * 4**k + kmer
    return np.bincount(place[known], minlength=bins * 4**k).reshape(bins, 4**k).astype(np.float32)


def _design(
    sequences: Sequence[str | np.ndarray], targets: Sequence[np.ndarray], **settings: int
) -> tuple[np.ndarray, np.ndarray]:
    """Stack features and log1p coverage of all stretches, without the bins that hold a NaN."""
    features, logs = [], []
    for sequence, target in zip(sequences, targets, strict=True):
        x, y = kmer_features(sequence, **settings), np.asarray(target, dtype=np.float64)
        if y.ndim != 2 or len(y) != len(x):
            raise ValueError(
                f"Coverage of shape {y.shape} came for a stretch of {len(x)} bins of {settings['resolution']} bp; "
                "it must be (bins, tracks)."
            )
        whole = np.isfinite(y).all(1)
        features.append(x[whole])
        logs.append(np.log1p(np.maximum(y[whole], 0)))
    if not sum(map(len, logs)):
        raise ValueError(f"{len(logs)} stretches came with no bin that has coverage; give at least one with numbers.")
    return np.concatenate(features), np.concatenate(logs)
