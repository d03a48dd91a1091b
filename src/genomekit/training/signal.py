"""Measured signal as one number per base: bigWig coverage and fragment ends."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig

from genomekit.errors import unknown


def _spelling(chrom: str, names: list[str], path: Path) -> str:
    """Return how a file spells a chromosome: as given, or without or with "chr"."""
    for name in (chrom, chrom.removeprefix("chr"), f"chr{chrom}"):
        if name in names:
            return name
    raise unknown(f"chromosome in {path.name}", chrom, names)


def bigwig_coverage(path: str | Path, chrom: str, length: int) -> np.ndarray:
    """Read one chromosome of a bigWig as float32 values per base, 0 where there is none.

    Args:
        path: A bigWig file.
        chrom: Name of the chromosome, with or without "chr".
        length: Length of the chromosome in the genome, bp.

    Raises:
        ValueError: No such chromosome, or the file's one is longer than the genome's (another assembly).
    """
    path = Path(path)
    with pyBigWig.open(str(path)) as file:
        name = _spelling(chrom, list(file.chroms()), path)
        covered = file.chroms(name)
        if covered > length:
            raise ValueError(
                f"{path.name} gives {chrom} {covered:,} bp but the genome has {length:,} bp: it was made on another "
                "assembly. Use the genome that the signal was mapped to."
            )
        out = np.zeros(length, np.float32)
        out[:covered] = np.nan_to_num(np.asarray(file.values(name, 0, covered, numpy=True), np.float32))
    return out


def fragment_ends(path: str | Path, chrom: str, length: int) -> np.ndarray:
    """Count fragment ends per base: the first and the last base of each fragment (ATAC insertions).

    Args:
        path: Tab-separated fragments (chrom, start, end), 0-based half-open, plain or gzip.
        chrom: Name of the chromosome, with or without "chr".
        length: Length of the chromosome, bp.

    Raises:
        ValueError: No such chromosome, or a fragment lies past the chromosome's end.
    """
    path = Path(path)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        columns = {"chrom": str, "start": np.int64, "end": np.int64}
        table = pd.read_csv(
            file, sep="\t", header=None, usecols=[0, 1, 2], names=list(columns), dtype=columns, comment="#"
        )
    name = _spelling(chrom, list(table["chrom"].unique()), path)
    rows = table[table["chrom"] == name]
    if len(rows) and rows["end"].max() > length:
        raise ValueError(
            f"{path.name} has a fragment that ends at {rows['end'].max():,} on {chrom}, which has {length:,} bp."
        )
    ends = np.concatenate([rows["start"].to_numpy(), rows["end"].to_numpy() - 1])
    return np.bincount(ends, minlength=length).astype(np.float32)
