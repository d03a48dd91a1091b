"""Labelled values to the files other programs read: bigWig, bedGraph and tidy tables."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import xarray as xr

from genomekit.genome.cache import require_space

_BIGWIG = (".bw", ".bigwig")
_BEDGRAPH = (".bedgraph", ".bg", ".bedgraph.gz", ".bg.gz")
# A tidy table costs some 30 bytes a row; above this a notebook dies before it shows anything.
MAX_ROWS = 50_000_000


def to_dataframe(dataset: xr.Dataset, *, max_rows: int = MAX_ROWS) -> pd.DataFrame:
    """Give one row per value: where, which track, and the value.

    Columns are chrom, start, end (0-based half-open; the bin or the intron), then start2 and end2 for contact maps,
    or strand, donor and acceptor for junctions, then allele where there is one, track, the track's metadata that is
    not empty, and `signal`. Text columns are categorical.

    Args:
        dataset: One node, with variable `signal`.
        max_rows: Refuse longer tables.

    Raises:
        ValueError: The table would be longer than `max_rows`.
    """
    signal = dataset["signal"]
    check_rows(signal.size, max_rows)
    places = [dim for dim in signal.dims if dim in ("position", "bin1", "bin2", "junction")]
    signal = signal.transpose(*places, ..., "track", missing_dims="ignore")
    index = {dim: _take(signal.shape, axis) for axis, dim in enumerate(signal.dims)}
    columns: dict[str, object] = {"chrom": pd.Categorical.from_codes(np.zeros(signal.size, int), [_chrom(dataset)])}
    for dim, (start, end) in zip(places, (("start", "end"), ("start2", "end2")), strict=False):
        first = dataset["start" if dim == "junction" else dim].values
        last = dataset["end"].values if dim == "junction" else first + _resolution(dataset)
        columns[start], columns[end] = first[index[dim]], last[index[dim]]
    if "junction" in index:
        columns["strand"] = _categorical(dataset["strand"].values, index["junction"])
        columns |= {name: dataset[name].values[index["junction"]] for name in ("donor", "acceptor")}
    for dim in signal.dims:
        if dim not in places:
            columns[str(dim)] = _categorical(dataset[dim].values, index[dim])
    for name in ("allele", "track"):
        if name in dataset.coords and dataset[name].ndim == 0:
            columns[name] = pd.Categorical([dataset[name].item()] * signal.size)
    for name, coord in dataset.coords.items():
        if (
            "track" in index
            and coord.dims == ("track",)
            and name != "track"
            and name not in columns
            and coord.dtype == object
        ):
            if (coord.values != "").any():
                columns[str(name)] = _categorical(coord.values, index["track"])
    columns["signal"] = signal.values.ravel()
    frame = pd.DataFrame(columns)
    # Nullable, so that rows without a second bin stay whole numbers when nodes are put into one table.
    return frame.astype({name: "Int64" for name in ("start2", "end2") if name in frame})


def check_rows(rows: int, max_rows: int) -> None:
    """Refuse a tidy table that is too long.

    Raises:
        ValueError: `rows` is above `max_rows`.
    """
    if rows > max_rows:
        raise ValueError(
            f"The table would have {rows:,} rows, more than max_rows={max_rows:,}; use .gk.region(...), "
            ".gk.tracks(...) or .gk.bin(...) first."
        )


def to_bigwig(
    dataset: xr.Dataset, path: str | os.PathLike[str], *, chrom_length: int | None = None, overwrite: bool = False
) -> list[Path]:
    """Write one bigWig file per track (and allele).

    Bins without a value (NaN) are left out, bins past the chromosome end are cut off.

    Args:
        dataset: One node with dim position.
        path: A file ending in .bw or .bigwig for a single track, otherwise a folder (made where missing); files in it
            are named after modality and track.
        chrom_length: Length of the chromosome in bp; default is `attrs["chrom_length"]`.
        overwrite: Replace files that are already there.

    Returns:
        The files written, in the order of the tracks.

    Raises:
        ValueError: No position dim, an unknown chromosome length, or a track without any value.
        FileExistsError: A file exists and `overwrite` is False; nothing is written then.
    """
    length = chrom_length or dataset.attrs.get("chrom_length")
    if not length:
        raise ValueError("The chromosome length is not in attrs; pass chrom_length= (bigWig files state it).")

    def write(file: Path, values: np.ndarray) -> None:
        # libBigWig may abort the process on a full disk; each value takes 4 bytes, and the zoom levels less than that.
        require_space(file.parent, values.size * 12 + (1 << 16))
        with pyBigWig.open(str(file), "w") as handle:
            handle.addHeader([(_chrom(dataset), int(length))])
            for start, run, span in _runs(dataset, values, int(length)):
                handle.addEntries(_chrom(dataset), start, values=run.astype(float), span=span, step=span)

    return _each_track(dataset, path, _BIGWIG, write, overwrite, int(length))


def to_bedgraph(
    dataset: xr.Dataset, path: str | os.PathLike[str], *, chrom_length: int | None = None, overwrite: bool = False
) -> list[Path]:
    """Write one bedGraph file per track (and allele); neighbouring bins of equal value share a line.

    Values are written with the digits that give the same float32 back; NaN is left out.

    Args:
        dataset: One node with dim position.
        path: A file ending in .bedgraph or .bg (.gz compresses) for a single track, otherwise a folder.
        chrom_length: Length of the chromosome in bp, to cut the last bin; default is `attrs["chrom_length"]`, if any.
        overwrite: Replace files that are already there.

    Returns:
        The files written, in the order of the tracks.

    Raises:
        ValueError: No position dim, or a track without any value.
        FileExistsError: A file exists and `overwrite` is False; nothing is written then.
    """
    length = int(chrom_length or dataset.attrs.get("chrom_length") or np.iinfo(np.int64).max)
    name = _chrom(dataset)

    def write(file: Path, values: np.ndarray) -> None:
        opener: Callable[..., object] = gzip.open if file.suffix == ".gz" else open
        with opener(file, "wt") as handle:  # type: ignore[attr-defined]
            for start, run, span in _runs(dataset, values, length):
                change = np.flatnonzero(np.r_[True, run[1:] != run[:-1]])
                ends = np.r_[change[1:], len(run)]
                for a, b, value in zip(change, ends, run[change], strict=True):
                    handle.write(f"{name}\t{start + a * span}\t{start + b * span}\t{value!s}\n")

    return _each_track(dataset, path, _BEDGRAPH, write, overwrite, length)


def _runs(dataset: xr.Dataset, values: np.ndarray, length: int) -> Iterator[tuple[int, np.ndarray, int]]:
    """Cut one track into (start, values, span) without gaps, inside the chromosome."""
    position, width = dataset["position"].values, _resolution(dataset)
    if len(position) > 1 and position[0] > position[-1]:  # a result turned for display
        position, values = position[::-1], values[::-1]
    whole = (position >= 0) & (position + width <= length) & ~np.isnan(values)
    edges = np.flatnonzero(np.diff(np.r_[False, whole, False]))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield int(position[first]), values[first:last], width
    cut = np.flatnonzero((position >= 0) & (position < length) & (position + width > length) & ~np.isnan(values))
    for last in cut:  # at most one: the bin the chromosome ends in
        yield int(position[last]), values[last : last + 1], int(length - position[last])


def _each_track(
    dataset: xr.Dataset,
    path: str | os.PathLike[str],
    endings: tuple[str, ...],
    write: Callable[[Path, np.ndarray], None],
    overwrite: bool,
    length: int,
) -> list[Path]:
    signal = dataset["signal"]
    if "position" not in signal.dims:
        raise ValueError(
            f"{dataset.attrs.get('modality', 'This result')} has dims {signal.dims}, not position; "
            "genome tracks need one value per bin. Use .gk.to_dataframe()."
        )
    flat = signal.transpose("position", ..., "track", missing_dims="ignore").values.reshape(
        signal.sizes["position"], -1
    )
    names = _file_names(dataset)
    target = Path(path)
    if target.name.lower().endswith(endings):
        if len(names) != 1:
            raise ValueError(f"{len(names)} tracks came for the one file {target}; name a folder, or choose one track.")
        files = [target]
    else:
        files = [target / f"{name}{endings[0]}" for name in names]
    existing = [file for file in files if file.exists()]
    if existing and not overwrite:
        raise FileExistsError(f"{existing[0]} exists ({len(existing)} such); pass overwrite=True or another path.")
    position = dataset["position"].values
    inside = (position >= 0) & (position < length)
    empty = np.flatnonzero(np.isnan(flat[inside]).all(axis=0))
    if len(empty):
        raise ValueError(f"Track {names[empty[0]]!r} has no value inside the chromosome; nothing can be written.")
    for column, file in enumerate(files):
        file.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(file) as temporary:
            write(temporary, np.ascontiguousarray(flat[:, column]))
    return files


def _file_names(dataset: xr.Dataset) -> list[str]:
    """Name the files of a node: modality, track, allele; letters every file system takes, no two alike."""
    alleles = (
        [f"_{allele}" for allele in np.atleast_1d(dataset["allele"].values)] if "allele" in dataset.coords else [""]
    )
    if "allele" not in dataset["signal"].dims:
        alleles = alleles[:1]
    modality = dataset.attrs.get("modality", "signal")
    names: list[str] = []
    for allele in alleles:
        for label in np.atleast_1d(dataset["track"].values):
            words = str(label).replace(" +", "_plus").replace(" -", "_minus")
            name = re.sub(r"[^\w.-]+", "_", f"{modality}_{words}{allele}")
            taken = {other.casefold() for other in names}
            tries = itertools.chain([name], (f"{name}_{n}" for n in itertools.count(2)))
            names.append(next(other for other in tries if other.casefold() not in taken))
    return names


@contextlib.contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """Write beside the target and rename at the end, so that no half file carries its name."""
    if not os.access(file.parent, os.W_OK):
        raise PermissionError(f"The folder {file.parent} cannot be written; choose another one.")
    temporary = file.with_name(f".part{os.getpid()}_{file.name}")
    try:
        yield temporary
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _chrom(dataset: xr.Dataset) -> str:
    return str(dataset.attrs.get("chrom") or "sequence")


def _resolution(dataset: xr.Dataset) -> int:
    return int(dataset.attrs.get("resolution", 1))


def _take(shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Index along one axis for every element of the flattened array."""
    view = np.arange(shape[axis], dtype=np.int64).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return np.broadcast_to(view, shape).ravel()


def _categorical(values: np.ndarray, index: np.ndarray) -> pd.Categorical:
    codes, categories = pd.factorize(values)
    return pd.Categorical.from_codes(codes[index], categories=list(categories))
