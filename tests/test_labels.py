import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from genomekit import labels
from genomekit.tracks.modality import MODALITIES

WHERE = {"chrom": "chrV", "start": 100, "end": 108, "strand": "."}


def track_rows(*labels_given):
    return pd.DataFrame(
        {"label": labels_given, "name": labels_given, "strand": ".", "channel": range(len(labels_given))}
    )


def atac(values, rows, **attrs):
    return labels.track_dataset(values, modality=MODALITIES["atac"], rows=rows, start=100, attrs=WHERE | attrs)


def test_position_is_the_start_of_each_bin():
    dataset = labels.track_dataset(
        np.zeros((3, 1)), modality=MODALITIES["chip_tf"], rows=track_rows("a"), start=256, attrs=WHERE
    )
    assert dataset.position.values.tolist() == [256, 384, 512]
    assert isinstance(dataset.indexes["position"], pd.RangeIndex)
    assert dataset.position.dtype == np.int64


def test_values_become_float32_without_a_copy():
    values = np.ones((8, 2), dtype=np.float32)
    dataset = atac(values, track_rows("a", "b"))
    assert np.shares_memory(dataset["signal"].values, values)
    assert atac(values.astype(np.float64), track_rows("a", "b"))["signal"].dtype == np.float32


def test_every_coordinate_of_the_schema_is_there(result_tree):
    for node in result_tree.children.values():
        # "reference" and "scorer" describe mutagenesis, not a prediction.
        names = {
            v.name: v for v in labels.VARIABLES if v.dims == ("track",) and v.name in ("track", *labels.TRACK_COORDS)
        }
        if node.name == "splice_junctions":
            del names["strand"]
        assert set(names) <= set(node.coords)
        for name, variable in names.items():
            assert node[name].dtype == (object if variable.dtype == "str" else variable.dtype)


def test_attributes_are_registered_and_on_node_and_signal(result_tree):
    for node in result_tree.children.values():
        assert set(node.attrs) <= set(labels.ATTRIBUTES)
        assert {"units", "chrom", "resolution"} - set(node["signal"].attrs) <= {"resolution"}
        assert node.attrs["coordinate_system"] == "0-based half-open"


def test_documentation_lists_every_variable_and_attribute():
    page = labels.documentation()
    for name in [v.name for v in labels.VARIABLES] + list(labels.ATTRIBUTES):
        assert f"`{name}`" in page


def test_root_has_the_schema_and_no_coordinates(result_tree):
    assert result_tree.attrs["schema"] == labels.SCHEMA
    assert not result_tree.to_dataset(inherit=False).variables


@pytest.mark.parametrize("shape", [(2, 8, 1), (2, 4, 4, 1)])
def test_leading_allele_axis(shape):
    modality = MODALITIES["atac" if len(shape) == 3 else "contact_maps"]
    dataset = labels.track_dataset(np.zeros(shape), modality=modality, rows=track_rows("a"), start=0, attrs=WHERE)
    assert dataset["signal"].dims[0] == "allele"
    assert dataset["allele"].values.tolist() == ["ref", "alt"]


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"shape \(8, 3\).*2 tracks"):
        atac(np.zeros((8, 3)), track_rows("a", "b"))


def test_repeated_label_is_refused():
    with pytest.raises(ValueError, match="'a' of atac came more than once"):
        atac(np.zeros((8, 2)), track_rows("a", "a"))


def test_attributes_become_plain():
    plain = labels.plain_attrs({"a": np.float32(0.5), "b": np.bool_(True), "c": "é", "d": float("inf")})
    assert plain == {"a": 0.5, "b": 1, "c": "é", "d": float("inf")}
    assert [type(value) for value in plain.values()] == [float, int, str, float]


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, b"x", 2**63, "a\0b", np.zeros(2)])
def test_attributes_that_files_would_change_are_refused(value):
    with pytest.raises(ValueError, match="'bad'"):
        labels.plain_attrs({"bad": value})


@pytest.mark.parametrize("name", ["", "_FillValue", "coordinates"])
def test_reserved_attribute_names_are_refused(name):
    with pytest.raises(ValueError, match="cannot be stored"):
        labels.plain_attrs({name: 1})


def test_text_has_no_missing_values():
    assert labels.text(["a", None, float("nan"), pd.NA, 3]).tolist() == ["a", "", "", "", "3"]


def test_junctions_are_sorted_and_their_ends_are_exon_bases(result_tree):
    node = result_tree["splice_junctions"]
    assert node["junction"].values.tolist() == ["chrV:1100-1200:+", "chrV:1300-1400:-"]
    assert node["donor"].values.tolist() == [1099, 1400]
    assert node["acceptor"].values.tolist() == [1200, 1299]
    assert node["signal"].values.tolist() == [[2, 3], [0, 1]]


def test_junction_tracks_are_biosamples(result_tree):
    node = result_tree["splice_junctions"]
    assert node["track"].values.tolist() == ["liver", "gut"]
    assert node["strand"].dims == ("junction",)


def test_no_junctions_is_a_result_too():
    none = pd.DataFrame({"chrom": [], "start": [], "end": [], "strand": []})
    dataset = labels.junction_dataset(
        np.zeros((0, 1)), modality=MODALITIES["splice_junctions"], rows=track_rows("a"), junctions=none, attrs=WHERE
    )
    assert dataset.sizes == {"junction": 0, "track": 1}
    assert dataset["junction"].dtype == dataset["strand"].dtype == object


def test_junctions_of_a_bare_sequence_have_names_too():
    bare = pd.DataFrame({"chrom": [""], "start": [10], "end": [20], "strand": ["+"]})
    where = {**WHERE, "chrom": ""}
    dataset = labels.junction_dataset(
        np.ones((1, 1)), modality=MODALITIES["splice_junctions"], rows=track_rows("a"), junctions=bare, attrs=where
    )
    assert dataset["junction"].values.tolist() == ["sequence:10-20:+"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chrom": ["chrV", "chrI"]}, "several chromosomes"),
        ({"chrom": ["chrI", "chrI"]}, "several chromosomes"),
        ({"strand": ["+", "."]}, "must be '\\+' or '-'"),
        ({"start": [5, 5]}, "more than once"),
    ],
)
def test_bad_junctions_are_refused(change, message):
    introns = pd.DataFrame({"chrom": "chrV", "start": [5, 6], "end": [9, 9], "strand": ["+", "+"], **change})
    with pytest.raises(ValueError, match=message):
        labels.junction_dataset(
            np.zeros((2, 1)),
            modality=MODALITIES["splice_junctions"],
            rows=track_rows("a"),
            junctions=introns,
            attrs=WHERE,
        )


def test_labels_do_not_import_torch():
    code = "import sys, genomekit.accessors, genomekit.plot; sys.exit('torch' in sys.modules)"
    source = str(Path(labels.__file__).parents[1])
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": source}, check=False).returncode == 0


def test_nodes_of_different_resolution_live_side_by_side(result_tree):
    assert isinstance(result_tree, xr.DataTree)
    assert result_tree["rna_seq"].sizes["position"] == 512
    assert result_tree["chip_tf"].sizes["position"] == 5
