"""Empirical distribution of a background sample, as a few knots of a monotone curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Curve(NamedTuple):
    """Quantile against value: exact at the knots, a straight line between two, constant past the ends."""

    values: Float[np.ndarray, " knot"]
    """Rising."""
    quantiles: Float[np.ndarray, " knot"]
    """Mid-ranks in (0, 1), rising."""
    count: int
    """Size of the sample."""


def fit(sample: Float[np.ndarray, " value"], points: int) -> Curve:
    """Fit the curve of a sample; NaN is left out.

    The quantile of `x` is its mid-rank among the sample and itself, (less + (equal + 1) / 2) / (n + 1): equal values
    share one, and no score is 0 or 1, which a sample cannot show.

    Args:
        sample: Scores of the background.
        points: Knots to keep, at most about so many: evenly spread over quantiles, and over their logits so that
            the tails stay fine. A sample of fewer different values keeps all.

    Example:
        >>> curve = fit(np.array([0.0, 1.0, 1.0, 2.0]), 100)
        >>> curve.values.tolist(), curve.quantiles.tolist()
        ([0.0, 1.0, 2.0], [0.2, 0.5, 0.8])
    """
    known = sample[~np.isnan(sample)]
    values, equal = np.unique(known, return_counts=True)
    less = np.cumsum(equal) - equal
    quantiles = (less + (equal + 1) / 2) / (len(known) + 1)
    if len(values) > points:
        logits = np.log(quantiles) - np.log1p(-quantiles)
        kept = [
            np.searchsorted(scale, np.linspace(scale[0], scale[-1], points // 2)).clip(max=len(values) - 1)
            for scale in (quantiles, logits)
        ]
        kept = np.unique([0, len(values) - 1, *np.concatenate(kept)])
        values, quantiles = values[kept], quantiles[kept]
    return Curve(values, quantiles, len(known))


def evaluate(curve: Curve, scores: Float[np.ndarray, " value"]) -> Float[np.ndarray, " value"]:
    """Give the quantile of each score: below 0.5 / (n + 1) and above 1 - 0.5 / (n + 1) there is none; NaN stays NaN.

    Example:
        >>> evaluate(fit(np.array([0.0, 1.0, 1.0, 2.0]), 100), np.array([-5.0, 0.0, 0.5, 1.0, 9.0])).tolist()
        [0.1, 0.2, 0.35, 0.5, 0.9]
    """
    if not curve.count:
        return np.full(np.shape(scores), np.nan)
    edge = 0.5 / (curve.count + 1)
    quantile = np.interp(scores, curve.values, curve.quantiles, left=edge, right=1 - edge)
    return np.where(np.isnan(scores), np.nan, quantile)
