"""Scorers, and the steps they are made of, against numbers of the reference (see `reference_scores`)."""

import numpy as np
import pytest
import torch
from reference_scores import Stored

from genomekit.scoring import RECOMMENDED

# Largest difference over the largest value. The reference sums in float32, so that 1e-7 of what it subtracts is left:
# a log fold change of 0.07 has 1.4e-6 of it.
ROUNDING = 3e-5


@pytest.fixture(scope="module", params=["float32", "float64"])
def stored(shared, tmp_path_factory, request):
    return Stored(shared, tmp_path_factory.mktemp("stored"), getattr(torch, request.param))


def test_recommended_scorers(stored):
    found = list(stored.recommended())
    assert [one.name for one in found] == list(RECOMMENDED)
    for one in found:
        assert one.got.shape == one.expected.shape
        assert one.relative < ROUNDING, one


def test_every_width_and_aggregation_of_the_center_mask(stored):
    found = list(stored.center_masks())
    assert len({one.name for one in found}) == 4 * 2 * 8  # widths, resolutions, aggregations
    assert sum(one.expected.size for one in found) == 64 * 2 * 3  # variants, tracks
    for one in found:
        assert one.relative < ROUNDING, one


def test_alignment_masks_sites_and_introns_are_exact(stored):
    found = list(stored.steps())
    assert len(found) == 11
    for one in found:
        np.testing.assert_array_equal(one.got, one.expected, err_msg=one.name)
