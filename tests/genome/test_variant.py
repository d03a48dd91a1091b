"""Variant: spellings, properties, splitting, normal form."""

import pickle
import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant, normalize

CONTIGS = ("chr22", "22", "X", "chrM", "chr1_KI270706v1_random", "HLA-A*01:01", "NC_001133.9")
alleles = st.text("ACGTN", max_size=6)


@st.composite
def variants(draw, chroms=CONTIGS):
    return Variant(draw(st.sampled_from(chroms)), draw(st.integers(1, 10**9)), draw(alleles), draw(alleles))


def spellings(variant):
    chrom, position, ref, alt = variant.chrom, variant.position, variant.ref, variant.alt
    return {
        "default": f"{chrom}:{position}:{ref}>{alt}",
        "gtex": f"{chrom}_{position}_{ref}_{alt}_b38",
        "open_targets": f"{chrom}_{position}_{ref}_{alt}",
        "open_targets_bigquery": f"{chrom}:{position}:{ref}:{alt}",
        "gnomad": f"{chrom}-{position}-{ref}-{alt}",
    }


class TestIdentity:
    def test_compares_hashes_and_orders_without_the_name(self):
        one, other = Variant("chr1", 5, "A", "C", "rs1"), Variant("chr1", 5, "A", "C")
        assert one == other
        assert len({one, other}) == 1
        assert sorted([Variant("chr1", 6, "A", "C"), one])[0] == one

    def test_is_frozen_and_pickles(self):
        variant = Variant("chr1", 5, "A", "C", "rs1")
        with pytest.raises(FrozenInstanceError):
            variant.alt = "G"
        assert pickle.loads(pickle.dumps(variant)).name == "rs1"

    def test_letters_become_upper_case_and_positions_ints(self):
        variant = Variant("chr1", np.int64(5), "acg", "n")
        assert str(variant) == "chr1:5:ACG>N"
        assert type(variant.position) is int

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (("chr1", 0, "A", "C"), "position 0"),
            (("chr1", 5, "AXG", "C"), "'X' as letter 2 of REF 'AXG'"),
            (("chr1", 5, "A", "<DEL>"), "'<' as letter 1 of ALT"),
            (("chr1", 5, "A", "*"), "'*' as letter 1 of ALT"),
            (("chr1", 5, "A", "C,G"), "Give several ALT alleles one at a time"),
            (("chr1", 2.5, "A", "C"), "2.5 (float)"),
            (("", 2, "A", "C"), "Chromosome name ''"),
            (("chr1", 5, "A", None), "None as ALT; give the letters of one allele as text"),
            (("chr1", 5, "A", ["C", "G"]), "['C', 'G'] as ALT"),
            (("chr1", 5, float("nan"), "C"), "nan as REF"),
        ],
    )
    def test_refuses(self, args, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            Variant(*args)


class TestParse:
    @given(variants(), st.sampled_from(sorted(spellings(Variant("a", 1, "A", "C")))))
    def test_every_spelling_is_told_apart(self, variant, spelling):
        assert Variant.parse(spellings(variant)[spelling]) == variant

    @given(variants(chroms=("chr22", "chrX", "chrUn_KI270302v1")))
    def test_named_formats(self, variant):
        for name, written in spellings(variant).items():
            assert Variant.parse(written, format=name) == variant

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("chr22:1024:A>C", "chr22:1024:A>C"),
            ("chr22:1,024 : a > c", "chr22:1024:A>C"),
            ("  chr22:1024A>C\n", "chr22:1024:A>C"),
            ("chr22:1024 A>C", "chr22:1024:A>C"),
            ("chr22:1024:AC>-", "chr22:1024:AC>"),
            ("chr22:1024:->AC", "chr22:1024:>AC"),
            ("chr22:1024:AC>", "chr22:1024:AC>"),
            ("chr22_1024_A_C_b38", "chr22:1024:A>C"),
            ("22_1024_A_C", "22:1024:A>C"),
            ("22:1024:A:C", "22:1024:A>C"),
            ("22-1024-A-C", "22:1024:A>C"),
        ],
    )
    def test_accepts(self, written, expected):
        assert str(Variant.parse(written)) == expected

    @pytest.mark.parametrize(
        ("written", "format", "chrom"),
        [
            ("22-1024-A-C", "gnomad", "chr22"),
            ("X_1024_A_C", "open_targets", "chrX"),
            ("MT:1024:A:C", "open_targets_bigquery", "chrM"),
            ("22:1024:A>C", "default", "22"),
        ],
    )
    def test_only_a_named_human_database_adds_the_prefix(self, written, format, chrom):
        assert Variant.parse(written, format=format).chrom == chrom

    def test_a_variant_comes_back_itself(self):
        variant = Variant("chr1", 5, "A", "C")
        assert Variant.parse(variant) is variant

    @pytest.mark.parametrize(
        "written", ["", "chr1", "chr1:5", "chr1:5-6", "chr1:x:A>C", "chr1:5:A", "chr1:1,00:A>C", 7]
    )
    def test_malformed_text_shows_the_spellings(self, written):
        with pytest.raises(ValueError, match=re.escape(repr(written)) + ".*chr22:1024:A>C.*22-1024-A-C"):
            Variant.parse(written)

    def test_errors_say_what_to_do(self):
        with pytest.raises(ValueError, match="rsID needs a database"):
            Variant.parse("rs206437")
        with pytest.raises(ValueError, match="in format 'gnomad'"):
            Variant.parse("chr1:5:A>C", format="gnomad")
        with pytest.raises(ValueError, match="Did you mean 'gnomad'"):
            Variant.parse("chr1:5:A>C", format="gnomAD2")
        with pytest.raises(ValueError, match="'Z' as letter 1 of ALT"):
            Variant.parse("chr1:5:A>Z")
        with pytest.raises(ValueError, match="symbolic"):
            Variant.parse("chr1:5:A><DEL>")

    @given(variants())
    def test_dict_round_trip(self, variant):
        assert Variant.from_dict(variant.to_dict()) == variant

    def test_dict_takes_sdk_and_vcf_columns(self):
        sdk = {"chromosome": "chr1", "position": 5, "reference_bases": "A", "alternate_bases": "C", "name": "rs1"}
        vcf = {"CHROM": "chr1", "POS": 5, "ID": "rs1", "REF": "A", "ALT": "C", "QUAL": "."}
        for row in (sdk, vcf):
            assert (str(Variant.from_dict(row)), Variant.from_dict(row).name) == ("chr1:5:A>C", "rs1")
        with pytest.raises(ValueError, match="has no alt"):
            Variant.from_dict({"chrom": "chr1", "pos": 5, "ref": "A"})


