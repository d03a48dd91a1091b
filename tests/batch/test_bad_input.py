"""Every bad input: a row with the reason, and with `on_error="raise"` an error that names the record."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import genomekit as gk
from genomekit.batch.records import as_records
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.model import Model
from genomekit.scoring import CenterMaskScorer, GeneMaskScorer, SpliceJunctionScorer

pytest.importorskip("pysam")

LETTERS = "".join(np.random.default_rng(4).choice(list("ACGT"), 6000))
HEAD = "##fileformat=VCFv4.2\n{contig}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def other(letter):
    return "A" if letter != "A" else "C"


def snv(position, *, ref=None, chrom="chrA"):
    ref = LETTERS[position - 1] if ref is None else ref
    return f"{chrom}\t{position}\tv{position}\t{ref}\t{other(ref)}\t.\t.\t.\n"


@pytest.fixture
def model(tiny_checkpoint, tmp_path):
    (tmp_path / "genome.fa").write_text(f">chrA\n{LETTERS}\n")
    names = 'gene_id "g1"; gene_name "one"; gene_biotype "protein_coding"; transcript_id "g1.1";'
    rows = [f"chrA\tmade\t{kind}\t5001\t5300\t.\t+\t.\t{names}" for kind in ("gene", "transcript", "exon")]
    (tmp_path / "genes.gtf").write_text("\n".join(rows) + "\n")
    genome = gk.Genome(tmp_path / "genome.fa", tmp_path / "genes.gtf", organism="worm")
    return Model(tiny_checkpoint, device="cpu", genome=genome)


@pytest.fixture
def score(model, tmp_path):
    """Score a VCF made of rows; gives its records."""

    def of(*rows, contig="", folder=tmp_path, **options):
        (tmp_path / "in.vcf").write_text(HEAD.format(contig=contig) + "".join(rows))
        return model.score_variants(f"{folder}/in.vcf", **{"scorers": "atac", "progress": False, **options}).records

    return of


GOOD = snv(3000)
LONG = f"chrA\t1500\tlong\t{LETTERS[1499:4999]}\t{LETTERS[1499]}\t.\t.\t.\n"


@pytest.mark.parametrize(
    ("bad", "status", "reason"),
    [
        (snv(3100, ref=other(LETTERS[3099])), "failed", "but genome.fa has"),
        (snv(7000, ref="A"), "failed", "lies outside chrA, whose bases are numbered 1 to 6,000"),
        (snv(6000, ref=LETTERS[5999] + "A"), "failed", "lies outside chrA"),
        (snv(3100, chrom="chrQ"), "failed", "Unknown chromosome 'chrQ'"),
        (snv(3100).replace(f"\t{other(LETTERS[3099])}\t.", "\tR\t."), "skipped", "alleles are written in A C G T N"),
        (snv(3100).replace("\t3100\t", "\t31OO\t"), "skipped", "the line cannot be read"),
        (snv(3100).replace("\t3100\t", "\t0\t"), "skipped", "positions are 1-based"),
        (snv(3100).replace(f"\t{other(LETTERS[3099])}\t.", "\t<INS>\t."), "skipped", "does not say its letters"),
        (snv(3100).replace(f"\t{other(LETTERS[3099])}\t.", "\t.\t."), "skipped", "no ALT allele"),
        (LONG, "failed", "(3,500 letters)>A spans 3,500 bp and does not fit the window of 2,048 bp"),
    ],
)
def test_a_row_with_the_reason(score, tmp_path, bad, status, reason):
    options = {"window": 2048} if bad is LONG else {}
    records = score(GOOD, bad, snv(3500), **options)
    assert records["status"].tolist() == ["ok", status, "ok"]
    assert reason in records["reason"][1]
    with pytest.raises(ValueError, match=r"^Record 1( \(.+\))? cannot be scored: ") as caught:
        score(GOOD, bad, snv(3500), on_error="raise", **options)
    assert reason in str(caught.value)
    assert str(caught.value).count("Record 1") == 1
    assert (records["variant"][1] == "") == (reason == "the line cannot be read")
    kept = score(GOOD, bad, snv(3500), out=tmp_path / "out", **options)
    pd.testing.assert_frame_equal(kept, records)


def test_the_first_and_the_last_base(score):
    deleted = f"chrA\t1\t.\t{LETTERS[:2]}\t{LETTERS[1]}\t.\t.\t.\n"  # at the first base VCF writes the base after it
    last = f"chrA\t5999\t.\t{LETTERS[5998:]}\t{LETTERS[5998]}\t.\t.\t.\n"
    appended = f"chrA\t6000\t.\t{LETTERS[5999]}\t{LETTERS[5999]}GATTACA\t.\t.\t.\n"
    records = score(snv(1), snv(6000), deleted, last, appended)
    assert records["status"].tolist() == ["ok"] * 5
    assert records["window"][0] == "chrA:-1023-1025"


def test_records_in_any_order(score):
    rows = snv(3000), snv(2000), snv(4000)
    whole = score(*rows)
    assert whole["position"].tolist() == [3000, 2000, 4000]
    assert whole["status"].tolist() == ["ok"] * 3


def test_a_file_that_is_cut(score, tmp_path):
    rows = [snv(position) for position in range(3000, 3040)]
    cut = "".join(rows)[:-7]
    with pytest.raises(
        ValueError, match=r"is cut: its last line \(chrA 3039 v3039 . .\) has no end, and 5 of 8 columns"
    ):
        score(cut, out=tmp_path / "out", shard_size=10)
    assert not (tmp_path / "out").exists()  # nothing was computed of it
    with pytest.warns(GenomekitWarning, match=r"may be cut: its last line \(chrA 3039 v3039 . .\) does not end"):
        assert len(score("".join(rows)[:-1], out=tmp_path / "out", shard_size=10)) == 40


def test_another_build(score, tmp_path):
    contig = "##contig=<ID=chrA,length=6001>\n"
    with pytest.raises(ReferenceMismatch, match=r"another build than genome\.fa: its header gives chrA 6,001 bp"):
        score(GOOD, contig=contig, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.warns(GenomekitWarning, match="another build"):
        assert score(GOOD, contig=contig, ref_check="warn")["status"].tolist() == ["ok"]
    assert score(GOOD, contig=contig, ref_check="ignore")["status"].tolist() == ["ok"]
    assert score(GOOD, contig=contig.replace("6001", "6000"))["status"].tolist() == ["ok"]
    assert score(GOOD, contig="##contig=<ID=chrA>\n##contig=<ID=chrM,length=5>\n")["status"].tolist() == ["ok"]


def test_what_is_wrong_with_the_call_is_said_before_it_begins(model, score, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="Window length 1,234 bp is not supported"):
        score(GOOD, window=1234, out=out)
    with pytest.raises(ValueError, match=r"written to \.vcf or \.vcf\.gz"):
        score(GOOD, vcf_out=tmp_path / "x.bcf", out=out)
    with pytest.raises(ValueError, match="is the file that is read"):
        score(GOOD, vcf_out=tmp_path / "in.vcf", out=out)
    with pytest.raises(ValueError, match="only such a file can be written again"):
        model.score_variants(["chrA:1:A>C"], vcf_out=tmp_path / "out.vcf", out=out)
    with pytest.raises(
        ValueError, match=r"CenterMaskScorer\(modality='cage'.*reads 'cage', which 'tiny' does not predict"
    ):
        score(GOOD, scorers=[CenterMaskScorer("atac", 501), CenterMaskScorer("cage", 501)], out=out)
    with pytest.raises(ValueError, match="reads 'cage', which 'tiny' does not predict for worm"):
        score(GOOD, scorers="cage", out=out)
    with pytest.raises(ValueError, match="Unknown scorer 'cagee'"):
        score(GOOD, scorers="cagee", out=out)
    assert not out.exists()


def test_no_transcript_in_the_window(score, model):
    """The record is scored, and the reason says which scorer found nothing."""
    scorers = [GeneMaskScorer(), SpliceJunctionScorer(), CenterMaskScorer("atac", 501)]
    far, inside = score(snv(2000), snv(5100), scorers=scorers, window=2048)["reason"]
    assert far.split("; ") == [
        f"{scorers[0]}: no gene has a transcript start in the window",
        "SpliceJunctionScorer(modality='splice_junctions'): no junction lies in a protein-coding gene that the variant "
        "touches",
    ]
    assert "GeneMaskScorer" not in inside
    bare = gk.Genome(model.genome.fasta.path, organism="worm")
    with pytest.raises(ValueError, match="annotation"):
        model.score_variants([f"chrA:2000:{LETTERS[1999]}>N"], genome=bare, scorers=scorers[:1], on_error="raise")


def test_tables_and_lists(model):
    table = pd.DataFrame({"chrom": "chrA", "position": [3000, 0, 7000], "ref": [LETTERS[2999], "A", "A"], "alt": "N"})
    records = model.score_variants(table, scorers="atac", progress=False).records
    assert records["status"].tolist() == ["ok", "skipped", "failed"]
    assert records["position"].tolist() == [3000, 0, 7000]
    with pytest.raises(ValueError, match=r"Record 1 .* cannot be scored: .*positions are 1-based"):
        model.score_variants(table, scorers="atac", progress=False, on_error="raise")


def test_what_a_table_says_stays_in_the_row_of_a_record_that_cannot_be_read(model):
    table = pd.DataFrame(
        {
            "chrom": ["chrA", "chrA", None, "chrA"],
            "pos": ["3,000", "3100", "3200", "1e3"],
            "ref": [LETTERS[2999], "R", "A", "A"],
            "alt": ["N", "A", "C", "<DEL>"],
            "name": ["one", "two", "three", "four"],
        }
    )
    records = model.score_variants(table, scorers="atac", progress=False).records
    assert records["status"].tolist() == ["ok", "skipped", "skipped", "skipped"]
    assert records["chrom"].tolist() == ["chrA", "chrA", "", "chrA"]
    assert records["position"].tolist() == [3000, 3100, 3200, 0]
    assert records["ref"].tolist() == [LETTERS[2999], "R", "A", "A"]
    assert records["alt"].tolist() == ["N", "A", "C", "<DEL>"]
    assert records["id"].tolist() == ["one", "two", "three", "four"]
    reasons = ["", "'R' as letter 1 of REF", "nothing in chrom", "the text '1e3'; write a whole number"]
    assert all(expected in reason for expected, reason in zip(reasons, records["reason"], strict=True))


class Counted(CenterMaskScorer):
    """Counts the variants that are laid over a window."""

    def targets(self, place):
        COUNT.append(place.touched.start)
        return super().targets(place)


COUNT: list[int] = []


def test_a_change_that_came_before_is_scored_once_and_has_its_row(model, tmp_path):
    start = LETTERS.index("CAC", 2000)  # deleting CA of CAC or AC after the C leaves the same
    first = f"chrA:{start}:{LETTERS[start - 1 : start + 2]}>{LETTERS[start - 1]}"
    again = f"chrA:{start + 2}:AC>"
    plain = f"chrA:3000:{LETTERS[2999]}>N"
    given = [plain, again, "nonsense", first, plain, f"chrA:4000:{LETTERS[3999]}>N"]
    scorer, options = Counted("atac", 501), {"progress": False, "preview": 0}
    COUNT.clear()
    with pytest.warns(GenomekitWarning, match=r"same change as an earlier one, .*: 2\."):
        scores = model.score_variants(given, scorers=scorer, **options)
    # Each of the first records is laid over its window once more, for what it takes of memory.
    assert len(COUNT) == 3 + 5
    records, table = scores.records, scores[scorer]
    assert records["status"].tolist() == ["ok", "ok", "skipped", "ok", "ok", "ok"]
    assert records["reason"][[0, 1, 3, 4, 5]].tolist() == [
        "",
        "",
        "the same change as record 1",
        "the same change as record 0",
        "",
    ]
    assert records["variant"][3] == first
    assert table.obs["record"].tolist() == [0, 1, 3, 4, 5]
    assert table.obs["variant"].tolist() == records["variant"][[0, 1, 3, 4, 5]].tolist()
    assert table.obs_names.is_unique
    np.testing.assert_array_equal(table.X[[0, 1]], table.X[[3, 2]])
    np.testing.assert_array_equal(table.layers["alt"][[0, 1]], table.layers["alt"][[3, 2]])
    assert not np.array_equal(table.X[0], table.X[4])
    assert scores.attrs["duplicates"] == 2
    with pytest.warns(GenomekitWarning, match=r"same change as an earlier one, .*: 2\."):
        kept = model.score_variants(given, scorers=scorer, out=tmp_path / "out", shard_size=2, **options)
    pd.testing.assert_frame_equal(kept.records, records)
    pd.testing.assert_frame_equal(kept[scorer].obs, table.obs)
    np.testing.assert_array_equal(kept[scorer].X, table.X)
    assert gk.open(tmp_path / "out").attrs["duplicates"] == 2
    with pytest.warns(GenomekitWarning, match=r"same change as an earlier one, .*: 1\."):  # as spelled, these are two
        as_spelled = model.score_variants(given, scorers=scorer, parity=True, **options)
    assert as_spelled.records["reason"][3] == ""


def test_the_copy_of_a_record_that_fails_has_the_reason(score):
    with pytest.warns(GenomekitWarning, match=r"same change as an earlier one, .*: 1\."):
        records = score(LONG, GOOD, LONG, window=2048)
    assert records["status"].tolist() == ["failed", "ok", "failed"]
    assert records["reason"][0] == records["reason"][2] != ""


def test_a_file_of_another_build_is_told_once(score, model, tmp_path):
    letters = np.random.default_rng(9).choice(list("ACGT"), 120)
    rows = [snv(position, ref=letter) for position, letter in enumerate(letters, start=3000)]
    missed = sum(letter != LETTERS[position - 1] for position, letter in enumerate(letters, start=3000))
    early = sum(letter != LETTERS[position - 1] for position, letter in enumerate(letters[:100], start=3000))
    with pytest.warns(GenomekitWarning) as caught:
        records = score(*rows, out=tmp_path / "out")
    assert [str(one.message) for one in caught] == [
        f"{early} of the first 100 records do not match the reference of genome.fa. Are they on another build?"
    ]
    assert (records["status"] == "failed").sum() == missed
    assert gk.open(tmp_path / "out").attrs["reference_mismatches"] == missed
    few = [f"chrA:{position}:{LETTERS[position]}>N" for position in range(3000, 3020)]
    with pytest.warns(
        GenomekitWarning, match=r"of 20 records do not match .* All of these would fit with position \+ 1"
    ):
        assert model.score_variants(few, scorers="atac", progress=False).attrs["reference_mismatches"] > 3


def test_haplotypes_of_a_sample_are_scored_and_predicted(model, tmp_path):
    path = tmp_path / "phased.vcf"
    head = HEAD.format(contig='##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n')
    rows = [snv(p).rstrip("\n") + f"\tGT\t{call}\n" for p, call in ((3000, "1|0"), (3050, "0|1"), (3100, "1|1"))]
    path.write_text(head.replace("INFO\n", "INFO\tFORMAT\tworm\n") + "".join(rows))
    haplotypes = gk.read_haplotypes(path, "chrA:2,500-3,500", genome=model.genome)
    assert [[one.position for one in haplotype] for haplotype in haplotypes] == [[3000, 3100], [3050, 3100]]
    for haplotype in haplotypes:
        scores = model.score_variant(haplotype, scorers="atac")
        assert scores.records["variant"].tolist() == ["; ".join(map(str, haplotype))]
        tree = model.predict_haplotype(haplotype, interval="chrA:2,990-3,110", modalities="atac")
        assert tree.attrs["variant"] == "; ".join(map(str, haplotype))


@dataclass(frozen=True)
class Faulty(CenterMaskScorer):
    """A scorer of a user's own that fails at some places."""

    def targets(self, place):
        if place.touched.start < 3500:
            raise KeyError("my own fault")
        return super().targets(place)


