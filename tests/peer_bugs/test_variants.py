"""Bugs that peers had with variants and their scores; each test is named after one and says where it was."""

import numpy as np
import pandas as pd
import pytest
import torch
from narrow import narrow_checkpoint

import genomekit as gk
from genomekit.engine import one_hot
from genomekit.genome.presets import PRESETS
from genomekit.model import Model
from genomekit.scoring import RECOMMENDED, CenterMaskScorer, SpliceJunctionScorer
from genomekit.tracks import MODALITIES, published

POSITION = 3021
"""1-based; in the bodies of g1, g2 and g4."""
WINDOW = {"window": 2048, "organism": "worm"}


def window_of(scores):
    return gk.Interval.parse(scores.records["window"].iloc[0])


def predicted(model, letters, name, channels):
    return model.engine.predict(one_hot(letters), "worm", {name: np.array(channels)})[name].astype(np.float64)


def put(letters, position, base):
    return letters[: position - 1] + base + letters[position:]


def close(got, expected):
    """Full predictions come as float32, and differences of them keep what is left of it."""
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * max(1, np.nanmax(np.abs(expected))))


@pytest.mark.parametrize("strand", ["+", "-"])
def test_variant_on_a_minus_strand_interval_lands_on_the_right_base(model, letters, snv, strand):
    """google-deepmind/alphagenome_research commit f0f7eff."""
    for position in (2001, 2990, 4048):
        text = snv(position)
        tree = model.predict_variant(text, interval=f"chrA:2,000-4,048:{strand}", organism="worm")
        alt = put(letters, position, text[-1])[2000:4048]
        expected = model.predict_sequence(alt, interval=f"chrA:2,000-4,048:{strand}", organism="worm")
        for name in ("rna_seq", "dnase", "splice_sites", "chip_tf", "contact_maps"):
            close(tree[name]["signal"].sel(allele="alt").values, expected[name]["signal"].values)
    # DNase has no value in the first bin of a minus-strand reading.
    assert np.isnan(tree["dnase"]["signal"][:, 0]).all() == (strand == "-")


