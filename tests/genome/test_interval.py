"""Interval: text, arithmetic, coverage, and sets of intervals."""

import copy
import itertools
import pickle
import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomekit.genome.interval import Interval
from genomekit.genome.interval_sets import intersect_intervals, merge_overlapping_intervals, union_intervals

NAMES = ("chr1", "V", "chr1_KI270706v1_random", "HLA-A*01:01:01:01", "chr1:5-6:+", "odd-2..9")


@st.composite
def intervals(draw, chroms=NAMES, strands="+-.", low=-1000, high=1000, widest=500):
    start = draw(st.integers(low, high))
    return Interval(
        draw(st.sampled_from(chroms)), start, start + draw(st.integers(0, widest)), draw(st.sampled_from(strands))
    )


near = intervals(chroms=("c1", "c2"), low=-20, high=30, widest=20)


class TestIdentity:
    def test_compares_and_hashes_without_the_name(self):
        one, other = Interval("chr1", 1, 2, "+", name="a"), Interval("chr1", 1, 2, "+", name="b")
        assert one == other
        assert len({one, other}) == 1

    def test_orders_by_chrom_start_end_strand(self):
        ordered = [Interval("a", 5, 9), Interval("b", 1, 2), Interval("b", 1, 3, "+"), Interval("b", 1, 3, "-")]
        assert sorted([ordered[2], ordered[0], ordered[3], ordered[1]]) == ordered

    def test_is_frozen_and_without_dict(self):
        interval = Interval("chr1", 1, 2)
        with pytest.raises(FrozenInstanceError):
            interval.start = 5
        assert not hasattr(interval, "__dict__")

    def test_pickles_and_copies(self):
        interval = Interval("chr1", 1, 2, "-", "gene")
        for again in (pickle.loads(pickle.dumps(interval)), copy.deepcopy(interval)):
            assert again == interval
            assert again.name == "gene"

    def test_numpy_coordinates_become_ints(self):
        interval = Interval("chr1", np.int64(4), np.int32(9))
        assert type(interval.start) is type(interval.end) is int
        assert str(interval) == "chr1:4-9:."

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (("chr1", 9, 4), "end 4 < start 9"),
            (("chr1", 1, 2, "*"), "'*'"),
            (("", 1, 2), "Chromosome name ''"),
            (("chr 1", 1, 2), "Chromosome name 'chr 1'"),
            (("chr1", 1.5, 2), "1.5 (float)"),
        ],
    )
    def test_refuses(self, args, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            Interval(*args)

    def test_zero_width_and_negative_start_are_allowed(self):
        assert Interval("chr1", -5, -5).width == 0


class TestParse:
    @given(intervals())
    def test_reads_back_its_own_text(self, interval):
        assert Interval.parse(str(interval)) == interval

    @given(st.integers(0, 10**9), st.integers(0, 10**9))
    def test_thousands_separators_change_nothing(self, start, width):
        plain = Interval("chr1", start, start + width)
        assert Interval.parse(f"chr1:{start:,}-{start + width:,}") == plain
        assert Interval.parse(f"chr1:{start:_}-{start + width:_}") == plain

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("chr5:10,100,000-30M", "chr5:10100000-30000000:."),
            ("chr1:5k-6.5kb", "chr1:5000-6500:."),
            ("chr1:1.5MB-0.002Gb", "chr1:1500000-2000000:."),
            ("chr1:100bp-200 bp", "chr1:100-200:."),
            ("chrV 100 200", "chrV:100-200:."),
            ("chrV\t100\t200\t-", "chrV:100-200:-"),
            ("chr1:100-200:+", "chr1:100-200:+"),
            ("chr1:100-200(-)", "chr1:100-200:-"),
            ("chr1:100-200 +", "chr1:100-200:+"),
            ("chr1:100-200:.", "chr1:100-200:."),
            ("chr1:100-200:\u2212", "chr1:100-200:-"),
            ("  chr1 : 1_000 - 2_000 ", "chr1:1000-2000:."),
            ("chr1:100..200", "chr1:100-200:."),
            ("chr1:100\u2013200", "chr1:100-200:."),
            ("chr1:-524188-524388", "chr1:-524188-524388:."),
            ("chr1:-10--5", "chr1:-10--5:."),
            ("chr1:-10..-5:-", "chr1:-10--5:-"),
            ("chr1:\u221210\u2013\u22125", "chr1:-10--5:."),
            ("1:0-0", "1:0-0:."),
            ("HLA-A*01:01:5-9", "HLA-A*01:01:5-9:."),
        ],
    )
    def test_accepts(self, written, expected):
        assert str(Interval.parse(written)) == expected

    def test_an_interval_comes_back_itself(self):
        interval = Interval("chr1", 1, 2, name="kept")
        assert Interval.parse(interval) is interval

    @pytest.mark.parametrize(
        "written",
        ["", "chr1", "chr1:", "chr1:100", "chr1:a-b", "chr1:100-", ":1-2", "chr1:1-2:*", "chr1:1-2-", "chr1 1", "1-2"],
    )
    def test_malformed_text_shows_the_accepted_forms(self, written):
        with pytest.raises(ValueError, match=re.escape(repr(written)) + r".*chr5:10,100,000-30M.*0-based"):
            Interval.parse(written)

    @pytest.mark.parametrize("written", ["chr1:1,5k-2k", "chr1:1,00-2,00", "chr1:1.000-2.000", "chr1:1.0005k-2k"])
    def test_doubtful_numbers_are_refused(self, written):
        with pytest.raises(ValueError, match="chr5:10,100,000-30M"):
            Interval.parse(written)

    def test_hints_for_one_base_and_whole_chromosomes(self):
        with pytest.raises(ValueError, match="write chr1:99-100"):
            Interval.parse("chr1:100")
        with pytest.raises(ValueError, match="needs its length"):
            Interval.parse("chrV")

    def test_end_before_start(self):
        with pytest.raises(ValueError, match="end 100 < start 200"):
            Interval.parse("chr1:200-100")

    def test_other_types_are_named(self):
        with pytest.raises(ValueError, match="int"):
            Interval.parse(5)


