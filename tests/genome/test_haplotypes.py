"""Haplotypes from genotypes: what lies on which copy, and why a record lies on none."""

import warnings

import pytest

import genomekit as gk
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import Edit
from genomekit.genome.haplotypes import read_haplotypes
from genomekit.genome.interval import Interval

pysam = pytest.importorskip("pysam")

#           1234567890123456789012345678
LETTERS = "ACGTTGCAGGCACACATTTTGATCCAGT"
HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=chrI,length=28>\n##contig=<ID=chrII,length=28>\n"
    '##INFO=<ID=END,Number=1,Type=Integer,Description="end">\n'
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="phase set">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
)
WHOLE = "chrI:0-28"


def row(position, ref, alt, *calls, info=".", chrom="chrI", id="."):
    form = "GT:PS" if ":" in calls[0] else "GT"
    return "\t".join([chrom, str(position), id, ref, alt, ".", ".", info, form, *calls]) + "\n"


def write(path, *rows, samples=("worm",)):
    path.write_text("\t".join([HEAD, *samples]) + "\n" + "".join(rows))
    return path


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "toy.fa"
    path.write_text(f">chrI\n{LETTERS}\n>chrII\n{LETTERS}\n")
    return Genome(path, organism="worm")


@pytest.fixture
def read(tmp_path, genome):
    """Read the haplotypes of a file made of rows, as texts."""

    def of(*rows, where=WHOLE, **options):
        found = read_haplotypes(write(tmp_path / "a.vcf", *rows), where, genome=genome, **options)
        return [[str(variant) for variant in haplotype] for haplotype in found]

    return of


def test_each_copy_has_its_alleles_in_order(read):
    found = read(
        row(9, "G", "A", "0|1", id="rs9"),  # not sorted: found all the same
        row(3, "G", "T", "1|0"),
        row(5, "T", "TA,C", "2|1"),
        row(12, "A", "G", "1/1"),  # both copies, so no phase is needed
        row(14, "A", "G", "0/0"),
    )
    assert found == [["chrI:3:G>T", "chrI:5:T>C", "chrI:12:A>G"], ["chrI:5:T>TA", "chrI:9:G>A", "chrI:12:A>G"]]


def test_what_comes_out_goes_into_an_edit(tmp_path, genome):
    path = write(tmp_path / "a.vcf", row(3, "G", "T", "1|0"), row(9, "GG", "G", "1|1"))
    first, second = gk.read_haplotypes(path, WHOLE, genome=genome)
    assert Edit.of(first, Interval("chrI", 0, 20), genome).alt == (LETTERS[:2] + "T" + LETTERS[3:9] + LETTERS[10:])[:20]
    assert Edit.of(second, Interval("chrI", 0, 20), genome).alt == (LETTERS[:9] + LETTERS[10:])[:20]


def test_names_go_along_and_chromosomes_are_those_of_the_genome(tmp_path, genome):
    path = write(tmp_path / "a.vcf", row(3, "G", "T", "1|0", id="rs3", chrom="I"))
    with pytest.warns(GenomekitWarning, match="chrI"):  # said once, by the genome
        ((variant,), second) = read_haplotypes(path, "I:0-10", genome=genome)
    assert (variant.chrom, variant.name, second) == ("chrI", "rs3", ())


def test_only_what_changes_the_interval(read):
    rows = (
        row(2, "CGTT", "C", "1|0"),  # deletes 3-5, 1-based
        row(9, "G", "GT", "0|1"),  # inserts between 9 and 10
        row(10, "GC", "G", "0|1"),  # deletes 11
    )
    assert read(*rows, where="chrI:4-8") == [["chrI:2:CGTT>C"], []]
    assert read(*rows, where="chrI:8-10") == [[], ["chrI:9:G>GT"]]  # the last begins with base 10 and leaves it
    assert read(*rows, where="chrI:9-10") == [[], []]
    # Those outside need no phase either.
    assert read(row(3, "G", "T", "0/1"), row(9, "G", "A", "0/1"), where="chrI:0-5") == [[], ["chrI:3:G>T"]]


def test_one_heterozygous_record_needs_no_phase(read):
    assert read(row(3, "G", "T", "0/1"), row(9, "G", "A", "1/1")) == [["chrI:9:G>A"], ["chrI:3:G>T", "chrI:9:G>A"]]


