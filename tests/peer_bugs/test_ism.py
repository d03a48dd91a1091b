"""Bugs that peers had with mutagenesis; each test is named after one and says where it was."""

import numpy as np
import pytest

import genomekit as gk
from genomekit.engine import one_hot
from genomekit.errors import GenomekitWarning
from genomekit.model import Model
from genomekit.scoring import CenterMaskScorer

PLACE = "chrA:3,008-3,013"
SCORERS = [CenterMaskScorer(name, 101, "diff_mean") for name in ("rna_seq", "atac", "chip_tf")]


def test_ism_matrix_centring_has_upstreams_magnitude(model):
    """genomicsxai/alphagenome-pytorch#31: the sum over the three alternatives divided by 3 (not its mean, by 9)."""
    result = model.ism(PLACE, scorer=SCORERS[0], window=2048)
    found = result.gk.contribution()
    whole = result.gk.contribution(hypothetical=True)
    for row, letter in enumerate(result["ref_base"].values):
        own = "ACGT".index(letter)
        for track in range(result.sizes["track"]):
            scores = {b: float(result.effect[row, b, track]) for b in range(4) if b != own}
            filled = np.zeros(4)
            filled[list(scores)] = list(scores.values())
            matrix = filled - filled.sum() / 3
            np.testing.assert_allclose(whole[row, :, track], matrix, rtol=1e-5, atol=1e-8)
            assert matrix[own] == pytest.approx(-np.mean(list(scores.values())))
            np.testing.assert_allclose(found[row, :, track], np.where(np.arange(4) == own, matrix, 0), rtol=1e-5)
    # tangermeme's convention is the mean over four bases: 3/4 of it.
    mean4 = result.gk.contribution("mean4").sum("base")
    np.testing.assert_allclose(found.sum("base"), mean4 * 4 / 3, rtol=1e-5)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_ism_with_shared_ref_equals_ism_without(model, strand):
    """genomicsxai/alphagenome-pytorch#49: variants scored one by one compute the reference of each."""
    place = f"{PLACE}:{strand}"
    result = model.ism(place, scorer=SCORERS, window=2048)
    for row, letter in enumerate(result["ref_base"].values):
        for base in set("ACGT") - {letter}:
            text = f"chrA:{3009 + row}:{letter}>{base}"
            alone = model.score_variant(text, scorers=SCORERS, interval=place, window=2048, organism="worm")
            expected = np.concatenate([alone[scorer].X[0] for scorer in SCORERS])
            np.testing.assert_allclose(result.effect[row].sel(base=base), expected, rtol=1e-6, atol=1e-9)


def test_ism_with_several_outputs_keeps_the_order_of_positions_and_bases(model, letters):
    """jmschrei/tangermeme#74: a transposed reshape; five positions, four bases and more outputs than either."""
    result = model.ism(PLACE, scorer=SCORERS, window=2048)
    assert result.effect.dims == ("position", "base", "track")
    assert result.effect.shape == (5, 4, 8)
    np.testing.assert_array_equal(result["position"], range(3008, 3013))
    assert "".join(result["base"].values) == "ACGT"
    window = gk.Interval.parse(result.attrs["window"])
    asked = {"rna_seq": [0, 1, 2, 3], "atac": [1, 2], "chip_tf": [1, 2]}
    asked = {name: np.array(channels) for name, channels in asked.items()}
    before = model.engine.predict(one_hot(letters[window.start : window.end]), "worm", asked)
    for row in range(5):
        offset = 3008 + row - window.start
        for number, base in enumerate("ACGT"):
            changed = letters[window.start : 3008 + row] + base + letters[3009 + row : window.end]
            after = model.engine.predict(one_hot(changed), "worm", asked)
            masks = {name: slice(offset - 50, offset + 51) for name in ("rna_seq", "atac")}
            masks["chip_tf"] = slice(offset // 128, offset // 128 + 1)
            expected = np.concatenate([after[n][m].mean(0) - before[n][m].mean(0) for n, m in masks.items()])
            # Full predictions come as float32.
            np.testing.assert_allclose(result.effect[row, number], expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("chrA:3,013-3,008", "start"),
        ("chrA:3,008-3,008", "empty"),
        ("chrA:6,000-6,010", "outside"),
        ("chrA:-10--5", "chrA:-10--5"),
        ("chrA:0-6,000", "does not fit the window of 2,048 bp"),
    ],
)
def test_ism_start_and_end_are_validated(tiny_checkpoint, genome, place, text):
    """jmschrei/tangermeme#74: out of bounds silently corrupted the batch."""
    model = Model(tiny_checkpoint, device="cpu", genome=genome)
    with pytest.raises(ValueError, match=text):
        model.ism(place, modalities="atac", window=2048)


def test_ism_n_columns_give_four_edits(tiny_checkpoint, letters, tmp_path):
    """jmschrei/tangermeme#74: an argmax over the zeros of N took it for an A."""
    masked = letters[:3010] + "NN" + letters[3012:]
    (tmp_path / "genome.fa").write_text(f">chrA\n{masked}\n")
    genome = gk.Genome(tmp_path / "genome.fa", organism="worm")
    model = Model(tiny_checkpoint, device="cpu", precision="float64", genome=genome)
    with pytest.warns(GenomekitWarning, match=r"2 positions are N, where all four bases are scored against N"):
        result = model.ism(PLACE, scorer=SCORERS[1], window=2048, verify=12)
    assert "".join(result["ref_base"].values) == masked[3008:3013]
    assert result.attrs["verify_max_error"] < 1e-9
    window = gk.Interval.parse(result.attrs["window"])
    around = slice(3010 - window.start - 50, 3010 - window.start + 51)

    def level(base):
        text = masked[window.start : 3010] + base + masked[3011 : window.end]
        return model.engine.predict(one_hot(text), "worm", {"atac": np.array([1, 2])})["atac"][around].mean(0)

    for number, base in enumerate("ACGT"):
        np.testing.assert_allclose(result.effect[2, number], level(base) - level("N"), rtol=0, atol=2e-5)
    assert (np.abs(result.effect[2:4]).max("track") > 1e-4).all()
    # Without a reference base there is nothing that contributes.
    contribution = result.gk.contribution()
    assert np.isnan(contribution).all(("base", "track")).values.tolist() == [False, False, True, True, False]
    with pytest.raises(ValueError, match="holds only N"):
        model.ism("chrA:3,010-3,012", modalities="atac", window=2048)


def test_ism_past_the_end_of_a_chromosome_has_no_edits(model):
    """jmschrei/tangermeme#74: the N past an end are no bases."""
    with (
        pytest.warns(GenomekitWarning, match="2 of the 4 bp asked for lie past the ends"),
        pytest.warns(GenomekitWarning, match="2 positions are deleted or lie past the chromosome, and are NaN"),
    ):
        result = model.ism("chrA:5,998-6,002", scorer=SCORERS[1], window=2048)
    known = np.isfinite(result.effect).all(("base", "track")).values
    assert known.tolist() == [True, True, False, False]
