"""VCF files as they are met: every record answered, damage said, annotation added to what was there."""

import gzip
import sys

import pytest

from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import Edit
from genomekit.genome.interval import Interval
from genomekit.genome.vcf import check_build, opened, read_vcf
from genomekit.genome.vcf_write import InfoField, annotate_vcf

pysam = pytest.importorskip("pysam")

#           1234567890123456789012345678
LETTERS = "ACGTTGCAGGCACACATTTTGATCCAGT"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=chrI,length=28>\n"
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">\n'
    '##INFO=<ID=END,Number=1,Type=Integer,Description="end">\n' + COLUMNS
)


def row(position, ref, alt, id=".", info=".", chrom="chrI"):
    return f"{chrom}\t{position}\t{id}\t{ref}\t{alt}\t.\t.\t{info}\n"


def write(path, *rows, head=HEAD):
    path.write_text(head + "".join(rows))
    return path


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "toy.fa"
    path.write_text(f">chrI\n{LETTERS}\n")
    return Genome(path, organism="worm")


def told(records):
    return [(r.number, r.allele, r.id, str(r.variant) if r.variant else r.reason) for r in records]


def test_one_record_for_each_allele_in_the_order_of_the_file(tmp_path):
    path = write(tmp_path / "a.vcf", row(9, "GG", "G,GGT", "rs1"), row(3, "g", "t"), row(5, "T", "A", "x;y"))
    assert told(read_vcf(path)) == [
        (0, 1, "rs1", "chrI:9:GG>G"),
        (0, 2, "rs1", "chrI:9:GG>GGT"),
        (1, 1, "", "chrI:3:G>T"),
        (2, 1, "x;y", "chrI:5:T>A"),
    ]
    first = next(read_vcf(path))
    assert (first.chrom, first.position, first.ref, first.alt, first.variant.name) == ("chrI", 9, "GG", "G", "rs1")


@pytest.mark.parametrize(
    ("alt", "info", "reason"),
    [
        (".", ".", "no ALT allele"),
        ("*", ".", "deleted by another record"),
        ("<*>", ".", "any other allele"),
        ("<NON_REF>", ".", "any other allele"),
        ("T[chrI:20[", ".", "breakend"),
        ("]chrI:20]T", ".", "breakend"),
        ("T.", ".", "breakend"),
        ("<INS>", "END=9", "does not say its letters"),
        ("<CNV>", "END=9", "does not say its letters"),
        ("<DEL>", ".", "neither END nor SVLEN"),
        ("<DEL>", "END=5", "not after its position"),
        ("<DEL>", "END=16", "11 bp long, more than 10"),
        ("<DEL>", "SVLEN=-11", "11 bp long, more than 10"),
        ("R", ".", "written in A C G T N"),
    ],
)
def test_what_has_no_letters_has_a_reason(tmp_path, genome, alt, info, reason):
    path = write(tmp_path / "a.vcf", row(5, "T", alt, info=info), row(3, "G", "T"))
    odd, fine = read_vcf(path, genome, max_length=10)
    assert odd.variant is None
    assert reason in odd.reason
    assert (odd.alt, odd.position) == (alt, 5)
    assert str(fine.variant) == "chrI:3:G>T"


def test_symbolic_alleles_in_letters(tmp_path, genome):
    # 1-based: after position 5 come GCA (6-8).
    rows = [row(5, "T", alt, info=info) for alt, info in (("<DEL>", "END=8"), ("<DUP:TANDEM>", "END=8"))]
    rows += [row(5, "T", "<INV>", info="END=8;DP=3"), row(5, "N", "<DEL>", info="SVTYPE=DEL;SVLEN=-3")]
    path = write(tmp_path / "a.vcf", *rows)
    found = list(read_vcf(path, genome))
    assert [str(r.variant) for r in found] == ["chrI:5:TGCA>T", "chrI:5:T>TGCA", "chrI:5:TGCA>TTGC", "chrI:5:TGCA>T"]
    window = Interval("chrI", 0, 20)
    duplicated = Edit.of(found[1].variant, window, genome)
    assert duplicated.alt == (LETTERS[:8] + LETTERS[5:8] + LETTERS[8:])[:20]
    # The last is the first once more.
    assert [r.duplicate_of for r in found] == [None, None, None, 0]
    assert all("needs the letters of a genome" in r.reason for r in read_vcf(path))
    past = write(tmp_path / "b.vcf", row(5, "T", "<DEL>", info="END=40"))
    assert "past the end of chrI (28)" in next(read_vcf(past, genome)).reason
    other = write(tmp_path / "c.vcf", row(5, "T", "<DEL>", info="END=8", chrom="chrQ"))
    assert "Unknown chromosome 'chrQ'" in next(read_vcf(other, genome)).reason


