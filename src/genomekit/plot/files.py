"""The user's own files as numbers and intervals of a region: bigWig, bedGraph, BED."""

from __future__ import annotations

import gzip
import itertools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyBigWig

from genomekit.genome.interval import Interval
from genomekit.genome.names import ChromosomeNames

BIGWIG = (".bw", ".bigwig")
BEDGRAPH = (".bedgraph", ".bg", ".bedgraph.gz", ".bg.gz")
BED = (".bed", ".bed.gz", ".narrowpeak", ".broadpeak", ".narrowpeak.gz", ".broadpeak.gz")
FULL = 4_000_000  # bp up to which every base is read; beyond, bins of the file's own zoom levels
BINS = 20_000
_HEADS = ("#", "track", "browser")
_NUMBERS = {"start": np.int64, "end": np.int64, "value": np.float64}
_BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand")


def file_values(path: Path, region: Interval) -> tuple[np.ndarray, int]:
    """Read a bigWig or bedGraph file; return the values of the region and the width of their bins, bp.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Another kind of file, or one without the chromosome.
    """
    name = path.name.casefold()
    if not name.endswith(BIGWIG + BEDGRAPH):
        raise ValueError(
            f"{path} is no file of values; give {', '.join((*BIGWIG, *BEDGRAPH))} (Intervals draws BED, Genes GTF)."
        )
    found = existing(path)
    if name.endswith(BIGWIG):
        return _bigwig_values(found, region)
    columns = ["chrom", "start", "end", "value"]
    return table_values(_lines(found, columns), region, str(path))


def existing(path: str | os.PathLike[str]) -> Path:
    """Give the path of a file that exists.

    Raises:
        FileNotFoundError: It does not.
    """
    found = Path(path).expanduser()
    if not found.is_file():
        raise FileNotFoundError(f"There is no file {found}; check the path.")
    return found


def chrom_in(chroms: Iterable[str], region: Interval, source: str) -> str:
    """Give a chromosome as a file spells it (chr1, 1 and NC_ names are one).

    Raises:
        ValueError: The file does not have it.
    """
    names = ChromosomeNames(chroms)
    found = names.find(region.chrom)
    if found is None:
        raise ValueError(f"{source} has no chromosome {region.chrom}, it has {names.sample()}. Is it of this assembly?")
    return found


