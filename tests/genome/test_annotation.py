import errno
import gzip
import time

import numpy as np
import pytest

from genomekit.errors import GenomekitWarning
from genomekit.genome import annotation_store, cache
from genomekit.genome.annotation import Annotation
from genomekit.genome.fasta import reverse_complement
from genomekit.genome.interval import Interval
from genomekit.genome.spans import SpanIndex


def spans(frame) -> list[tuple[int, int]]:
    return list(zip(frame["start"], frame["end"], strict=True))


@pytest.fixture
def toy(toy_gtf) -> Annotation:
    return Annotation.open(toy_gtf)


def write(tmp_path, *lines, name="some.gtf"):
    path = tmp_path / name
    path.write_text("".join(lines))
    return path


def test_genes_and_transcripts_come_from_their_exons(toy):
    genes = toy.genes()
    assert spans(genes) == [(4, 40), (40, 55)]
    assert genes["gene_id"].tolist() == ["ENSG001.4", "ENSG002.1"]
    assert genes["coding"].tolist() == [True, False]
    transcripts = toy.transcripts()
    assert dict(zip(transcripts["transcript_id"], spans(transcripts), strict=True)) == {
        "t1": (4, 35),
        "t2": (4, 40),
        "t3": (40, 55),
    }
    # t1: 6 + 6 + 6 bp, t2: 6 + 11 bp, t3: 4 + 6 bp
    assert transcripts.set_index("transcript_id")["exonic_length"].to_dict() == {"t1": 18, "t2": 17, "t3": 10}
    assert list(toy.exons().columns[:7]) == ["chrom", "start", "end", "strand", "gene_id", "gene_name", "gene_type"]


def test_exons_are_numbered_in_the_direction_of_transcription(toy):
    exons = toy.exons()
    numbers = {
        name: list(zip(spans(part), part["exon_number"], strict=True)) for name, part in exons.groupby("transcript_id")
    }
    assert numbers["t2"] == [((4, 10), 1), ((29, 40), 2)]
    assert numbers["t3"] == [((40, 44), 2), ((49, 55), 1)]


def test_cds(toy):
    assert spans(toy.cds()) == [(6, 10)]


def test_tss_is_the_first_base_transcribed(toy):
    tss = toy.tss()
    assert tss.set_index("transcript_id")["position"].to_dict() == {"t1": 4, "t2": 4, "t3": 54}
    assert (tss["end"] - tss["start"] == 1).all()
    assert toy.tss("chrI:54-55")["transcript_id"].tolist() == ["t3"]
    assert len(toy.tss("chrI:40-54")) == 0


def test_introns_of_transcripts_and_unique(toy, tmp_path, helpers):
    assert spans(toy.introns(gene="abc-1")) == [(10, 14), (20, 29), (10, 29)]
    twice = [helpers.line("exon", a, b, "+", gene_id="g", transcript_id=t) for t in "ab" for a, b in ((1, 5), (11, 20))]
    pooled = Annotation.open(write(tmp_path, *twice)).introns(unique=True)
    assert (spans(pooled), pooled["num_transcripts"].tolist()) == ([(5, 10)], [2])


def test_gaps_under_four_bases_are_no_introns(tmp_path, helpers):
    lines = [helpers.line("exon", a, b, "+", gene_id="g", transcript_id="t") for a, b in ((1, 5), (9, 10), (15, 20))]
    assert spans(Annotation.open(write(tmp_path, *lines)).introns()) == [(10, 14)]


def test_splice_sites_are_exon_side_bases(toy):
    sites = toy.splice_sites()
    found = {(row.strand, row.kind): [] for row in sites.itertuples()}
    for row in sites.itertuples():
        found[row.strand, row.kind].append(row.position)
    # +: the last base of an exon is a donor, the first of the next an acceptor; introns [10, 14) [20, 29) [10, 29).
    assert found["+", "donor"] == [9, 19]
    assert found["+", "acceptor"] == [14, 29]
    # -: intron [44, 49): donor on its right, acceptor on its left.
    assert (found["-", "donor"], found["-", "acceptor"]) == ([49], [43])
    assert sites.set_index(["position", "kind"])["num_transcripts"].loc[(9, "donor")] == 2


