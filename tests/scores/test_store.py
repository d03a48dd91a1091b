"""Files of scores: their size, and names that are refused."""

import h5py
import numpy as np
import pandas as pd
import pytest

import genomekit as gk
from genomekit.scores import Record, ScorePart, build


@pytest.fixture
def scores():
    records = [Record(n, "I", n + 1, "A", "C") for n in range(3)]
    tracks = pd.DataFrame({"label": ["egg", "gut"]})
    obs = pd.DataFrame({"record": [0, 1, 2]})
    return build(records, [ScorePart("Mean(dnase)", "dnase", True, obs, tracks, np.ones((3, 2)))])


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("r.h5ad", r"all scorers together.*scores\[NAME\]\.write_h5ad\(PATH\)"),
        ("r.parquet", r"scores\.to_frame\(\)\.to_parquet"),
        ("r.csv", r"scores\.to_frame\(\)\.to_csv"),
        ("r.txt", r"\.h5 \(HDF5\) or \.zarr \(Zarr\)\.$"),
    ],
)
def test_another_ending_is_refused_with_what_to_do(scores, tmp_path, name, remedy):
    with pytest.raises(ValueError, match=remedy):
        scores.save(tmp_path / name)


def test_a_small_file_is_small(scores, tmp_path):
    """Of the layout of old HDF5 the same takes 120 kB, most of it nothing."""
    scores.save(tmp_path / "r.h5")
    assert (tmp_path / "r.h5").stat().st_size < 50_000
    with h5py.File(tmp_path / "r.h5") as file:
        assert file["scorers/0/X"][:].tolist() == [[1, 1]] * 3
    assert gk.open(tmp_path / "r.h5")["Mean(dnase)"].X.tolist() == [[1, 1]] * 3
