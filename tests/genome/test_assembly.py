import pickle
import subprocess
import sys
import warnings

import pandas as pd
import pytest

from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome import builds
from genomekit.genome.annotation import Annotation
from genomekit.genome.assembly import Genome
from genomekit.genome.fasta import reverse_complement
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window


@pytest.fixture
def toy(toy_fasta, toy_gtf) -> Genome:
    return Genome(toy_fasta, toy_gtf, name="toy", organism="worm")


def test_sequence_of_either_strand(toy):
    assert toy.sequence("chrI:18-24") == "GTAAAA"
    assert toy.sequence(Interval("chrI", 18, 24, "-")) == "TTTTAC"
    assert toy.sequence("chrII:18-30:-") == "NNNNNACGTYAA"
    assert toy.sequence("chrI") == toy.sequence(Interval("chrI", 0, 60))


def test_windows_run_past_the_ends(toy):
    window = Window.around("chrI:0-10", lengths=[16, 32], default=32, chrom_length=toy.chroms["chrI"])
    letters = toy.sequence(window.as_interval())
    assert len(letters) == 32
    assert letters.startswith("N" * window.pad_left + "ACGT")


def test_errors_of_place(toy):
    with pytest.raises(ValueError, match="Did you mean 'chrII'"):
        toy.sequence("chrIIl:0-9")
    with pytest.raises(ValueError, match="chrI, which runs from 0 to 60"):
        toy.sequence("chrI:60-70")
    with pytest.raises(ValueError, match="holds no base"):
        toy.sequence(Interval("chrI", 5, 5))
    with pytest.raises(ValueError, match="not understood"):
        toy.sequence("chrI:5")


def test_names_are_mapped_with_one_warning(toy):
    with pytest.warns(GenomekitWarning, match=r"'I' is read as 'chrI' of toy\.fa.*once per genome"):
        assert toy.sequence("I:0-4") == "ACGT"
    # Warnings are errors here: a second one would fail.
    assert toy.resolve("MtDNA") == "chrM"
    assert toy.sequence("2:20-24") == "RACG"
    assert toy.resolve("chrI") == "chrI"


def test_aliases_are_the_users_own_and_need_no_warning(toy_fasta):
    genome = Genome(toy_fasta, aliases={"first": "chrI"})
    assert genome.sequence("first:0-4") == "ACGT"
    with pytest.raises(ValueError, match="not in the FASTA"):
        Genome(toy_fasta, aliases={"first": "chrZ"})


def test_accessions_of_another_build_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "small.fa"
    path.write_text(">chr1\nACGT\n")
    monkeypatch.setitem(builds.LENGTHS, "hg38", {"1": 4})
    genome = Genome(path, name="hg38")
    with pytest.warns(GenomekitWarning):
        assert genome.resolve("NC_000001.11") == "chr1"
    with pytest.raises(ReferenceMismatch, match=r"NC_000001\.10 is a chromosome of hg19, this genome is hg38"):
        genome.resolve("NC_000001.10")


def test_the_build_is_recognised_and_checked(tmp_path, monkeypatch):
    monkeypatch.setitem(builds.LENGTHS, "hg38", {"1": 8, "2": 3})
    monkeypatch.setitem(builds.LENGTHS, "hg19", {"1": 9, "2": 3})
    path = tmp_path / "old.fa"
    path.write_text(">chr1\nACGTACGTA\n>chrUn\nA\n")
    genome = Genome(path)
    assert (genome.assembly, genome.organism) == ("hg19", "human")
    with pytest.raises(ReferenceMismatch, match=r"old\.fa is not hg38: chr1 has 9 bases, hg38 has 8.*fit hg19"):
        Genome(path, name="GRCh38")
    assert Genome(path, name="GRCh37").assembly == "hg19"
    other = Genome(path, name="mine", organism="human")
    assert (other.assembly, other.organism) == ("mine", "human")


def test_open(toy, toy_fasta, tmp_path):
    assert Genome.open(toy) is toy
    assert Genome.open(str(toy_fasta)).chroms == toy.chroms
    with pytest.raises(ValueError, match="is open already"):
        Genome.open(toy, name="x")
    with pytest.raises(ValueError, match=r"Unknown genome 'sacCer4'. Did you mean 'sacCer3'.*by its path"):
        Genome.open("sacCer4")
    with pytest.raises(FileNotFoundError, match="No FASTA file"):
        Genome.open(str(tmp_path / "none.fa"))


def test_queries_pass_to_the_annotation(toy):
    assert toy.genes(gene="abc-1")["end"].tolist() == [40]
    assert len(toy.transcripts("chrI:0-60")) == 3
    assert len(toy.exons()) == 7
    assert len(toy.cds()) == 1
    assert len(toy.tss("chrI:0-10")) == 2
    assert len(toy.introns(unique=True)) == 4
    assert len(toy.splice_sites("chrI", gene="xyz-2")) == 2
    assert toy.gene_interval("xyz-2") == Interval("chrI", 40, 55, "-")