def test_splice_sites_inside_an_interval(toy):
    assert toy.splice_sites("chrI:9-10")["position"].tolist() == [9]
    assert toy.splice_sites("chrI:10-14").empty
    assert toy.splice_sites("chrI:49-50")["kind"].tolist() == ["donor"]


def test_intervals_select_whatever_the_strand(toy):
    assert toy.genes("chrI:39-40")["gene_name"].tolist() == ["abc-1"]
    assert toy.genes("chrI:39-41:-")["gene_name"].tolist() == ["abc-1", "xyz-2"]
    assert toy.genes(Interval("chrI", 55, 90)).empty
    assert toy.genes("chrII:0-90").empty
    assert list(toy.exons("chrII:0-9").columns) == list(toy.exons().columns)


@pytest.mark.parametrize("name", ["abc-1", "ABC-1", "ENSG001.4", "ENSG001", "ensg001.9"])
def test_genes_by_symbol_or_id(toy, name):
    assert toy.gene_interval(name) == Interval("chrI", 4, 40, "+", "abc-1")
    assert toy.gene_interval(name).name == "abc-1"


def test_the_order_of_genes_is_the_order_asked_for(toy):
    assert [i.start for i in toy.gene_intervals(["xyz-2", "ENSG001"])] == [40, 4]
    assert toy.genes(gene=["xyz-2", "abc-1"])["gene_name"].tolist() == ["xyz-2", "abc-1"]
    assert set(toy.exons(gene=["xyz-2", "abc-1"])["transcript_id"]) == {"t1", "t2", "t3"}


def test_a_missing_gene_has_near_matches(toy):
    with pytest.raises(ValueError, match=r"Unknown gene 'abc1'\. Did you mean 'abc-1'"):
        toy.gene_interval("abc1")
    with pytest.raises(ValueError, match="Unknown transcript 't9'"):
        toy.exons(transcript="t9")


def test_a_shared_symbol_is_an_error_that_names_the_genes(tmp_path, helpers):
    lines = [
        helpers.line("exon", 1, 9, "+", gene_id="g1", gene_name="dup", transcript_id="a"),
        helpers.line("exon", 51, 59, "+", gene_id="g2", gene_name="DUP", transcript_id="b"),
    ]
    both = Annotation.open(write(tmp_path, *lines))
    with pytest.raises(ValueError, match=r"'dup' stands for 2 genes: g1 at chrI:0-9, g2 at chrI:50-59"):
        both.gene_interval("dup")
    assert both.gene_interval("g2").start == 50
    assert both.exons("chrI:40-90", gene="dup")["transcript_id"].tolist() == ["b"]


def test_worm_gene_numbers_are_no_versions(tmp_path, helpers):
    lines = [helpers.line("exon", 1, 9, "+", gene_id="Y74C9A.3", transcript_id="a")]
    with pytest.raises(ValueError, match=r"Unknown gene 'Y74C9A\.2'\. Did you mean 'Y74C9A\.3'"):
        Annotation.open(write(tmp_path, *lines)).gene_interval("Y74C9A.2")


@pytest.mark.parametrize("name", ["WBGene00000001.2", "WBGene00000001", "wbgene00000001.9"])
@pytest.mark.parametrize("known", ["WBGene00000001", "WBGene00000001.3"])
def test_versions_of_other_ids(tmp_path, helpers, name, known):
    lines = [helpers.line("exon", 1, 9, "+", gene_id=known, gene_name="aap-1", transcript_id="a")]
    assert Annotation.open(write(tmp_path, *lines)).gene_interval(name) == Interval("chrI", 0, 9, "+", "aap-1")


def test_a_version_decides_only_where_it_must(tmp_path, helpers):
    lines = [
        helpers.line("exon", 10 * n + 1, 10 * n + 9, "+", gene_id=f"ENSG00000000001.{n}", transcript_id=f"t{n}")
        for n in (1, 2)
    ]
    both = Annotation.open(write(tmp_path, *lines))
    assert both.gene_interval("ENSG00000000001.2").start == 20
    for name in ("ENSG00000000001", "ENSG00000000001.7"):
        with pytest.raises(ValueError, match=rf"'{name}' stands for 2 genes: ENSG00000000001\.1 at .* these ids"):
            both.gene_interval(name)