@pytest.mark.parametrize("alt", ["<DEL>", "<DUP>", "<INV>"])
def test_the_base_before_a_symbolic_allele_is_compared_with_the_genome(tmp_path, genome, alt):
    path = write(tmp_path / "a.vcf", row(5, "T", alt, info="END=8"), row(5, "c", alt, info="END=8"))
    right, wrong = (record.variant for record in read_vcf(path, genome))
    assert genome.check_reference(right) == right
    with pytest.raises(ReferenceMismatch, match="says the reference is 'C"):
        genome.check_reference(wrong)


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("SVLEN=-3,5", ["chrI:5:TGCA>T", "chrI:5:T>TGCAGG"]),
        ("END=10;SVLEN=-3,5", ["chrI:5:TGCA>T", "chrI:5:T>TGCAGG"]),
        ("END=8", ["chrI:5:TGCA>T", "chrI:5:T>TGCA"]),
        ("SVLEN=-3", ["chrI:5:TGCA>T", "None"]),
    ],
)
def test_every_symbolic_allele_has_its_own_length(tmp_path, genome, info, expected):
    path = write(tmp_path / "a.vcf", row(5, "T", "<DEL>,<DUP>", info=info))
    assert [str(record.variant) for record in read_vcf(path, genome)] == expected


def test_the_build_is_checked_by_every_name_of_a_chromosome(tmp_path):
    fasta = tmp_path / "worm.fa"
    fasta.write_text(f">chrI\n{LETTERS}\n>chrII\n{LETTERS}\n")
    worm = Genome(fasta, organism="worm")
    for name, length, fits in (("chr1", 28, True), ("chr1", 29, False), ("II", 29, False), ("chr9", 29, True)):
        path = tmp_path / "a.vcf"
        path.write_text(f"##fileformat=VCFv4.2\n##contig=<ID={name},length={length}>\n" + COLUMNS)
        with opened(path) as file:
            if fits:
                check_build(file, path, worm)
            else:
                with pytest.raises(ReferenceMismatch, match=f"its header gives {name} 29 bp, and the genome has 28"):
                    check_build(file, path, worm)


def test_duplicates_name_the_first(tmp_path):
    path = write(tmp_path / "a.vcf", row(3, "G", "T"), row(5, "T", "A,C"), row(3, "G", "T"), row(5, "T", "C"))
    assert [r.duplicate_of for r in read_vcf(path)] == [None, None, None, 0, 1]


def test_with_a_genome_duplicates_are_known_in_every_spelling(tmp_path, genome):
    # 1-based: CACA at 12-15 after G at 10, C at 11 ... LETTERS[9:15] = "GCACAC".
    rows = [row(10, "GCA", "G"), row(12, "ACA", "A", chrom="I"), row(13, "CAC", "C"), row(12, "A", "G")]
    path = write(tmp_path / "a.vcf", *rows)
    with pytest.warns(GenomekitWarning, match="Chromosome 'I' is read as 'chrI'"):
        assert [r.duplicate_of for r in read_vcf(path, genome)] == [None, 0, 0, None]
    assert [r.duplicate_of for r in read_vcf(path)] == [None] * 4


@pytest.mark.parametrize("lost", [1, 3, 8])
def test_a_last_line_without_an_end_is_named(tmp_path, lost):
    path = tmp_path / "a.vcf"
    path.write_text((HEAD + row(3, "G", "T") + row(5, "T", "A", info="DP=1234567"))[:-lost])
    with pytest.warns(GenomekitWarning, match=r"may be cut: its last line \(chrI 5 \. T A\) does not end") as caught:
        assert told(read_vcf(path)) == [(0, 1, "", "chrI:3:G>T"), (1, 1, "", "chrI:5:T>A")]
    assert len(caught) == 1


def test_a_last_line_without_columns_is_refused_before_the_first_is_given(tmp_path):
    path = tmp_path / "a.vcf"
    path.write_text((HEAD + row(3, "G", "T") + row(5, "T", "A"))[:-7])
    with pytest.raises(ValueError, match=r"is cut: its last line \(chrI 5 \. T A\) has no end, and 5 of 8 columns"):
        next(read_vcf(path))


