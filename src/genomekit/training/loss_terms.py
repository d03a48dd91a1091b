"""The formulas that the training losses are made of; `genomekit.training.losses` has one loss per kind of head.

Every mask selects (`where`) and never multiplies: padding tracks carry NaN, and NaN times zero is NaN, in the value and
in the gradient. Inputs are cleaned before any logarithm for the same reason. All sums run in float32.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from genomekit.nn.scaling import soft_clip

EPSILON = 1e-7
POSITIONAL_WEIGHT = 5.0
# Weight, within the junction loss, of the total counts per donor and per acceptor.
JUNCTION_TOTAL_WEIGHT = 0.2


def select(mask: Bool[Tensor, "..."], x: Float[Tensor, "..."], other: float = 0.0) -> Float[Tensor, "..."]:
    """Give x in float32 under the mask and another value elsewhere, with exactly zero gradient there."""
    return torch.where(mask, x.float(), other)


def masked_mean(x: Float[Tensor, "*shape"], mask: Bool[Tensor, "*#shape"]) -> Float[Tensor, ""]:
    """Average the values under the mask; 0 when there is none.

    Args:
        x: Values; anything, NaN included, where the mask is False.
        mask: Which values count; axes of length 1 stand for the whole axis.

    Example:
        >>> masked_mean(torch.tensor([1.0, 2.0, float("nan")]), torch.tensor([True, True, False])).item()
        1.5

    Source:
        google-deepmind/alphagenome_research, losses (masked mean, at least one in the denominator).
    """
    count = mask.sum() * (x.numel() // max(1, mask.numel()))
    return select(mask, x).sum() / count.clamp(min=1).float()


def poisson(
    target: Float[Tensor, "*#shape"], prediction: Float[Tensor, "*#shape"], mask: Bool[Tensor, "*#shape"]
) -> Float[Tensor, ""]:
    """Poisson loss above its minimum, averaged under the mask: 0 for a perfect prediction.

    Args:
        target: Counts; the absolute value is taken.
        prediction: Expected counts, at least 0.
        mask: Which values count.

    Example:
        >>> counts, mask = torch.tensor([0.0, 3.0]), torch.tensor([True, True])
        >>> poisson(counts, counts, mask).item()
        0.0

    Source:
        google-deepmind/alphagenome_research, losses: mean of (p - t log(p + e)) - (t - t log(t + e)), e = 1e-7.
    """
    t, p = select(mask, target).abs(), select(mask, prediction)
    # One logarithm of the ratio: the same value with less cancellation than the difference of two.
    return masked_mean(p - t + t * ((t + EPSILON) / (p + EPSILON)).log(), mask)


def multinomial_poisson(
    target: Float[Tensor, "batch position track"],
    prediction: Float[Tensor, "batch position track"],
    mask: Bool[Tensor, "batch 1 track"],
    *,
    segment: int,
    positional_weight: float = POSITIONAL_WEIGHT,
) -> Float[Tensor, ""]:
    """Compare coverage by its total per segment (Poisson) and its shape within the segment (multinomial).

    Args:
        target: Scaled coverage per bin; negative values count as 0.
        prediction: Scaled predicted coverage per bin, at least 0.
        mask: Which tracks count; one value for the whole sequence.
        segment: Bins per segment; must divide the number of bins.
        positional_weight: Weight of the shape beside the total.

    Raises:
        ValueError: The number of bins is not a multiple of the segment.

    Example:
        >>> coverage, mask = torch.tensor([[[1.0], [3.0]]]), torch.ones(1, 1, 1, dtype=torch.bool)
        >>> round(multinomial_poisson(coverage, coverage, mask, segment=2).item(), 3)  # 5 (ln 4 + 3 ln 4/3) / 2
        5.623

    Source:
        google-deepmind/alphagenome_research, losses (multinomial loss); AlphaGenome paper, Methods.
    """
    total, positional = multinomial_poisson_terms(target, prediction, mask, segment=segment)
    return total + positional_weight * positional


def multinomial_poisson_terms(
    target: Float[Tensor, "batch position track"],
    prediction: Float[Tensor, "batch position track"],
    mask: Bool[Tensor, "batch 1 track"],
    *,
    segment: int,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Give the two terms of `multinomial_poisson` apart: total (per bin) and positional, both unweighted."""
    bins = target.shape[1]
    if segment < 1 or bins % segment:
        raise ValueError(
            f"{bins} bins cannot be cut into segments of {segment}; the number of bins must be a multiple of the "
            "segment. Use windows of at most 131,072 bp or a multiple of it."
        )
    mask = mask[:, None]
    t = select(mask, target.unflatten(1, (-1, segment))).clamp(min=0)
    p = select(mask, prediction.unflatten(1, (-1, segment)))
    t_sum, p_sum = t.sum(2, keepdim=True), p.sum(2, keepdim=True)
    total = poisson(t_sum, p_sum, mask) / segment
    positional = masked_mean(-t * (p / (p_sum + EPSILON) + EPSILON).log(), mask)
    return total, positional


