"""Scores on disk: one HDF5 file (`.h5`) or one Zarr folder (`.zarr`), each table as AnnData writes it.

Layout: the group `records`, and under `scorers` one AnnData for each scorer, numbered in their order. The attributes of
the root hold the schema, the names of the scorers and the attributes of the set. The same scores give the same bytes.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.io import read_elem, write_elem

from genomekit.disk import beside, check_sizes, move, require_zarr, sizes
from genomekit.genome.cache import require_space
from genomekit.labels import plain_attrs, text
from genomekit.scores.show import facts

if TYPE_CHECKING:
    from genomekit.scores.score_set import ScoreSet

SCHEMA = "genomekit-scores-1"
_META = "genomekit"  # attribute of the root, JSON
_FILES = "genomekit_files"  # attribute of a Zarr root: sizes of the files
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
_HEADERS = 1 << 20
_LIBVER = "v110"  # of HDF5: its newer layout takes a third of the room for a file's many small parts, or less


def save(
    records: pd.DataFrame,
    tables: Mapping[str, AnnData],
    attrs: Mapping[str, object],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Path:
    """Write records and tables; see `ScoreSet.save`."""
    target = Path(path)
    ending = _ending(target)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; pass overwrite=True to replace it, or choose another name.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} does not exist; create it first.")
    bytes_of_tables = sum(4 * t.n_obs * t.n_vars * (1 + len(t.layers)) for t in tables.values())
    require_space(target.parent, bytes_of_tables + _HEADERS)
    with beside(target, ending) as temporary:
        write(temporary, records, tables, attrs)
        move(temporary, target)
    return target


def write(path: Path, records: pd.DataFrame, tables: Mapping[str, AnnData], attrs: Mapping[str, object]) -> None:
    """Write a file or folder that is not there yet, in place and not at once."""
    shown = [facts(tables[name]) for name in tables]
    about = {"schema": SCHEMA, "scorers": list(tables), "facts": shown, "attrs": plain_attrs(attrs)}
    with _root(path, "w") as root:
        is_hdf5 = isinstance(root, h5py.Group)
        packed = _PACKED if is_hdf5 else {}
        # Zarr compresses texts by itself, and each further node costs it time.
        for_disk = _coded if is_hdf5 else _as_texts
        root.attrs[_META] = json.dumps(about)
        write_elem(root, "records", for_disk(records))
        root.create_group("scorers")
        for number, name in enumerate(tables):
            table = tables[name]
            bare = AnnData(table.X, obs=for_disk(table.obs), var=for_disk(table.var), layers=dict(table.layers))
            write_elem(root, f"scorers/{number}", bare, dataset_kwargs=packed)
            write_elem(root[f"scorers/{number}"], "uns", plain_attrs(table.uns))  # scalars cannot be packed
    if path.suffix == ".zarr":
        metadata = json.loads((path / "zarr.json").read_text())
        metadata["attributes"][_FILES] = json.dumps(sizes(path))
        (path / "zarr.json").write_text(json.dumps(metadata))


def is_scores(path: Path) -> bool:
    """Whether a path holds one set of scores, going by its ending and, for Zarr, by the attributes of its root."""
    if path.suffix == ".zarr":
        try:
            attributes = json.loads((path / "zarr.json").read_text())["attributes"]
            return _META in attributes and "schema" not in attributes  # predictions name the version under that word
        except (OSError, ValueError, KeyError, TypeError):
            return False
    return path.suffix == ".h5" and path.is_file()


def open_scores(path: str | os.PathLike[str]) -> ScoreSet:
    """Read saved scores back, equal to what was saved.

    Args:
        path: A `.h5` file or `.zarr` folder that `ScoreSet.save` wrote.

    Raises:
        FileNotFoundError: Nothing is there.
        ValueError: It is truncated, damaged, or was not written by genomekit.
        ImportError: A Zarr folder, and Zarr is not installed.
    """
    from genomekit.scores.score_set import ScoreSet  # it saves itself with this file

    with opened(Path(path)) as (root, about):
        records = read_records(root)
        tables = {name: read_table(root, number) for number, name in enumerate(about["scorers"])}
    return ScoreSet(records, tables, about["attrs"])


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give the root of saved scores and the facts in its attributes; what goes wrong in between is explained."""
    if not path.exists():
        raise FileNotFoundError(f"There are no saved scores at {path}; look for an .h5 file or a .zarr folder.")
    try:
        with _root(path, "r") as root:
            about = json.loads(root.attrs[_META])
            if about["schema"] != SCHEMA:
                raise ValueError(f"its schema is {about['schema']!r}, expected {SCHEMA!r}")
            if _FILES in root.attrs:
                check_sizes(path, json.loads(root.attrs[_FILES]))
            yield root, about
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # HDF5, Zarr and AnnData each have errors of their own for a damaged file
        raise ValueError(
            f"{path} cannot be read as scores ({type(error).__name__}: {error}). It is truncated, damaged or not "
            "written by genomekit; remove it, and copy or compute it again."
        ) from error


