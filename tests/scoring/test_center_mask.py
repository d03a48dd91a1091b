import math

import numpy as np
import pytest
import torch

from genomekit.scoring import AGGREGATIONS, CenterMaskScorer, Scorer, Values, recommended_scorer
from genomekit.tracks import MODALITIES


def values(array, inside=None):
    signal = torch.as_tensor(np.asarray(array, dtype=np.float64))
    mask = np.ones(signal.shape[:2], dtype=bool) if inside is None else np.asarray(inside)
    return [Values(signal, torch.as_tensor(mask))]


def test_the_aggregations_by_hand():
    ref = [[[1.0], [3.0], [100.0]]]
    alt = [[[2.0], [7.0], [-1.0]]]
    inside = [[True, True, False]]  # the third bin lies past the window
    expected = {
        "diff_mean": 4.5 - 2.0,
        "diff_sum": 9.0 - 4.0,
        "diff_sum_log2": math.log2(3) + math.log2(8) - math.log2(2) - math.log2(4),
        "diff_log2_sum": math.log2(10) - math.log2(5),
        "l2_diff": math.sqrt(1 + 16),
        "l2_diff_log1p": math.sqrt(math.log(3 / 2) ** 2 + math.log(8 / 4) ** 2),
        "active_mean": 4.5,
        "active_sum": 9.0,
        "max_abs_diff": 4.0,
        "diff_log_mean": math.log(4.501) - math.log(2.001),
    }
    assert set(expected) == set(AGGREGATIONS)
    # log1p and log2 of the bin that does not count must not spoil the others: its values are any real prediction.
    alt[0][2][0] = 5.0
    for name, score in expected.items():
        scorer = CenterMaskScorer("dnase", 501, name)
        assert scorer.score(values(ref, inside), values(alt, inside)).item() == pytest.approx(score, rel=1e-12), name
        assert scorer.signed == name.startswith("diff")


@pytest.mark.parametrize(
    ("width", "resolution", "start", "first", "count"),
    [
        (501, 1, 1000, 750, 501),  # 250 on each side
        (501, 128, 1000, 5, 4),  # bin 7 of 128 bp, 4 bins: 5 to 8
        (2001, 128, 1000, -1, 16),
        (10, 1, 1000, 995, 10),
        (1, 1, 0, 0, 1),
        (None, 1, 77, 0, 4096),
        (None, 128, 77, 0, 32),
    ],
)
def test_masks_are_those_of_the_reference(width, resolution, start, first, count):
    (bins,) = CenterMaskScorer("dnase", width, "diff_mean").bins(np.array([start]), 4096, resolution)
    assert (int(bins.starts[0]), bins.width) == (first, count)


def test_a_scorer_prints_as_what_makes_it_and_is_a_scorer():
    scorer = CenterMaskScorer("dnase", 501, "DIFF_MEAN")
    assert eval(str(scorer)) == scorer
    assert str(CenterMaskScorer("dnase", np.int64(501), "DIFF_MEAN")) == str(scorer)
    assert hash(scorer) == hash(CenterMaskScorer("dnase", 501, "diff_mean"))
    assert isinstance(scorer, Scorer)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("dnase", 501, "diff_median"), "Unknown aggregation 'diff_median'"),
        (("dnase", 0), "width=0 came"),
        (("dnase", "wide"), "width='wide' came; give a whole number of bp, at least 1, or None for the whole window"),
        (("dnase", 501.0), r"width=501\.0 came"),
        (("dnase", True), "width=True came"),
        (("contact_maps",), "CenterMaskScorer cannot read 'contact_maps', which has a contact head"),
        (("splice_junctions",), "it can read atac, dnase, .*, splice_site_usage. Junctions are for scorers derived"),
        (("ATAC",), "Unknown modality 'ATAC'. Did you mean 'atac'"),
        (("rna",), "Did you mean 'rna_seq'"),
        ((None,), "Unknown modality None"),
    ],
)
def test_bad_scorers_are_refused(arguments, text):
    with pytest.raises(ValueError, match=text):
        CenterMaskScorer(*arguments)


def test_what_is_recommended():
    assert recommended_scorer(MODALITIES["chip_histone"]) == CenterMaskScorer("chip_histone", 2001, "diff_log2_sum")
    assert recommended_scorer(MODALITIES["atac"]) == CenterMaskScorer("atac", 501, "diff_log2_sum")
    assert recommended_scorer(MODALITIES["splice_sites"]) == CenterMaskScorer("splice_sites", 501, "max_abs_diff")
    with pytest.raises(ValueError, match="'contact_maps' has no centre-mask scorer"):
        recommended_scorer(MODALITIES["contact_maps"])
