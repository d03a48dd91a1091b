"""Contacts of a region out of a .cool or .mcool file, through the library `cooler`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genomekit.genome.interval import Interval
from genomekit.plot.files import chrom_in, existing


def read_cool(path: Path, region: Interval, resolution: int | None, balance: bool) -> tuple[np.ndarray, int, int, bool]:
    """Read a square of contacts.

    Args:
        path: The file.
        region: Where; rounded out to whole bins.
        resolution: bp per bin, needed where the file has several.
        balance: Multiply with the weights the file has; without any, raw counts come back.

    Returns:
        Contacts (bin, bin), the first base of the first bin, bp per bin, and whether they are weighted.

    Raises:
        ImportError: `cooler` is not installed.
        ValueError: Another kind of file, no such resolution, or a chromosome it does not have.
    """
    try:
        import cooler
    except ImportError as error:
        raise ImportError(f"Reading {path} needs cooler: pip install 'genomekit-torch[contacts]'.") from error
    found = existing(path)
    if not cooler.fileops.is_multires_file(str(found)) and not cooler.fileops.is_cooler(str(found)):
        raise ValueError(f"{found} is no .cool or .mcool file.")
    uri = str(found)
    if several := cooler.fileops.is_multires_file(uri):
        steps = sorted(int(name.rsplit("/", 1)[1]) for name in cooler.fileops.list_coolers(uri))
    else:
        steps = [int(cooler.Cooler(uri).binsize or 0)]
        if not steps[0]:
            raise ValueError(f"{found} has bins of different widths; give a file with bins of one.")
    if resolution not in ([] if len(steps) > 1 else [None]) + steps:
        raise ValueError(f"{found} has bins of {steps} bp, not {resolution}; give resolution=<one of them>.")
    handle = cooler.Cooler(f"{uri}::/resolutions/{resolution or steps[0]}" if several else uri)
    chrom = chrom_in(handle.chromnames, region, str(found))
    step = int(handle.binsize)
    length = int(handle.chromsizes[chrom])
    start, end = max(region.start, 0), min(region.end, length)
    if end <= start:
        raise ValueError(f"Region {region} lies beyond {chrom} of {found}, which has {length:,} bp.")
    weighted = balance and "weight" in handle.bins().columns
    values = handle.matrix(balance=weighted).fetch((chrom, start, end))
    return np.asarray(values, dtype=float), start // step * step, step, weighted
