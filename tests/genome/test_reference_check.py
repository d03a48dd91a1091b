"""Why REF does not fit: what is true is said, of one record and of many."""

import warnings

import numpy as np
import pytest

from genomekit.errors import GenomekitWarning
from genomekit.genome.fasta import reverse_complement
from genomekit.genome.reference_check import ReferenceTally, explain
from genomekit.genome.variant import Variant

LETTERS = "".join(np.random.default_rng(0).choice(list("ACGT"), 2000))
OTHER = "".join(np.random.default_rng(1).choice(list("ACGT"), 2000))
#           1234567890
SMALL = "ACGTTGCATT"


def reader(letters):
    return lambda chrom, start, end: "".join(letters[i] if 0 <= i < len(letters) else "N" for i in range(start, end))


def tally_of(variants):
    tally = ReferenceTally(reader(LETTERS), "toy")
    fits = [tally.fits(one) for one in variants]
    return tally, fits


def snv(position, letters=LETTERS, shift=0):
    ref = letters[position - 1 + shift]
    return Variant("chrI", position, ref, "A" if ref != "A" else "C")


@pytest.mark.parametrize(
    ("variant", "question"),
    [
        (Variant("chrI", 3, "C", "A"), "Is the position one too high (REF fits at 2), or are the letters those of the"),
        (Variant("chrI", 3, "T", "A"), "there. Is the position 0-based (REF fits at 4)?"),
        (
            Variant("chrI", 2, "G", "C"),
            "Are REF and ALT swapped (the genome has ALT), is the position 0-based (REF fits at 3), or",
        ),
        (Variant("chrI", 5, "ACGTT", "A"), "there. Is the position 4 bp off (REF fits at 1)?"),
        (
            Variant("chrI", 5, "GGGGG", "A"),
            "there. Nothing near by fits REF: is the position 1-based and the build toy?",
        ),
    ],
)
def test_every_cause_that_is_true_is_named(variant, question):
    read = reader(SMALL)
    text = explain(variant, read(variant.chrom, variant.start, variant.end), read, "toy")
    assert question in text
    assert text.count("?") == 1


def test_long_letters_are_cut():
    text = explain(Variant("chrI", 5, "A" * 80_000, "C"), "G" * 80_000, reader(SMALL), "toy")
    assert "AAAAAAAAAA...(80,000 letters)" in text
    assert len(text) < 300


def test_another_build_is_told_early_and_once():
    variants = [snv(p, OTHER) for p in range(1, 301)]
    missed = [one.ref != LETTERS[one.start] for one in variants]
    with pytest.warns(GenomekitWarning) as caught:
        tally, fits = tally_of(variants)
    tally.tell()  # and not again
    assert fits == [not one for one in missed]
    assert (tally.missed, tally.seen) == (sum(missed), 300)
    assert [str(one.message) for one in caught] == [
        f"{sum(missed[:100])} of the first 100 records do not match the reference of toy. Are they on another build?"
    ]


@pytest.mark.parametrize(
    ("variants", "cause"),
    [
        ([snv(p, shift=1) for p in range(1, 41)], "position + 1 (positions are 1-based)"),
        ([snv(p, shift=-1) for p in range(2, 42)], "position - 1"),
        ([Variant("chrI", p, reverse_complement(LETTERS[p - 1]), "N") for p in range(1, 41)], "the plus strand"),
        ([Variant("chrI", p, snv(p).alt, snv(p).ref) for p in range(1, 41)], "REF and ALT swapped"),
    ],
)
def test_one_cause_of_them_all_is_named(variants, cause):
    tally, fits = tally_of(variants)
    with pytest.warns(
        GenomekitWarning, match="records do not match the reference of toy. All of these would fit with"
    ) as caught:
        tally.tell()
    assert str(caught[0].message).startswith(f"{fits.count(False)} of 40 records")
    assert cause in str(caught[0].message)


def test_few_are_the_fault_of_the_records():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bad, good in ((2, 2), (9, 91)):
            tally, _ = tally_of(
                [Variant("chrI", p, "N", "A") for p in range(1, bad + 1)] + [snv(p) for p in range(1, good + 1)]
            )
            tally.tell()
            assert tally.missed == bad