def test_unphased_records_are_counted_and_the_remedy_named(read):
    rows = row(3, "G", "T", "0/1"), row(5, "T", "A", "1|0"), row(9, "G", "A", "0/1"), row(12, "A", "G", "1/1")
    told = r"2 of 4 records of sample 'worm' in chrI:0-28 cannot .*2 heterozygous and not phased \(chrI:3 G>T, "
    with pytest.raises(ValueError, match=told + r".*WhatsHap.*on_error='skip'"):
        read(*rows)
    with pytest.warns(GenomekitWarning, match="2 heterozygous and not phased.*REF stands there"):
        assert read(*rows, on_error="skip") == [["chrI:5:T>A", "chrI:12:A>G"], ["chrI:12:A>G"]]


def test_phase_sets(read):
    one = row(3, "G", "T", "0|1:3"), row(5, "T", "A", "1|0:3"), row(12, "A", "G", "1|1:12")
    assert read(*one) == [["chrI:5:T>A", "chrI:12:A>G"], ["chrI:3:G>T", "chrI:12:A>G"]]
    # The next set holds heterozygous records too: which of its copies goes with which is not known.
    two = (*one, row(14, "A", "G", "0|1:14"))
    with pytest.raises(ValueError, match=r"1 in another phase set than most \(chrI:14 A>G\)\. Give a shorter"):
        read(*two)
    with pytest.warns(GenomekitWarning, match="another phase set"):
        assert read(*two, on_error="skip") == read(*one)
    # Phased without PS is a set of its own.
    with pytest.raises(ValueError, match="another phase set"):
        read(row(3, "G", "T", "0|1:3"), row(5, "T", "A", "1|0"))
    assert read(*two, where="chrI:13-20") == [[], ["chrI:14:A>G"]]


def test_missing_genotypes(read):
    rows = row(3, "G", "T", "./."), row(5, "T", "A", "1|."), row(9, "G", "A", "0|1"), row(12, "A", "G", ".")
    with pytest.raises(ValueError, match=r"3 of 4 records .* 3 a genotype that is missing .*\. Pass on_error='skip'"):
        read(*rows)
    with pytest.warns(GenomekitWarning, match="3 a genotype that is missing"):
        assert read(*rows, on_error="skip") == [[], ["chrI:9:G>A"]]


def test_as_many_haplotypes_as_copies(read):
    assert read(row(3, "G", "T", "1"), row(5, "T", "A", "0"), row(9, "G", "A", "1")) == [["chrI:3:G>T", "chrI:9:G>A"]]
    assert read(row(3, "G", "T", "0|1|1"), row(5, "T", "A", "1|1|0")) == [
        ["chrI:5:T>A"],
        ["chrI:3:G>T", "chrI:5:T>A"],
        ["chrI:3:G>T"],
    ]
    mixed = row(3, "G", "T", "0|1"), row(5, "T", "A", "1|0"), row(9, "G", "A", "1")
    with pytest.raises(ValueError, match=r"1 with 1 alleles where most have 2 \(chrI:9 G>A\)"):
        read(*mixed)
    assert read(row(3, "G", "T", "0|0")) == read(where="chrI:0-10") == [[], []]


def test_deleted_bases_and_those_that_stand_for_them(read):
    # The first copy lacks base 10 (1-based); the second has another letter there.
    rows = row(9, "GG", "G", "1|0"), row(10, "G", "A,*", "2|1")
    assert read(*rows) == [["chrI:9:GG>G"], ["chrI:10:G>A"]]
    with pytest.raises(
        ValueError, match=r"1 a base that is deleted \(\*\), by no record of the sample \(chrI:10 G>A,\*"
    ):
        read(rows[1])


@pytest.mark.parametrize(
    ("alt", "reason"),
    [("<NON_REF>", "stands for any other allele"), ("<INS>", "does not say its letters"), ("T[chrI:20[", "breakend")],
)
def test_alleles_without_letters(read, alt, reason):
    rows = row(5, "T", f"A,{alt}", "1|2"), row(3, "G", "T", "1|0")
    with pytest.raises(ValueError, match=reason):
        read(*rows)
    with pytest.warns(GenomekitWarning, match=reason):
        assert read(*rows, on_error="skip") == [["chrI:3:G>T"], []]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an allele that the sample does not have is of no account
        assert read(row(5, "T", f"A,{alt}", "1|0")) == [["chrI:5:T>A"], []]


def test_symbolic_alleles_are_spelled_out(read):
    assert read(row(5, "T", "<DEL>", "0|1", info="END=8")) == [[], ["chrI:5:TGCA>T"]]


def test_a_base_that_is_changed_twice(read):
    rows = row(5, "TGC", "T", "1|0"), row(6, "G", "A", "1|1")
    with pytest.raises(
        ValueError, match=r"1 changing what another record of the same haplotype changes \(chrI:5 TGC>T\)"
    ):
        read(*rows)
    with pytest.warns(GenomekitWarning, match="same haplotype"):
        assert read(*rows, on_error="skip") == [["chrI:6:G>A"], ["chrI:6:G>A"]]
    # Beside each other they are apart.
    assert read(row(5, "TGC", "T", "1|0"), row(8, "A", "C", "1|0")) == [["chrI:5:TGC>T", "chrI:8:A>C"], []]


