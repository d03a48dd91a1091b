"""The table of modalities, and what a modality refuses."""

import dataclasses
import json

import pytest

from genomekit.tracks import MODALITIES, Modality, modality_name

ORDER = [
    "atac",
    "dnase",
    "procap",
    "cage",
    "rna_seq",
    "chip_tf",
    "chip_histone",
    "contact_maps",
    "splice_sites",
    "splice_site_usage",
    "splice_junctions",
]


def test_published_modalities_are_in_upstream_order():
    assert list(MODALITIES) == ORDER
    assert [modality.name for modality in MODALITIES.values()] == ORDER


def test_heads_carry_the_names_of_the_published_checkpoint():
    other = {name: modality.head for name, modality in MODALITIES.items() if modality.head != name}
    assert other == {
        "splice_sites": "splice_sites_classification",
        "splice_site_usage": "splice_sites_usage",
        "splice_junctions": "splice_sites_junction",
    }


@pytest.mark.parametrize("name", ORDER)
def test_resolutions_and_dims(name):
    modality = MODALITIES[name]
    if name in ORDER[:5]:
        assert (modality.resolution, modality.resolutions) == (1, (1, 128))
    else:
        expected = {"chip_tf": 128, "chip_histone": 128, "contact_maps": 2048}.get(name, 1)
        assert (modality.resolution, modality.resolutions) == (expected, (expected,))
    dims = {"contact_maps": ("bin1", "bin2", "track"), "splice_junctions": ("junction", "track")}
    assert modality.dims == dims.get(name, ("position", "track"))


def test_losses_and_quirks():
    assert {name: modality.loss for name, modality in MODALITIES.items() if modality.head_kind != "track"} == {
        "contact_maps": "mse",
        "splice_sites": "cross_entropy",
        "splice_site_usage": "binary_cross_entropy",
        "splice_junctions": "junction",
    }
    assert {modality.loss for modality in MODALITIES.values() if modality.head_kind == "track"} == {
        "multinomial_poisson"
    }
    assert {name: modality.loss_weight for name, modality in MODALITIES.items() if modality.loss_weight != 1} == {
        "splice_junctions": 0.2
    }
    assert [name for name, modality in MODALITIES.items() if modality.squash] == ["rna_seq"]
    assert [name for name, modality in MODALITIES.items() if modality.reverse_shift] == ["dnase"]


@pytest.mark.parametrize("name", ORDER)
def test_json_round_trip_is_exact(name):
    modality = MODALITIES[name]
    again = Modality.from_dict(json.loads(json.dumps(modality.to_dict())))
    assert again == modality
    assert hash(again) == hash(modality)


def test_modality_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODALITIES["atac"].units = "reads"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "MNase seq"}, "letters, digits"),
        ({"head_kind": "tracks"}, "Unknown head kind 'tracks'. Did you mean 'track'"),
        ({"loss": "poisson"}, "Unknown loss"),
        ({"aggregation": "median"}, "Unknown aggregation"),
        ({"resolutions": (128, 1)}, "finest first"),
        ({"resolutions": ()}, "finest first"),
        ({"resolution": 32}, "is not one of"),
        ({"dims": ("bin1", "bin2", "track")}, "a track head gives"),
        ({"loss_weight": -1.0}, "0 or more"),
        ({"loss_weight": float("nan")}, "0 or more"),
    ],
)
def test_wrong_fields_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(MODALITIES["atac"], **change)


def test_from_dict_names_what_is_wrong():
    fields = MODALITIES["atac"].to_dict()
    with pytest.raises(ValueError, match=r"Unknown modality field 'unit'. Did you mean 'units'"):
        Modality.from_dict(fields | {"unit": "reads"})
    del fields["units"]
    with pytest.raises(ValueError, match=r"'atac' is incomplete .*units"):
        Modality.from_dict(fields)
    with pytest.raises(ValueError, match="incomplete"):
        Modality.from_dict({"name": "atac"})


@pytest.mark.parametrize("name", [*MODALITIES, "mnase", "h3k27ac", "atac_nuclei", "dnase2", "conservation"])
def test_names_that_may_be(name):
    assert modality_name(name) == name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ATAC", "'atac'"),
        ("RNA-seq", "'rna_seq'"),
        ("rna", "'rna_seq'"),
        ("chip", "'chip_tf' or 'chip_histone'"),
        ("atacc", "'atac'"),
        ("splice_site", "'splice_sites'"),
    ],
)
def test_names_that_are_meant_for_others(name, meant):
    with pytest.raises(ValueError, match=f"Unknown modality '{name}'. Did you mean {meant}"):
        modality_name(name)
    if name.isidentifier():  # a checkpoint's own may be called so all the same
        own = dataclasses.replace(MODALITIES["atac"], name=name, head=name)
        assert modality_name(own) == name


@pytest.mark.parametrize("name", ["", "a b", 3, None])
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match=f"Unknown modality {name!r}"):
        modality_name(name)