class TestProperties:
    def test_coordinates(self):
        variant = Variant("chr1", 5, "ACG", "T")
        assert (variant.start, variant.end, str(variant.interval)) == (4, 7, "chr1:4-7:.")
        assert Variant("chr1", 5, "", "T").interval.width == 0

    def test_snv_sits_at_half_the_window_less_one(self):
        """Parity vector: an SNV at chr1:100 in a window of 1,048,576 bp."""
        window = Variant("chr1", 100, "A", "C").interval.resize(1048576)
        assert (window.start, window.end) == (-524188, 524388)
        assert 99 - window.start == 1048576 // 2 - 1

    @pytest.mark.parametrize(
        ("ref", "alt", "true"),
        [
            ("A", "C", {"snv"}),
            ("AC", "GT", set()),
            ("A", "ACG", {"insertion", "indel", "frameshift"}),
            ("ACGT", "A", {"deletion", "indel"}),
            ("A", "A" * 51, {"insertion", "indel", "frameshift", "structural"}),
            ("A", "A" * 52, {"insertion", "indel", "structural"}),
            ("A" * 50, "A", {"deletion", "indel", "frameshift"}),
        ],
    )
    def test_kinds(self, ref, alt, true):
        variant = Variant("chr1", 5, ref, alt)
        kinds = ("snv", "insertion", "deletion", "indel", "frameshift", "structural")
        assert {kind for kind in kinds if getattr(variant, f"is_{kind}")} == true

    def test_truncated_text(self):
        variant = Variant("chr1", 5, "ACGTACGTA", "ACGT")
        assert variant.as_truncated_str() == str(variant)
        assert variant.as_truncated_str(5) == "chr1:5:AC...GTA>ACGT"
        assert variant.as_truncated_str(1) == "chr1:5:...A>...T"
        assert variant.as_truncated_str(0) == "chr1:5:...>..."

    def test_overlaps(self):
        variant = Variant("chr1", 5, "A", "ACG")
        assert variant.reference_overlaps(Interval("chr1", 4, 5))
        assert not variant.reference_overlaps(Interval("chr1", 5, 9))
        assert variant.alternate_overlaps(Interval("chr1", 6, 9))
        assert not variant.alternate_overlaps(Interval("chr1", 7, 9))
        assert not variant.alternate_overlaps(Interval("chr2", 4, 9))


class TestSplit:
    def test_parity_vector(self):
        parts = Variant("chr1", 5, "AC", "TGTC", "rs1").split(5)
        assert [str(part) for part in parts] == ["chr1:5:A>T", "chr1:6:C>GTC"]
        assert {part.name for part in parts} == {"rs1"}

    def test_one_sided(self):
        variant = Variant("chr1", 5, "AC", "TGTC")
        assert variant.split(4) == (None, variant)
        assert variant.split(6) == (variant, None)

    @given(variants(), st.integers(-2, 8))
    def test_the_parts_make_the_whole(self, variant, offset):
        upstream, downstream = variant.split(variant.start + offset)
        parts = [part for part in (upstream, downstream) if part]
        assert "".join(part.ref for part in parts) == variant.ref
        assert "".join(part.alt for part in parts) == variant.alt
        assert parts[0].position == variant.position