@pytest.mark.parametrize("resolution", [1, 128])
def test_center_mask_uses_the_0_based_position(model, letters, snv, resolution):
    """google-deepmind/alphagenome_research#20."""
    name, channels = {1: ("atac", [1, 2]), 128: ("chip_tf", [1, 2])}[resolution]
    scorer = CenterMaskScorer(name, 1, "diff_sum")
    scores = model.score_variant(snv(POSITION), scorers=scorer, **WINDOW)
    window = window_of(scores)
    offset = POSITION - 1 - window.start
    assert offset // 128 != (offset + 1) // 128  # counted from 1 it would be the next bin
    own = slice(window.start, window.end)
    ref, alt = (
        predicted(model, text[own], name, channels) for text in (letters, put(letters, POSITION, snv(POSITION)[-1]))
    )
    close(scores[scorer].X[0], (alt - ref)[offset // resolution])


def test_splicing_scorers_use_only_genes_whose_body_contains_the_variant(model, snv):
    """google-deepmind/alphagenome_research commit bddf51f, genomicsxai/alphagenome-pytorch#37."""
    scores = model.score_variant(
        snv(POSITION), scorers=["splice_sites", "splice_site_usage", "splice_junctions"], **WINDOW
    )
    genes = [set(table.obs["gene_id"]) for table in scores.values()]
    assert genes == [{"g1", "g2", "g4"}, {"g1", "g2", "g4"}, {"g1", "g2"}]  # g3 lies beside; junctions are of proteins
    # 3,399 is the last base of g1 and 3,400 the first past it (0-based).
    for position, expected in ((3400, {"g1", "g2"}), (3401, {"g2"})):
        found = model.score_variant(snv(position), scorers="splice_sites", **WINDOW)
        assert set(found["GeneMaskSplicingScorer(modality='splice_sites')"].obs["gene_id"]) == expected


@pytest.mark.parametrize("shift", [4, -5])
def test_alt_is_aligned_to_ref_before_junction_scoring_of_indels(model, letters, shift):
    """google-deepmind/alphagenome_research commit 58db264, genomicsxai/alphagenome-pytorch#37."""
    # A base that neither shift can move over: the variant has one spelling.
    anchor = next(i for i in range(2990, 3020) if letters[i] not in (letters[i + 5], "T"))
    ref, alt = (
        (letters[anchor], letters[anchor] + "GCAT") if shift > 0 else (letters[anchor : anchor + 6], letters[anchor])
    )
    scores = model.score_variant(f"chrA:{anchor + 1}:{ref}>{alt}", scorers=SpliceJunctionScorer(), **WINDOW)
    window, (table,) = window_of(scores), scores.values()
    changed = letters[:anchor] + alt + letters[anchor + len(ref) :]
    before, after = (base_embedding(model, text[window.start : window.end]) for text in (letters, changed))
    moved = 0
    for row in range(len(table)):
        start, end, strand = (table.obs[f"junction_{name}"].iloc[row] for name in ("start", "end", "strand"))
        sites = np.array([start - 1, end] if strand == "+" else [end, start - 1]) - window.start
        there = sites + shift * (sites > anchor - window.start)
        assert not ((sites >= anchor - window.start) & (sites < anchor + 6 - window.start)).any()
        np.testing.assert_allclose(table.layers["ref"][row], junction(model, before[sites], sites, strand), rtol=1e-5)
        np.testing.assert_allclose(table.layers["alt"][row], junction(model, after[there], sites, strand), rtol=1e-5)
        moved += (there != sites).any()
    assert moved >= 2


def base_embedding(model, letters):
    """The embedding that the junction head reads, by the plain network: (position, channel)."""
    network = model.engine.checkpoint.network.double().eval()
    with torch.no_grad():
        tokens, skips = network.encode(torch.from_numpy(one_hot(letters)).double()[None])
        organism = torch.tensor([0])
        return network.embed(network.trunk(tokens, organism), skips, organism, ["splice_junctions"]).base[0]


def junction(model, embeddings, sites, strand):
    """Counts of one pair by the plain head, from the embeddings of donor and acceptor: (tissue,)."""
    head = model.engine.checkpoint.network.heads["splice_junctions"]
    whole = torch.zeros(1, 2048, embeddings.shape[-1], dtype=torch.float64)
    whole[0, sites] = embeddings
    places = [*sites, -1, -1] if strand == "+" else [-1, -1, *sites]
    with torch.no_grad():
        counts = head(whole, torch.tensor([0]), torch.tensor(places)[None, :, None])["predictions"][0, 0, 0]
    return counts[[0, 1] if strand == "+" else [3, 4]].numpy()


def test_transcript_without_exons_in_a_gtf_does_not_crash(model, fasta, gtf, snv, tmp_path):
    """google-deepmind/alphagenome_research commit 717ac24."""
    place = 'chrA\tmade\t{}\t2901\t3300\t.\t+\t.\tgene_id "bare"; gene_name "bare"; gene_type "protein_coding";'
    lines = [place.format("gene"), place.format("transcript") + ' transcript_id "bare.1";', gtf.read_text()]
    (tmp_path / "genes.gtf").write_text("\n".join(lines))
    genome = gk.Genome(fasta, tmp_path / "genes.gtf", organism="worm")
    assert genome.transcripts(gene="bare")["num_exons"].tolist() == [0]
    scores = model.score_variant(
        snv(POSITION), genome=genome, scorers=["rna_seq", "splice_sites", "splice_junctions"], **WINDOW
    )
    exons, bodies, _ = scores.values()
    assert set(exons.obs["gene_id"]) == {"g1", "g2", "g3", "g4"}  # no exon, no expression
    assert "bare" in set(bodies.obs["gene_id"])


def test_equivalent_spellings_of_a_duplication_score_equal(model, letters):
    """broadinstitute/SpliceAI-lookup#67."""
    assert letters[3020:3032] == "GCACACACACAT"
    spellings = [
        "chrA:3021:G>GCA",
        "chrA:3031:A>ACA",
        "chrA 3023 . A ACA",
        "chrA:3022:CA>CACA",
        "chrA:g.3022_3023dup",
        "chrA:g.3030_3031dup",
        "chrA:g.3031_3032insCA",
        f"chrA:3019:{letters[3018:3022]}>{letters[3018:3021]}CAC",
    ]
    first, *others = (model.score_variant(text, scorers=None, **WINDOW) for text in spellings)
    assert max(np.nanmax(np.abs(table.X)) for table in first.values()) > 1e-4
    for other in others:
        assert list(other) == list(first)
        assert other.records["window"].tolist() == first.records["window"].tolist()
        for scorer, table in first.items():
            np.testing.assert_array_equal(other[scorer].X, table.X)
            rows = [one.obs.drop(columns="variant", errors="ignore").values.tolist() for one in (other[scorer], table)]
            assert rows[0] == rows[1]


def test_score_is_unchanged_by_the_display_window(model, snv):
    """pinellolab/chorus#94."""
    text, near = snv(POSITION), CenterMaskScorer("rna_seq", 501)
    names = ["rna_seq", "splice_sites", "splice_junctions", "contact_maps", near]
    alone = model.score_variant(text, scorers=names, **WINDOW)
    for flank in (0, 100, 1000):
        shown = f"chrA:{POSITION - 1 - flank}-{POSITION + flank}"
        tree = model.predict_variant(text, interval=shown, **WINDOW)
        assert tree["rna_seq"].sizes["position"] == 2 * flank + 1
        scores = model.score_variant(text, scorers=names, interval=shown, **WINDOW)
        for scorer, table in alone.items():
            np.testing.assert_array_equal(scores[scorer].X, table.X)
    # Nor by what is scored along with it.
    np.testing.assert_allclose(
        model.score_variant(text, scorers=near, **WINDOW)[near].X, alone[near].X, rtol=1e-9, atol=1e-12
    )


def test_all_11_modalities_and_every_gene_of_a_multi_gene_variant_are_present(fasta, gtf, snv):
    """mims-harvard/ToolUniverse#579."""
    sites = pd.DataFrame({"chrom": "chrA", "position": [3100, 3390], "strand": "+", "gene_id": "g1"})
    genome = gk.Genome(fasta, gtf, organism="human", polya=sites)
    model = Model(narrow_checkpoint(), device="cpu", genome=genome)
    text, options = snv(POSITION), {"organism": "human", "window": 2048}
    tree = model.predict_variant(text, interval="chrA:3,000-3,040", **options)
    assert set(tree.children) == set(MODALITIES)
    assert len(tree.children) == 11
    scores = model.score_variant(text, **options)
    assert set(scores) == {str(scorer) for scorer in RECOMMENDED.values()}
    assert {table.uns["modality"] for table in scores.values()} == set(MODALITIES)
    tracks = published("human")
    for scorer in RECOMMENDED.values():
        table = scores[str(scorer)]
        rows = tracks.select(modalities=[scorer.modality]).frame
        assert len(table.var) == (rows["name"].nunique() if scorer.modality == "splice_junctions" else len(rows))
    genes = {name: set(scores[str(RECOMMENDED[name])].obs["gene_id"]) for name in ("rna_seq", "splice_sites")}
    assert genes == {"rna_seq": {"g1", "g2", "g3", "g4"}, "splice_sites": {"g1", "g2", "g4"}}
    tidy = scores.to_frame()
    assert set(tidy["gene_id"].dropna()) >= {"g1", "g2", "g3", "g4"}


def test_mouse_junction_tracks_are_padded_to_the_human_width():
    """google-deepmind/alphagenome_research commits e88bbe0 and 595607a: 90 tissues of 367 on each strand."""
    model = Model(narrow_checkpoint(), device="cpu", precision="float64")
    text = "".join(np.random.default_rng(1).choice(list("ACGT"), 2048))
    node = model.predict_sequence(text, organism="mouse", modalities="splice_junctions")["splice_junctions"]
    mouse = published("mouse").select(modalities=["splice_junctions"]).frame
    assert mouse["channel"].tolist() == [*range(90), *range(367, 457)]
    assert node["name"].values.tolist() == mouse["name"].tolist()[:90]
    network = model.engine.checkpoint.network.double().eval()
    with torch.no_grad():
        organism = torch.tensor([model.organisms.index("mouse")])
        out = network(torch.from_numpy(one_hot(text)).double()[None], organism)["splice_junctions"]
    sites, counts = out["sites"][0].numpy(), out["predictions"][0].numpy()
    assert set(node["strand"].values) == {"+", "-"}
    for number, strand in enumerate(node["strand"].values):
        kinds, first = ((0, 1), 0) if strand == "+" else ((2, 3), 367)
        start, end = int(node["start"][number]), int(node["end"][number])
        places = (start - 1, end) if strand == "+" else (end, start - 1)
        donor, acceptor = (sites[kind].tolist().index(place) for kind, place in zip(kinds, places, strict=True))
        close(node["signal"].values[number], counts[donor, acceptor, first : first + 90])


def test_mouse_splice_sites_use_gencode_vm23():
    """google-deepmind/alphagenome_research commit e88bbe0."""
    assert "gencode.vM23." in str(PRESETS["mm10"])
    assert "gencode.v46." in str(PRESETS["hg38"])
