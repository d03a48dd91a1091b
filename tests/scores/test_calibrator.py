import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_scores import MADE_WITH, make_scores, tracks

from genomekit.errors import GenomekitWarning
from genomekit.scores import Calibrator, Record, ScorePart, ScoreSet, build, ecdf

finite = st.floats(-1e6, 1e6, width=32)


def scored(values, *, signed=True, labels=None, attrs=MADE_WITH):
    """One scorer, one row of values per variant."""
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    rows = tracks(*(labels or [f"t{number}" for number in range(values.shape[1])]))
    part = ScorePart("S", "atac", signed, pd.DataFrame({"record": np.arange(len(values))}), rows, values)
    return build([Record(number, "I", 5, "A", "C") for number in range(len(values))], [part], attrs)


def quantiles(calibrator, values, **options):
    return calibrator.apply(scored(values, **options))["S"].layers["quantile"].ravel()


def test_known_quantiles():
    # Mid-ranks of 0, 1, 1, 2 and the score itself, of 5: 1 ties with two, so (1 + 3 / 2) / 5; 2 is (3 + 2 / 2) / 5.
    background = scored([0, 1, 1, 2], signed=False)
    calibrator = Calibrator.fit(background, name="four")
    np.testing.assert_allclose(quantiles(calibrator, [-9, 0, 1, 2, 9], signed=False), [0.1, 0.2, 0.5, 0.8, 0.9])
    signed = Calibrator.fit(scored([0, 1, 1, 2]), name="four")
    np.testing.assert_allclose(quantiles(signed, [-9, 0, 1, 2, 9]), [-0.8, -0.6, 0, 0.6, 0.8], atol=1e-7)


def test_summary_keeps_genes_that_the_background_lacks():
    def of_genes(*strands):
        obs = pd.DataFrame({"record": range(len(strands)), "gene_id": "g", "gene_name": "g", "gene_strand": strands})
        part = ScorePart("S", "rna_seq", False, obs, tracks("a +", "b +", "a -", "b -"), np.array([[1.0, 2, 3, 4]] * 2))
        return build([Record(number, "I", 5, "A", "C") for number in range(2)], [part], MADE_WITH)

    background = of_genes("+", "+")
    background["S"].X[:, 2:] = np.nan
    with pytest.warns(GenomekitWarning, match="no background for 2 of 4 tracks"):
        found = Calibrator.fit(background, name="plus").apply(of_genes("+", "-")).summarize(1)
    assert found[["record", "track_name", "raw_score"]].values.tolist() == [[0, "a", 1.0], [1, "b", 4.0]]
    assert found["quantile_score"].isna().tolist() == [False, True]


@settings(deadline=None, max_examples=60)
@given(st.lists(finite, min_size=1, max_size=60), st.lists(finite, min_size=2, max_size=20), st.integers(2, 70))
def test_quantiles_never_fall_and_never_leave_what_the_sample_shows(sample, scores, points):
    curve = ecdf.fit(np.array(sample), points)
    at = np.sort(np.array(scores + sample))
    found = ecdf.evaluate(curve, at)
    assert (np.diff(found) >= 0).all()
    edge = 0.5 / (len(sample) + 1)
    assert found.min() >= edge
    assert found.max() <= 1 - edge
    assert (np.diff(curve.values) > 0).all()
    # Equal scores share a quantile; unequal ones of the background keep their order.
    assert (np.diff(curve.quantiles) > 0).all()


@settings(deadline=None, max_examples=60)
@given(st.lists(finite, min_size=1, max_size=60))
def test_turning_the_scores_around_turns_signed_quantiles_around(sample):
    values = np.array(sample)
    forward, back = ecdf.fit(values, 100), ecdf.fit(-values, 100)
    at = np.array([*sample, -2e6, 2e6])
    np.testing.assert_allclose(ecdf.evaluate(forward, at), 1 - ecdf.evaluate(back, -at), atol=1e-12)


def test_a_background_is_uniform_under_its_own_curve():
    values = np.random.default_rng(0).normal(size=1001)
    found = ecdf.evaluate(ecdf.fit(values, 5000), np.sort(values))
    np.testing.assert_allclose(found, (np.arange(1001) + 1) / 1002)  # ranks 1 to n of n + 1