def test_no_annotation(toy_fasta):
    with pytest.raises(ValueError, match=r"has no annotation\. Give gtf="):
        Genome(toy_fasta).genes()


def test_annotation_names_are_mapped(toy_fasta, toy_gtf):
    toy_gtf.write_text(toy_gtf.read_text().replace("chrI\t", "I\t"))
    genome = Genome(toy_fasta, toy_gtf)
    with pytest.warns(GenomekitWarning, match="'I' is read as 'chrI'"):
        assert set(genome.genes()["chrom"]) == {"chrI"}
    assert len(genome.exons("I:0-60")) == 7


def test_an_annotation_of_another_assembly_is_refused(toy_fasta, toy_gtf, helpers, tmp_path):
    toy_gtf.write_text(toy_gtf.read_text().replace("chrI\t", "chr9\t"))
    with pytest.raises(ReferenceMismatch, match="no chromosome in common: chr9 and chrI, chrII, chrM"):
        Genome(toy_fasta, toy_gtf).genes()
    long = tmp_path / "long.gtf"
    long.write_text(helpers.line("exon", 50, 61, "+", gene_id="g", transcript_id="t"))
    with pytest.raises(ReferenceMismatch, match=r"ends at chrI:61, but chrI of toy\.fa has 60 bp"):
        Genome(toy_fasta, long).genes()
    circle = tmp_path / "circle.gtf"
    circle.write_text(helpers.line("exon", 5, 12, "+", chrom="chrM", gene_id="g", transcript_id="t"))
    assert len(Genome(toy_fasta, Annotation.open(circle)).genes()) == 1


def test_reference_check(toy):
    # chrI: ACGTACGTACGTACGTACGT aaaaacccccgggggttttt GGCC...
    assert toy.check_reference("chrI:1:A>G") == Variant("chrI", 1, "A", "G")
    assert toy.check_reference("chrI:21:AAAAAC>A").ref == "AAAAAC"
    assert toy.check_reference(Variant("chrI", 5, "", "T")).position == 5
    with pytest.warns(GenomekitWarning):
        assert toy.check_reference("II:22:A>C").chrom == "chrII"


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("chrI:3:C>T", r"says the reference is 'C', but toy has 'G'.*one too high"),
        ("chrI:3:T>C", r"Is the position 0-based \(REF fits at 4\)"),
        ("chrI:3:A>G", r"Are REF and ALT swapped \(the genome has ALT\)"),
        ("chrI:23:T>C", "there. Are the letters those of the minus strand"),
        ("chrI:30:AAAAAC>A", r"Is the position 9 bp off \(REF fits at 21\)"),
        ("chrI:23:G>T", "Nothing near by fits REF: is the position 1-based and the build toy"),
        ("chrI:58:GGCCGG>G", "toy has 'GCCNNN'"),
    ],
)
def test_a_wrong_reference_is_explained(toy, variant, words):
    with pytest.raises(ReferenceMismatch, match=words):
        toy.check_reference(variant)


def test_a_variant_outside(toy):
    with pytest.raises(ValueError, match="holds no base"):
        toy.check_reference("chrI:61:A>G")


BED = "chrI\t34\t35\tsite1\t0\t+\nchrI\t40\t44\tsite2\t0\t-\nchrII\t3\t4\tsite3\t0\t+\n"


def test_polya_sites_from_bed(toy_fasta, toy_gtf, tmp_path):
    path = tmp_path / "pas.bed"
    path.write_text(BED)
    genome = Genome(toy_fasta, toy_gtf, polya=path)
    sites = genome.polya_sites()
    # Of a wider site the 3' end counts: the lower coordinate on "-".
    assert sites[["chrom", "position", "strand", "name"]].values.tolist() == [
        ["chrI", 34, "+", "site1"], ["chrI", 40, "-", "site2"], ["chrII", 3, "+", "site3"],
    ]  # fmt: skip
    assert genome.polya_sites("chrI:35-60")["name"].tolist() == ["site2"]
    assert genome.polya_sites(gene="xyz-2")["name"].tolist() == ["site2"]
    assert genome.polya_sites("chrI:0-20", gene="abc-1").empty


def test_polya_sites_from_tables_with_genes(toy_fasta, toy_gtf, tmp_path):
    frame = pd.DataFrame(
        {"Chromosome": ["I", "I"], "position": [7, 8], "Strand": ["+", "-"], "gene_id": ["ENSG001", None],
         "gene_symbol": ["abc-1", "XYZ-2"]}
    )  # fmt: skip
    frame.to_csv(tmp_path / "pas.tsv.gz", sep="\t", index=False)
    frame.to_parquet(tmp_path / "pas.parquet")
    for table in (frame, tmp_path / "pas.tsv.gz", tmp_path / "pas.parquet"):
        genome = Genome(toy_fasta, toy_gtf, polya=table)
        with pytest.warns(GenomekitWarning, match="'I' is read as"):
            assert genome.polya_sites(gene="abc-1")["position"].tolist() == [7]
        assert genome.polya_sites(gene="ENSG002")["position"].tolist() == [8]
    assert frame.columns[0] == "Chromosome"