def _bigwig_values(path: Path, region: Interval) -> tuple[np.ndarray, int]:
    with pyBigWig.open(str(path)) as handle:
        if not handle.isBigWig():
            raise ValueError(f"{path} is a bigBed file; give a bigWig.")
        chrom = chrom_in(handle.chroms(), region, str(path))
        length = handle.chroms()[chrom]
        start, end = max(region.start, 0), min(region.end, length)
        if end <= start:
            raise ValueError(f"Region {region} lies beyond {chrom} of {path}, which has {length:,} bp.")
        step = 1 if region.width <= FULL else -(-region.width // BINS)
        values = np.full(-(-region.width // step), np.nan, dtype=np.float32)
        if step == 1:
            values[start - region.start : end - region.start] = handle.values(chrom, start, end, numpy=True)
            return values, step
        first, count = (start - region.start) // step, (end - start) // step
        if count:
            read = handle.stats(chrom, start, start + count * step, type="max", nBins=count)
            values[first : first + count] = np.array(read, dtype=float)
        return values, step


def table_values(table: pd.DataFrame, region: Interval, source: str = "The table") -> tuple[np.ndarray, int]:
    """Spread a table of chrom, start, end (0-based half-open) and value over the bases of a region.

    Raises:
        ValueError: A column or the chromosome is missing, a row ends before its start, or rows overlap.
    """
    require_columns(table, ("chrom", "start", "end", "value"), source)
    chrom = chrom_in(table["chrom"].astype(str).unique(), region, source)
    _check_ends(table, source)
    rows = table[(table["chrom"].astype(str) == chrom) & (table["start"] < region.end) & (table["end"] > region.start)]
    _check_apart(rows, source)
    step = 1 if region.width <= FULL else -(-region.width // BINS)
    values = np.full(-(-region.width // step), np.nan, dtype=np.float32)
    first = np.maximum(rows["start"].to_numpy() - region.start, 0) // step
    last = -(-np.minimum(rows["end"].to_numpy() - region.start, region.width) // step)
    widths = last - first
    at = np.repeat(first - np.r_[0, np.cumsum(widths)[:-1]], widths) + np.arange(widths.sum())
    np.fmax.at(values, at, np.repeat(rows["value"].to_numpy(np.float32), widths))
    return values, step


def _check_ends(table: pd.DataFrame, source: str) -> None:
    wrong = ~(table["end"] >= table["start"]).to_numpy(bool)  # a missing end is none either
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"{source} has in row {row + 1} {_spelled(table.iloc[row])}; give a start and an end that is not before it."
        )


def _check_apart(rows: pd.DataFrame, source: str) -> None:
    """Refuse rows that give one base two values: whichever is drawn, the other would vanish."""
    rows = rows.sort_values("start", kind="stable")
    wrong = rows["start"].to_numpy()[1:] < rows["end"].to_numpy()[:-1]
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"{source} has rows that overlap, {_spelled(rows.iloc[row])} and {_spelled(rows.iloc[row + 1])}; each base "
            "has one value. Give one curve per table, as in Tracks({name: table, ...}), or draw them with Intervals."
        )


def _spelled(row: pd.Series) -> str:
    return f"{row['chrom']}:{row['start']}-{row['end']}"


def intervals_of(data: Any, region: Interval) -> pd.DataFrame:
    """Read intervals that overlap a region.

    Args:
        data: A BED file (plain or gzip), a table with chrom, start, end (0-based half-open), or Intervals and texts.
        region: Where.

    Returns:
        chrom, start, end, name, strand and what else a table has, by start.

    Raises:
        ValueError: Data of another kind, without the chromosome, or with an interval that ends before its start.
        FileNotFoundError: A file that does not exist.
    """
    source = "The table"
    table: Any
    if isinstance(data, str | os.PathLike) and str(data).casefold().endswith(BED):
        source, table = str(data), _lines(existing(data), list(_BED_COLUMNS))
    elif isinstance(data, pd.DataFrame):
        table = data
    elif isinstance(data, os.PathLike) or (isinstance(data, str) and not _is_locus(data)):
        raise ValueError(
            f"{str(data)!r} is no interval such as 'chr1:100-200' and no BED file, whose name ends in "
            f"{', '.join(BED[:1] + BED[2:4])} (.gz too). Tracks draws bigWig and bedGraph, Genes draws GTF."
        )
    elif isinstance(data, str | Interval):
        table = pd.DataFrame([Interval.parse(data).to_dict()])
    elif isinstance(data, Iterable):
        table = pd.DataFrame([Interval.parse(item).to_dict() for item in data])
    else:
        raise ValueError(f"{type(data).__name__} holds no intervals; give a BED file, a table or a list of Interval.")
    if table.empty:
        return pd.DataFrame({name: [] for name in (*_BED_COLUMNS, *table.columns)})
    require_columns(table, ("chrom", "start", "end"), source)
    chrom = chrom_in(table["chrom"].astype(str).unique(), region, source)
    _check_ends(table, source)
    inside = (table["chrom"].astype(str) == chrom) & (table["start"] < region.end) & (table["end"] > region.start)
    rows = table[inside].sort_values(["start", "end"], kind="stable", ignore_index=True)
    blank = {"name": "", "strand": "."}
    return rows.assign(**{key: value for key, value in blank.items() if key not in rows}).fillna(blank)


def _is_locus(text: str) -> bool:
    """Whether a text is meant as an interval rather than as a path: one that ends before its start still is."""
    return ":" in text or len(text.split()) > 2


def require_columns(table: pd.DataFrame, needed: Iterable[str], source: str) -> None:
    """Refuse a table that lacks columns.

    Raises:
        ValueError: One is missing.
    """
    missing = [name for name in needed if name not in table]
    if missing:
        has = ", ".join(map(str, table.columns)) or "no column"
        raise ValueError(f"{source} has no column {', '.join(missing)}; it has {has}.")


def _lines(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read the first columns of a tab-separated file without a header."""
    # The lines of a browser ("track type=...") and comments stand before the data.
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as handle:
        heads = sum(1 for _ in itertools.takewhile(lambda line: line.startswith(_HEADS), handle))
    try:
        table = pd.read_csv(path, sep="\t", header=None, skiprows=heads, dtype={0: str}, low_memory=False)
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path} is empty; nothing in it can be drawn.") from error
    if table.shape[1] < min(len(columns), 3 if "name" in columns else 4):
        raise ValueError(f"{path} has {table.shape[1]} columns; {', '.join(columns)} are expected, tabs between them.")
    table = table.iloc[:, : len(columns)].set_axis(columns[: table.shape[1]], axis=1)
    kinds = {name: kind for name, kind in _NUMBERS.items() if name in table}
    try:
        return table.astype(kinds)
    except ValueError as error:
        raise ValueError(f"{path} has text where numbers belong ({error}).") from error
