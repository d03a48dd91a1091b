"""Variants as people write them."""

import numpy as np
import pandas as pd
import pytest

from genomekit.errors import ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import Edit
from genomekit.genome.interval import Interval
from genomekit.genome.spelling import read_variant, read_variants
from genomekit.genome.variant import Variant

#           1234567890123456
LETTERS = "ACGTTGCAGGCACACA"


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "toy.fa"
    path.write_text(f">chrV\n{LETTERS}\n")
    return Genome(path, organism="worm", aliases={"NC_003283.9": "chrV"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chrV 3 . G A", "chrV:3:G>A"),
        ("chrV\t3\trs5\tG\tA\t50\tPASS\tDP=3", "chrV:3:G>A"),
        ("chrV 3 G A", "chrV:3:G>A"),
        ("chrV:3:G>A", "chrV:3:G>A"),
        ("chrV-3-G-A", "chrV:3:G>A"),
        ("chrV:g.3G>A", "chrV:3:G>A"),
        ("NC_003283.9:g.3G>A", "chrV:3:G>A"),
        ("chrV:g.3del", "chrV:3:G>"),
        ("chrV:g.3_5del", "chrV:3:GTT>"),
        ("chrV:g.3_5delGTT", "chrV:3:GTT>"),
        ("chrV:g.3_4insacg", "chrV:4:>ACG"),
        ("chrV:g.3_5delinsT", "chrV:3:GTT>T"),
        ("chrV:g.3_5dup", "chrV:6:>GTT"),
        ("chrV:g.3_5dupGTT", "chrV:3:GTT>GTTGTT"),
        ("chrV:g.3_5inv", "chrV:3:GTT>AAC"),
        ("chrV:g.3=", "chrV:3:G>G"),
    ],
)
def test_spellings(genome, text, expected):
    assert str(read_variant(text, genome)) == expected


def test_the_id_is_the_name(genome):
    assert read_variant("chrV 3 rs5 G A", genome).name == "rs5"
    assert read_variant("chrV 3 . G A", genome).name == ""


def test_spellings_of_one_duplication_are_one_edit(genome):
    """CA of 11-12 twice: as a duplication, an insertion, and a VCF record."""
    texts = ["chrV:g.12_13dup", "chrV:g.13_14insAC", "chrV 11 . C CAC", "chrV:15:C>CAC", "chrV:10:G>GCA"]
    edits = [Edit.of(read_variant(text, genome), Interval("chrV", 0, 16), genome) for text in texts]
    assert all(edit == edits[0] for edit in edits)
    assert [str(edit.variants[0]) for edit in edits] == ["chrV:10:G>GCA"] * 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chrV:c.3G>A", "need a transcript"),
        ("chrV:g.3G<A", "cannot be read. Write it as in g.123A>G"),
        ("chrV:g.3_5delinsinv", "Letters that are inserted must be written out"),
        ("chrV:g.3_5delinsACinv", "Letters that are inserted must be written out"),
        ("chrV:g.3_5delins8_10inv", "Letters that are inserted must be written out"),
        ("chrV:g.3_4ins8_10", "Letters that are inserted must be written out"),
        ("chrV:g.3_5con8_10", "Letters that are inserted must be written out"),
        ("chrV:g.3delGinsA", "Leave the letters that are deleted out"),
        ("chrV:g.10GCA[4]", "Write repeats in letters"),
        ("chrV:g.(3_5)del", "known to the base"),
        ("chrV:g.3_?del", "known to the base"),
        ("chrV:g.[3G>A;5T>C]", "one change at a time"),
        (
            "nonsense",
            r"chr22:1024:A>C, .*HGVS \(chr22:g.1024A>C\).*chr22 1024 . A C.*a table with columns chrom, position, ref",
        ),
        ("chrV:g.5_3del", "Check the order of the positions"),
        ("chrV:g.17A>C", "has 1 to 16"),
        ("chrV:g.3_5insA", "names the two bases beside it"),
        ("chrV:g.3_5delins", "does not say what is inserted"),
        ("chrV:g.3_5G>A", "replaces 3 bp and names 1"),
        ("chrV:g.3_5delGT", "is about 3 bp and names 2"),
        ("chrV 3 . G A,T", "several ALT"),
        ("chrV 3 . GTT .", "no ALT allele"),
        ("chrV 3 GTT .", "no ALT allele"),
        ("rs123", "rsID needs a database"),
    ],
)
def test_what_cannot_be_read_says_why(genome, text, message):
    with pytest.raises(ValueError, match=message):
        read_variant(text, genome)