def test_few_knots_are_close_and_finest_in_the_tails():
    values = np.sort(np.random.default_rng(0).normal(size=100_000))
    exact, thin = ecdf.fit(values, 10**6), ecdf.fit(values, 1024)
    assert len(thin.values) <= 1024 + 2
    at = np.linspace(-4, 4, 3001)
    one, two = ecdf.evaluate(exact, at), ecdf.evaluate(thin, at)
    assert np.abs(one - two).max() < 5e-4
    tail = at > 2.5  # 0.6 % of the sample
    assert np.abs((1 - one[tail]) / (1 - two[tail]) - 1).max() < 0.05
    assert (
        ecdf.evaluate(thin, np.array([values[-1], 99.0])).tolist()
        == ecdf.evaluate(exact, np.array([values[-1], 99.0])).tolist()
    )


def test_each_track_has_its_own_curve_and_nan_is_left_out():
    calibrator = Calibrator.fit(scored([[0, 10], [1, 11], [2, np.nan]], signed=False), name="two tracks")
    found = calibrator.apply(scored([[1, 11], [np.nan, 10]], signed=False))["S"].layers["quantile"]
    # Track 0: 1 is the second of 3 and itself, (1 + 1) / 4. Track 1: 11 is (1 + 1) / 3, 10 is (0 + 1) / 3.
    np.testing.assert_allclose(found, [[0.5, 2 / 3], [np.nan, 1 / 3]])


def test_constant_background():
    # Every score ties with the three: (0 + 4 / 2) / 4.
    calibrator = Calibrator.fit(scored([0, 0, 0], signed=False), name="zeros")
    np.testing.assert_allclose(quantiles(calibrator, [-1, 0, 1], signed=False), [0.125, 0.5, 0.875])


def test_round_trip(tmp_path):
    background = scored(np.random.default_rng(1).normal(size=(50, 3)))
    calibrator = Calibrator.fit(background, name="fifty")
    back = Calibrator.open(calibrator.save(tmp_path / "a.npz"))
    assert back.about == calibrator.about
    assert back.about["records"] == 50
    assert back.about["model"] == "toy"
    values = np.random.default_rng(2).normal(size=(40, 3))
    np.testing.assert_array_equal(quantiles(back, values), quantiles(calibrator, values))
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    assert "fifty" in repr(back)


def test_damaged_file(tmp_path):
    path = Calibrator.fit(scored([1, 2]), name="two").save(tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="damaged, or another file"):
        Calibrator.open(path)
    np.savez(path, x=np.zeros(1))
    with pytest.raises(ValueError, match="damaged, or another file"):
        Calibrator.open(path)
    with pytest.raises(FileNotFoundError, match=r"There is no calibrator at .*none\.npz"):
        Calibrator.open(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"hello", b"", "scores", "npy", "folder"])
def test_a_file_that_never_was_one(tmp_path, content):
    path, kind = tmp_path / "a", "a file of another kind"
    if content == "scores":
        path = make_scores().save(tmp_path / "a.h5")
    elif content == "npy":
        path = tmp_path / "a.npy"
        np.save(path, np.array([{}], dtype=object))
    elif content == "folder":
        path.mkdir()
        kind = "a folder"
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path.name} is not a calibrator but {kind}; .* Calibrator\.save") as caught:
        Calibrator.open(path)
    assert "pickle" not in str(caught.value)


def test_where_it_cannot_be_saved(tmp_path):
    calibrator = Calibrator.fit(scored([1, 2]), name="two")
    with pytest.raises(FileNotFoundError, match=r"The folder .*nowhere does not exist; create it first\."):
        calibrator.save(tmp_path / "nowhere" / "a.npz")
    with pytest.raises(IsADirectoryError, match=r"is a folder; name a file in it"):
        calibrator.save(tmp_path)


MADE_SO = {**MADE_WITH, "parity": 0, "window_length": 131072, "window_step": 1, "annotation": "a.gtf"}
MADE_SO |= {"annotation_release": "WS245", "annotation_hash": "a" * 16}


@pytest.mark.parametrize(
    ("fact", "other", "remedy"),
    [
        ("weights_sha256", "c" * 64, "use one checkpoint"),
        ("organism", "yeast", "read the heads of one organism"),
        ("parity", 1, "use the same parity="),
        ("window_length", 16384, "use the same window="),
        ("window_length", "131072; 16384", "use the same window="),
    ],
)
def test_another_scale_is_refused(tmp_path, fact, other, remedy):
    fitted = Calibrator.fit(scored([1, 2], attrs=MADE_SO), name="two")
    for calibrator in (fitted, Calibrator.open(fitted.save(tmp_path / "a.npz"))):
        assert calibrator.about[fact] == MADE_SO[fact]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert "quantile_note" not in calibrator.apply(scored([1], attrs=MADE_SO)).attrs
            silent = {name: value for name, value in MADE_SO.items() if name != fact}
            assert "quantile" in calibrator.apply(scored([1], attrs=silent))["S"].layers  # what is not known passes
        text = rf"made with {fact} {str(MADE_SO[fact])[:16]} and these scores with {str(other)[:16]}.*, and {remedy}\."
        with pytest.raises(ValueError, match=text):
            calibrator.apply(scored([1], attrs={**MADE_SO, fact: other}))


