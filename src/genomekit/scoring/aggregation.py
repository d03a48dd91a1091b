"""How a stretch of two alleles becomes one number per track.

Source: google-deepmind/alphagenome, variant scorers: eight aggregations of the centre-mask scorer, `diff_log_mean` of
the gene scorer of expression, `max_abs_diff` of the gene scorer of splicing.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from genomekit.errors import unknown

Allele = Float[Tensor, "variant bin track"]
Mask = Float[Tensor, "variant bin one"]
Level = Callable[[Allele, Mask], Float[Tensor, "variant track"]]


class Aggregation(NamedTuple):
    """One aggregation."""

    formula: str
    """With M the bins of the mask."""
    signed: bool
    level: Level
    """The measure of one allele."""
    score: Callable[[Allele, Allele, Mask], Float[Tensor, "variant track"]]
    """ALT against REF, in the order (ref, alt, mask)."""


_LEAST = 1e-3
"""Added to a gene's mean before its logarithm."""


def _sum(x: Allele, mask: Mask) -> Tensor:
    return (x * mask).sum(1)


def _mean(x: Allele, mask: Mask) -> Tensor:
    return _sum(x, mask) / mask.sum(1)


def _sum_log2(x: Allele, mask: Mask) -> Tensor:
    return _sum(torch.log2(x + 1), mask)


def _log2_sum(x: Allele, mask: Mask) -> Tensor:
    return torch.log2(1 + _sum(x, mask))


def _log_mean_change(ref: Allele, alt: Allele, mask: Mask) -> Tensor:
    return torch.log(_mean(alt, mask) + _LEAST) - torch.log(_mean(ref, mask) + _LEAST)


def _max(x: Allele, mask: Mask) -> Tensor:
    return (x * mask).amax(1)


def _difference(level: Level) -> Callable[[Allele, Allele, Mask], Tensor]:
    return lambda ref, alt, mask: level(alt, mask) - level(ref, mask)


def _active(level: Level) -> Callable[[Allele, Allele, Mask], Tensor]:
    return lambda ref, alt, mask: torch.maximum(level(alt, mask), level(ref, mask))


def _l2(ref: Allele, alt: Allele, mask: Mask) -> Tensor:
    return _sum((alt - ref).square(), mask).sqrt()


def _l2_log1p(ref: Allele, alt: Allele, mask: Mask) -> Tensor:
    return _sum((torch.log1p(alt) - torch.log1p(ref)).square(), mask).sqrt()


def _max_abs(ref: Allele, alt: Allele, mask: Mask) -> Tensor:
    return ((alt - ref).abs() * mask).amax(1)


def aggregation_name(given: str) -> str:
    """Return the name of an aggregation, in whatever case it came.

    Raises:
        ValueError: There is no such aggregation.
    """
    name = str(given).casefold()
    if name not in AGGREGATIONS:
        raise unknown("aggregation", given, AGGREGATIONS)
    return name


AGGREGATIONS: dict[str, Aggregation] = {
    "diff_mean": Aggregation("mean_M ALT - mean_M REF", True, _mean, _difference(_mean)),
    "diff_sum": Aggregation("sum_M ALT - sum_M REF", True, _sum, _difference(_sum)),
    "diff_sum_log2": Aggregation("sum_M log2(ALT + 1) - sum_M log2(REF + 1)", True, _sum_log2, _difference(_sum_log2)),
    "diff_log2_sum": Aggregation("log2(1 + sum_M ALT) - log2(1 + sum_M REF)", True, _log2_sum, _difference(_log2_sum)),
    "l2_diff": Aggregation("sqrt(sum_M (ALT - REF)^2)", False, _sum, _l2),
    "l2_diff_log1p": Aggregation("sqrt(sum_M (ln(1 + ALT) - ln(1 + REF))^2)", False, _sum, _l2_log1p),
    "active_mean": Aggregation("max(mean_M ALT, mean_M REF)", False, _mean, _active(_mean)),
    "active_sum": Aggregation("max(sum_M ALT, sum_M REF)", False, _sum, _active(_sum)),
    "diff_log_mean": Aggregation(
        f"ln(mean_M ALT + {_LEAST}) - ln(mean_M REF + {_LEAST})", True, _mean, _log_mean_change
    ),
    "max_abs_diff": Aggregation("max_M |ALT - REF|", False, _max, _max_abs),
}
"""Aggregations by name."""