HEADERS = {
    "#!genome-build WBcel235\n#!genome-date 2012-12\n#!genome-build-accession GCA_1\n#!genebuild-version WS285\n": (
        "genome-build WBcel235, genebuild-version WS285"
    ),
    "##description: evidence-based annotation of the human genome (GRCh38), version 46 (Ensembl 112)\n##date: x\n": (
        "evidence-based annotation of the human genome (GRCh38), version 46 (Ensembl 112)"
    ),
    "##gff-version 3\n#!annotation-source NCBI RefSeq GCF_000001405.40-RS_2023_10\n": (
        "annotation-source NCBI RefSeq GCF_000001405.40-RS_2023_10"
    ),
    "# any comment\n": "",
    "": "",
}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("cached", [True, False])
def test_the_release_is_what_the_header_declares(toy_gtf, helpers, header, cached):
    body = toy_gtf.read_text() + "#!genebuild-version after-the-first-feature\n"
    for name, content in (("a.gtf", (header + body).encode()), ("a.gtf.gz", helpers.gzip((header + body).encode()))):
        path = toy_gtf.with_name(name)
        path.write_bytes(content)
        found = Annotation.open(path, cached=cached)
        assert found.release == HEADERS[header]
        assert found.renamed({"chrI": "I"}).release == HEADERS[header]
        assert found.content_hash == Annotation.open(toy_gtf).content_hash


def test_filters(tmp_path, helpers):
    gene = {"gene_id": "g", "gene_type": "protein_coding"}
    lines = [
        helpers.line("exon", 1, 10, "+", **gene, transcript_id="nmd", transcript_type="nonsense_mediated_decay"),
        helpers.line("CDS", 1, 10, "+", **gene, transcript_id="nmd", transcript_type="nonsense_mediated_decay"),
        helpers.line("exon", 1, 90, "+", **gene, transcript_id="long", transcript_type="retained_intron"),
        helpers.line(
            "exon", 1, 50, "+", **gene, transcript_id="best", transcript_type="protein_coding", tag="MANE_Select",
            transcript_support_level="1 (assigned to previous version 2)",
        ),
        helpers.line("CDS", 1, 50, "+", **gene, transcript_id="best", transcript_type="protein_coding"),
        helpers.line("exon", 1, 40, "+", **gene, transcript_id="no_cds", transcript_support_level="NA"),
    ]  # fmt: skip
    found = Annotation.open(write(tmp_path, *lines))

    def ids(**filters):
        return set(found.transcripts(**filters)["transcript_id"])

    assert ids(protein_coding=True) == {"best"}
    assert ids(longest=True) == {"long"}
    assert ids(longest=True, protein_coding=True) == {"best"}
    assert ids(mane=True) == ids(support_level=1) == ids(transcript="best") == {"best"}
    assert set(found.exons(mane=True)["transcript_id"]) == {"best"}
    with pytest.raises(ValueError, match=r"Unknown filter 'maen'\. Did you mean 'mane'"):
        found.exons(maen=True)
    with pytest.raises(ValueError, match="support_level=7"):
        found.exons(support_level=7)


def test_mane_needs_tags(toy):
    with pytest.raises(ValueError, match="tags no transcript MANE Select"):
        toy.transcripts(mane=True)


def test_a_transcript_without_exons_does_not_crash(tmp_path, helpers):
    lines = [
        helpers.line("gene", 1, 99, "+", gene_id="g1"),
        helpers.line("transcript", 1, 99, "+", gene_id="g1", transcript_id="bare"),
        helpers.line("gene", 201, 299, "-", gene_id="g2", gene_type="protein_coding"),
    ]
    found = Annotation.open(write(tmp_path, *lines))
    assert found.transcripts()["num_exons"].tolist() == [0]
    assert all(table.empty for table in (found.exons(), found.introns(), found.splice_sites(), found.cds()))
    assert found.introns("chrI:0-50", unique=True).empty
    assert found.tss()["position"].tolist() == [0]
    assert found.genes(protein_coding=True)["gene_id"].tolist() == ["g2"]
    # And beside one that has exons.
    lines += [helpers.line("exon", a, b, "+", gene_id="g1", transcript_id="full") for a, b in ((1, 5), (11, 20))]
    more = Annotation.open(write(tmp_path, *lines))
    assert more.introns()["transcript_id"].tolist() == ["full"]


