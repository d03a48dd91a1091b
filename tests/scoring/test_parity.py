"""Scorers against numbers of the reference (see the README of its folder)."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

import genomekit as gk
from genomekit.align import align
from genomekit.genome.edit import Edit
from genomekit.genome.interval import Interval
from genomekit.scoring import ContactMapScorer, Place, SpliceJunctionScorer, Values
from genomekit.scoring.masks import MaskRule
from genomekit.scoring.polyadenylation import PolyadenylationRule
from genomekit.splicing import introns, pair_values

START, LENGTH = 100_000, 4096


@pytest.fixture(scope="module")
def stored(shared):
    return np.load(shared / "parity" / "variant_scorers.npz", allow_pickle=True)


def read(rule, array):
    """What a rule reads of a whole window (bin, track)."""
    values = torch.as_tensor(np.asarray(array, dtype=np.float64))[None]
    found = []
    for starts, width in rule.bins(np.array([0]), values.shape[1], 1):
        cut = values[:, int(starts[0]) : int(starts[0]) + width]
        found.append(Values(cut, torch.ones(cut.shape[:2], dtype=torch.bool)))
    return found


def aligned(stored, name):
    """ALT on the coordinates of REF, for the variant as spelled."""
    chrom, position, ref, alt = json.loads(str(stored["variants"]))[name]
    variant = gk.Variant(chrom, position, ref, alt)
    window = Interval(chrom, START, START + LENGTH)
    edit = Edit.of(variant, window, lambda c, a, b: "A" * (b - a), ref_check="ignore", parity=True)
    return align(torch.from_numpy(stored["tracks_alt"]), edit.events, LENGTH).numpy()


def spans(mask):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return tuple((int(a), int(b)) for a, b in edges.reshape(-1, 2))


@pytest.mark.parametrize("variant", ["snv", "ins", "del"])
def test_genes(stored, variant):
    alt = aligned(stored, variant)
    rules = {"LFC": "diff_log_mean", "ACTIVE": "active_mean", "SPLICING": "max_abs_diff"}
    for name, aggregation in rules.items():
        expected = stored[f"gene|{variant}|GENE_MASK_{name}"]
        for gene in range(3):
            rule = MaskRule(spans(stored["gene_mask"][:, gene]), aggregation)
            got = rule.score(read(rule, stored["tracks_ref"]), read(rule, alt))[0]
            np.testing.assert_allclose(got, expected[gene], rtol=3e-5, atol=3e-6)


@pytest.mark.parametrize("variant", ["snv", "del"])
def test_polyadenylation(stored, variant):
    alt = aligned(stored, variant)
    for gene, ends in json.loads(str(stored["pas_ends"])).items():
        rule = PolyadenylationRule(tuple((end - 400, end) for end in ends))
        got = rule.score(read(rule, stored["tracks_ref"]), read(rule, alt))[0]
        np.testing.assert_allclose(got, stored[f"polya|{variant}"][int(gene)], rtol=2e-5, atol=2e-6)


def test_contact_maps(stored):
    scorer, total = ContactMapScorer(), stored["contact_ref"].shape[0]
    start = int(stored["contact_variant_position_1based"]) - 1 - int(stored["contact_interval"][0])
    (bins,) = scorer.bins(np.array([start]), total * 2048, 2048)
    column = int(bins.starts[0])
    assert (column, bins.width) == (int(stored["contact_bin"]), 1)
    inside = torch.ones(1, 1, dtype=torch.bool)
    ref, alt = (
        [Values(torch.from_numpy(stored[f"contact_{allele}"])[None, :, column : column + 1], inside)]
        for allele in ("ref", "alt")
    )
    np.testing.assert_allclose(scorer.score(ref, alt)[0], stored["contact|score"], rtol=1e-6)


def test_junctions(stored, tmp_path):
    genes = json.loads(str(stored["junction_genes"]))
    lines = []
    for gene in genes:
        names = f'gene_id "{gene["gene_id"]}"; gene_name "{gene["gene_name"]}"; gene_type "{gene["gene_type"]}";'
        place = f"{gene['Start'] + 1}\t{gene['End']}\t.\t{gene['Strand']}\t."
        lines.append(f"chr1\tmade\tgene\t{place}\t{names}")
        own = f'{names} transcript_id "{gene["gene_id"]}.t"; transcript_type "{gene["transcript_type"]}";'
        lines += [f"chr1\tmade\t{kind}\t{place}\t{own}" for kind in ("transcript", "exon")]
    (tmp_path / "genes.gtf").write_text("\n".join(lines) + "\n")
    (tmp_path / "genome.fa").write_text(">chr1\n" + "A" * 104_200 + "\n")
    genome = gk.Genome(tmp_path / "genome.fa", tmp_path / "genes.gtf", organism="worm")
    _, position, ref, _ = json.loads(str(stored["variants"]))["snv"]
    touched = Interval("chr1", position - 1, position - 1 + len(ref))
    place = Place("chr1", START, LENGTH, touched, genome, parity=True)

    sites = stored["junction_positions"]
    found = introns(sites)
    strand = np.where(found.forward, "+", "-").astype(object)
    table = pd.DataFrame({"start": found.start + START, "end": found.end + START, "strand": strand})
    counts = [pair_values(stored[f"junction_{allele}"], found) for allele in ("ref", "alt")]
    rows, raw, before, _ = SpliceJunctionScorer().choose(place, table, *counts)

    expected = json.loads(str(stored["junction|obs"]))
    got = [(r["gene_id"], r["junction_start"], r["junction_end"], r["junction_strand"]) for r in rows]
    wanted = [(r["gene_id"], int(r["junction_Start"]), int(r["junction_End"]), r["strand"]) for r in expected]
    np.testing.assert_array_equal(raw[[got.index(row) for row in wanted]], stored["junction|X"])
    assert sorted(got) == sorted(wanted)
    assert before.shape == raw.shape