def test_polya_sites_of_the_official_table(toy_fasta, tmp_path):
    # As published with the official scorer: pyranges columns, 0-based; the start is the site on either strand.
    frame = pd.DataFrame(
        {"Chromosome": ["chrI", "chrI"], "Start": [7, 8], "End": [9, 10], "Strand": ["+", "+"],
         "pas_strand": ["+", "-"], "gene_id": ["ENSG001.2", "ENSG002.1"], "gene_id_nopatch": ["ENSG001", "ENSG002"]}
    )  # fmt: skip
    frame.to_feather(tmp_path / "pas.feather")
    sites = Genome(toy_fasta, polya=tmp_path / "pas.feather").polya_sites()
    assert sites[["position", "strand", "gene_id"]].values.tolist() == [[7, "+", "ENSG001.2"], [8, "-", "ENSG002.1"]]


def test_polya_sites_of_polya_db(toy_fasta, tmp_path):
    # Columns of PolyA_DB 3.2, whose positions are 1-based.
    path = tmp_path / "human.PAS.txt"
    path.write_text(
        "PAS_ID\tChromosome\tPosition\tStrand\tMean RPM\tIntron/exon location\tEnsemble ID\tGene Symbol\tGene Name\n"
        "chrI:8:+\tchrI\t8\t+\t0.3\t3'-most exon\tENSG001\tABC1\talphabet\n"
    )
    sites = Genome(toy_fasta, polya=path).polya_sites()
    assert sites[["position", "strand", "name", "gene_id", "gene_name"]].values.tolist() == [
        [7, "+", "chrI:8:+", "ENSG001", "ABC1"]
    ]


def test_bad_polya_tables(toy, toy_fasta, tmp_path):
    with pytest.raises(ValueError, match=r"has no polyA sites\. Give polya="):
        toy.polya_sites()
    with pytest.raises(FileNotFoundError, match="No polyA table"):
        Genome(toy_fasta, polya=tmp_path / "none.bed").polya_sites()
    for row, words in (
        ({"chrom": ["chrI"], "position": [3]}, "no column strand"),
        ({"chrom": ["chrI"], "position": [3], "strand": ["."]}, "strand '.'"),
        ({"chrom": ["chrI"], "position": [-3], "strand": ["+"]}, "row 1: position '-3'"),
    ):
        with pytest.raises(ValueError, match=words):
            Genome(toy_fasta, polya=pd.DataFrame(row)).polya_sites()
    (tmp_path / "broken.parquet").write_bytes(b"no")
    with pytest.raises(ValueError, match="cannot be read"):
        Genome(toy_fasta, polya=tmp_path / "broken.parquet").polya_sites()


def test_pickle_reads_the_annotation_again(toy):
    before = toy.exons()
    packed = pickle.dumps(toy)
    assert len(packed) < 20_000
    assert pickle.loads(packed).exons().equals(before)


def test_repr(toy, toy_fasta):
    assert repr(toy).startswith("Genome('toy', worm: 3 chromosomes, 93 bp, annotation '")
    assert "organism not given" in repr(Genome(toy_fasta))


def test_the_room_does_not_load_torch():
    code = "import sys, genomekit.genome as g; assert 'torch' not in sys.modules; print(g.Genome, g.Annotation)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_real_worm(worm):
    assert (worm.assembly, worm.organism) == ("ce10", "worm")
    assert worm.chroms["chrV"] == 20_924_149
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert worm.sequence("V:10,000,000-10,000,020") == worm.sequence("chrV:10,000,000-10,000,020")
    assert [warning.category for warning in caught] == [GenomekitWarning]
    minus = worm.sequence("chrV:10,000,000-10,000,020:-")
    assert minus == reverse_complement(worm.sequence("chrV:10,000,000-10,000,020"))


def test_real_worm_under_a_wrong_name(worm, shared, monkeypatch):
    for name in ("ce11", "WBcel235", "sacCer3"):
        with pytest.raises(ReferenceMismatch, match="The lengths fit ce10"):
            builds.check(builds.known(name) or "", worm.chroms, worm.fasta.path)


def test_real_yeast_and_human(shared):
    yeast = Genome(shared / "data/yeast/sacCer3.fa.gz")
    assert (yeast.assembly, yeast.organism) == ("sacCer3", "yeast")
    with pytest.warns(GenomekitWarning, match="'IV' is read as 'chrIV'"):
        assert yeast.resolve("IV") == "chrIV"
    # A slice of a chromosome is a chromosome of its own.
    slice_of_22 = Genome(
        next((shared / "data/human").glob("*.fa.gz")), name="hg38", aliases={"slice": "chr22_20000001_21000000"}
    )
    assert (slice_of_22.assembly, slice_of_22.organism) == ("hg38", "human")
    assert slice_of_22.chroms == {"chr22_20000001_21000000": 1_000_000}
    assert slice_of_22.sequence("slice:0-10") == "TGGGAAGGTG"
    assert len(slice_of_22.sequence("chr22_20000001_21000000:-8,192-8,192")) == 16_384
