import inspect
import warnings

import numpy as np
import pytest

import genomekit as gk
from genomekit import predict
from genomekit.model import Model
from genomekit.predict.request import Options
from genomekit.testing import toy_genome
from genomekit.weights.native import save


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_genome(tmp_path_factory.mktemp("toy"))


def test_a_model_is_loaded_from_a_folder(tiny_checkpoint, tmp_path):
    folder = save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")
    model = gk.Model.from_pretrained(folder, device="cpu")
    assert (model.name, model.organisms) == ("tiny", ("worm", "yeast"))
    assert model.tracks == tiny_checkpoint.tracks
    letters = "ACGT" * 512
    one = model.predict_sequence(letters, organism="worm", modalities=["atac"])
    other = Model(tiny_checkpoint, device="cpu").predict_sequence(letters, organism="worm", modalities=["atac"])
    np.testing.assert_allclose(one["atac"]["signal"], other["atac"]["signal"], rtol=1e-5)
    assert len(one.attrs["weights_sha256"]) == 64


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ValueError, match="Did you mean 'mini'"):
        gk.Model.from_pretrained("minni")


def test_a_name_is_no_model():
    with pytest.raises(TypeError, match=r"load it: Model\.from_pretrained\('mini'\)"):
        Model("mini")


def test_what_it_predicts_can_be_asked(tiny_model):
    assert "rna_seq" in tiny_model.modalities
    assert "cage" not in tiny_model.modalities
    assert len(tiny_model.tracks.select(organism="worm", biosample="gut")) > 0


def test_it_shows_itself(tiny_model):
    text = repr(tiny_model)
    assert text.startswith("Model tiny: 0.")
    assert "worm and yeast, windows of 2,048 to 8,192 bp (default 2,048), on cpu in float32" in text
    assert "rna_seq" in text
    assert "normalized read signal" in text
    assert "<table" in tiny_model._repr_html_()


def test_the_genome_of_the_model_is_used_unless_one_is_given(tiny_checkpoint, toy):
    worm = gk.Genome(toy.fasta, organism="worm", name="toy")
    model = Model(tiny_checkpoint, device="cpu", genome=worm)
    assert model.predict_interval("chrI:100-110", modalities=["atac"]).attrs["assembly"] == "toy"
    other = gk.Genome(toy.fasta, organism="worm", name="other")
    assert model.predict_interval("chrI:100-110", genome=other, modalities=["atac"]).attrs["assembly"] == "other"
    both = Model(tiny_checkpoint, device="cpu", genome={"worm": worm, "yeast": gk.Genome(toy.fasta, organism="yeast")})
    assert both.predict_interval("chrI:1-9", organism="yeast", modalities=["atac"]).attrs["organism"] == "yeast"
    trees = both.predict_intervals(["chrI:1-9", "chrI:2-9"], organism="worm", modalities=["atac"])
    assert [tree.attrs["start"] for tree in trees] == [1, 2]


def test_a_genome_is_asked_for(tiny_model):
    with pytest.raises(ValueError, match="No genome came"):
        tiny_model.predict_interval("chrI:1-9")


@pytest.mark.parametrize(
    "verb",
    [
        "predict_sequence",
        "predict_interval",
        "predict_intervals",
        "predict_variant",
        "predict_haplotype",
    ],
)
def test_verbs_take_what_their_functions_take(verb):
    own = [name for name in inspect.signature(getattr(predict, verb)).parameters if name not in ("engine", "options")]
    method = [name for name in inspect.signature(getattr(Model, verb)).parameters if name != "self"]
    assert sorted(method) == sorted([*own, *Options.__annotations__])


def test_a_saved_model_predicts_the_same(tiny_model, tmp_path):
    folder = tiny_model.save(tmp_path / "mine")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its terms, said once in a process
        again = gk.Model.from_pretrained(folder, device="cpu")
    letters = "ACGT" * 512
    one, other = (m.predict_sequence(letters, organism="worm", modalities=["atac"]) for m in (tiny_model, again))
    np.testing.assert_array_equal(one["atac"]["signal"], other["atac"]["signal"])
    assert again.name == tiny_model.name
    with pytest.raises(FileExistsError):
        tiny_model.save(folder)
