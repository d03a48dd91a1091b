"""How well predictions agree with measurements: splice sites, junctions and coverage. NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A number with the interval that resampling gives for it."""

    value: float
    low: float
    high: float


def topk_accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Take as many top predictions as there are true sites; give the fraction that are true.

    Among equal scores at the cut the earlier places win, so the result does not depend on a sort's mood.

    Args:
        scores: One finite number per place, higher is likelier; any shape.
        labels: True at the true sites; same shape.

    Returns:
        Between 0 and 1; NaN when there is no true site.

    Raises:
        ValueError: The shapes differ or a score is NaN.

    Example:
        >>> topk_accuracy(np.array([0.9, 0.8, 0.1, 0.7]), np.array([True, False, False, True]))
        0.5
    """
    scores, labels = _pair(scores, labels)
    labels = labels.astype(bool)
    true_sites = int(labels.sum())
    if true_sites == 0:
        return float("nan")
    # Selecting is linear in the chromosome's length, sorting is not.
    cut = np.partition(scores, scores.size - true_sites)[scores.size - true_sites]
    above = scores > cut
    ties = np.flatnonzero(scores == cut)[: true_sites - int(above.sum())]
    return float((labels[above].sum() + labels[ties].sum()) / true_sites)


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Give the chance that a true place scores above a false one; ties count half.

    Args:
        scores: One finite number per place; any shape.
        labels: True at the true places; same shape.

    Returns:
        Between 0 and 1; NaN when all places are true or all are false.

    Raises:
        ValueError: The shapes differ or a score is NaN.

    Example:
        >>> auroc(np.array([0.9, 0.3, 0.3, 0.1]), np.array([1, 1, 0, 0]))
        0.875
    """
    scores, labels = _pair(scores, labels)
    labels = labels.astype(bool)
    positives = int(labels.sum())
    negatives = labels.size - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, level, count = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    return float((mean_rank[level[labels]].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Correlate two arrays over the places where both are finite, in double precision.

    Returns:
        Pearson r; NaN with fewer than two places or without variation.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> round(pearson(np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0, 4.0, 6.0, 1.0])), 6)
        1.0
    """
    x, y = _same_shape(x, y)
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both].astype(np.float64), y[both].astype(np.float64)
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def block_bootstrap_interval(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    block: int,
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Give a statistic of values along a chromosome with its percentile interval from resampled blocks.

    Neighbouring bins are alike, so resampling single bins gives too narrow an interval; long blocks do not.

    Args:
        statistic: Called with the arrays (first axis resampled) and returns one number.
        *arrays: Values along the chromosome, of one length.
        block: Length of a block in places (bins); the last block may be shorter.
        repeats: Number of resamples.
        level: Coverage of the interval, between 0 and 1.
        seed: Of the resampling.

    Raises:
        ValueError: The arrays differ in length or make fewer than two blocks.

    Example:
        >>> estimate = block_bootstrap_interval(np.mean, np.arange(100.0), block=10)
        >>> estimate.low < estimate.value < estimate.high
        True
    """
    lengths = sorted({len(array) for array in arrays})
    if len(lengths) != 1:
        raise ValueError(f"Arrays of lengths {lengths} came; they must be of one length. Give values of the same bins.")
    length = lengths[0]
    starts = np.arange(0, length, block)
    if len(starts) < 2:
        raise ValueError(
            f"{length} places make fewer than two blocks of {block}; give a block of at most {length // 2}."
        )
    blocks = [np.arange(start, min(start + block, length)) for start in starts]
    rng = np.random.default_rng(seed)
    values = np.empty(repeats)
    for i in range(repeats):
        drawn = np.concatenate([blocks[b] for b in rng.integers(0, len(blocks), len(blocks))])
        values[i] = statistic(*(array[drawn] for array in arrays))
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return Estimate(float(statistic(*arrays)), float(low), float(high))


def coverage_pearson(
    predicted: np.ndarray,
    observed: np.ndarray,
    *,
    block: int = 80,
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Correlate log1p coverage of one track along a chromosome, with a block-bootstrap interval.

    Args:
        predicted: Coverage per bin, at least 0.
        observed: Measured coverage of the same bins; NaN where it was not measured.
        block: Bins per block; 80 bins of 128 bp are about 10 kb.
        repeats: Number of resamples.
        level: Coverage of the interval.
        seed: Of the resampling.

    Raises:
        ValueError: The shapes differ or there are fewer than two blocks.

    Example:
        >>> bins = np.arange(1000.0)
        >>> coverage_pearson(bins, bins, repeats=10).value
        1.0
    """
    predicted, observed = _same_shape(predicted, observed)
    x, y = (np.log1p(np.maximum(array, 0, dtype=np.float64)) for array in (predicted, observed))
    return block_bootstrap_interval(pearson, x, y, block=block, repeats=repeats, level=level, seed=seed)


def rank_first_counts(
    counts: np.ndarray, truth: np.ndarray, *, candidates: np.ndarray | None = None, against_false_only: bool = False
) -> tuple[int, int]:
    """Count the annotated introns whose acceptor ranks first for its donor, and all annotated introns.

    Windows are pooled by adding up both numbers. A tie is not first: equal counts tell nothing apart.

    Args:
        counts: Predicted reads per donor (row) and acceptor (column), of one track.
        truth: True at annotated introns; same shape.
        candidates: Pairs that compete; None lets all. Annotated pairs always do.
        against_false_only: Rank each intron among the acceptors its donor is not annotated with. By default the donor's
            other annotated acceptors compete too, so that of two alternative introns at most one is first.

    Raises:
        ValueError: The shapes differ or are not donor by acceptor.

    Example:
        >>> counts = np.array([[5.0, 1.0], [4.0, 3.0]])
        >>> rank_first_counts(counts, np.eye(2, dtype=bool))
        (1, 2)
    """
    counts, truth = _same_shape(counts, truth)
    if counts.ndim != 2:
        raise ValueError(f"Counts of shape {counts.shape} came; they must be donor by acceptor. Call once per track.")
    truth = truth.astype(bool)
    competing = truth | (np.ones_like(truth) if candidates is None else candidates.astype(bool))
    first = 0
    for donor in np.flatnonzero(truth.any(1)):
        for acceptor in np.flatnonzero(truth[donor]):
            rivals = competing[donor] & ~truth[donor] if against_false_only else competing[donor].copy()
            rivals[acceptor] = False
            first += bool((counts[donor, acceptor] > counts[donor, rivals]).all())
    return first, int(truth.sum())


def rank_first(
    counts: np.ndarray, truth: np.ndarray, *, candidates: np.ndarray | None = None, against_false_only: bool = False
) -> float:
    """Give the fraction of annotated introns whose acceptor ranks first for its donor; see `rank_first_counts`.

    Returns:
        Between 0 and 1; NaN without annotated introns.

    Example:
        >>> rank_first(np.array([[5.0, 1.0], [4.0, 3.0]]), np.eye(2, dtype=bool))
        0.5
    """
    first, total = rank_first_counts(counts, truth, candidates=candidates, against_false_only=against_false_only)
    return first / total if total else float("nan")


def _same_shape(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays after checking that their shapes agree."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(
            f"Arrays of shapes {a.shape} and {b.shape} came; they must be the same. Check the two selections."
        )
    return a, b


def _pair(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flatten scores and labels after checking shapes and NaN."""
    scores, labels = _same_shape(scores, labels)
    if np.isnan(scores).any():
        raise ValueError(
            f"{int(np.isnan(scores).sum())} scores are NaN; scores must be numbers. Leave those places out."
        )
    return scores.ravel(), labels.ravel()