def test_cds_stands_for_exons_where_there_are_none(tmp_path, helpers):
    lines = [helpers.line("CDS", a, b, "-", gene_id="g", transcript_id="t") for a, b in ((1, 6), (13, 30))]
    found = Annotation.open(write(tmp_path, *lines))
    assert spans(found.exons()) == [(0, 6), (12, 30)]
    assert found.transcripts()["coding"].tolist() == [True]


def test_one_id_in_two_places_is_two_transcripts(tmp_path, helpers):
    lines = [helpers.line("exon", 1, 9, "+", chrom=c, gene_id="SHOX", transcript_id="t") for c in ("chrX", "chrY")]
    found = Annotation.open(write(tmp_path, *lines))
    assert len(found.genes()) == len(found.transcripts()) == 2
    assert found.exons("chrY:0-5")["chrom"].tolist() == ["chrY"]


def test_no_gene_id(tmp_path, helpers):
    found = Annotation.open(write(tmp_path, helpers.line("exon", 1, 9, ".", transcript_id="t")))
    assert found.genes()["gene_id"].tolist() == ["t"]
    assert found.genes()["strand"].tolist() == ["."]


GFF3 = """##gff-version 3
##sequence-region I 1 100
I\tx\tchromosome\t1\t100\t.\t.\t.\tID=chromosome:I
I\tx\tgene\t1\t40\t.\t+\t.\tID=gene:WBG1;Name=abc%2C1;biotype=protein_coding
I\tx\tmRNA\t1\t40\t.\t+\t.\tID=transcript:T1;Parent=gene:WBG1;biotype=protein_coding;tag=basic,MANE_Select
I\tx\tmRNA\t1\t40\t.\t+\t.\tID=transcript:T2;Parent=gene:WBG1
I\tx\texon\t1\t10\t.\t+\t.\tParent=transcript:T1,transcript:T2
I\tx\texon\t21\t40\t.\t+\t.\tParent=transcript:T1
I\tx\tCDS\t5\t10\t.\t+\t0\tID=CDS:1;Parent=transcript:T1
I\tx\texon\t31\t40\t.\t+\t.\tParent=transcript:T2
I\tx\tncRNA_gene\t51\t60\t.\t-\t.\tID=gene:WBG2;biotype=ncRNA
I\tx\tncRNA\t51\t60\t.\t-\t.\tID=transcript:T3;Parent=gene:WBG2
I\tx\texon\t51\t60\t.\t-\t.\tParent=transcript:T3
I\tx\tgene\t71\t80\t.\t+\t.\tID=YAL1;Name=FUN1
I\tx\tCDS\t71\t80\t.\t+\t0\tParent=YAL1
I\tx\ttRNA\t91\t99\t.\t?\t.\tID=lonely
##FASTA
>I
ACGT
"""