def read_records(root: Any) -> pd.DataFrame:
    """Read the table of records."""
    return _from_disk(read_elem(root["records"])).reset_index(drop=True)


def read_table(root: Any, number: int) -> AnnData:
    """Read the table of one scorer."""
    table = read_elem(root[f"scorers/{number}"])
    uns = {name: value.item() if isinstance(value, np.generic) else value for name, value in table.uns.items()}
    layers = {name: table.layers[name] for name in ("ref", "alt", "quantile") if name in table.layers}
    return AnnData(table.X, obs=_from_disk(table.obs), var=_from_disk(table.var), uns=uns, layers=layers)


WRITERS = {
    ".h5ad": "scores[NAME].write_h5ad",
    ".parquet": "scores.to_frame().to_parquet",
    ".feather": "scores.to_frame().to_feather",
    ".csv": "scores.to_frame().to_csv",
    ".tsv": "scores.to_frame().to_csv",
}
"""Files of other kinds, and what writes them."""


def _ending(path: Path) -> str:
    if path.suffix in (".h5", ".zarr"):
        return path.suffix[1:]
    told = f"{path} ends in {path.suffix!r}; scores are saved as .h5 (HDF5) or .zarr (Zarr)"
    if path.suffix == ".h5ad":
        told += f", all scorers together. An .h5ad file holds the table of one: {WRITERS[path.suffix]}(PATH)"
    elif path.suffix in WRITERS:
        told += f". For one tidy table: {WRITERS[path.suffix]}(PATH)"
    raise ValueError(f"{told}.")


@contextmanager
def _root(path: Path, mode: str) -> Iterator[Any]:
    if _ending(path) == "h5":
        # With a cache, chunks are written when Python lets go of a dataset; a profiler that looks may hold one longer.
        options = {"rdcc_nbytes": 0, "libver": _LIBVER} if mode == "w" else {}
        with h5py.File(path, mode, **options) as file:
            yield file
        return
    require_zarr()
    import zarr
    from zarr.storage import MemoryStore

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="zarr v3 autosharding")  # either way of chunking is read
        if mode == "r":
            yield zarr.open_group(path, mode="r")
            return
        # On disk each of thousands of attributes would be a trip through two threads; so all go there at the end.
        files: dict[str, Any] = {}
        yield zarr.open_group(MemoryStore(files), mode="w", zarr_format=3)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content.to_bytes())


def _coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Write each of few distinct texts once: labels repeat from row to row."""
    plain = _as_texts(frame)
    repeated = [name for name, values in plain.items() if values.dtype == object and 2 * values.nunique() < len(values)]
    return plain.assign(**{name: pd.Categorical(plain[name]) for name in repeated})


def _as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    index = frame.index if frame.index.dtype == object else pd.Index(frame.index.astype(str), dtype=object)
    return pd.DataFrame({name: values.to_numpy() for name, values in frame.items()}, index=index)


def _from_disk(frame: pd.DataFrame) -> pd.DataFrame:
    """Undo what the format did to texts."""
    columns = {
        name: values.to_numpy() if values.dtype.kind in "iufb" else text(values) for name, values in frame.items()
    }
    return pd.DataFrame(columns, index=pd.Index(text(frame.index), dtype=object))
