"""Between coverage as measured and the compressed scale that the track heads predict on."""

from jaxtyping import Float
from torch import Tensor, addcmul, float32, promote_types, where

# AlphaGenome paper, Methods, "Scaling of targets": values above 10 are compressed to 2 sqrt(10 x) - 10, and RNA-seq is
# raised to 0.75 before that. Slope and value of the two branches meet at 10.
SOFT_CLIP = 10.0
SQUASH_POWER = 0.75


def soft_clip(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Compress values above 10 to 2 sqrt(10 x) - 10; leave the others.

    Example:
        >>> import torch
        >>> soft_clip(torch.tensor([4.0, 10.0, 40.0])).tolist()
        [4.0, 10.0, 30.0]

    Source:
        google-deepmind/alphagenome_research, target scaling of the genome track heads and junction loss.
    """
    # The clamp keeps the gradient of the branch not taken finite: sqrt has none at 0, and NaN * 0 is NaN.
    return where(x > SOFT_CLIP, 2.0 * (SOFT_CLIP * x.clamp(min=SOFT_CLIP)).sqrt() - SOFT_CLIP, x)


def _wide(x: Tensor) -> Tensor:
    """Return `x` in float32, or in float64 if it is that already."""
    return x.to(promote_types(x.dtype, float32))


def unscale(
    scaled: Float[Tensor, "batch position track"],
    track_mean: Float[Tensor, "batch track"],
    resolution: int,
    squash: bool = False,
) -> Float[Tensor, "batch position track"]:
    """Turn scaled predictions into coverage, in float32 or wider.

    Args:
        scaled: What a track head gives, at least 0; one row per bin.
        track_mean: Mean of the non-zero signal per base of each track (row of the organism of each batch element).
            NaN, as padding tracks have, gives NaN.
        resolution: Bin width in bp.
        squash: Undo the power 0.75 too (RNA-seq).

    Returns:
        Signal summed over each bin, in the units of the track.

    Example:
        >>> import torch
        >>> unscale(torch.tensor([[[4.0], [30.0]]]), torch.tensor([[0.5]]), 128).flatten().tolist()
        [256.0, 2560.0]

    Source:
        google-deepmind/alphagenome_research, predictions_scaling of the genome track heads.
    """
    x = _wide(scaled)
    # (x + 10)^2 / 40 = x + (x - 10)^2 / 40: nothing to choose between.
    over = (x - SOFT_CLIP).clamp(min=0)
    x = addcmul(x, over, over, value=1 / (4 * SOFT_CLIP))
    if squash:
        x = x ** (1.0 / SQUASH_POWER)
    return x * (_wide(track_mean)[:, None, :] * resolution)


def scale(
    targets: Float[Tensor, "batch position track"],
    track_mean: Float[Tensor, "batch track"],
    resolution: int,
    squash: bool = False,
) -> Float[Tensor, "batch position track"]:
    """Turn coverage into the scale on which track heads predict, in float32 or wider; the inverse of `unscale`.

    Args:
        targets: Signal summed over each bin, in the units of the track.
        track_mean: Mean of the non-zero signal per base of each track (row of the organism of each batch element).
            NaN, as padding tracks have, gives NaN: mask those tracks by selection, not by multiplication.
        resolution: Bin width in bp.
        squash: Apply the power 0.75 (RNA-seq).

    Example:
        >>> import torch
        >>> scale(torch.tensor([[[256.0], [2560.0]]]), torch.tensor([[0.5]]), 128).flatten().tolist()
        [4.0, 30.0]

    Source:
        google-deepmind/alphagenome_research, targets_scaling of the genome track heads.
    """
    x = _wide(targets) / (_wide(track_mean)[:, None, :] * resolution)
    if squash:
        x = x**SQUASH_POWER
    return soft_clip(x)
