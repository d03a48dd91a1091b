"""Scores of variants against full predictions of both alleles."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

import genomekit as gk
from genomekit.align import align
from genomekit.engine import one_hot
from genomekit.engine.reading import Reading
from genomekit.engine.readout import Reader
from genomekit.engine.strands import parts, read_window
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.edit import Edit
from genomekit.genome.interval import Interval
from genomekit.model import Model
from genomekit.predict.variant import predict_variant
from genomekit.scores import Record
from genomekit.scoring import (
    AGGREGATIONS,
    CenterMaskScorer,
    ContactMapScorer,
    GeneMaskLFCScorer,
    GeneMaskScorer,
    GeneMaskSplicingScorer,
    IntervalMaskScorer,
    PolyadenylationScorer,
    SpliceJunctionScorer,
    recommended_scorer,
    recommended_scorers,
)
from genomekit.scoring.job import prepare
from genomekit.scoring.verbs import score_interval, score_records, score_variant
from genomekit.tracks import MODALITIES

CLOSE = 3e-6  # full predictions come as float32
LETTERS = "".join(np.random.default_rng(3).choice(list("ACGT"), 6000))
EXONS = {"g1": ("+", [(2500, 2600), (2700, 2790), (3300, 3400)]), "g2": ("-", [(2900, 3050), (3500, 3600)])}
INSERTION, DELETION, SNV = (
    f"chrA:3001:{LETTERS[3000]}>{LETTERS[3000]}ACGTT",
    f"chrA:3001:{LETTERS[3000:3006]}>{LETTERS[3000]}",
    f"chrA:3001:{LETTERS[3000]}>{'A' if LETTERS[3000] != 'A' else 'C'}",
)


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("genome")
    (folder / "genome.fa").write_text(f">chrA\n{LETTERS}\n")
    lines = []
    for gene, (strand, exons) in EXONS.items():
        names = f'gene_id "{gene}"; gene_name "{gene}"; gene_biotype "protein_coding";'
        own = f'{names} transcript_id "{gene}.1"; transcript_biotype "protein_coding";'
        spans = [("gene", (exons[0][0], exons[-1][1]), names), ("transcript", (exons[0][0], exons[-1][1]), own)]
        spans += [("exon", exon, own) for exon in exons]
        lines += [f"chrA\tmade\t{kind}\t{a + 1}\t{b}\t.\t{strand}\t.\t{text}" for kind, (a, b), text in spans]
    (folder / "genes.gtf").write_text("\n".join(lines) + "\n")
    sites = pd.DataFrame({"chrom": "chrA", "position": [3100, 3399, 3390], "strand": "+", "gene_id": "g1"})
    return gk.Genome(folder / "genome.fa", folder / "genes.gtf", organism="worm", polya=sites)


@pytest.fixture
def engine(tiny_checkpoint):
    return Model(tiny_checkpoint, device="cpu", precision="float64").engine


def both(engine, genome, variant, modality, window, strand="+"):
    """Whole predictions of REF and ALT, and what ALT inserts and deletes."""
    edit = Edit.of(gk.Variant.parse(variant), window, genome)
    part = parts(engine.tracks.select(organism="worm", modalities=[modality]), "worm", engine.tracks)[modality]
    whole = {modality: slice(0, window.width // part.modality.resolution)}
    ref, alt = (
        read_window(engine, one_hot(text), "worm", {modality: part}, whole, strand=strand)[modality]
        for text in (edit.ref, edit.alt)
    )
    return ref.astype(np.float64), alt.astype(np.float64), edit, part


def score(engine, genome, variant, scorer, **options):
    options = {"window": 2048, "organism": "worm", **options}
    return score_variant(engine, variant, genome=genome, scorers=scorer, **options)


def window_of(scores):
    return Interval.parse(scores.records["window"].iloc[0])


def close(got, expected):
    expected = np.asarray(expected, dtype=np.float64)
    np.testing.assert_allclose(got, expected, rtol=0, atol=CLOSE * max(1, np.nanmax(np.abs(expected))))


def mask_score(aggregation, ref, alt, rows):
    stack = [torch.from_numpy(np.ascontiguousarray(x[rows]))[None] for x in (ref, alt)]
    ones = torch.ones(1, stack[0].shape[1], 1, dtype=torch.float64)
    return AGGREGATIONS[aggregation].score(*stack, ones)[0].numpy()


@pytest.mark.parametrize("variant", [SNV, INSERTION, DELETION])
@pytest.mark.parametrize("aligned", [False, True])
def test_center_masks(engine, genome, variant, aligned):
    scores = score(engine, genome, variant, CenterMaskScorer("rna_seq", 301, "diff_mean", aligned=aligned))
    (table,) = scores.values()
    window = window_of(scores)
    ref, alt, edit, _ = both(engine, genome, variant, "rna_seq", window)
    if aligned:
        alt = align(torch.from_numpy(alt), edit.events, window.width).numpy()
    center = edit.variants[0].start - window.start
    close(table.X[0], mask_score("diff_mean", ref, alt, slice(center - 150, center + 151)))
    close(table.layers["ref"][0], ref[center - 150 : center + 151].mean(0))


@pytest.mark.parametrize("variant", [SNV, INSERTION, DELETION])
def test_genes_on_both_strands(engine, genome, variant):
    scores = score(engine, genome, variant, GeneMaskLFCScorer("rna_seq"))
    (table,) = scores.values()
    window = window_of(scores)
    ref, alt, edit, part = both(engine, genome, variant, "rna_seq", window)
    alt = align(torch.from_numpy(alt), edit.events, window.width).numpy()
    strands = part.rows["strand"].to_numpy()
    assert table.obs["gene_id"].tolist() == ["g1", "g2"]
    for row, (strand, exons) in enumerate(EXONS.values()):
        rows = np.concatenate([np.arange(a, b) for a, b in exons]) - window.start
        rows = rows[(rows >= 0) & (rows < window.width)]
        expected = mask_score("diff_log_mean", ref, alt, rows)
        close(table.X[row][strands == strand], expected[strands == strand])
        assert np.isnan(table.X[row][strands != strand]).all()


def test_splicing_over_gene_bodies(engine, genome):
    scores = score(engine, genome, DELETION, [GeneMaskSplicingScorer(), GeneMaskSplicingScorer(width=101)])
    window = window_of(scores)
    ref, alt, edit, _ = both(engine, genome, DELETION, "splice_sites", window)
    change = np.abs(align(torch.from_numpy(alt), edit.events, window.width).numpy() - ref)
    whole, narrow = scores.values()
    assert whole.obs["gene_id"].tolist() == ["g1", "g2"]
    body = change[2500 - window.start : 3400 - window.start].max(0)
    close(whole.X[0][[0, 1]], body[[0, 1]])  # donor + and acceptor +
    near = edit.variants[0].start - window.start
    assert (narrow.X[0][:2] <= whole.X[0][:2]).all()
    close(narrow.X[0][0], change[near - 60 : near + 60, 0].max() if narrow.X[0][0] else 0)


def test_contact_maps_and_the_other_strand(engine, genome):
    scores = score(engine, genome, SNV, ContactMapScorer(), interval="chrA:2,900-3,100:-", window=4096)
    window = window_of(scores)
    ref, alt, _, _ = both(engine, genome, SNV, "contact_maps", window, strand="-")
    (table,) = scores.values()
    column = (3000 - window.start) // 2048
    close(table.X[0], np.abs(alt - ref).mean(0)[column])


def test_the_minus_strand_is_read_and_mapped_back(engine, genome):
    for modality in ("rna_seq", "dnase", "chip_tf"):
        scorer = CenterMaskScorer(modality, 101, "diff_sum", aligned=True)
        scores = score(engine, genome, INSERTION, scorer, interval="chrA:2,900-3,100:-")
        window = window_of(scores)
        ref, alt, edit, part = both(engine, genome, INSERTION, modality, window, strand="-")
        resolution = part.modality.resolution
        if resolution == 1:
            alt = align(torch.from_numpy(alt), edit.events, window.width).numpy()
        count = -(-101 // resolution)
        first = (3000 - window.start) // resolution - count // 2
        (table,) = scores.values()
        close(table.X[0], mask_score("diff_sum", ref, alt, slice(first, first + count)))


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("variant", [SNV, INSERTION, DELETION])
def test_junctions_are_those_of_predict_variant(tiny_checkpoint, genome, variant, strand):
    model = Model(tiny_checkpoint, device="cpu", precision="float64", genome=genome)
    place = f"chrA:2,900-3,100:{strand}"
    scores = score(model.engine, genome, variant, SpliceJunctionScorer(), interval=place)
    (table,) = scores.values()
    assert table.var_names.tolist() == table.var["name"].tolist()  # without the strand of half the junctions
    window = window_of(scores)
    whole = str(Interval(window.chrom, window.start, window.end, strand))
    options = {"modalities": ["splice_junctions"], "organism": "worm", "window": 2048}
    tree = predict_variant(model.engine, variant, genome=genome, interval=whole, **options)
    signal = tree["splice_junctions"]["signal"]
    assert len(table)
    for row, (start, end) in enumerate(zip(table.obs["junction_start"], table.obs["junction_end"], strict=True)):
        found = signal.sel(junction=(signal["start"] == start) & (signal["end"] == end))
        ref, alt = found.values[:, 0].astype(np.float64)
        close(table.layers["ref"][row], ref)
        kept = np.isfinite(alt)  # an intron whose end ALT lacks is shown as NaN and scored from zeros
        close(table.layers["alt"][row][kept], alt[kept])
        close(table.X[row][kept], np.abs(np.log(alt + 1e-7) - np.log(ref + 1e-7))[kept])


def test_polyadenylation_needs_two_sites_in_the_window(engine, genome):
    scores = score(engine, genome, SNV, PolyadenylationScorer())
    (table,) = scores.values()
    assert table.obs[["gene_id", "num_polya_sites"]].values.tolist() == [["g1", 3]]
    ref, alt, _, part = both(engine, genome, SNV, "rna_seq", window_of(scores))
    start = window_of(scores).start
    ratio = [
        alt[p - 399 - start : p + 1 - start].sum(0) / ref[p - 399 - start : p + 1 - start].sum(0)
        for p in (3100, 3390, 3399)
    ]
    splits = [abs(np.log2(2 * ratio[0] / (ratio[1] + ratio[2]))), abs(np.log2((ratio[0] + ratio[1]) / 2 / ratio[2]))]
    plus = (part.rows["strand"] == "+").to_numpy()
    close(table.X[0][plus], np.maximum(*splits)[plus])
    none = score(engine, genome, "chrA:100:" + LETTERS[99] + ">N", PolyadenylationScorer())
    assert none.records["reason"].tolist() == [f"{PolyadenylationScorer()}: {PolyadenylationScorer.nothing}"]


def test_intervals_of_ones_own(engine, genome, tmp_path):
    (tmp_path / "peaks.bed").write_text("chrA\t2950\t2990\tpeak\nchrA\t3050\t3070\tpeak\nchrB\t1\t5\tfar\n")
    scorer = IntervalMaskScorer.from_bed(tmp_path / "peaks.bed", "rna_seq", "diff_sum")
    assert (
        str(scorer) == "IntervalMaskScorer(modality='rna_seq', title='peaks.bed', aggregation='diff_sum', intervals=3)"
    )
    scores = score(engine, genome, SNV, scorer)
    (table,) = scores.values()
    ref, alt, _, _ = both(engine, genome, SNV, "rna_seq", window_of(scores))
    rows = np.concatenate([np.arange(2950, 2990), np.arange(3050, 3070)]) - window_of(scores).start
    close(table.X[0], (alt - ref)[rows].sum(0))
    assert table.obs[["mask", "mask_start", "mask_end"]].values.tolist() == [["peak", 2950, 3070]]


def test_intervals_come_as_a_table_or_alone():
    table = pd.DataFrame({"chrom": "chrA", "start": [5, 9], "end": [7, 12], "name": ["a", None]})
    listed = [Interval("chrA", 5, 7, name="a"), Interval("chrA", 9, 12)]
    assert IntervalMaskScorer("atac", table) == IntervalMaskScorer("atac", listed)
    assert IntervalMaskScorer("atac", listed[1]) == IntervalMaskScorer("atac", ["chrA:9-12"])
    for given, text in ((5, r"^5 \(int\) is no interval"), (table.drop(columns="chrom"), "has no chrom")):
        with pytest.raises(ValueError, match=text):
            IntervalMaskScorer("atac", given)


@pytest.mark.parametrize("made", [GeneMaskSplicingScorer, GeneMaskScorer])
def test_widths_of_genes_are_whole(made):
    for width in ("101", 3.5, True, 0):
        with pytest.raises(ValueError, match=f"width={width!r} came; give a whole number of bp, at least 1, or None"):
            made(width=width)
    assert made(width=np.int64(101)) == made(width=101)


def test_no_change_scores_zero(engine, genome):
    scorer = CenterMaskScorer("rna_seq", 101, "diff_mean")
    same = score(engine, genome, f"chrA:3001:{LETTERS[3000]}>{LETTERS[3000]}", scorer)
    assert (same[scorer].X == 0).all()


def test_an_interval_is_measured(engine, genome):
    scorer = GeneMaskScorer("rna_seq", width=1001)
    scores = score_interval(engine, "chrA:2,900-3,300", genome=genome, scorers=scorer, organism="worm", window=2048)
    (table,) = scores.values()
    window = window_of(scores)
    ref, _, _, part = both(engine, genome, SNV, "rna_seq", window)
    rows = np.concatenate([np.arange(2900, 3050), np.arange(3500, 3600)])
    rows = rows[(rows >= 2600) & (rows < 3601)] - window.start
    minus = (part.rows["strand"] == "-").to_numpy()
    assert table.obs["gene_id"].tolist() == ["g2"]  # g1 starts outside the 1,001 bp
    close(table.X[0][minus], ref[rows].mean(0)[minus])


def test_one_bad_record_never_stops_the_rest(engine, genome):
    other = next(letter for letter in "ACGT" if letter != LETTERS[3000])
    records = [
        Record(0, "chrA", 3001, LETTERS[3000], other),
        Record(1, "chrA", 3001, other, LETTERS[3000]),
        Record(2, "chrA", 5, "A", "<DEL>", reason="symbolic"),
        Record(3, "chrQ", 5, "A", "C"),
        Record(4, "chrA", 1, LETTERS[0], "C" if LETTERS[0] != "C" else "G"),
        Record(5, "chrA", 6000, LETTERS[-1], "C" if LETTERS[-1] != "C" else "G"),
    ]
    scorer = CenterMaskScorer("rna_seq", 101)
    job = prepare(engine, genome, scorer, options={"window": 2048, "organism": "worm"})
    scores = score_records(job, records)
    assert scores.records["status"].tolist() == ["ok", "failed", "skipped", "failed", "ok", "ok"]
    assert "swapped" in scores.records["reason"][1]
    assert scores[scorer].obs["record"].tolist() == [0, 4, 5]
    with pytest.raises(ReferenceMismatch, match="Record 1"):
        score_records(job, records, on_error="raise")


def test_bad_input(engine, genome, tmp_path):
    with pytest.raises(ValueError, match=r"reads 'cage', which .* does not predict for worm"):
        score(engine, genome, SNV, CenterMaskScorer("cage"))
    with pytest.raises(ValueError, match="Unknown scorer 'atacc'"):
        score(engine, genome, SNV, "atacc")
    with pytest.raises(TypeError, match="scorer"):
        score(engine, genome, SNV, [3])
    with pytest.raises(ValueError, match="came twice"):
        score(engine, genome, SNV, ["rna_seq", "rna_seq"])
    (tmp_path / "bare.fa").write_text(f">chrA\n{LETTERS}\n")
    bare = gk.Genome(tmp_path / "bare.fa", organism="worm")
    with pytest.raises(ValueError, match="scores genes and needs an annotation"):
        score(engine, bare, SNV, "rna_seq")
    with pytest.warns(GenomekitWarning, match="has not got an annotation; left out: .*rna_seq"):
        scores = score(engine, bare, SNV, None)
    assert "CenterMaskScorer(modality='dnase', width=501, aggregation='diff_log2_sum')" in scores


def test_modalities_must_not_leave_out_what_scorers_read(engine, genome):
    scorer = CenterMaskScorer("rna_seq", 101)
    text = r"modalities= leaves 'rna_seq' out, which CenterMaskScorer\(.*\) reads; it names atac, dnase\. Scorers say"
    for given in (scorer, ["atac", scorer]):
        with pytest.raises(ValueError, match=text):
            score(engine, genome, SNV, given, modalities=["atac", "dnase"])
    with pytest.raises(ValueError, match=r"modalities= leaves 'rna_seq' out, which GeneMaskScorer"):
        score_interval(engine, "chrA:2,900-3,300", genome=genome, organism="worm", modalities="atac", window=2048)
    wider = score(engine, genome, SNV, scorer, modalities=["rna_seq", "dnase"])
    assert [*wider] == [str(scorer)]


def test_a_checkpoint_may_have_a_modality_of_any_name(tiny_checkpoint, genome):
    """One that is called almost as a published one is scored by default, and can be given itself."""
    own = dataclasses.replace(MODALITIES["atac"], name="RNA", head="atac")
    with pytest.raises(
        ValueError, match=r"For a checkpoint's own modality of that name give model\.modalities\['RNA'\]"
    ):
        CenterMaskScorer("RNA")
    named = recommended_scorers({"RNA": own})
    assert [*named] == ["RNA", "RNA_active"]
    assert named["RNA"] == CenterMaskScorer(own, 501) == recommended_scorer(own)
    assert str(named["RNA"]) == "CenterMaskScorer(modality='RNA', width=501, aggregation='diff_log2_sum')"


@pytest.mark.parametrize(
    "made", [GeneMaskLFCScorer, GeneMaskSplicingScorer, GeneMaskScorer, SpliceJunctionScorer, PolyadenylationScorer]
)
def test_genes_come_in_any_collection(made):
    both = made(gene=("g2", "g1"))
    assert both.gene == ("g2", "g1")
    for given in (["g2", "g1"], ["g2", "g1", "g2"], pd.Series(["g2", "g1"]), np.array(["g2", "g1"])):
        assert made(gene=given) == both
        assert hash(made(gene=given)) == hash(both)
    assert made(gene={"g2", "g1"}).gene == ("g1", "g2")  # a set has no order
    assert made(gene=["g1"]) == made(gene="g1")
    for given, came in (([], r"gene=\[\]"), (5, "5"), (["g1", 5], "5"), (["g1", None], "None"), ([""], "''")):
        with pytest.raises(ValueError, match=f"^{came} came; give the name or id of a gene, several in a list"):
            made(gene=given)


def test_a_set_of_genes_scores_as_each_alone(engine, genome):
    for made in (GeneMaskLFCScorer, GeneMaskSplicingScorer, SpliceJunctionScorer):
        (whole,) = score(engine, genome, SNV, made()).values()
        (both,) = score(engine, genome, SNV, made(gene=["g2", "g1"])).values()
        np.testing.assert_array_equal(both.X, whole.X)
        for gene in ("g1", "g2"):
            (one,) = score(engine, genome, SNV, made(gene=[gene])).values()
            np.testing.assert_array_equal(one.X, whole.X[whole.obs["gene_id"] == gene])
            assert len(one)
    with pytest.raises(ValueError, match="Unknown gene 'g3'"):
        score(engine, genome, SNV, GeneMaskLFCScorer(gene=["g1", "g3"]))
    far = score(engine, genome, "chrA:100:" + LETTERS[99] + ">N", GeneMaskSplicingScorer(gene=["g2", "g1"]))
    assert far.records["reason"].tolist()[0].endswith("the variant touches no gene (asked for: g2, g1)")


def test_results_say_which_annotation(engine, genome, tmp_path):
    genes = score(engine, genome, SNV, GeneMaskLFCScorer())
    known = {
        "annotation": "genes.gtf",
        "annotation_release": "",
        "annotation_hash": genome.annotation.content_hash[:16],
    }
    place = score(engine, genome, SNV, CenterMaskScorer("atac"))
    for scores, facts in ((genes, known), (place, dict.fromkeys(known, ""))):
        for attrs in (scores.attrs, *(table.uns for table in scores.values())):
            assert {name: attrs[name] for name in known} == facts
            assert attrs["window_length"] == 2048
    fasta, gtf = genome.fasta.path, tmp_path / "genes.gtf"
    gtf.write_text("#!genome-build made1\n#!genebuild-version R7\n" + (fasta.parent / "genes.gtf").read_text())
    attrs = score(engine, gk.Genome(fasta, gtf, organism="worm"), SNV, GeneMaskLFCScorer()).attrs
    assert attrs["annotation_release"] == "genome-build made1, genebuild-version R7"
    assert attrs["annotation_hash"] == known["annotation_hash"]  # the same genes
    gtf.write_text(gtf.read_text().replace("2791", "2795").replace("\t2790\t", "\t2780\t"))
    attrs = score(engine, gk.Genome(fasta, gtf, organism="worm"), SNV, GeneMaskLFCScorer()).attrs
    assert attrs["annotation_hash"] != known["annotation_hash"]


def test_scores_by_the_name_they_were_asked_for(engine, genome):
    scores = score(engine, genome, SNV, ["atac", "atac_active", "rna_seq", GeneMaskScorer("rna_seq"), "splice_sites"])
    assert scores["atac"] is scores[CenterMaskScorer("atac", 501)]
    assert scores["atac_active"] is scores[CenterMaskScorer("atac", 501, "active_sum")]
    assert scores["rna_seq"] is scores[GeneMaskLFCScorer()]  # the recommended one, of two
    assert scores["GeneMaskScorer"] is scores[GeneMaskScorer("rna_seq")]
    with pytest.raises(KeyError, match=r"^'CenterMaskScorer' stands for 2 scorers\. Give the name of one: CenterMask"):
        scores["CenterMaskScorer"]


def test_nothing_runs_where_there_is_nothing_to_read(engine, genome, monkeypatch):
    scorers = [SpliceJunctionScorer(), GeneMaskSplicingScorer("splice_sites")]
    here = score(engine, genome, SNV, scorers)
    monkeypatch.setattr(engine, "reference", lambda *_, **__: pytest.fail("the network ran"))
    away = score(engine, genome, "chrA:100:" + LETTERS[99] + ">N", scorers)
    assert [table.shape for table in away.values()] == [(0, here[scorer].n_vars) for scorer in here]
    assert away.records["status"].tolist() == ["ok"]
    assert away.records["reason"].str.count("touches").tolist() == [2]
    model = Model(engine.checkpoint, device="cpu", genome=genome)
    plan = model.plan("score_variant", "chrA:100:" + LETTERS[99] + ">N", scorers=scorers, window=2048)
    assert (plan.seconds, plan.bytes) == (0, 0)


@pytest.mark.parametrize("step", [1, 2048])
def test_each_allele_is_embedded_once(engine, genome, monkeypatch, step):
    """Bodies of genes are read for the sites, then introns at these sites: from what is there already."""
    embedded, alive = [], []
    plain = Reading._embed

    def counted(self, span):
        alive.append(self.tokens)
        embedded.append((id(self.tokens), int(span.starts[0]), span.width))
        return plain(self, span)

    monkeypatch.setattr(Reading, "_embed", counted)
    scorers = [SpliceJunctionScorer(), GeneMaskSplicingScorer("splice_sites")]
    job = prepare(engine, genome, scorers, step=step, options={"window": 2048, "organism": "worm"})
    variants = [f"chrA:{p}:{LETTERS[p - 1]}>{'A' if LETTERS[p - 1] != 'A' else 'C'}" for p in (3001, 3010)]
    records = [Record(n, v.chrom, v.position, v.ref, v.alt) for n, v in enumerate(map(gk.Variant.parse, variants))]
    scores = score_records(job, records)
    assert all(len(table) for table in scores.values())
    assert len(embedded) == len(set(embedded))
    readings = {reading for reading, _, _ in embedded}
    assert len(readings) == (4 if step == 1 else 3)  # neighbours share REF
    for reading in readings:
        rows = [np.arange(first, first + width) for one, first, width in embedded if one == reading]
        assert len(np.unique(np.concatenate(rows))) == sum(map(len, rows))


def test_a_table_is_a_haplotype_too(engine, genome):
    variants = [
        gk.Variant.parse(f"chrA:{p}:{LETTERS[p - 1]}>{'A' if LETTERS[p - 1] != 'A' else 'C'}") for p in (3001, 3010)
    ]
    table = pd.DataFrame([{"chrom": v.chrom, "position": v.position, "ref": v.ref, "alt": v.alt} for v in variants])
    scorer = CenterMaskScorer("rna_seq", 301, "diff_mean")
    (listed,), (tabled,) = (score(engine, genome, given, scorer).values() for given in (variants, table))
    assert tabled.X.tolist() == listed.X.tolist()
    with pytest.raises(ValueError, match="No variant came"):
        score(engine, genome, table.iloc[:0], scorer)


def test_bed_files_as_they_come(engine, genome, tmp_path):
    path = tmp_path / "peaks.bed"
    path.write_text("track name=peaks\n#c\nA 2950 2990 .\nA 3050 3070 .\nchrQ 1 5 far\n")
    with pytest.warns(GenomekitWarning, match="'A' is read as"):
        (table,) = score(engine, genome, SNV, IntervalMaskScorer.from_bed(path, "rna_seq", "diff_sum")).values()
    assert table.obs[["mask_start", "mask_end"]].values.tolist() == [[2950, 2990], [3050, 3070]]
    with pytest.raises(ValueError, match=r"none of the chromosomes of 'intervals' \(chrQ\)"):
        score(engine, genome, SNV, IntervalMaskScorer("rna_seq", ["chrQ:1-5"]))
    for text, words in (
        ("", "holds no interval"),
        ("# nothing\n", "holds no interval"),
        ("chrA\tstart\tend\n", r"peaks.bed, row 1: .*chrom, start, end"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=words):
            IntervalMaskScorer.from_bed(path, "rna_seq")


@pytest.mark.parametrize(("head", "named"), [("splice_class", "splice_sites"), ("splice_junction", "splice_junctions")])
def test_introns_of_broken_predictions_are_an_error(engine, genome, monkeypatch, head, named):
    """Of probabilities that are no numbers no site would be chosen, and no intron scored, in silence."""
    if head == "splice_class":
        plain = Reader.__call__
        monkeypatch.setattr(
            Reader, "__call__", lambda self, x: plain(self, x) * (torch.nan if self.kind == head else 1)
        )
    else:
        count = Reading.junctions
        monkeypatch.setattr(Reading, "junctions", lambda *args: count(*args) * torch.nan)
    with pytest.raises(FloatingPointError, match=f"Head '{named}' .* gave NaN or infinity"):
        score(engine, genome, SNV, SpliceJunctionScorer())
