import numpy as np
import pandas as pd
import pytest
import xarray as xr

import genomekit as gk
import genomekit.accessors  # registers .gk


@pytest.fixture
def effects():
    # Two positions, reference bases C and T.
    values = np.array([[[3.0], [0.0], [-9.0], [1.5]], [[0.5], [1.0], [0.0], [0.0]]], dtype=np.float32)
    return xr.Dataset(
        {"effect": (("position", "base", "track"), values), "reference": ("track", np.ones(1, np.float32))},
        coords={
            "position": pd.RangeIndex(100, 102),
            "base": list("ACGT"),
            "track": ["liver"],
            "ref_base": ("position", ["C", "T"]),
        },
        attrs={"chrom": "chrV"},
    )


def test_contributions_by_hand(effects):
    # Sums of the effects: -4.5 and 1.5.
    alphagenome = effects.gk.contribution()
    assert alphagenome[:, :, 0].values.tolist() == [[0, 1.5, 0, 0], [0, 0, 0, -0.5]]
    mean4 = effects.gk.contribution("mean4")
    assert mean4[:, :, 0].values.tolist() == [[0, 1.125, 0, 0], [0, 0, 0, -0.375]]
    assert effects.gk.contribution("raw").values.tolist() == effects.effect.values.tolist()
    whole = effects.gk.contribution("mean4", hypothetical=True)
    assert whole[0, :, 0].values.tolist() == [4.125, 1.125, -7.875, 2.625]
    assert alphagenome.attrs["convention"] == "alphagenome"


def test_effects_without_a_sign_count_as_losses(effects):
    size = abs(effects).assign_coords(signed=("track", [False]))
    # Sums of the sizes: 13.5 and 1.5.
    assert size.gk.contribution()[:, :, 0].values.tolist() == [[0, 4.5, 0, 0], [0, 0, 0, 0.5]]
    assert size.gk.contribution("mean4")[:, :, 0].values.tolist() == [[0, 3.375, 0, 0], [0, 0, 0, 0.375]]
    assert size.gk.contribution("raw").values.tolist() == size.effect.values.tolist()
    signed = effects.assign_coords(signed=("track", [True]))
    assert signed.gk.contribution().values.tolist() == effects.gk.contribution().values.tolist()


def test_the_largest_effects(effects):
    table = effects.gk.top(3)
    rows = [["chrV", 101, "C", "G", "liver", -9.0], ["chrV", 101, "C", "A", "liver", 3.0]]
    assert table.values.tolist() == [*rows, ["chrV", 101, "C", "T", "liver", 1.5]]
    assert len(effects.gk.top(100)) == 6  # substitutions only


def test_a_saved_result_has_the_same_views(effects, tmp_path):
    again = gk.open(effects.assign_attrs(modality="atac").gk.save(tmp_path / "effects.nc"))
    assert isinstance(again, xr.DataTree)
    pd.testing.assert_frame_equal(again.gk.top(3), effects.gk.top(3))
    assert again.gk.contribution("mean4").equals(effects.gk.contribution("mean4"))
    with pytest.raises(ValueError, match=r"0 of the nodes \[\] have `effect`"):
        xr.DataTree().gk.top()


def test_effects_are_no_tracks_to_export(effects, tmp_path):
    for export in (effects.gk.to_dataframe, lambda: effects.gk.to_bigwig(tmp_path / "out")):
        with pytest.raises(ValueError, match=r"effect, reference and no `signal`.*\.gk\.contribution\(\)"):
            export()


def test_bad_calls_are_refused(effects):
    with pytest.raises(ValueError, match="Unknown convention 'mean3'"):
        effects.gk.contribution("mean3")
    with pytest.raises(ValueError, match="count=0"):
        effects.gk.top(0)
    with pytest.raises(ValueError, match="have `effect`"):
        effects.drop_vars("effect").gk.contribution()
