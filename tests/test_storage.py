import builtins
import errno
import importlib.util
import json
import shutil
import types

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomekit import storage
from genomekit.labels import junction_dataset, prediction_tree, text
from genomekit.tracks.modality import MODALITIES

FORMATS = ("nc", "zarr")


def assert_exact(a, b):
    """Equal in every value, dtype, index kind, attribute type and order."""
    assert a.identical(b)
    assert [node.path for node in a.subtree] == [node.path for node in b.subtree]
    for one, two in zip(a.subtree, b.subtree, strict=True):
        assert {n: v.dtype for n, v in one.variables.items()} == {n: v.dtype for n, v in two.variables.items()}
        assert list(one.coords) == list(two.coords)
        assert {n: type(i) for n, i in one.indexes.items()} == {n: type(i) for n, i in two.indexes.items()}
        for x, y in [(one, two), *((one[name], two[name]) for name in one.variables)]:
            assert [(n, type(v)) for n, v in x.attrs.items()] == [(n, type(v)) for n, v in y.attrs.items()]
        for name, variable in one.variables.items():
            if variable.dtype == object:
                assert {type(v) for v in variable.values.ravel()} <= {str}
                assert {type(v) for v in two[name].values.ravel()} <= {str}


def renamed(tree):
    other = tree.copy()
    other.attrs["model"] = "other"
    return other


@pytest.mark.parametrize("ending", FORMATS)
def test_round_trip_is_exact(result_tree, tmp_path, ending):
    path = storage.save(result_tree, tmp_path / f"result.{ending}")
    assert_exact(storage.open(path), result_tree)


@pytest.mark.parametrize("ending", FORMATS)
def test_round_trip_of_a_selection(result_tree, tmp_path, ending):
    part = result_tree.map_over_datasets(lambda node: node.isel(track=[0]) if "track" in node.dims else node)
    assert_exact(storage.open(storage.save(part, tmp_path / f"a.{ending}")), part)


@pytest.mark.parametrize("ending", FORMATS)
def test_round_trip_without_junctions(tmp_path, ending):
    none = pd.DataFrame({"chrom": [], "start": [], "end": [], "strand": []})
    rows = pd.DataFrame({"label": ["a"], "name": ["a"], "channel": [0]})
    node = junction_dataset(
        np.zeros((0, 1)), modality=MODALITIES["splice_junctions"], rows=rows, junctions=none, attrs={"chrom": "chrV"}
    )
    tree = prediction_tree({"splice_junctions": node}, {})
    assert_exact(storage.open(storage.save(tree, tmp_path / f"a.{ending}")), tree)


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_round_trip_of_anything(tmp_path, ending, data):
    names = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
    labels = data.draw(st.lists(names, min_size=1, max_size=3, unique=True))
    keys = st.text("abcxyz_-. é", min_size=1, max_size=6).filter(lambda k: not k.startswith("_") and k != ".")
    values = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(), names)
    attrs = data.draw(st.dictionaries(keys, values, max_size=4))
    length = data.draw(st.integers(2, 4))
    numbers = st.lists(st.floats(width=32), min_size=length * len(labels), max_size=length * len(labels))
    signal = np.array(data.draw(numbers), dtype=np.float32).reshape(length, len(labels))
    node = xr.Dataset(
        {"signal": (("position", "track"), signal)},
        {"position": pd.RangeIndex(-128, -128 + 128 * length, 128), "track": pd.Index(text(labels), dtype=object)},
        attrs,
    )
    tree = prediction_tree({"atac": node}, attrs)
    assert_exact(storage.open(storage.save(tree, tmp_path / f"a.{ending}", overwrite=True)), tree)


@pytest.mark.parametrize("ending", FORMATS)
def test_existing_result_is_kept_unless_told(result_tree, tmp_path, ending):
    path = storage.save(result_tree, tmp_path / f"a.{ending}")
    other = renamed(result_tree)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        storage.save(other, path)
    assert storage.open(path).attrs["model"] == "test"
    storage.save(other, path, overwrite=True)
    assert storage.open(path).attrs["model"] == "other"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", FORMATS)