class TestBridges:
    @given(intervals())
    def test_round_trips(self, interval):
        assert Interval.from_dict(interval.to_dict()) == interval
        assert Interval.from_pyranges(interval.to_pyranges()) == interval

    def test_rows_of_tables(self):
        row = {"chrom": "chr1", "start": np.int64(5), "end": 9.0, "strand": float("nan"), "score": 3}
        assert str(Interval.from_dict(row)) == "chr1:5-9:."
        named = Interval.from_pyranges({"Chromosome": "chr1", "Start": 5, "End": 9, "Strand": "-", "Name": "g"})
        assert (str(named), named.name) == ("chr1:5-9:-", "g")

    def test_missing_columns_are_named(self):
        with pytest.raises(ValueError, match="start is None"):
            Interval.from_dict({"chrom": "chr1", "start": None, "end": 5})
        with pytest.raises(ValueError, match="has no End"):
            Interval.from_pyranges({"Chromosome": "chr1", "Start": 5})


class TestArithmetic:
    """Rows of the SDK's parity vectors (SDK 0.10.0 executed) and properties."""

    @pytest.mark.parametrize(
        ("interval", "width", "expected"),
        [
            ("chr1:10-11", 3, "chr1:9-12:."),
            ("chr1:10-11", 4, "chr1:9-13:."),
            ("chr1:10-11:-", 3, "chr1:9-12:-"),
            ("chr1:10-11:-", 4, "chr1:8-12:-"),
            ("chr1:100-110", 4, "chr1:103-107:."),
            ("chr1:0-8", 5, "chr1:1-6:."),
            ("chr1:99-100", 1048576, "chr1:-524188-524388:."),
        ],
    )
    def test_resize(self, interval, width, expected):
        assert str(Interval.parse(interval).resize(width)) == expected

    def test_pad_and_shift(self):
        plus, minus = Interval("chr1", 100, 110, "+"), Interval("chr1", 100, 110, "-")
        assert str(plus.pad(2, 3)) == "chr1:98-113:+"
        assert str(minus.pad(2, 3)) == "chr1:97-112:-"
        assert str(minus.pad(2, 3, use_strand=False)) == "chr1:98-113:-"
        assert str(minus.shift(5)) == "chr1:95-105:-"
        assert str(minus.shift(5, use_strand=False)) == "chr1:105-115:-"

    @pytest.mark.parametrize(("strand", "expected"), [(".", 3), ("+", 3), ("-", 2)])
    def test_center_of_an_odd_width(self, strand, expected):
        interval = Interval("chr1", 1, 4, strand)
        assert interval.center() == expected
        assert interval.center(use_strand=False) == 3

    @given(intervals(), st.integers(-500, 500), st.booleans())
    def test_shift_has_an_inverse(self, interval, offset, use_strand):
        assert interval.shift(offset, use_strand).shift(-offset, use_strand) == interval

    @given(intervals(), st.integers(0, 2000), st.booleans())
    def test_resize_gives_the_width_and_keeps_the_middle(self, interval, width, use_strand):
        resized = interval.resize(width, use_strand)
        assert resized.width == width
        assert abs((resized.start + resized.end) - (interval.start + interval.end)) <= 2
        assert interval.resize(interval.width, use_strand) == interval
        assert resized.contains(interval) or width < interval.width

    @given(intervals(), st.integers(0, 2000))
    def test_resize_without_strand_treats_minus_like_plus(self, interval, width):
        assert interval.resize(width, use_strand=False).as_unstranded() == interval.as_unstranded().resize(width)

    @given(intervals(strands="+-"), st.integers(0, 600), st.integers(0, 600))
    def test_minus_mirrors_plus(self, interval, first, second):
        def mirror(given):
            return Interval(given.chrom, -given.end, -given.start, "+" if given.strand == "-" else "-")

        assert mirror(interval.resize(first)) == mirror(interval).resize(first)
        assert mirror(interval.pad(first, second)) == mirror(interval).pad(first, second)
        assert mirror(interval.shift(first)) == mirror(interval).shift(first)

    @given(intervals(), st.integers(0, 50), st.integers(0, 50))
    def test_pad_has_an_inverse_and_boundary_shift_is_pad(self, interval, before, after):
        assert interval.pad(before, after).pad(-before, -after) == interval
        assert interval.boundary_shift(-before, after) == interval.pad(before, after)

    def test_too_much_is_refused(self):
        with pytest.raises(ValueError, match="leaves -1 bp"):
            Interval("chr1", 5, 9).pad(-2, -3)
        with pytest.raises(ValueError, match="Width -1"):
            Interval("chr1", 5, 9).resize(-1)

    def test_strands(self):
        interval = Interval("chr1", 5, 9, "+", "gene")
        assert str(interval.swap_strand()) == "chr1:5-9:-"
        assert interval.swap_strand().negative_strand
        assert interval.swap_strand().name == "gene"
        assert str(interval.as_unstranded()) == "chr1:5-9:."
        with pytest.raises(ValueError, match="no strand to swap"):
            interval.as_unstranded().swap_strand()

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            (-5, 5, (0, 5)),
            (95, 105, (95, 100)),
            (-5, 105, (0, 100)),
            (3, 4, (3, 4)),
            (-9, -5, (0, 0)),
            (120, 130, (100, 100)),
        ],
    )
    def test_truncate(self, start, end, expected):
        interval = Interval("chr1", start, end)
        cut = interval.truncate(100)
        assert (cut.start, cut.end) == expected
        assert cut.within_reference(100)
        assert interval.within_reference(100) == (cut == interval)

    def test_reference_length_may_be_unknown(self):
        assert Interval("chr1", 5, 10**12).within_reference()
        assert str(Interval("chr1", -5, 10**12).truncate()) == "chr1:0-1000000000000:."
        with pytest.raises(ValueError, match="length 0"):
            Interval("chr1", 1, 2).truncate(0)