def test_another_reference(read):
    rows = row(3, "T", "A", "0|1"), row(5, "T", "A", "1|0")
    with pytest.raises(ReferenceMismatch, match=r"'T', but toy\.fa has 'G'"):
        read(*rows)
    with pytest.warns(GenomekitWarning, match=r"1 REF differs from the genome \(chrI:3 T>A\)"):
        assert read(*rows, on_error="skip") == [["chrI:5:T>A"], []]


def test_samples(tmp_path, genome):
    path = write(tmp_path / "a.vcf", row(3, "G", "T", "0|1", "1|1"), samples=("N2", "CB4856"))
    assert [len(h) for h in read_haplotypes(path, WHOLE, genome=genome, sample="CB4856")] == [1, 1]
    with pytest.raises(ValueError, match=r"has 2 samples: N2, CB4856\. Say which: sample="):
        read_haplotypes(path, WHOLE, genome=genome)
    with pytest.raises(ValueError, match=r"Unknown sample 'CB4857'\. Did you mean 'CB4856'"):
        read_haplotypes(path, WHOLE, genome=genome, sample="CB4857")
    bare = tmp_path / "bare.vcf"
    bare.write_text(HEAD.removesuffix("\tFORMAT") + "\nchrI\t3\t.\tG\tT\t.\t.\t.\n")
    with pytest.raises(ValueError, match="has no genotypes"):
        read_haplotypes(bare, WHOLE, genome=genome)


def test_indexed_files_read_only_the_interval(tmp_path, genome):
    rows = [row(p, LETTERS[p - 1], "A" if LETTERS[p - 1] != "A" else "C", "0|1") for p in range(1, 28)]
    plain = write(tmp_path / "a.vcf", *rows)
    whole = read_haplotypes(plain, "chrI:10-15", genome=genome)
    assert [variant.position for variant in whole[1]] == [11, 12, 13, 14, 15]
    packed = pysam.tabix_index(str(plain), preset="vcf", force=True, keep_original=True)
    with pysam.VariantFile(str(plain)) as source:
        with pysam.VariantFile(str(tmp_path / "a.bcf"), "wb", header=source.header) as target:
            for record in source:
                target.write(record)
    bcf = tmp_path / "a.bcf"
    assert read_haplotypes(bcf, "chrI:10-15", genome=genome) == whole  # read from one end to the other
    pysam.tabix_index(str(bcf), preset="bcf", force=True)
    for path in (packed, bcf):
        assert read_haplotypes(path, "chrI:10-15", genome=genome) == whole
        assert read_haplotypes(path, "chrII:10-15", genome=genome) == ((), ())  # listed in the header, without a record


def test_what_is_asked_for_must_be_there(tmp_path, genome):
    path = write(tmp_path / "a.vcf", row(3, "G", "T", "0|1"))
    with pytest.raises(ValueError, match="Unknown on_error 'warn'"):
        read_haplotypes(path, WHOLE, genome=genome, on_error="warn")
    with pytest.raises(FileNotFoundError, match="No VCF file at"):
        read_haplotypes(tmp_path / "none.vcf", WHOLE, genome=genome)
    with pytest.raises(ValueError, match="Unknown chromosome 'chrX'"):
        read_haplotypes(path, "chrX:1-5", genome=genome)
    other = path.read_text().replace("ID=chrI,", "ID=chrV,").replace("\nchrI\t", "\nchrV\t")
    path.write_text(other)
    with pytest.raises(ValueError, match="Unknown chromosome 'chrI'"):  # of the file: perhaps another build
        read_haplotypes(path, WHOLE, genome=genome)


def test_a_line_that_cannot_be_read(read):
    bad = row(5, "T", "A", "0|1").replace("\t5\t", "\tfive\t")
    with pytest.raises(ValueError, match="1 a line that cannot be read"):
        read(bad, row(3, "G", "T", "1|0"))
    with pytest.warns(GenomekitWarning, match="a line that cannot be read"):
        assert read(bad, row(3, "G", "T", "1|0"), on_error="skip") == [["chrI:3:G>T"], []]


def test_a_conflict_of_both_copies_is_one_record(read):
    with pytest.raises(ValueError, match=r"1 of 2 records .*\(chrI:3 G>T\)"):
        read(row(3, "G", "T", "1|1"), row(3, "G", "T", "1|1"))