def mse(
    target: Float[Tensor, "*shape"], prediction: Float[Tensor, "*shape"], mask: Bool[Tensor, "*#shape"]
) -> Float[Tensor, ""]:
    """Mean squared error under the mask, over targets that are not NaN.

    Example:
        >>> target, mask = torch.tensor([1.0, float("nan")]), torch.tensor([True, True])
        >>> mse(target, torch.tensor([3.0, 5.0]), mask).item()
        4.0

    Source:
        google-deepmind/alphagenome_research, losses and contact maps head.
    """
    known = mask & ~target.isnan()
    return masked_mean((select(known, prediction) - select(known, target)).square(), known)


def cross_entropy(
    logits: Float[Tensor, "*shape class"], one_hot: Bool[Tensor, "*shape class"] | Float[Tensor, "*shape class"]
) -> Float[Tensor, ""]:
    """Softmax cross-entropy with targets smoothed by 1e-7, over the places that have a class.

    Args:
        logits: One value per class.
        one_hot: The class of each place; all zero (False) where it is unknown, and such places do not count.

    Example:
        >>> logits, one_hot = torch.zeros(2, 5), torch.eye(5, dtype=torch.bool)[:2]
        >>> round(cross_entropy(logits, one_hot).item(), 4)  # ln 5
        1.6094

    Source:
        google-deepmind/alphagenome_research, losses and splice sites classification head.
    """
    y = one_hot.float()
    known = y.amax(-1) > 0
    smoothed = (1.0 - EPSILON) * y + EPSILON / y.shape[-1]
    log_probability = select(known[..., None], logits).log_softmax(-1)
    return masked_mean(-(smoothed * log_probability).sum(-1), known)