def test_letters_of_the_text_are_compared_with_the_genome(genome):
    with pytest.raises(ReferenceMismatch):
        Edit.of(read_variant("chrV:g.3_5dupGTA", genome), Interval("chrV", 0, 16), genome)


def test_tables_and_lists(genome):
    expected = [Variant("chrV", 3, "G", "A"), Variant("chrV", 5, "T", "")]
    table = pd.DataFrame({"#CHROM": ["chrV", "chrV"], "POS": [3, 5], "REF": ["G", "T"], "ALT": ["A", ""]})
    assert read_variants(table, genome) == read_variants(table.rename(columns={"#CHROM": "CHROM"}), genome) == expected
    sdk = {"chromosome": ["chrV", "chrV"], "position": [3, 5], "reference_bases": ["G", "T"]}
    assert read_variants(pd.DataFrame({**sdk, "alternate_bases": ["A", ""]}), genome) == expected
    assert read_variants(pd.DataFrame({"variant": ["chrV:g.3G>A", "chrV:5:T>-"]}), genome) == expected
    assert read_variants(["chrV 3 . G A", expected[1]], genome) == expected
    assert read_variants("chrV:3:G>A", genome) == expected[:1]
    with pytest.raises(ValueError, match=r"^Variant 'nothing' is not understood"):  # one alone needs no number
        read_variants(["nothing"], genome)
    with pytest.raises(ValueError, match=r"Variant number 1 \(counted from 0\).*not understood"):
        read_variants(["chrV:3:G>A", "nonsense"], genome)
    with pytest.raises(ValueError, match="has no alt"):
        read_variants(pd.DataFrame({"chrom": ["chrV"], "pos": [3], "ref": ["G"]}), genome)
    row = {"chrom": "chrV", "position": 3, "ref": "G", "alt": "A"}
    assert read_variants(row, genome) == read_variants([row], genome) == expected[:1]
    assert read_variants([row for _, row in table.iterrows()], genome) == expected


@pytest.mark.parametrize("given", [None, 5, 2.5, True])
def test_what_is_no_variant(genome, given):
    with pytest.raises(ValueError, match=rf"^{given} came; give a variant, its text such as 'chr22:1024:A>C'"):
        read_variants(given, genome)


@pytest.mark.parametrize("given", [("chrV", 3, "G", "A"), ["chrV", np.int64(3), "G", "A"]])
def test_the_parts_of_a_variant_are_no_list_of_variants(genome, given):
    with pytest.raises(ValueError, match=r"'chrV', .*came; write one variant as text, chrom:position:REF>ALT"):
        read_variants(given, genome)


@pytest.mark.parametrize(
    "line",
    [
        "chrI\t3\t.\tG\tT",
        "chrI\t3\t.\tG\tT\t50\tPASS\tAC=1",
        "chrI\t3\tTAG\tG\tT",
        "chrI 3 . G T 50 PASS .",
        "chrI\t3\tG\tT",
        "chrI 3 rs1 G T",
    ],
)
def test_a_vcf_line_is_read_by_its_columns(tmp_path, line):
    (tmp_path / "a.fa").write_text(">chrI\nACGTTGCA\n")
    read = read_variant(line, Genome(tmp_path / "a.fa"))
    assert (read.chrom, read.position, read.ref, read.alt) == ("chrI", 3, "G", "T")


def test_a_table_with_empty_cells_is_refused():
    for key in ("chrom", "position", "ref", "alt"):
        for nothing in (None, float("nan")):
            with pytest.raises(ValueError, match=f"has nothing in {key}"):
                Variant.from_dict({"chrom": "chrI", "position": 3, "ref": "G", "alt": "T", key: nothing})