def test_failed_save_leaves_the_old_result_and_nothing_else(result_tree, tmp_path, monkeypatch, ending):
    path = storage.save(result_tree, tmp_path / f"a.{ending}")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "move", full)
    with pytest.raises(OSError, match="No space left"):
        storage.save(renamed(result_tree), path, overwrite=True)
    assert storage.open(path).attrs["model"] == "test"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_missing_file():
    with pytest.raises(FileNotFoundError, match=r"no saved result at nowhere\.nc"):
        storage.open("nowhere.nc")


def test_missing_folder_and_unknown_ending(result_tree, tmp_path):
    with pytest.raises(FileNotFoundError, match="create it first"):
        storage.save(result_tree, tmp_path / "no" / "a.nc")
    with pytest.raises(ValueError, match=r"'\.h5'.*\.nc \(NetCDF\) or \.zarr"):
        storage.save(result_tree, tmp_path / "a.h5")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_file(result_tree, tmp_path, share):
    path = storage.save(result_tree, tmp_path / "a.nc")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match="truncated, damaged"):
        storage.open(path)


def test_file_that_is_no_netcdf(tmp_path):
    (tmp_path / "a.nc").write_text("not a result")
    with pytest.raises(ValueError, match="cannot be read"):
        storage.open(tmp_path / "a.nc")


def test_netcdf_of_somebody_else(tmp_path):
    xr.Dataset({"x": ("y", [1.0])}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"schema None.*did not write it"):
        storage.open(tmp_path / "a.nc")


def test_zarr_with_a_lost_or_cut_chunk(result_tree, tmp_path):
    path = storage.save(result_tree, tmp_path / "a.zarr")
    chunk = next(file for file in path.rglob("*") if file.is_file() and "signal/c" in file.as_posix())
    chunk.write_bytes(chunk.read_bytes()[:-1])
    with pytest.raises(ValueError, match="damaged: 1 of"):
        storage.open(path)
    chunk.unlink()
    with pytest.raises(ValueError, match="damaged: 1 of"):
        storage.open(path)


def test_zarr_of_somebody_else(tmp_path):
    xr.Dataset({"x": ("y", [1.0])}).to_zarr(tmp_path / "a.zarr", consolidated=False)
    with pytest.raises(ValueError, match="genomekit did not write it"):
        storage.open(tmp_path / "a.zarr")


def test_missing_zarr_names_the_extra(result_tree, tmp_path, monkeypatch):
    path = storage.save(result_tree, tmp_path / "a.zarr")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "zarr" else find(name, *rest))
    for action in (lambda: storage.open(path), lambda: storage.save(result_tree, tmp_path / "b.zarr")):
        with pytest.raises(ImportError, match=r"genomekit-torch\[batch\]"):
            action()
    assert [file.name for file in tmp_path.iterdir()] == ["a.zarr"]


def test_only_whole_results_with_plain_attributes_are_saved(result_tree, tmp_path):
    with pytest.raises(ValueError, match="Save the whole result"):
        storage.save(result_tree["rna_seq"], tmp_path / "a.nc")
    with_list = result_tree.copy()
    with_list.attrs["window"] = [1, 2]
    with pytest.raises(ValueError, match="Attribute 'window' is"):
        storage.save(with_list, tmp_path / "a.nc")
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_written(result_tree, tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(PermissionError, match="cannot be written; choose another"):
        storage.save(result_tree, tmp_path / "a.nc")


def test_a_result_can_be_moved(result_tree, tmp_path):
    path = storage.save(result_tree, tmp_path / "a.zarr")
    moved = shutil.move(path, tmp_path / "b.zarr")
    assert storage.open(moved).identical(result_tree)


def test_the_builtin_open_is_untouched():
    assert builtins.open is not storage.open


def test_a_full_disk_is_refused_before_the_writer_starts(result_tree, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: types.SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=r"are to be written in .*0\.0 MB are free") as caught:
        storage.save(result_tree, tmp_path / "a.nc")
    assert caught.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


def test_a_store_written_by_xarray_is_opened(result_tree, tmp_path):
    pytest.importorskip("zarr")
    storage.save(result_tree, tmp_path / "ours.zarr")
    tree = storage.open(tmp_path / "ours.zarr")
    metadata = json.loads((tmp_path / "ours.zarr" / "zarr.json").read_text())
    del metadata["attributes"]["genomekit_manifest"]
    (tmp_path / "ours.zarr" / "zarr.json").write_text(json.dumps(metadata))
    xr.testing.assert_equal(storage.open(tmp_path / "ours.zarr"), tree)
