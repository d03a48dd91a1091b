"""Write a result to one file (NetCDF) or one folder (Zarr) and read it back exactly.

"Exactly" is `xr.DataTree.identical` plus equal dtypes, index kinds and attribute types: formats change strings,
byte order and NumPy scalars on the way, and `open` undoes that.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.disk import beside, check_sizes, move, require_zarr, sizes
from genomekit.genome.cache import require_space
from genomekit.labels import SCHEMA, plain_attrs, text

if TYPE_CHECKING:
    from genomekit.scores import ScoreSet

# Root attribute of a Zarr store: the order of its nodes, which Zarr forgets, and the sizes of its files, without which
# a lost chunk looks like one left out as empty.
MANIFEST = "genomekit_manifest"
_HEADERS = 1 << 20  # bytes of metadata, generously
# xarray reads an empty object array as float64; these index coordinates are always strings.
_TEXT_INDEXES = ("junction", "track", "allele", "base")
_VLEN = np.dtype("O", metadata={"element_type": str})


def save(tree: xr.DataTree, path: str | os.PathLike[str], *, overwrite: bool = False, compress: bool = True) -> Path:
    """Save a result as `.nc` (NetCDF, one file) or `.zarr` (one folder).

    The target appears only when it is complete; an interrupted call leaves nothing under its name.

    Args:
        tree: What a `predict_*` call returned, or a part of it.
        path: Where; the ending chooses the format.
        overwrite: Replace a result that is already there.
        compress: Compress values with checksums (NetCDF; Zarr always compresses).

    Returns:
        The path written.

    Raises:
        ValueError: An unknown ending, a tree of another schema, or attributes that are not plain.
        FileExistsError: The target exists and `overwrite` is False.
        ImportError: Zarr is asked for and not installed.

    Example:
        >>> import tempfile
        >>> from genomekit.labels import prediction_tree
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = save(prediction_tree({}, {"chrom": "chrV"}), f"{folder}/result.nc")
        ...     open(path).attrs["chrom"]
        'chrV'
    """
    target = Path(path)
    kind = _kind(target)
    if tree.attrs.get("schema") != SCHEMA:
        raise ValueError(
            f"The tree has schema {tree.attrs.get('schema')!r}; only {SCHEMA!r} can be saved. Save the whole result, "
            "or wrap single nodes with genomekit.labels.prediction_tree."
        )
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; pass overwrite=True to replace it, or choose another name.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} does not exist; create it first.")
    ready = tree.map_over_datasets(_for_disk)
    # HDF5 brings the whole process down on a full disk, with every result in it.
    require_space(target.parent, ready.nbytes * 11 // 10 + _HEADERS)
    with beside(target, kind) as temporary:
        if kind == "nc":
            ready.to_netcdf(temporary, engine="h5netcdf", encoding=_netcdf_encoding(ready) if compress else None)
        else:
            require_zarr()
            ready.to_zarr(temporary, mode="w", consolidated=False, zarr_format=3)
            _write_manifest(temporary, ready)
        move(temporary, target)
    return target


def open(path: str | os.PathLike[str]) -> xr.DataTree | ScoreSet:
    """Read a saved result back, equal to what was saved.

    Args:
        path: A `.nc` file or `.zarr` folder written by `save`; an `.h5` file or `.zarr` folder of scores, written by
            `ScoreSet.save`; or the folder that a batch of variants was scored into.

    Raises:
        FileNotFoundError: Nothing is there.
        ValueError: The file is truncated, damaged, or was not written by genomekit.
        ImportError: A Zarr folder, and Zarr is not installed.
    """
    source = Path(path)
    if not source.exists():
        raise FileNotFoundError(f"There is no saved result at {source}; look for a .nc file or a .zarr folder.")
    if source.suffix != ".nc":
        from genomekit.scores import sharded, store  # AnnData loads only for those who have scores

        if sharded.is_sharded(source):
            return sharded.open_sharded(source)
        if store.is_scores(source):
            return store.open_scores(source)
    kind = _kind(source)
    order = {}
    if kind == "zarr":
        require_zarr()
        order = _check_manifest(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # "no consolidated metadata": written so on purpose
            options: dict[str, Any] = {} if kind == "nc" else {"consolidated": False}
            options |= {"engine": "h5netcdf" if kind == "nc" else "zarr", "decode_times": False}
            with xr.open_datatree(source, decode_timedelta=False, **options) as stored:
                tree = stored.load()
    except MemoryError:
        raise
    except Exception as error:  # each backend has errors of its own for a damaged file
        raise ValueError(
            f"{source} cannot be read ({type(error).__name__}: {error}). It is truncated, damaged or not a "
            f"{'NetCDF file' if kind == 'nc' else 'Zarr folder'}; copy or compute it again."
        ) from error
    if tree.attrs.get("schema") != SCHEMA:
        raise ValueError(
            f"{source} has schema {tree.attrs.get('schema')!r}, expected {SCHEMA!r}: genomekit did not write it. "
            "Open it with xarray.open_datatree."
        )
    tree.attrs.pop(MANIFEST, None)
    nodes = {node.path: node.to_dataset(inherit=False) for node in tree.subtree}
    return xr.DataTree.from_dict({path: _from_disk(nodes[path], order.get(path)) for path in order or nodes})


def _kind(path: Path) -> str:
    if path.suffix in (".nc", ".zarr"):
        return path.suffix[1:]
    raise ValueError(f"{path} ends in {path.suffix!r}; results are saved as .nc (NetCDF) or .zarr (Zarr).")


def _for_disk(dataset: xr.Dataset) -> xr.Dataset:
    """Check attributes and type empty string columns, which xarray would store as numbers."""
    ready = dataset.assign_attrs(plain_attrs(dataset.attrs))
    for name, variable in ready.variables.items():
        plain_attrs(variable.attrs)
        if variable.dtype == object and variable.size == 0 and name not in ready.indexes:
            ready[name] = variable.copy(data=np.empty(variable.shape, dtype=_VLEN))
    return ready


def _netcdf_encoding(tree: xr.DataTree) -> dict[str, Any]:
    packed = {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}
    return {
        node.path: {name: packed for name, v in node.data_vars.items() if v.ndim and v.size and v.dtype != object}
        for node in tree.subtree
    }


def _from_disk(dataset: xr.Dataset, order: list[str] | None) -> xr.Dataset:
    """Undo what the format did to strings, positions, byte order, attributes and the order of variables."""
    data: dict[Hashable, np.ndarray | pd.Index] = {}
    for name in order or dataset.variables:
        variable = dataset.variables[name]
        is_index = name in dataset.indexes
        if variable.dtype.kind in "UTO" or (is_index and name in _TEXT_INDEXES):
            data[name] = text(variable.values.ravel()).reshape(variable.shape)
        elif is_index and variable.dtype.kind == "i":
            data[name] = _range(variable.values)
        else:
            data[name] = variable.values.astype(variable.dtype.newbyteorder("="), copy=False)
    parts = {
        name: (
            dataset[name].dims,
            pd.Index(values) if name in dataset.indexes else values,
            _python(dataset[name].attrs),
        )
        for name, values in data.items()
    }
    coords = {name: part for name, part in parts.items() if name in dataset.coords}
    data_vars = {name: part for name, part in parts.items() if name not in coords}
    return xr.Dataset(data_vars, coords, _python(dataset.attrs))


def _range(values: np.ndarray) -> pd.Index:
    """Give evenly spaced positions back as the RangeIndex they were."""
    steps = np.unique(np.diff(values))
    if len(steps) == 1 and steps[0] != 0:
        return pd.RangeIndex(int(values[0]), int(values[0]) + int(steps[0]) * len(values), int(steps[0]))
    return pd.Index(values.astype(np.int64, copy=False))


def _python(attrs: Mapping[Any, object]) -> dict[str, object]:
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in attrs.items()}


def _write_manifest(store: Path, tree: xr.DataTree) -> None:
    order = {node.path: [str(name) for name in node.to_dataset(inherit=False).variables] for node in tree.subtree}
    metadata = json.loads((store / "zarr.json").read_text())
    metadata["attributes"][MANIFEST] = json.dumps({"order": order, "files": sizes(store)})
    (store / "zarr.json").write_text(json.dumps(metadata))


def _check_manifest(store: Path) -> dict[str, list[str]]:
    """Check the files against the list, and give the variables of every node in order."""
    try:
        attributes = json.loads((store / "zarr.json").read_text())["attributes"]
        if attributes.get("schema") == SCHEMA and MANIFEST not in attributes:
            return {}  # written by xarray itself, without a list to check
        manifest = json.loads(attributes[MANIFEST])
        expected, order = manifest["files"], manifest["order"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{store} has no list of its files: it is incomplete or genomekit did not write it."
        ) from error
    check_sizes(store, expected)
    return order
