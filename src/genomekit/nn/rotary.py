"""Rotary position encoding with the frequencies of AlphaGenome."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def geometric(stop: int | float, count: int, device: torch.device | None = None, *, endpoint: bool = True) -> Tensor:
    """Return `count` float64 values from 1 to `stop` in equal ratios, the end point included or not."""
    steps = torch.arange(count, dtype=torch.float64, device=device)
    return stop ** (steps / max(count - 1 if endpoint else count, 1))


def rotation(
    positions: Int[Tensor, "*batch token"], channels: int, max_position: int
) -> tuple[Float[Tensor, "*batch token half"], Float[Tensor, "*batch token half"]]:
    """Return cosine and sine of each position's angles, one per channel pair, in float32.

    Frequencies are `1 / (j + g_j)` with g a geometric series from 1 to `max_position - channels/2 + 1`, not powers of
    a base. Angles are never below float32: upstream's bfloat16 angles are exact to position 256 only.

    Example:
        >>> cosine, sine = rotation(torch.arange(3), 4, 8192)
        >>> sine[1].tolist()  # denominators 1 and 1 + 8191
        [0.841..., 0.000122...]

    Source: google-deepmind/alphagenome_research, attention (frequencies and interleaving).
    """
    half = channels // 2
    device = positions.device if positions.device.type != "mps" else torch.device("cpu")
    denominators = torch.arange(half, dtype=torch.float64, device=device)
    denominators = denominators + geometric(max_position - half + 1, half, device)
    frequencies = (1 / denominators).to(torch.float32).to(positions.device)
    angles = positions.to(torch.float32)[..., None] * frequencies
    return angles.cos(), angles.sin()


def rotate(
    x: Float[Tensor, "*batch token channel"], angles: tuple[Tensor, Tensor]
) -> Float[Tensor, "*batch token channel"]:
    """Rotate neighbouring channel pairs (0, 1), (2, 3), ... by the angles of their position."""
    cosine, sine = angles
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack((even * cosine - odd * sine, odd * cosine + even * sine), dim=-1)
    return turned.flatten(-2).to(x.dtype)