def test_a_long_last_line_is_found_and_cut_in_the_text(tmp_path):
    path = tmp_path / "a.vcf"
    path.write_text((HEAD + row(5, "T", "T" + "A" * 200_000))[:-1])
    with pytest.warns(GenomekitWarning, match=r"\(chrI 5 \. T TAAAAAAAAA\.\.\.\(200,001 letters\)\)"):
        assert len(list(read_vcf(path))) == 1


def test_a_bad_line_does_not_stop_the_rest(tmp_path):
    bad = "chrI\tfive\t.\tA\tG\t.\t.\t.\n"
    path = write(tmp_path / "a.vcf", row(3, "G", "T"), bad, row(5, "T", "A"), row(0, "N", "A"), row(6, "G", "A"))
    found = list(read_vcf(path))
    assert [r.number for r in found] == [0, 1, 2, 3, 4]
    assert found[1].reason == "the line cannot be read"
    assert "positions are 1-based" in found[3].reason
    assert str(found[4].variant) == "chrI:6:G>A"


def test_undeclared_contigs_and_fields(tmp_path):
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    path = write(tmp_path / "a.vcf", row(3, "G", "T", info="XX=1"), row(5, "T", "A", chrom="2"), head=head)
    assert told(read_vcf(path)) == [(0, 1, "", "chrI:3:G>T"), (1, 1, "", "2:5:T>A")]


ROWS = [row(p, LETTERS[p - 1], "A" if LETTERS[p - 1] != "A" else "C", f"rs{p}") for p in range(1, 28)]


@pytest.fixture
def packed(tmp_path):
    plain = write(tmp_path / "many.vcf", *ROWS)
    pysam.tabix_compress(str(plain), str(tmp_path / "many.vcf.gz"), force=True)
    return tmp_path / "many.vcf.gz"


def as_bcf(plain, path):
    with pysam.VariantFile(str(plain)) as source, pysam.VariantFile(str(path), "wb", header=source.header) as target:
        for record in source:
            target.write(record)
    return path


def test_every_container_reads_the_same(tmp_path, packed):
    expected = told(read_vcf(tmp_path / "many.vcf"))
    assert len(expected) == 27
    gzipped = tmp_path / "gzip.vcf.gz"
    gzipped.write_bytes(gzip.compress((tmp_path / "many.vcf").read_bytes()))
    for path in (packed, gzipped, as_bcf(tmp_path / "many.vcf", tmp_path / "many.bcf")):
        assert told(read_vcf(path)) == expected


@pytest.mark.parametrize("csi", [False, True])
def test_region_of_an_indexed_file(packed, csi):
    pysam.tabix_index(str(packed), preset="vcf", force=True, csi=csi)
    for region in ("chrI:10-15", "I:10-15"):
        assert [r.position for r in read_vcf(packed, region=region)] == [11, 12, 13, 14, 15]
    with pytest.raises(ValueError, match="Unknown chromosome 'chrQ'"):
        next(read_vcf(packed, region="chrQ:1-5"))


def test_region_without_an_index_says_how_to_make_one(packed):
    with pytest.raises(ValueError, match="tabix -p vcf"):
        next(read_vcf(packed, region="chrI:10-15"))