def test_the_fault_of_a_scorer_is_a_row(score):
    records = score(GOOD, snv(4000), scorers=Faulty("atac"))
    assert records["status"].tolist() == ["failed", "ok"]
    assert "my own fault" in records["reason"][0]


def test_a_home_folder_is_no_way_round_the_checks(score, tmp_path, monkeypatch):
    score(GOOD, contig="##contig=<ID=chrA,length=6000>\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ReferenceMismatch):
        score(GOOD, contig="##contig=<ID=chrA,length=12345>\n", folder="~")


def test_another_table_of_sites_is_another_job(model, tmp_path):
    def of(position, **options):
        sites = pd.DataFrame({"chrom": "chrA", "position": [position, 5290], "strand": "+", "gene_id": "g1"})
        genome = gk.Genome(tmp_path / "genome.fa", tmp_path / "genes.gtf", organism="worm", polya=sites)
        variant = f"chrA:5100:{LETTERS[5099]}>{other(LETTERS[5099])}"
        call = {"scorers": "polyadenylation", "out": tmp_path / "s", "progress": False, **options}
        return model.score_variants([variant], genome=genome, **call)

    assert of(5200).records["status"].tolist() == ["ok"]
    of(5200)
    with pytest.raises(ValueError, match="another job"):
        of(5210)


def test_many_variants_in_every_spelling(model):
    ref = LETTERS[2999]
    texts = [
        f"chrA:g.3000{ref}>{other(ref)}",
        f"chrA 3000 . {ref} {other(ref)}",
        "chrA:g.3000del",
        f"chrA-3000-{ref}-N",
    ]
    with pytest.warns(GenomekitWarning, match=r"same change as an earlier one, .*: 1\."):
        scores = model.score_variants(texts, scorers="atac", progress=False)
    assert scores.records["status"].tolist() == ["ok"] * 4
    assert scores.records["variant"][0] == scores.records["variant"][1] == f"chrA:3000:{ref}>{other(ref)}"


def test_a_gene_that_is_asked_for_is_named(score):
    records = score(snv(5100), scorers=GeneMaskScorer("rna_seq", gene="one"))
    assert records["reason"].tolist() == [""]
    records = score(GOOD, scorers=GeneMaskScorer("rna_seq", mask="body", gene="one"))
    assert records["reason"][0].endswith("the variant touches no gene (asked for: one)")


@pytest.mark.parametrize("source", [None, 5, {"chrom": "chrA", "position": 3, "ref": "A", "alt": "C"}])
def test_what_is_no_list_of_variants(source):
    with pytest.raises(ValueError, match=r"came; give a table, a list of variants or their texts, or a VCF file"):
        as_records(source)