class Genome:
    """Letters of one chromosome; refuses to be read outside."""

    def __init__(self, letters):
        self.letters = letters

    def read(self, chrom, start, end):
        assert 0 <= start <= end <= len(self.letters), f"{chrom}:{start}-{end} is outside"
        return self.letters[start:end]

    def apply(self, variant):
        return self.letters[: variant.start] + variant.alt + self.letters[variant.end :]


@st.composite
def changes(draw):
    """Two letters only, so that repeats abound."""
    genome = Genome(draw(st.text("AC", min_size=4, max_size=30)))
    start = draw(st.integers(0, len(genome.letters) - 1))
    end = draw(st.integers(start, min(len(genome.letters), start + 4)))
    return genome, Variant("chr1", start + 1, genome.letters[start:end], draw(st.text("AC", max_size=4)), "kept")


class TestNormalize:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            # Figure 1 of Tan et al.: one deletion of CA in GGGCACACACAGGG, spelled five ways.
            ("chr1:8:CA>", "chr1:3:GCA>G"),
            ("chr1:6:CAC>C", "chr1:3:GCA>G"),
            ("chr1:3:GCACA>GCA", "chr1:3:GCA>G"),
            ("chr1:2:GGCA>GG", "chr1:3:GCA>G"),
            ("chr1:3:GCA>G", "chr1:3:GCA>G"),
            ("chr1:10:C>CAC", "chr1:3:G>GCA"),
            ("chr1:12:>CA", "chr1:3:G>GCA"),
            ("chr1:3:GC>GT", "chr1:4:C>T"),
            ("chr1:4:CAC>TAG", "chr1:4:CAC>TAG"),
            ("chr1:4:C>T", "chr1:4:C>T"),
            ("chr1:4:CA>CA", "chr1:4:CA>CA"),
        ],
    )
    def test_known_cases(self, written, expected):
        genome = Genome("GGGCACACACAGGG")
        assert str(normalize(Variant.parse(written), genome.read)) == expected

    def test_start_of_the_chromosome_takes_context_from_the_right(self):
        genome = Genome("AAAAC")
        assert str(normalize(Variant("chr1", 4, "A", ""), genome.read)) == "chr1:1:AA>A"
        assert str(normalize(Variant("chr1", 1, "", "GG"), genome.read)) == "chr1:1:A>GGA"

    def test_long_repeats_are_read_in_blocks(self):
        genome = Genome("G" + "A" * 1000 + "C")
        reads = []

        def read(chrom, start, end):
            reads.append((start, end))
            return genome.read(chrom, start, end).lower()

        assert str(normalize(Variant("chr1", 1001, "A", "AA"), read)) == "chr1:1:G>GA"
        assert len(reads) < 10

    @given(changes())
    def test_keeps_the_sequence_and_is_parsimonious(self, change):
        genome, variant = change
        assume(variant.ref != variant.alt)
        assume(genome.apply(variant))
        result = normalize(variant, genome.read)
        assert genome.apply(result) == genome.apply(variant)
        assert genome.read("chr1", result.start, result.end) == result.ref
        assert result.ref
        assert result.alt
        assert result.name == "kept"
        assert normalize(result, genome.read) == result
        assert result.ref[-1] != result.alt[-1] or result.position == 1
        assert min(len(result.ref), len(result.alt)) == 1 or result.ref[0] != result.alt[0]

    @given(changes(), st.data())
    def test_every_spelling_of_an_indel_becomes_one(self, change, data):
        genome, variant = change
        assume(variant.is_indel)
        assume(genome.apply(variant))
        same = [
            other
            for start in range(len(genome.letters))
            for other in [_respelled(genome, variant, start)]
            if other is not None and genome.apply(other) == genome.apply(variant)
        ]
        other = data.draw(st.sampled_from([*same, variant]))
        longer, shorter = sorted((variant.ref, variant.alt), key=len, reverse=True)
        assume(longer.startswith(shorter) or longer.endswith(shorter))
        assert normalize(other, genome.read) == normalize(variant, genome.read)

    def test_a_short_read_is_refused(self):
        with pytest.raises(ValueError, match="gave 0 letters instead of 4"):
            normalize(Variant("chr1", 5, "A", ""), lambda chrom, start, end: "")


def _respelled(genome, variant, start):
    """The same change written as a bare insertion or deletion at another start, where there is one."""
    grown = len(variant.alt) - len(variant.ref)
    changed = genome.apply(variant)
    if grown > 0:
        return Variant("chr1", start + 1, "", changed[start : start + grown])
    ref = genome.letters[start : start - grown]
    return Variant("chr1", start + 1, ref, "") if len(ref) == -grown else None