def damaged(tmp_path, packed, how):
    path = tmp_path / f"damaged{''.join(packed.suffixes)}"
    if how == "text":
        path = tmp_path / "damaged.vcf"
        path.write_text((tmp_path / "many.vcf").read_text()[:-14])
    elif how == "end mark":
        path.write_bytes(packed.read_bytes()[:-28])
    elif how == "half":
        path.write_bytes(packed.read_bytes()[:200])
    elif how == "gzip":
        path.write_bytes(gzip.compress((tmp_path / "many.vcf").read_bytes())[:-30])
    else:
        long = write(tmp_path / "long.vcf", *[row(1 + i % 28, "N", "A", f"{i * i:x}") for i in range(40_000)])
        pysam.tabix_compress(str(long), str(path), force=True)
        content = bytearray(path.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("how", ["text", "end mark", "half", "gzip", "block"])
def test_cut_and_damaged_files_say_so(tmp_path, packed, how):
    with pytest.raises(ValueError, match="cut"):
        list(read_vcf(damaged(tmp_path, packed, how)))


@pytest.mark.parametrize("content", ["", "hello\n", ">chrI\nACGT\n", ROWS[0]])
def test_other_files_are_no_vcf(tmp_path, content):
    path = tmp_path / "a.vcf"
    path.write_text(content)
    with pytest.raises(ValueError, match="is no VCF or BCF file"):
        next(read_vcf(path))
    with pytest.raises(FileNotFoundError, match="No VCF file at"):
        next(read_vcf(tmp_path / "none.vcf"))


def test_without_pysam_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pysam", None)
    with pytest.raises(ImportError, match=r"genomekit-torch\[vcf\]"):
        next(read_vcf(write(tmp_path / "a.vcf", row(3, "G", "T"))))


def test_records_are_checked_against_the_genome_where_they_are_used(tmp_path, genome):
    path = write(tmp_path / "a.vcf", row(3, "T", "A"))
    with pytest.raises(ReferenceMismatch):
        Edit.of(next(read_vcf(path)).variant, Interval("chrI", 0, 20), genome)


# --- annotation ------------------------------------------------------------------------------------------------------

SCORE = InfoField("GK", "A", "Float", 'a "score"')
WHY = InfoField("GK_WHY", "1", "String", "reason")


def values(number, alleles):
    assert alleles == [2, 1, 1, 1][number]
    return [
        {"GK": [0.5, float("nan")]},
        None,
        {"GK": [1_234_567.0], "GK_WHY": "no; letters = 3"},
        {"GK_WHY": None},
    ][number]


@pytest.fixture
def source(tmp_path):
    rows = [row(9, "GG", "G,GGT", info="DP=3"), "chrI\tfive\t.\tA\tG\t.\t.\tXX\n", row(3, "G", "T"), row(5, "T", "A")]
    return write(tmp_path / "a.vcf", *rows)


def test_annotated_records_are_those_that_were_there(tmp_path, source):
    assert annotate_vcf(source, tmp_path / "out.vcf", [SCORE, WHY], values) == 4
    lines = (tmp_path / "out.vcf").read_text().splitlines()
    before = source.read_text().splitlines()
    assert lines[:4] == before[:4]
    assert lines[4] == '##INFO=<ID=GK,Number=A,Type=Float,Description="a \\"score\\"">'
    info = [line.split("\t")[7] for line in lines[7:]]
    assert info == ["DP=3;GK=0.5,.", "XX", "GK=1.23457e+06;GK_WHY=no%3B%20letters%20%3D%203", "."]
    assert [line.split("\t")[:7] for line in lines[7:]] == [line.split("\t")[:7] for line in before[5:]]
    assert not list(tmp_path.glob(".*tmp"))


def test_annotated_files_are_read_by_htslib_and_replaced_when_annotated_again(tmp_path, source):
    with pytest.warns(GenomekitWarning, match=r"one\.vcf\.gz has no index: its records are not sorted"):
        annotate_vcf(source, tmp_path / "one.vcf.gz", [SCORE, WHY], values)
    annotate_vcf(tmp_path / "one.vcf.gz", tmp_path / "two.vcf", [SCORE], lambda number, alleles: {"GK": [number]})
    with pysam.VariantFile(str(tmp_path / "two.vcf")) as file:
        assert list(file.header.info) == ["DP", "END", "GK_WHY", "GK"]
        first = next(file)
        assert (first.info["DP"], first.info["GK"]) == (3, (0.0,))
    assert [r.number for r in read_vcf(tmp_path / "one.vcf.gz")] == [0, 0, 1, 2, 3]


def test_bcf_is_annotated_as_text(tmp_path):
    bcf = as_bcf(write(tmp_path / "many.vcf", *ROWS), tmp_path / "many.bcf")
    assert annotate_vcf(bcf, tmp_path / "out.vcf", [SCORE], lambda number, alleles: {"GK": [number / 2]}) == 27
    found = list(read_vcf(tmp_path / "out.vcf"))
    assert [r.id for r in found] == [f"rs{p}" for p in range(1, 28)]
    assert (tmp_path / "out.vcf").read_text().splitlines()[-1].endswith("GK=13")


def test_what_cannot_be_annotated(tmp_path, source, packed):
    with pytest.raises(ValueError, match=r"written to \.vcf or \.vcf\.gz"):
        annotate_vcf(source, tmp_path / "out.bcf", [SCORE], values)
    with pytest.raises(ValueError, match="'GK_WHY' was given a value and not declared"):
        annotate_vcf(source, tmp_path / "out.vcf", [SCORE], values)
    assert not (tmp_path / "out.vcf").exists()
    with pytest.raises(ValueError, match="cut or damaged"):
        annotate_vcf(damaged(tmp_path, packed, "gzip"), tmp_path / "out.vcf", [SCORE], lambda number, alleles: None)
    with pytest.raises(ValueError, match="no digit first"):
        InfoField("2x", "1", "Float", "x")
    with pytest.raises(ValueError, match="Unknown type of an INFO field 'Real'"):
        InfoField("x", "1", "Real", "x")