@pytest.mark.parametrize("packed", [False, True])
def test_gff3(tmp_path, packed):
    path = tmp_path / ("toy.gff3.gz" if packed else "toy.gff3")
    path.write_bytes(gzip.compress(GFF3.encode()) if packed else GFF3.encode())
    found = Annotation.open(path)
    genes = found.genes()
    assert dict(zip(genes["gene_id"], genes["gene_name"], strict=True)) == {
        "WBG1": "abc,1", "WBG2": "WBG2", "YAL1": "FUN1", "lonely": "lonely",
    }  # fmt: skip
    assert genes["gene_type"].tolist()[:2] == ["protein_coding", "ncRNA"]
    assert genes["strand"].tolist() == ["+", "-", "+", "."]
    exons = {name: spans(part) for name, part in found.exons().groupby("transcript_id")}
    assert exons == {"T1": [(0, 10), (20, 40)], "T2": [(0, 10), (30, 40)], "T3": [(50, 60)], "YAL1": [(70, 80)]}
    assert found.transcripts(mane=True)["transcript_id"].tolist() == ["T1"]
    assert found.transcripts(gene="FUN1", protein_coding=True)["transcript_id"].tolist() == ["YAL1"]
    assert found.transcripts(gene="WBG2")["transcript_type"].tolist() == ["ncRNA"]
    assert spans(found.introns(gene="abc,1")) == [(10, 20), (10, 30)]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("chrI toy exon 1 9 . + . x\n", "line 3: 1 columns where GTF and GFF3 have 9"),
        ('chrI\ttoy\texon\tx\t9\t.\t+\t.\tgene_id "g";\n', "line 3: start 'x' and end '9' must be whole"),
        ('chrI\ttoy\texon\t9\t1\t.\t+\t.\ttranscript_id "g";\n', "line 3: start 9 and end 1 must satisfy"),
        ('chrI\ttoy\texon\t0\t1\t.\t+\t.\ttranscript_id "g";\n', "line 3: start 0"),
        ('chrI\ttoy\texon\t1\t9\t.\t+\t.\tgene_id "g";\n', "line 3: exon without transcript_id"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_malformed_lines_are_numbered(tmp_path, helpers, bad, words, packed):
    good = helpers.line("exon", 1, 9, "+", gene_id="g", transcript_id="t")
    text = ("# head\n" + good + bad + good).encode()
    path = tmp_path / "bad.gtf"
    path.write_bytes(gzip.compress(text) if packed else text)
    with pytest.raises(ValueError, match=words) as caught:
        Annotation.open(path)
    assert "bad.gtf" in str(caught.value)


def test_line_numbers_count_over_blocks(tmp_path, helpers, monkeypatch):
    monkeypatch.setattr("genomekit.genome.gtf._BLOCK", 200)
    good = [helpers.line("exon", 1 + 20 * i, 9 + 20 * i, "+", gene_id="g", transcript_id="t") for i in range(50)]
    assert len(Annotation.open(write(tmp_path, *good)).exons()) == 50
    good.insert(40, "short line\n")
    with pytest.raises(ValueError, match="line 41: 1 columns"):
        Annotation.open(write(tmp_path, *good))


def test_truncated_files(toy_gtf, tmp_path):
    text = toy_gtf.read_bytes()
    cut = tmp_path / "cut.gtf"
    for missing, words in ((4, "a quote is not closed"), (9, "exon without transcript_id"), (95, r"[1-8] columns")):
        cut.write_bytes(text[:-missing])
        with pytest.raises(ValueError, match=rf"line 9: {words}.*it (is|may be) truncated"):
            Annotation.open(cut)
    rng = np.random.default_rng(0)
    lines = [
        f'chrI\tx\texon\t{n}\t{n + 9}\t.\t+\t.\tgene_id "g{n}"; transcript_id "t{n}";\n'
        for n in rng.integers(1, 10**8, 2000)
    ]
    cut.write_bytes(gzip.compress("".join(lines).encode())[:-2000])
    with pytest.raises(ValueError, match=r"truncated or corrupt after line [1-9]\d*"):
        Annotation.open(cut)


@pytest.mark.parametrize("content", ["", "# only a comment\n", 'chrI\tx\tregion\t1\t9\t.\t+\t.\tID "a";\n'])
def test_files_without_genes_are_refused(tmp_path, content):
    with pytest.raises(ValueError, match="holds no"):
        Annotation.open(write(tmp_path, content))


def test_a_missing_file(tmp_path):
    for cached in (True, False):
        with pytest.raises(FileNotFoundError, match="No annotation file"):
            Annotation.open(tmp_path / "none.gtf", cached=cached)


def test_the_second_opening_reads_the_store(toy_gtf, monkeypatch):
    first = Annotation.open(toy_gtf)
    monkeypatch.setattr(annotation_store, "read_annotation", lambda path: pytest.fail("parsed again"))
    second = Annotation.open(toy_gtf)
    for name in ("genes", "transcripts", "exons", "cds", "introns", "splice_sites", "tss"):
        assert getattr(first, name)().equals(getattr(second, name)())


def test_a_changed_file_is_parsed_again(toy_gtf, helpers):
    assert len(Annotation.open(toy_gtf).genes()) == 2
    toy_gtf.write_text(helpers.line("exon", 1, 9, "+", gene_id="g", transcript_id="t"))
    assert len(Annotation.open(toy_gtf).genes()) == 1


def test_a_damaged_store_is_parsed_again(toy_gtf, cache_folder):
    Annotation.open(toy_gtf)
    (store,) = (cache_folder / "annotation").iterdir()
    (store / "exons.parquet").write_bytes(b"PAR1 half")
    assert len(Annotation.open(toy_gtf).exons()) == 7
    (store / "genes.parquet").unlink()
    assert len(Annotation.open(toy_gtf).exons()) == 7


def test_a_full_cache_costs_only_speed(toy_gtf, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "Cannot write in x: the disk is full")

    monkeypatch.setattr(cache, "folder", full)
    with pytest.warns(GenomekitWarning, match="not kept for next time.*disk is full"):
        assert len(Annotation.open(toy_gtf).genes()) == 2


def test_renamed(toy):
    other = toy.renamed({"chrI": "NC_003279.8"})
    assert set(other.exons()["chrom"]) == {"NC_003279.8"}
    assert other.chroms == {"NC_003279.8": 55}
    assert len(other.splice_sites("NC_003279.8:0-100")) == len(toy.splice_sites())


def test_repr(toy):
    assert "2 genes, 3 transcripts, 7 exons" in repr(toy)


def test_spans_agree_with_a_plain_search():
    rng = np.random.default_rng(3)
    chrom, start = rng.integers(0, 3, 400), rng.integers(0, 500, 400)
    end = start + rng.integers(1, 80, 400)
    index = SpanIndex(chrom, start, end)
    for _ in range(200):
        where, low, width = (int(rng.integers(*bounds)) for bounds in ((0, 4), (-20, 560), (1, 50)))
        plain = np.flatnonzero((chrom == where) & (start < low + width) & (end > low))
        assert sorted(index.overlapping(where, low, low + width)) == plain.tolist()
    assert SpanIndex(*[np.zeros(0, int)] * 3).overlapping(0, 0, 9).size == 0


def test_real_worm_genes(worm):
    annotation = worm.annotation
    assert annotation.gene_interval("unc-5").chrom == "chrIV"
    assert annotation.gene_interval("WBGene00022277") == Interval("chrI", 4115, 10230, "-")
    assert set(annotation.chroms) == {"chrI", "chrII", "chrIII", "chrIV", "chrV", "chrM"}
    transcripts = annotation.transcripts()
    # A fifth of them have no CDS, whatever gene_type says.
    assert 0.15 < 1 - transcripts["coding"].mean() < 0.25
    assert len(annotation.transcripts(longest=True)) == len(annotation.genes())


def test_real_worm_introns_are_gt_ag(worm):
    introns = worm.introns(unique=True)
    ends = []
    for row in introns.itertuples():
        left, right = (worm.fasta.fetch(row.chrom, at, at + 2) for at in (row.start, row.end - 2))
        ends.append(left + right if row.strand == "+" else reverse_complement(left + right))
    assert len(ends) > 90_000
    assert abs(np.mean(np.array(ends) == "GTAG") - 0.983) < 0.001


def test_real_worm_sites_by_interval_are_quick(worm):
    sites = worm.splice_sites("chrI:1,000,000-1,131,072")
    everywhere = worm.splice_sites()
    inside = everywhere[(everywhere["chrom"] == "chrI") & everywhere["position"].between(1_000_000, 1_131_071)]
    # num_transcripts too: nothing is lost at the edges.
    assert sites.equals(inside.reset_index(drop=True))
    begin = time.perf_counter()
    for shift in range(20):
        worm.splice_sites(Interval("chrI", 2_000_000 + shift, 2_131_072))
    assert time.perf_counter() - begin < 2
