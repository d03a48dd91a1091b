"""Windows along a region: tiles, and networks whose right answer is known at every base."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_organisms import made_worm, only, tiny_config

from genomekit.evaluation.along import finest, predict_along, windows_along
from genomekit.genome.interval import Interval
from genomekit.nn import AlphaGenome


class Echo(AlphaGenome):
    """Predicts the letters it reads: per base as classes, per bin as counts. Nothing at the window's edges."""

    edge = 0

    def forward(self, dna, organism, modalities=None, **_):
        letters = dna.clone()
        if self.edge:
            letters[:, : self.edge] = letters[:, -self.edge :] = 9
        binned = letters[..., :2].unflatten(1, (-1, 128)).sum(2)
        return {
            "splice_sites": {"logits": letters, "predictions": torch.nn.functional.pad(letters, (0, 1))},
            "chip_tf": {"scaled_predictions_128bp": -binned, "predictions_128bp": binned},
        }


@pytest.fixture(scope="module")
def echo():
    return Echo(tiny_config()).eval()


@pytest.fixture(scope="module")
def worm():
    return made_worm()


@given(st.integers(0, 10_000), st.integers(1, 50), st.data())
def test_kept_stretches_tile_the_region(start, length, data):
    margin = data.draw(st.integers(0, (length - 1) // 2))
    region = Interval("c", start, start + data.draw(st.integers(length, 6 * length)))
    windows = list(windows_along(region, length, margin))
    assert windows[0][1] == region.start
    assert windows[-1][2] == region.end
    for (_, _, last), (_, first, _) in itertools.pairwise(windows):
        assert last == first
    for begin, first, last in windows:
        assert region.start <= begin
        assert begin + length <= region.end
        assert begin <= first < last <= begin + length
        assert first == region.start or first - begin >= margin
        assert last == region.end or begin + length - last == margin


def test_what_cannot_be_tiled_is_refused():
    with pytest.raises(ValueError, match="shorter than a window of 11 bp"):
        list(windows_along(Interval("c", 5, 15), 11, 0))
    # Half of the window on each side would never get on.
    with pytest.raises(ValueError, match=r"Margins of 5 bp leave nothing of a window of 10 bp"):
        list(windows_along(Interval("c", 0, 50), 10, 5))


@pytest.mark.parametrize(("start", "margin"), [(0, 0), (0, 256), (37, 256), (1_000, 512)])
def test_the_stitched_prediction_is_the_one_of_each_base(echo, worm, start, margin):
    region = Interval("chrA", start, start + 128 * 60)
    found = predict_along(echo, worm, region, ["splice_sites", "chip_tf"], length=2048, margin=margin)
    codes = worm.codes["chrA"][region.start : region.end]
    assert found["splice_sites"].shape == (region.width, 5)
    assert (found["splice_sites"].argmax(1) == codes).all()
    bins = codes.reshape(-1, 128)
    assert found["chip_tf"].tolist() == [[(row == 0).sum(), (row == 1).sum()] for row in bins]


def test_window_ends_are_taken_from_neighbours(worm):
    echo = Echo(tiny_config()).eval()
    echo.edge = 200
    region = Interval("chrA", 300, 300 + 128 * 50)
    found = predict_along(echo, worm, region, ["splice_sites"], length=2048, margin=256)["splice_sites"]
    assert (found[:200] == 9)[:, :4].all()
    assert (found[-200:] == 9)[:, :4].all()
    assert found[200:-200].max() == 1


def test_any_width_will_do_at_one_base_but_bins_must_be_whole(echo, worm):
    region = Interval("chrA", 11, 11 + 4_999)
    found = predict_along(echo, worm, region, ["splice_sites"], length=2048, margin=100)["splice_sites"]
    assert (found.argmax(1) == worm.codes["chrA"][11:5_010]).all()
    with pytest.raises(ValueError, match="must be a multiple of 128"):
        predict_along(echo, worm, region, ["splice_sites", "chip_tf"], length=2048, margin=256)
    with pytest.raises(ValueError, match="margins of 100 bp"):
        predict_along(echo, worm, Interval("chrA", 11, 11 + 5_120), ["chip_tf"], length=2048, margin=100)


def test_a_real_network_gives_the_same_as_window_by_window(worm):
    torch.manual_seed(0)
    network = AlphaGenome(only("chip_tf", "track", 2, (128,))).eval()
    region = Interval("chrA", 128, 128 + 4096)
    found = predict_along(network, worm, region, ["chip_tf"], length=4096, margin=1024)["chip_tf"]
    dna = torch.eye(4)[torch.from_numpy(worm.codes["chrA"][128:4224]).long()][None]
    with torch.inference_mode():
        expected = network(dna, torch.zeros(1, dtype=torch.long))["chip_tf"]["predictions_128bp"][0]
    torch.testing.assert_close(torch.from_numpy(found), expected)


def test_the_finest_prediction_is_read():
    one, many = torch.zeros(1), torch.ones(1)
    assert finest({"predictions_128bp": many, "predictions_1bp": one}) is one
    assert finest({"predictions_128bp": many, "scaled_predictions_128bp": one}) is many
    assert finest({"logits": one, "predictions": many}) is many
    with pytest.raises(ValueError, match="none of them are predictions"):
        finest({"logits": one})