class TestOverlap:
    @given(near, near)
    def test_agrees_with_sets_of_bases(self, one, other):
        ours = {(one.chrom, p) for p in range(one.start, one.end)}
        theirs = {(other.chrom, p) for p in range(other.start, other.end)}
        shared = one.intersect(other)
        if one.width and other.width:
            assert one.overlaps(other) == other.overlaps(one) == bool(ours & theirs)
            assert one.contains(other) == (theirs <= ours)
        covered = set() if shared is None else {(shared.chrom, p) for p in range(shared.start, shared.end)}
        assert covered == ours & theirs
        assert shared is None or (shared.strand == one.strand and one.contains(shared) and other.contains(shared))

    def test_touching_intervals_do_not_overlap(self):
        assert not Interval("chr1", 0, 5).overlaps(Interval("chr1", 5, 9))
        assert not Interval("chr1", 0, 5).overlaps(Interval("chr2", 0, 5))
        assert Interval("chr1", 0, 5).contains(Interval("chr1", 5, 5))

    @given(near, st.lists(near, max_size=6), st.sampled_from([1, 2, 5]))
    def test_coverage_counts_bases(self, interval, others, bin_size):
        interval = interval.resize(interval.width // bin_size * bin_size)
        counts = [
            sum(o.chrom == interval.chrom and o.start <= p < o.end for o in others)
            for p in range(interval.start, interval.end)
        ]
        binned = [sum(counts[i : i + bin_size]) for i in range(0, len(counts), bin_size)]
        coverage = interval.coverage(others, bin_size=bin_size)
        assert coverage.dtype == np.int32
        assert coverage.tolist() == binned
        assert interval.binary_mask(others, bin_size=bin_size).tolist() == [count > 0 for count in binned]

    def test_overlap_ranges(self):
        ranges = Interval("chr1", 10, 20).overlap_ranges([Interval("chr1", 5, 12), Interval("chr1", 15, 99)])
        assert ranges.dtype == np.int32
        assert ranges.tolist() == [[0, 2], [5, 10]]
        assert Interval("chr1", 10, 20).overlap_ranges([]).shape == (0, 2)

    def test_stranded_coverage_reads_from_five_to_three_prime(self):
        others = [Interval("chr1", 0, 1, "+"), Interval("chr1", 3, 4, "-"), Interval("chr1", 1, 2)]
        plus = Interval("chr1", 0, 4, "+").coverage_stranded(others)
        assert plus.tolist() == [[1, 0], [1, 0], [0, 0], [0, 1]]
        minus = Interval("chr1", 0, 4, "-")
        assert minus.coverage_stranded(others).tolist() == [[1, 0], [0, 0], [0, 1], [0, 1]]
        assert minus.binary_mask_stranded(others, bin_size=2).tolist() == [[True, False], [False, True]]
        assert Interval("chr1", 0, 4).coverage_stranded(others).tolist() == plus.tolist()

    @pytest.mark.parametrize("bin_size", [0, -1, 3])
    def test_bins_must_divide(self, bin_size):
        with pytest.raises(ValueError, match=f"Bin size {bin_size} does not divide the 10 bp"):
            Interval("chr1", 0, 10).coverage([], bin_size=bin_size)


class TestSets:
    @given(st.lists(near, max_size=6), st.lists(near, max_size=6))
    def test_agree_with_sets_of_bases(self, lhs, rhs):
        def bases(given):
            return {(i.chrom, p) for i in given for p in range(i.start, i.end)}

        both, either = intersect_intervals(lhs, rhs), union_intervals(lhs, rhs, result_strand="+")
        assert bases(both) == bases(lhs) & bases(rhs)
        assert bases(either) == bases(lhs) | bases(rhs)
        assert all(i.strand == "." for i in both)
        assert all(i.strand == "+" for i in either)
        for found in (both, either):
            assert found == sorted(found)
            assert all(a.chrom != b.chrom or a.end < b.start for a, b in itertools.pairwise(found))

    def test_touching_sets_meet_in_a_point(self):
        found = intersect_intervals([Interval("chr1", 0, 2)], [Interval("chr1", 2, 5)])
        assert [str(i) for i in found] == ["chr1:2-2:."]

    def test_merge_keeps_the_strand_and_refuses_two(self):
        merged = merge_overlapping_intervals(
            [Interval("chr1", 4, 6, "-"), Interval("chr1", 0, 2, "-"), Interval("chr1", 2, 3, "-")]
        )
        assert [str(i) for i in merged] == ["chr1:0-3:-", "chr1:4-6:-"]
        assert merge_overlapping_intervals([]) == []
        with pytest.raises(ValueError, match=r"strands \+, -"):
            merge_overlapping_intervals([Interval("chr1", 0, 2, "-"), Interval("chr1", 0, 2, "+")])