def binary_cross_entropy(
    target: Float[Tensor, "*shape"], logits: Float[Tensor, "*shape"], mask: Bool[Tensor, "*#shape"]
) -> Float[Tensor, ""]:
    """Sigmoid cross-entropy from logits under the mask; targets are fractions, clipped to [1e-7, 1 - 1e-7].

    Example:
        >>> half, mask = torch.tensor([0.5]), torch.tensor([True])
        >>> round(binary_cross_entropy(half, torch.zeros(1), mask).item(), 4)  # ln 2
        0.6931

    Source:
        google-deepmind/alphagenome_research, losses and splice sites usage head.
    """
    y = select(mask, target).clamp(EPSILON, 1.0 - EPSILON)
    x = select(mask, logits)
    return masked_mean(torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none"), mask)


def count_cross_entropy(
    target: Float[Tensor, "*shape"], prediction: Float[Tensor, "*shape"], mask: Bool[Tensor, "*shape"], *, axis: int
) -> Float[Tensor, ""]:
    """Cross-entropy between counts turned into fractions along one axis, averaged over the slices with any value.

    Args:
        target: Counts, at least 0.
        prediction: Expected counts, at least 0.
        mask: Which places count.
        axis: The axis along which fractions sum to 1, e.g. the acceptors of each donor.

    Example:
        >>> counts, mask = torch.tensor([[1.0, 1.0]]), torch.tensor([[True, True]])
        >>> round(count_cross_entropy(counts, counts, mask, axis=-1).item(), 4)  # ln 2
        0.6931

    Source:
        google-deepmind/alphagenome_research, losses (cross entropy of counts; 1e-7 added to both before dividing).
    """
    t = select(mask, target.float() + EPSILON)
    p = select(mask, prediction.float() + EPSILON)
    any_value = mask.any(axis, keepdim=True)
    t_fraction = t / select(any_value, t.sum(axis, keepdim=True), 1.0)
    p_fraction = p / select(any_value, p.sum(axis, keepdim=True), 1.0)
    # Places outside the mask hold 0, whose logarithm must not be taken: log 1 = 0 stands there.
    entropy = -(t_fraction * select(mask, p_fraction, 1.0).log()).sum(axis, keepdim=True)
    return masked_mean(entropy, any_value)


def junction_counts_loss(
    target: Float[Tensor, "batch donor acceptor track"],
    prediction: Float[Tensor, "batch donor acceptor track"],
    mask: Bool[Tensor, "batch donor acceptor track"],
) -> Float[Tensor, ""]:
    """Compare junction counts: who pairs with whom, from either end, and how much in total.

    Args:
        target: Reads per donor, acceptor and track.
        prediction: Expected reads, at least 0.
        mask: Pairs of two real sites, in tracks that exist.

    Returns:
        The loss before the weight of the head (0.2 upstream).

    Source:
        google-deepmind/alphagenome_research, splice sites junction head.
    """
    pairing = count_cross_entropy(target, prediction, mask, axis=1)
    pairing = pairing + count_cross_entropy(target, prediction, mask, axis=2)
    t, p = select(mask, target), select(mask, prediction)
    totals = poisson(soft_clip(t.sum(2)), p.sum(2), mask.any(2))
    totals = totals + poisson(soft_clip(t.sum(1)), p.sum(1), mask.any(1))
    return pairing + JUNCTION_TOTAL_WEIGHT * totals


def gene_loss(
    target: Float[Tensor, "batch position track"],
    prediction: Float[Tensor, "batch position track"],
    *,
    mask: Bool[Tensor, "batch track"],
    gene_mask: Bool[Tensor, "batch position 2 gene"],
    strand_mask: Bool[Tensor, "batch 2 track"],
    positional_weight: float = POSITIONAL_WEIGHT,
) -> Float[Tensor, ""]:
    """Compare genes across tracks: mean coverage of the gene in total, and which tracks hold it (optional term).

    Args:
        target: Scaled coverage at 1 bp.
        prediction: Scaled predicted coverage at 1 bp.
        mask: Which tracks count.
        gene_mask: The positions of each gene, + strand genes in the first row, - strand genes in the second.
        strand_mask: The tracks that genes of + (first row) and of - (second row) are read on; "." tracks are in both.
        positional_weight: Weight of the distribution over tracks beside the total.

    Source:
        google-deepmind/alphagenome_research, genome tracks head (gene loss; weight 0 by default).
    """
    total, positional = gene_loss_terms(target, prediction, mask=mask, gene_mask=gene_mask, strand_mask=strand_mask)
    return total + positional_weight * positional


def gene_loss_terms(
    target: Float[Tensor, "batch position track"],
    prediction: Float[Tensor, "batch position track"],
    *,
    mask: Bool[Tensor, "batch track"],
    gene_mask: Bool[Tensor, "batch position 2 gene"],
    strand_mask: Bool[Tensor, "batch 2 track"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Give the two terms of `gene_loss` apart: total and distribution over tracks, both unweighted."""
    span = gene_mask.sum(1)
    active = (span > 0)[..., None] & (strand_mask & mask[:, None])[:, :, None]
    t, p = (select(active, _gene_means(x, mask, gene_mask, span)) for x in (target, prediction))
    t_sum, p_sum = t.sum(-1, keepdim=True), p.sum(-1, keepdim=True)
    most_tracks = active.sum(-1).amax().clamp(min=1)
    total = poisson(t_sum, p_sum, active.any(-1, keepdim=True)) / most_tracks
    positional = masked_mean(-t * (p / (p_sum + EPSILON) + EPSILON).log(), active)
    return total, positional


def _gene_means(
    x: Float[Tensor, "batch position track"],
    mask: Bool[Tensor, "batch track"],
    gene_mask: Bool[Tensor, "batch position 2 gene"],
    span: Tensor,
) -> Float[Tensor, "batch 2 gene track"]:
    """Average x over the positions of each gene."""
    # A matrix product, which autocast would run in bfloat16.
    with torch.autocast(x.device.type, enabled=False):
        sums = torch.einsum("bpsg,bpt->bsgt", gene_mask.float(), select(mask[:, None], x))
    return sums / span.clamp(min=1)[..., None]
