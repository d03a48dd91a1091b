"""Window: the choice of length, centering, padding, and the bins of the interval."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window

OFFICIAL = (16384, 131072, 524288, 1048576)
POWERS = tuple(2048 * 2**k for k in range(6))


@st.composite
def intervals(draw):
    start = draw(st.integers(0, 199_999))
    width = draw(st.integers(1, min(POWERS[-1], 200_000 - start)))
    return Interval("chr1", start, start + width, draw(st.sampled_from("+-.")))


@given(intervals(), st.sampled_from(POWERS))
def test_holds_the_interval_at_the_smallest_length_from_the_default(interval, default):
    window = Window.around(interval, lengths=POWERS, default=default, chrom_length=200_000)
    assert window.length == min(n for n in POWERS if n >= max(default, interval.width))
    assert window.as_interval() == interval.resize(window.length)
    assert window.as_interval().contains(interval)


@given(intervals(), st.sampled_from([1, 2, 128, 2048]))
def test_bins_are_those_that_overlap(interval, resolution):
    window = Window.around(interval, lengths=POWERS, default=4096)
    bins = window.bins(resolution)
    first, last = window.start + bins.start * resolution, window.start + bins.stop * resolution
    assert first <= interval.start < first + resolution
    assert last - resolution < interval.end <= last
    assert 0 <= bins.start < bins.stop <= window.length // resolution


@given(intervals(), st.sampled_from(POWERS))
def test_padding_is_what_lies_off_the_chromosome(interval, default):
    window = Window.around(interval, lengths=POWERS, default=default, chrom_length=200_000)
    inside = window.as_interval().truncate(200_000)
    assert window.pad_left + inside.width + window.pad_right == window.length
    assert (window.pad_left > 0) == (window.start < 0)


def test_parity_vector_of_an_snv():
    """An SNV at chr1:100 in 1,048,576 bp: -524188 to 524388, the base at half the length less one."""
    variant = Variant("chr1", 100, "A", "C")
    window = Window.around(variant.interval, lengths=OFFICIAL, default=1048576)
    assert (window.start, window.end, window.pad_left, window.pad_right) == (-524188, 524388, 524188, 0)
    assert window.bins(1) == slice(524287, 524288)


def test_bins_at_edges():
    window = Window(Interval("chr1", 128, 256), "chr1", 0, 512)
    assert window.bins(128) == slice(1, 2)
    assert Window(Interval("chr1", 127, 257), "chr1", 0, 512).bins(128) == slice(0, 3)
    assert Window(Interval("chr1", 0, 512), "chr1", 0, 512).bins(128) == slice(0, 4)


def test_window_ending_exactly_at_the_chromosome_end_needs_no_padding():
    window = Window.around(Interval("chr1", 0, 4096), lengths=POWERS, default=2048, chrom_length=4096)
    assert (window.start, window.end, window.pad_left, window.pad_right) == (0, 4096, 0, 0)


def test_interval_over_the_end_of_the_chromosome_is_padded():
    window = Window.around("chr1:90-110", lengths=[64], default=64, chrom_length=100)
    assert (window.start, window.end, window.pad_right) == (68, 132, 32)
    assert Window.around("chr1:-5-5", lengths=[64], default=64).pad_left == 32


def test_explicit_length():
    window = Window.around("chr1:100-110", lengths=POWERS, default=2048, length=8192)
    assert window.length == 8192


def test_default_counts_as_supported():
    assert Window.around("chr1:100-110", lengths=[16384], default=2048).length == 2048


def test_strand_is_kept_and_rounds_the_center():
    window = Window.around("chr1:10-11:-", lengths=[4], default=4)
    assert str(window.as_interval()) == "chr1:8-12:-"


@pytest.mark.parametrize(
    ("interval", "options", "message"),
    [
        ("chr1:100-100", {}, "chr1:100-100:. is empty; give at least 1 bp, e.g. chr1:100-101."),
        ("chr1:5000-6000", {"chrom_length": 5000}, "lies outside chr1, whose bases run from 0 to 5,000"),
        ("chr1:-9-0", {}, "lies outside chr1"),
        ("chr1:0-20k", {}, "20,000 bp and the longest window is 16,384 bp. Cut it"),
        ("chr1:0-20k", {"length": 2048}, "predict_intervals"),
        ("chr1:0-3k", {"length": 2048}, "does not fit the window of 2,048 bp asked for"),
        ("chr1:0-3k", {"length": 5000}, "5,000 bp is not supported. Lengths in bp: 2,048, 4,096, 8,192, 16,384."),
        ("chr1:0-3k", {"length": 0}, "0 bp is not supported"),
    ],
)
def test_refuses(interval, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Window.around(interval, lengths=POWERS[:4], default=4096, **options)


@pytest.mark.parametrize("resolution", [0, 3, 1024])
def test_resolution_must_divide_the_length(resolution):
    with pytest.raises(ValueError, match=f"Resolution {resolution} bp does not divide"):
        Window(Interval("chr1", 0, 5), "chr1", 0, 512).bins(resolution)


def test_a_window_holds_its_interval():
    with pytest.raises(ValueError, match="does not hold chr1:0-5"):
        Window(Interval("chr1", 0, 5), "chr1", 1, 512)