@pytest.mark.parametrize(("fact", "other"), [("window_step", 4096), ("annotation_hash", "b" * 16)])
def test_what_leaves_the_scale_is_noted(fact, other):
    calibrator = Calibrator.fit(scored([0, 1], attrs=MADE_SO), name="two")
    with pytest.warns(GenomekitWarning, match=f"{fact} {MADE_SO[fact]} in the background and {other} in these scores"):
        done = calibrator.apply(scored([1], attrs={**MADE_SO, fact: other}))
    np.testing.assert_allclose(done["S"].layers["quantile"], 2 * (2 / 3) - 1)  # 1 ties with one of two: (1 + 1) / 3
    assert str(done.attrs["quantile_note"]).startswith("Quantiles compare scores made in different ways: ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = calibrator.apply(ScoreSet(done.records, dict(done), {**done.attrs, fact: MADE_SO[fact]}))
    assert "quantile_note" not in again.attrs


def test_only_sets_of_scores_get_quantiles():
    calibrator = Calibrator.fit(scored([1, 2]), name="two")
    for other in (3, scored([1])["S"]):
        with pytest.raises(TypeError, match=f"^{type(other).__name__} came; apply takes a ScoreSet"):
            calibrator.apply(other)


def test_no_quantile_without_a_background_and_a_reason():
    calibrator = Calibrator.fit(make_scores()["Mask(dnase)"], name="two variants")
    with pytest.warns(GenomekitWarning, match="no background for this scorer"):
        done = calibrator.apply(make_scores())
    assert "quantile" in done["Mask(dnase)"].layers
    assert "quantile" not in done["Junction()"].layers
    assert done["Junction()"].uns["quantile_reason"] == "no background for this scorer"
    assert "quantile_reason" not in done["Mask(dnase)"].uns
    frame = done.to_frame().set_index("scorer")["quantile_score"]
    assert frame["Mask(dnase)"].notna().all()
    assert frame["Junction()"].isna().all()


def test_another_track_or_model():
    calibrator = Calibrator.fit(scored([1, 2, 3], labels=["gut"]), name="three")
    with pytest.warns(GenomekitWarning, match=r"no background for 1 of 2 tracks \(egg\)"):
        done = calibrator.apply(scored([[1, 1]], labels=["egg", "gut"]))["S"]
    assert np.isnan(done.layers["quantile"]).tolist() == [[True, False]]
    other = scored([1], labels=["gut"], attrs={**MADE_WITH, "weights_sha256": "b" * 64})
    with pytest.raises(ValueError, match=r"'three' was made with weights_sha256 a{16} and .* b{16}, .* one checkpoint"):
        calibrator.apply(other)


def test_applying_again_replaces_and_the_input_is_not_changed():
    one, two = (Calibrator.fit(scored(values), name=name) for name, values in (("a", [0, 1]), ("b", [5, 6])))
    plain = scored([1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = two.apply(one.apply(plain))
    assert done["S"].uns["quantile_background"] == done.attrs["quantile_background"] == "b"
    np.testing.assert_allclose(done["S"].layers["quantile"], 2 * (0.5 / 3) - 1)  # below both of the background
    assert "quantile" not in plain["S"].layers


def test_what_cannot_be_a_background():
    with pytest.raises(ValueError, match="has no score"):
        Calibrator.fit(scored([np.nan]), name="none")
    with pytest.raises(ValueError, match="points=1"):
        Calibrator.fit(scored([1]), name="one", points=1)
    mixed = scored([1], attrs={"weights_sha256": "a; b"})
    with pytest.raises(ValueError, match="several ways, with weights_sha256 a, b: use one checkpoint for all of it"):
        Calibrator.fit(mixed, name="mixed")
    for other in (3, {}, make_scores()["Mask(dnase)"].X, None):
        with pytest.raises(TypeError, match=f"^{type(other).__name__} came as a background; give a ScoreSet"):
            Calibrator.fit(other, name="none")
    for points in ("a", 2.5):
        with pytest.raises(ValueError, match=f"points={points!r} came"):
            Calibrator.fit(scored([1]), name="one", points=points)
    with pytest.raises(ValueError, match="Unknown track of the background 'x'"):
        Calibrator.fit(scored([1]), name="one").quantile("S", "x", [1.0])
