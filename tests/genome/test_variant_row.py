"""Variants as rows of tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomekit.genome.edit import Edit
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.genome.variant_row import as_given

LETTERS = "ACGTTGCAGGCACACATTTTGATCCAGT"
WINDOW = Interval("chrI", 0, 20)


def row(position=5, ref="A", alt="C", **more):
    return {"chrom": "chrI", "position": position, "ref": ref, "alt": alt, **more}


def letters(chrom, start, end):
    return "".join(LETTERS[i] if 0 <= i < len(LETTERS) else "N" for i in range(start, end))


@given(st.integers(1, 10**9), st.sampled_from(["{}", "{:,}", " {:,} ", "{:012d}"]))
def test_a_position_in_text_is_exact(position, form):
    assert Variant.from_dict(row(form.format(position))).position == position


@pytest.mark.parametrize("text", ["1.5", "1e5", "12,34", "1,2345", "-5", "12 345", "five", "0x10", "12.", "1_000"])
def test_other_texts_are_no_position(text):
    with pytest.raises(ValueError, match=f"is the text {text!r}; write a whole number of bases, 1-based: 12345"):
        Variant.from_dict(row(text))


def test_a_column_of_text_is_read_like_one_of_numbers():
    table = pd.DataFrame({"chrom": "chrI", "position": ["3", "1,005"], "ref": "G", "alt": "T"}, dtype=str)
    assert [Variant.from_dict(one).position for one in table.to_dict("records")] == [3, 1005]


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, pd.NaT, ""])
def test_an_empty_position_is_said(nothing):
    with pytest.raises(ValueError, match="has nothing in position"):
        Variant.from_dict(row(nothing))


@given(st.integers(1, 18), st.text("ACGT", min_size=1, max_size=4))
def test_an_insertion_of_maf_and_of_vep_is_that_of_vcf(before, added):
    """MAF names the bases before and after, VEP the same turned round, VCF the base before with the letters."""
    anchor = LETTERS[before - 1]
    expected = Edit.of(Variant("chrI", before, anchor, anchor + added), WINDOW, letters)
    maf = row(before, "-", added, end=before + 1)
    vep = row(str(before + 1), "-", added, end=str(before))
    for one in (maf, vep):
        assert Edit.of(Variant.from_dict(one), WINDOW, letters) == expected


@given(st.integers(2, 15), st.integers(1, 4))
def test_a_deletion_begins_at_its_first_base(position, size):
    ref = LETTERS[position - 1 : position - 1 + size]
    before = LETTERS[position - 2]
    expected = Edit.of(Variant("chrI", position - 1, before + ref, before), WINDOW, letters)
    assert Edit.of(Variant.from_dict(row(position, ref, "-")), WINDOW, letters) == expected


@pytest.mark.parametrize("end", [{}, {"end": None}, {"end": 5}, {"end": 7}, {"end": np.nan}, {"end": ""}])
def test_an_insertion_without_its_place_says_how_to_write_it(end):
    with pytest.raises(
        ValueError, match=r"position 5 and .*the column end, position \+ 1 .* such as ref 'C', alt 'CA'"
    ):
        Variant.from_dict(row(5, "-", "G", **end))


def test_two_dashes_are_no_change():
    with pytest.raises(ValueError, match="has ref '-', alt '-'"):
        Variant.from_dict(row(5, "-", "-", end=6))


def test_columns_of_maf_files():
    maf = {
        "Hugo_Symbol": "TP53",
        "Chromosome": "17",
        "Start_Position": 7579472,
        "End_Position": 7579473,
        "Reference_Allele": "-",
        "Tumor_Seq_Allele2": "G",
    }
    assert str(Variant.from_dict(maf)) == "17:7579473:>G"


def test_of_two_columns_for_one_thing_the_one_named_so_counts():
    assert Variant.from_dict(row(5, reference_allele="G", POS=9)) == Variant("chrI", 5, "A", "C")
    assert Variant.from_dict({"POS": 9, **row(5)}) == Variant("chrI", 5, "A", "C")


def test_what_a_row_that_is_no_variant_does_say():
    assert as_given(row("1e5", "R", None, name="rs1")) == ("chrI", 0, "R", "", "rs1")
    assert as_given({"CHROM": 3, "POS": np.int64(7)}) == ("3", 7, "", "", "")
