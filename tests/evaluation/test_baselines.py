"""Baselines on sequences whose answer is planted."""

import numpy as np
import pytest

from genomekit.evaluation import baselines
from genomekit.evaluation.metrics import pearson, topk_accuracy


def letters(length: int, seed: int = 0) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def test_as_codes_of_letters_and_one_hot_agree():
    text = "ACGTNacgtR"
    one_hot = np.zeros((10, 4))
    for place, base in enumerate(text.upper()):
        if base in "ACGT":
            one_hot[place, "ACGT".index(base)] = 1
    assert baselines.as_codes(text).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert baselines.as_codes(one_hot).tolist() == baselines.as_codes(text).tolist()
    with pytest.raises(ValueError, match=r"\(positions, 4\)"):
        baselines.as_codes(one_hot.T)


def test_kmer_counts_are_those_of_a_plain_loop():
    text = letters(70) + "N" + letters(33, 1)
    x = baselines.kmer_features(text, resolution=16, longest=2, context=16)
    assert x.shape == (6, 4 * 20)
    words = list("ACGT") + [a + b for a in "ACGT" for b in "ACGT"]
    own = np.array(
        [[sum(text[i : i + len(w)] == w for i in range(b * 16, b * 16 + 16)) for w in words] for b in range(6)]
    )
    none = np.zeros((1, 20))
    np.testing.assert_array_equal(x[:, :20], own)
    np.testing.assert_array_equal(x[:, 20:40], np.concatenate([none, own[:-1]]))
    np.testing.assert_array_equal(x[:, 40:60], np.concatenate([own[1:], none]))
    np.testing.assert_array_equal(x[:, 60:], x[:, :20] + x[:, 20:40] + x[:, 40:60])  # a reach of one bin


def test_a_stretch_shorter_than_a_bin_has_no_bins():
    assert baselines.kmer_features("ACGT", resolution=128).shape == (0, 4 * 340)


@pytest.fixture(scope="module")
def planted():
    """Log coverage that is a sum of k-mer counts: one track of the own bin, one of the neighbours, one of noise."""
    parts = []
    for seed in (1, 2, 3):
        text = letters(256 * 128, seed)
        x = baselines.kmer_features(text, longest=2, context=0)
        rng = np.random.default_rng(seed)
        signal = np.stack([x[:, 4 + 1] / 4, (x[:, 20] + x[:, 40]) / 32, rng.random(256)], axis=1)
        parts.append((text, np.expm1(signal + 0.01 * rng.random((256, 3)))))
    return parts


def test_ridge_finds_what_was_planted_on_unseen_sequence(planted):
    (text, y), (tune_text, tune_y), (held_text, held_y) = planted
    y = y.copy()
    y[3, 0] = np.nan
    tune = {"tune_sequences": [tune_text], "tune_targets": [tune_y]}
    fitted = baselines.fit_kmer_ridge([text[:12800], text[12800:]], [y[:100], y[100:]], longest=2, context=256, **tune)
    predicted = fitted.predict(held_text)
    assert predicted.shape == held_y.shape
    assert (predicted >= 0).all()
    r = [pearson(np.log1p(predicted[:, t]), np.log1p(held_y[:, t])) for t in range(3)]
    assert r[0] > 0.98
    assert r[1] > 0.95
    assert abs(r[2]) < 0.2
    assert fitted.tune_pearson[:2].min() > 0.95
    assert set(fitted.penalty) <= set(baselines.PENALTIES)


def test_ridge_is_the_closed_form(planted):
    (text, y), (tune_text, tune_y), _ = planted
    tune = {"tune_sequences": [tune_text], "tune_targets": [tune_y]}
    fitted = baselines.fit_kmer_ridge([text], [y], longest=1, context=0, penalties=[7.0], **tune)
    x = baselines.kmer_features(text, longest=1, context=0).astype(float)
    z, log_y = (x - x.mean(0)) / x.std(0), np.log1p(y)
    weights = np.linalg.solve(z.T @ z + 7 * np.eye(z.shape[1]), z.T @ (log_y - log_y.mean(0)))
    expected = np.expm1(np.maximum(z @ weights + log_y.mean(0), 0))
    np.testing.assert_allclose(fitted.predict(text), expected, rtol=1e-5, atol=1e-7)


def test_ridge_refuses_coverage_that_does_not_fit(planted):
    (text, y), _, _ = planted
    with pytest.raises(ValueError, match="stretch of 256 bins of 128 bp"):
        baselines.fit_kmer_ridge([text], [y[:-1]], longest=1, tune_sequences=[text], tune_targets=[y])
    with pytest.raises(ValueError, match="no bin that has coverage"):
        baselines.fit_kmer_ridge([text], [y * np.nan], longest=1, tune_sequences=[text], tune_targets=[y])


def test_weight_matrix_by_hand():
    matrix = baselines.fit_weight_matrix(["AG", "AG", "CG"], left=0, right=1, pseudocount=1.0)
    # Place 0: (2 + 1/4) / 4 and (1 + 1/4) / 4 over 1/4; place 1: (3 + 1/4) / 4 over 1/4.
    np.testing.assert_allclose(np.exp(matrix.log_odds[0]), [2.25, 1.25, 0.25, 0.25])
    np.testing.assert_allclose(np.exp(matrix.log_odds[1]), [0.25, 0.25, 3.25, 0.25])
    np.testing.assert_allclose(matrix.score("AGN"), np.log([2.25 * 3.25, 0.25, 1.0]), rtol=1e-6, atol=1e-6)


def test_weight_matrix_finds_planted_sites_on_both_strands():
    text = list(letters(20000, 7))
    sites = np.arange(50, 19900, 100)
    for site in sites:
        text[site - 1 : site + 5] = "AGGTAA"
    plus = "".join(text)
    minus = plus[::-1].translate(str.maketrans("ACGT", "TGCA"))
    labels = np.zeros(20000, dtype=bool)
    labels[sites] = True
    train = baselines.site_windows(plus, sites[:100], left=2, right=5)
    matrix = baselines.fit_weight_matrix(train, left=2, right=5)
    score = matrix.score(plus)
    assert topk_accuracy(score, labels) > 0.95
    np.testing.assert_array_equal(matrix.score(minus, strand="-")[::-1], score)
    mirrored = baselines.site_windows(minus, 19999 - sites[:100], left=2, right=5, strand="-")
    np.testing.assert_array_equal(mirrored, train)


def test_bad_sites_and_windows_are_refused():
    with pytest.raises(ValueError, match="Position 4 is outside of the 4 bases"):
        baselines.site_windows("ACGT", [1, 4], left=1, right=1)
    with pytest.raises(ValueError, match=r"Strand '\.' came"):
        baselines.site_windows("ACGT", [1], left=1, right=1, strand=".")
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        baselines.fit_weight_matrix(["AC", "ACG"], left=0, right=1)
