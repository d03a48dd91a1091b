"""Run a network along a chromosome and stitch the middles of its windows."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from genomekit.genome.interval import Interval
from genomekit.nn import AlphaGenome
from genomekit.training.data import OrganismData, Window, make_batch
from genomekit.training.loop import to_device


def windows_along(region: Interval, length: int, margin: int) -> Iterator[tuple[int, int, int]]:
    """Yield (window start, first kept, last kept + 1) so that kept stretches tile the region.

    Args:
        region: What to cover.
        length: Window length, bp.
        margin: Bases at each window end that the next window gives instead, except at the region's ends.

    Raises:
        ValueError: The region is shorter than a window, or the margins leave nothing of one.

    Example:
        >>> list(windows_along(Interval("chrI", 0, 20), 10, 2))
        [(0, 0, 8), (6, 8, 14), (10, 14, 20)]
    """
    if region.width < length:
        raise ValueError(f"Region {region} is shorter than a window of {length:,} bp. Evaluate with shorter windows.")
    if not 0 <= 2 * margin < length:
        raise ValueError(
            f"Margins of {margin:,} bp leave nothing of a window of {length:,} bp; they must be less than half of it. "
            "Use longer windows or a smaller margin."
        )
    kept = region.start
    while kept < region.end:
        start = min(max(kept - margin, region.start), region.end - length)
        end = start + length
        stop = region.end if end == region.end else end - margin
        yield start, kept, stop
        kept = stop


def predict_along(
    network: AlphaGenome, data: OrganismData, region: Interval, modalities: Sequence[str], *, length: int, margin: int
) -> dict[str, np.ndarray]:
    """Predict one region at the finest resolution of each head.

    Args:
        network: In evaluation mode.
        data: Holds the letters of the chromosome.
        region: Where; bins are counted from its start, and it holds a whole number of every head's bins.
        modalities: Heads that give one row per bin (tracks, splice sites, usage).
        length: Window length, bp.
        margin: Context dropped at each window end, bp; a whole number of bins too.

    Returns:
        Modality to float32 (bin, channel) over the region.

    Raises:
        ValueError: Region, window or margin are no whole number of bins, or do not fit each other.
    """
    coarsest = max(min(network.config.head(name).resolutions) for name in modalities)
    if any(width % coarsest for width in (region.width, length, margin)):
        raise ValueError(
            f"Region {region}, windows of {length:,} bp and margins of {margin:,} bp came for bins of {coarsest} bp; "
            f"each must be a multiple of {coarsest}. Cut the region at its end."
        )
    device = next(network.parameters()).device
    out: dict[str, np.ndarray] = {}
    for start, first, last in windows_along(region, length, margin):
        batch = to_device(make_batch(data, [Window(region.chrom, start, False)], length, {}), device)
        with torch.no_grad():
            raw = network(batch.dna, batch.organism, list(modalities))
        for name in modalities:
            values = finest(raw[name])[0]
            resolution = length // len(values)
            rows = out.setdefault(name, np.zeros((region.width // resolution, values.shape[-1]), np.float32))
            low, high = ((edge - region.start) // resolution for edge in (first, last))
            offset = (first - start) // resolution
            rows[low:high] = values[offset : offset + high - low].float().cpu().numpy()
    return out


def finest(raw: dict[str, Tensor]) -> Tensor:
    """Return the predictions of a head at its finest resolution."""
    for key in ("predictions_1bp", "predictions_128bp", "predictions"):
        if key in raw:
            return raw[key]
    raise ValueError(f"A head gave {sorted(raw)}; none of them are predictions.")
