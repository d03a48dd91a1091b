"""Metrics against counts done by hand and against SciPy and scikit-learn where those are installed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genomekit.evaluation import metrics


def test_topk_takes_as_many_as_there_are_true_sites():
    scores = np.array([[0.9, 0.2, 0.8], [0.7, 0.6, 0.1]])
    labels = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)
    # Top three are 0.9 (true), 0.8 (false), 0.7 (true).
    assert metrics.topk_accuracy(scores, labels) == pytest.approx(2 / 3)
    assert np.isnan(metrics.topk_accuracy(scores, np.zeros_like(labels)))


def test_topk_breaks_ties_by_place():
    assert metrics.topk_accuracy(np.zeros(4), np.array([0, 1, 1, 0], dtype=bool)) == 0.5
    assert metrics.topk_accuracy(np.array([0.0, 0.0, 1.0, 0.0]), np.array([1, 0, 1, 0], dtype=bool)) == 1.0


@settings(deadline=None)
@given(arrays(np.float32, 30, elements=st.floats(0, 1, width=16)), arrays(bool, 30))
def test_topk_is_the_stable_sort(scores, labels):
    k = labels.sum()
    if k:
        assert metrics.topk_accuracy(scores, labels) == labels[np.argsort(-scores, kind="stable")[:k]].mean()


@pytest.mark.parametrize("metric", [metrics.topk_accuracy, metrics.auroc])
def test_bad_scores_are_refused(metric):
    with pytest.raises(ValueError, match="1 scores are NaN"):
        metric(np.array([0.5, np.nan]), np.array([True, False]))
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        metric(np.zeros(2), np.zeros(3))


@settings(deadline=None)
@given(arrays(np.float64, 25, elements=st.sampled_from([0.0, 0.1, 0.5, 2.0])), arrays(bool, 25))
def test_auroc_counts_pairs(scores, labels):
    pairs = scores[labels][:, None] - scores[~labels][None]
    if pairs.size:
        assert metrics.auroc(scores, labels) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    else:
        assert np.isnan(metrics.auroc(scores, labels))


def test_auroc_agrees_with_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    scores, labels = rng.random(500).round(2), rng.random(500) < 0.3
    assert metrics.auroc(scores, labels) == pytest.approx(sklearn.roc_auc_score(labels, scores))


def test_pearson():
    rng = np.random.default_rng(1)
    x = rng.random((4, 25), dtype=np.float32)
    y = x + rng.random((4, 25), dtype=np.float32)
    assert metrics.pearson(x, y) == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1])
    y[0, 0] = np.nan
    assert metrics.pearson(x, y) == pytest.approx(np.corrcoef(x.ravel()[1:], y.ravel()[1:])[0, 1])
    assert np.isnan(metrics.pearson(x, np.ones_like(x)))
    with pytest.raises(ValueError, match="shapes"):
        metrics.pearson(x, y[:1])


def test_bootstrap_of_a_mean_has_the_width_of_theory():
    values = np.random.default_rng(2).normal(size=2000)
    estimate = metrics.block_bootstrap_interval(np.mean, values, block=1, repeats=2000)
    # The standard error of a mean of 2,000 standard normals is 0.0224; 95 % is 3.92 of them wide.
    assert estimate.high - estimate.low == pytest.approx(3.92 * values.std() / np.sqrt(2000), rel=0.08)
    assert estimate.value == values.mean()


def test_blocks_widen_the_interval_of_values_that_follow_each_other():
    values = np.repeat(np.random.default_rng(3).normal(size=100), 20)
    single, blocks = (metrics.block_bootstrap_interval(np.mean, values, block=n, repeats=500) for n in (1, 20))
    # Copies of 100 numbers know as much as 100 numbers: sqrt(20) = 4.5 times wider.
    assert (blocks.high - blocks.low) / (single.high - single.low) == pytest.approx(4.5, rel=0.2)


def test_bootstrap_is_seeded_and_keeps_the_last_block():
    values = np.arange(25.0)
    first, again = (metrics.block_bootstrap_interval(np.mean, values, block=10, repeats=50, seed=4) for _ in range(2))
    assert first == again
    assert first != metrics.block_bootstrap_interval(np.mean, values, block=10, repeats=50, seed=5)
    assert metrics.block_bootstrap_interval(np.max, values, block=10, repeats=200).high == 24
    with pytest.raises(ValueError, match="fewer than two blocks of 30"):
        metrics.block_bootstrap_interval(np.mean, values, block=30)
    with pytest.raises(ValueError, match=r"lengths \[24, 25\]"):
        metrics.block_bootstrap_interval(np.mean, values, values[1:], block=5)


def test_coverage_pearson_is_of_log1p():
    rng = np.random.default_rng(5)
    observed = rng.gamma(1, 10, 2000)
    predicted = observed * rng.lognormal(0, 1, 2000)
    estimate = metrics.coverage_pearson(predicted, observed, repeats=200)
    assert estimate.value == pytest.approx(np.corrcoef(np.log1p(predicted), np.log1p(observed))[0, 1])
    assert estimate.low < estimate.value < estimate.high


def test_rank_first():
    counts = np.array([[5.0, 4.0, 9.0], [1.0, 2.0, 0.0], [3.0, 3.0, 1.0]])
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], dtype=bool)
    # Donor 1: 9 beats 5. Donor 2: 2 is first. Donor 3: a tie.
    assert metrics.rank_first_counts(counts, truth) == (1, 3)
    candidates = np.array([[1, 1, 0]] * 3, dtype=bool)
    assert metrics.rank_first_counts(counts, truth, candidates=candidates) == (2, 3)
    assert metrics.rank_first(counts, truth) == pytest.approx(1 / 3)
    assert np.isnan(metrics.rank_first(counts, np.zeros_like(truth)))
    with pytest.raises(ValueError, match="donor by acceptor"):
        metrics.rank_first(counts[0], truth[0])


def test_alternative_introns_of_one_donor():
    counts, truth = np.array([[5.0, 4.0, 1.0]]), np.array([[True, True, False]])
    assert metrics.rank_first_counts(counts, truth) == (1, 2)
    assert metrics.rank_first_counts(counts, truth, against_false_only=True) == (2, 2)
