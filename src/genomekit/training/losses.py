"""One loss per kind of head: the head's raw tensors and the batch's targets in, one number out.

Masks say which tracks have data in each batch element; targets and track means may be NaN elsewhere.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from genomekit.nn.scaling import scale
from genomekit.training.loss_terms import (
    POSITIONAL_WEIGHT,
    binary_cross_entropy,
    cross_entropy,
    gene_loss,
    junction_counts_loss,
    mse,
    multinomial_poisson,
)

# Coverage is compared in segments of 131,072 bp: the total of a segment, and where in the segment it lies.
SEGMENT = 2**17


def track_loss(
    outputs: Mapping[str, Tensor],
    targets: Float[Tensor, "batch position track"],
    *,
    mask: Bool[Tensor, "batch track"],
    track_mean: Float[Tensor, "batch track"],
    resolutions: tuple[int, ...],
    squash: bool = False,
    positional_weight: float = POSITIONAL_WEIGHT,
    gene_weight: float = 0.0,
    gene_mask: Bool[Tensor, "batch position 2 gene"] | None = None,
    strand_mask: Bool[Tensor, "batch 2 track"] | None = None,
) -> Float[Tensor, ""]:
    """Sum the coverage loss of a track head over its resolutions.

    Args:
        outputs: The head's tensors; `scaled_predictions_{resolution}bp` is read for each resolution.
        targets: Coverage summed over each bin of the finest resolution, unscaled; wider bins are summed from it.
        mask: Which tracks have data in each batch element.
        track_mean: Mean of the non-zero signal per base, per batch element (NaN at padding is harmless).
        resolutions: Bin widths of the head in bp, e.g. (1, 128).
        squash: Whether the head's scale includes the power 0.75 (RNA-seq).
        positional_weight: Weight of the shape within a segment beside its total.
        gene_weight: Weight of `gene_loss` at 1 bp; 0 leaves it out.
        gene_mask: For the gene loss.
        strand_mask: For the gene loss.

    Raises:
        ValueError: Targets and outputs do not fit, or the gene loss lacks its masks.

    Source:
        google-deepmind/alphagenome_research, genome tracks head loss.
    """
    finest = min(resolutions)
    total = targets.new_zeros((), dtype=torch.float32)
    for resolution in resolutions:
        prediction = outputs[f"scaled_predictions_{resolution}bp"]
        binned = _sum_bins(targets, resolution // finest)
        if binned.shape != prediction.shape:
            raise ValueError(
                f"Targets of shape {tuple(targets.shape)} give {tuple(binned.shape)} at {resolution} bp but the head "
                f"gave {tuple(prediction.shape)}. Targets must be at {finest} bp and cover the same window and tracks."
            )
        scaled = scale(binned, track_mean, resolution, squash)
        segment = min(prediction.shape[1], SEGMENT // resolution)
        total = total + multinomial_poisson(
            scaled, prediction, mask[:, None], segment=segment, positional_weight=positional_weight
        )
        if gene_weight and resolution == 1:
            if gene_mask is None or strand_mask is None:
                raise ValueError(f"gene_weight is {gene_weight} but gene_mask or strand_mask is None; give both.")
            total = total + gene_weight * gene_loss(
                scaled, prediction, mask=mask, gene_mask=gene_mask, strand_mask=strand_mask
            )
    return total


def contact_loss(
    outputs: Mapping[str, Tensor],
    targets: Float[Tensor, "batch bin1 bin2 track"],
    *,
    mask: Bool[Tensor, "batch track"],
) -> Float[Tensor, ""]:
    """Mean squared error of contact maps (`predictions`) over tracks with data and pairs that are not NaN.

    Source:
        google-deepmind/alphagenome_research, contact maps head loss.
    """
    return mse(targets, outputs["predictions"], mask[:, None, None])


def splice_class_loss(
    outputs: Mapping[str, Tensor], targets: Bool[Tensor, "batch position 5"] | Float[Tensor, "batch position 5"]
) -> Float[Tensor, ""]:
    """Cross-entropy of the splice-site classes (`logits`) over positions that have a class.

    Args:
        outputs: The head's tensors.
        targets: One-hot donor+, acceptor+, donor-, acceptor-, other; all zero where unknown.

    Source:
        google-deepmind/alphagenome_research, splice sites classification head loss.
    """
    return cross_entropy(outputs["logits"], targets)


def splice_usage_loss(
    outputs: Mapping[str, Tensor],
    targets: Float[Tensor, "batch position track"],
    *,
    mask: Bool[Tensor, "batch track"],
) -> Float[Tensor, ""]:
    """Binary cross-entropy of splice-site usage (`logits`) over all positions of tracks with data.

    Source:
        google-deepmind/alphagenome_research, splice sites usage head loss.
    """
    return binary_cross_entropy(targets, outputs["logits"], mask[:, None])


def junction_loss(
    outputs: Mapping[str, Tensor],
    targets: Float[Tensor, "batch donor acceptor track"],
    *,
    mask: Bool[Tensor, "batch track"] | None = None,
) -> Float[Tensor, ""]:
    """Loss of the junction counts (`predictions`) over the pairs the head allows (`mask`).

    Args:
        outputs: The head's tensors.
        targets: Reads between the sites at the head's `sites`; first half of the tracks +, second -.
        mask: Tracks with data; None counts all that the head's own mask allows.

    Source:
        google-deepmind/alphagenome_research, splice sites junction head loss (weight 0.2 in the total).
    """
    pairs = outputs["mask"]
    if mask is not None:
        pairs = pairs & mask[:, None, None]
    return junction_counts_loss(targets, outputs["predictions"], pairs)


def _sum_bins(x: Float[Tensor, "batch fine track"], width: int) -> Float[Tensor, "batch coarse track"]:
    """Sum each run of `width` bins in float32."""
    if width == 1:
        return x
    if x.shape[1] % width:
        raise ValueError(f"{x.shape[1]} bins cannot be summed by {width}; use windows of a multiple of {width} bins.")
    return x.float().unflatten(1, (-1, width)).sum(2)
