"""Mutagenesis against a loop of full predictions."""

import numpy as np
import pytest
import torch
import xarray as xr

import genomekit as gk
from genomekit.engine import one_hot
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.ism import partial, verb
from genomekit.model import Model
from genomekit.scoring import CenterMaskScorer, GeneMaskScorer, SpliceJunctionScorer

CLOSE = 2e-6  # full predictions come as float32
LENGTH = 6000
LETTERS = "".join(np.random.default_rng(11).choice(list("ACGT"), LENGTH))
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def genome(tmp_path):
    letters = LETTERS[:3000] + "NN" + LETTERS[3002:]
    (tmp_path / "genome.fa").write_text(f">chrA\n{letters}\n>chrB\nACGTACGT\n")
    return gk.Genome(tmp_path / "genome.fa", organism="worm")


@pytest.fixture
def model(tiny_checkpoint, genome, tmp_path, monkeypatch):
    monkeypatch.setenv("GENOMEKIT_CACHE", str(tmp_path / "cache"))
    return Model(tiny_checkpoint, device="cpu", precision="float64", genome=genome)


def window_letters(start):
    """Letters of a 2,048 bp window, N past the ends."""
    padded = "N" * 2048 + LETTERS[:3000] + "NN" + LETTERS[3002:] + "N" * 2048
    return padded[start + 2048 : start + 4096]


def predicted(model, letters, modality, channels, minus=False):
    """A full prediction of a window, in plus-strand order; the channels are those that are read."""
    letters = letters.translate(COMPLEMENT)[::-1] if minus else letters
    values = model.engine.predict(one_hot(letters), "worm", {modality: np.array(channels)})[modality]
    return values[::-1].astype(np.float64) if minus else values.astype(np.float64)


def loop(model, window, positions, modality, channels, score, minus=False):
    """Effects by definition: predict, put the letter in, predict again, score."""
    letters = window_letters(window)
    ref = predicted(model, letters, modality, channels, minus)
    effects = np.zeros((len(positions), 4, len(channels)))
    for row, position in enumerate(positions):
        offset = position - window
        for base, letter in enumerate("ACGT"):
            if letter != letters[offset]:
                changed = letters[:offset] + letter + letters[offset + 1 :]
                effects[row, base] = score(ref, predicted(model, changed, modality, channels, minus), offset)
    return effects


def mean_around(width, resolution=1):
    def score(ref, alt, offset):
        count = -(-width // resolution)
        first = offset // resolution - count // 2
        kept = slice(max(first, 0), first + count)
        return alt[kept].mean(0) - ref[kept].mean(0)

    return score


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=0, atol=CLOSE * max(1, np.abs(expected).max()))


def test_effects_are_those_of_full_predictions(model):
    result = model.ism("chrA:2,010-2,014", scorer=CenterMaskScorer("rna_seq", 101, "diff_mean"), window=2048, verify=2)
    expected = loop(model, 988, range(2010, 2014), "rna_seq", [0, 1, 2, 3], mean_around(101))
    close(result.effect, expected)
    assert result.effect.dims == ("position", "base", "track")
    assert result["track"].values.tolist() == ["egg x +", "gut x +", "egg x -", "gut x -"]
    assert result["ref_base"].values.tolist() == list(LETTERS[2010:2014])
    assert result["position"].values.tolist() == [2010, 2011, 2012, 2013]
    at_reference = result.effect.sel(base=result["ref_base"])
    assert (at_reference == 0).all()
    assert result.attrs["verify_max_error"] < 1e-9
    assert result.attrs["window"] == "chrA:988-3036"
    level = predicted(model, window_letters(988), "rna_seq", [0, 1, 2, 3])[1024 - 50 : 1024 + 51].mean(0)
    np.testing.assert_allclose(result.reference, level, rtol=1e-6)


def test_the_minus_strand_reads_the_reverse_complement(model):
    scorers = [CenterMaskScorer(name, 100, "diff_mean") for name in ("rna_seq", "dnase", "chip_tf")]
    result = model.ism("chrA:2,010-2,012:-", scorer=scorers, window=2048, verify=1)
    parts = {name: result.gk.tracks(modalities=name).effect for name in ("rna_seq", "dnase", "chip_tf")}
    # On the other strand "egg x +" is read from the channel of "egg x -".
    close(parts["rna_seq"], loop(model, 987, [2010, 2011], "rna_seq", [2, 3, 0, 1], mean_around(100), minus=True))
    close(parts["chip_tf"], loop(model, 987, [2010, 2011], "chip_tf", [1, 2], mean_around(100, 128), minus=True))

    def shifted(ref, alt, offset):  # DNase lies one bin later when it is read from the other strand
        return mean_around(100)(np.roll(ref, 1, axis=0), np.roll(alt, 1, axis=0), offset)

    close(parts["dnase"], loop(model, 987, [2010, 2011], "dnase", [1, 2], shifted, minus=True))
    assert result["ref_base"].values.tolist() == list(LETTERS[2010:2012])


def test_at_the_start_of_a_chromosome_the_mask_is_cut(model):
    result = model.ism("chrA:0-2", scorer=CenterMaskScorer("atac", 2001, "diff_mean"), window=2048)
    expected = loop(model, -1023, [0, 1], "atac", [1, 2], mean_around(2001))
    close(result.effect, expected)


@pytest.mark.parametrize(
    ("spelled", "changed"),
    [
        (f"chrA:2006:{LETTERS[2005]}>{'A' if LETTERS[2005] != 'A' else 'C'}", "snv"),
        (f"chrA:2006:{LETTERS[2005:2009]}>{LETTERS[2005]}", "deletion"),
        (f"chrA:2006:{LETTERS[2005]}>{LETTERS[2005]}GGATC", "insertion"),
    ],
)
def test_a_variant_stays_in_the_sequence(model, spelled, changed):
    variant = gk.Variant.parse(spelled)
    result = model.ism(
        "chrA:2,010-2,012", variant=spelled, scorer=CenterMaskScorer("atac", 101, "diff_mean"), window=2048
    )
    shift = len(variant.alt) - len(variant.ref)
    more = window_letters(987) + LETTERS[3035:3045]
    haplotype = (more[: 2005 - 987] + variant.alt + more[2005 - 987 + len(variant.ref) :])[:2048]
    ref = predicted(model, haplotype, "atac", [1, 2])
    for row, position in enumerate((2010, 2011)):
        offset = position - 987 + shift
        assert haplotype[offset] == LETTERS[position] == result["ref_base"].values[row]
        letter = "A" if LETTERS[position] != "A" else "C"
        alt = predicted(model, haplotype[:offset] + letter + haplotype[offset + 1 :], "atac", [1, 2])
        close(result.effect[row].sel(base=letter), mean_around(101)(ref, alt, offset))
    assert result.attrs["variant"] == str(variant)


def test_deleted_positions_are_nan(model):
    with pytest.warns(GenomekitWarning, match="3 positions"):
        result = model.ism("chrA:2,004-2,010", variant=f"chrA:2006:{LETTERS[2005:2009]}>{LETTERS[2005]}", window=2048,
                           modalities="atac")  # fmt: skip
    assert np.isnan(result.effect).all(("base", "track")).values.tolist() == [False] * 2 + [True] * 3 + [False]


def test_a_variant_that_does_not_fit_is_refused(model):
    wrong = "A" if LETTERS[2005] != "A" else "C"
    with pytest.raises(ReferenceMismatch, match=f"says the reference is '{wrong}'"):
        model.ism("chrA:2,010-2,012", variant=f"chrA:2006:{wrong}>T", modalities="atac", window=2048)
    with pytest.raises(ValueError, match="changes nothing in the window"):
        model.ism("chrA:2,010-2,012", variant=f"chrA:6:{LETTERS[5]}>", modalities="atac", window=2048)


def test_an_interrupted_job_goes_on_where_it_stopped(model, monkeypatch):
    options = {"modalities": "atac", "window": 2048}
    whole = model.ism("chrA:2,010-2,050", **options)
    monkeypatch.setattr(partial, "EVERY", 0.0)
    done = []
    effects = verb.Exact.effects

    def interrupted(self, offsets, bases):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(offsets))
        return effects(self, offsets, bases)

    monkeypatch.setattr(verb.Exact, "effects", interrupted)
    with pytest.raises(KeyboardInterrupt) as stopped:
        model.ism("chrA:2,010-2,050", **options)
    assert "64 of 120 effects are kept" in stopped.value.__notes__[0]
    done.clear()
    monkeypatch.setattr(verb.Exact, "effects", lambda *args: done.append(len(args[1])) or effects(*args))
    result = model.ism("chrA:2,010-2,050", **options)
    assert sum(done) == 120 - 64
    assert result.attrs["resumed_effects"] == 64
    np.testing.assert_array_equal(result.effect, whole.effect)
    done.clear()
    model.ism("chrA:2,010-2,050", **options)  # nothing of a finished job is left behind
    assert sum(done) == 120


def test_a_damaged_part_is_computed_again(model, monkeypatch, tmp_path):
    monkeypatch.setattr(partial, "EVERY", 0.0)
    monkeypatch.setattr(partial.Partial, "finish", lambda self: None)
    options = {"modalities": "atac", "window": 2048}
    whole = model.ism("chrA:2,010-2,030", **options)
    parts = sorted((tmp_path / "cache" / "ism").glob("*/*.npz"))
    assert len(parts) == 2
    parts[0].write_bytes(parts[0].read_bytes()[:100])
    result = model.ism("chrA:2,010-2,030", **options)
    assert result.attrs["resumed_effects"] == 60 - 32
    np.testing.assert_array_equal(result.effect, whole.effect)


def test_a_cache_that_cannot_be_written_only_warns(model, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENOMEKIT_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(partial, "EVERY", 0.0)
    with pytest.warns(GenomekitWarning, match="cannot be kept"):
        result = model.ism("chrA:2,010-2,030", modalities="atac", window=2048)
    assert np.isfinite(result.effect).all()


# --- first order ----------------------------------------------------------------------------------------------------


def gradient_of_plain(model, score):
    """Gradient of a score of the plain network at the letters, and at tokens and skips."""
    network = model.engine.checkpoint.network.double().eval()
    dna = torch.from_numpy(one_hot(window_letters(988))).double()[None].requires_grad_()
    organism = torch.tensor([0])
    encoded = network.encode(dna)
    # Leaves, so that a skip's gradient is not also that of the levels above it.
    tokens, *skips = (x.detach().requires_grad_() for x in (encoded.tokens, *encoded.skips))
    trunk = network.trunk(tokens, organism)
    embeddings = network.embed(trunk, skips, organism, ["atac"])
    kept = {"atac": torch.tensor([1])}  # channel 0 is padding
    out = network.read(embeddings, organism, ["atac"], channels=kept)["atac"]["predictions_1bp"][0, :, 0]
    at = torch.autograd.grad(score(out), [tokens, *skips])
    at_letters = torch.autograd.grad((encoded.tokens, *encoded.skips), dna, at)
    return network, dna.detach(), (tokens, *skips), (*at_letters, *at)


def test_taylor_and_hybrid_are_the_gradients_of_the_plain_network(model):
    options = {"scorer": CenterMaskScorer("atac", 101, "diff_log2_sum"), "window": 2048, "tracks": "egg a"}
    taylor = model.ism("chrA:2,010-2,014", method="taylor", **options)
    hybrid = model.ism("chrA:2,010-2,014", method="hybrid", **options)
    # The mask stays in the middle of the interval: offset 1024 of the window.
    network, dna, activations, gradients = gradient_of_plain(
        model, lambda out: torch.log2(1 + out[1024 - 50 : 1024 + 51].sum())
    )
    for row in range(4):
        offset = 2010 + row - 988
        at_letter = gradients[0][0, offset]
        close(taylor.effect[row, :, 0], (at_letter - at_letter @ dna[0, offset]).numpy())
        for base in range(4):
            changed = dna.clone()
            changed[0, offset] = torch.eye(4, dtype=torch.float64)[base]
            with torch.no_grad():
                tokens, skips = network.encode(changed)
            change = sum(
                ((new - old) * g).sum()
                for new, old, g in zip((tokens, *skips), activations, gradients[1:], strict=True)
            )
            close(hybrid.effect[row, base, 0], change.item())
    assert hybrid.attrs["mask"] == "interval"
    assert not hybrid["exact"].any()


@pytest.mark.parametrize("strand", ["", ":-"])
def test_refining_computes_the_largest_exactly(model, strand):
    options = {"scorer": CenterMaskScorer("rna_seq", 101, "diff_mean"), "window": 2048}
    place = f"chrA:2,010-2,020{strand}"
    exact = model.ism(place, mask="interval", **options)
    rough = model.ism(place, method="hybrid", **options)
    refined = model.ism(place, method="hybrid", refine=7, **options)
    assert int(refined["exact"].sum()) == refined.attrs["refined"] == 7
    there = refined["exact"].values
    close(refined.effect.values[there], exact.effect.values[there])
    np.testing.assert_array_equal(refined.effect.values[~there], rough.effect.values[~there])
    largest = np.abs(rough.effect.values).max(-1)
    assert largest[there].min() >= largest[~there].max()
    expected = np.corrcoef(rough.effect.values[there].ravel(), exact.effect.values[there].ravel())[0, 1]
    assert refined.attrs["refined_pearson"] == pytest.approx(expected, abs=1e-6)
    close(refined.reference, exact.reference)


# --- refusals and the shape of results ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"method": "fast"}, "Unknown method 'fast'"),
        ({"refine": 3}, "refine=3 and verify=0 came with method='exact'"),
        ({"method": "hybrid", "mask": "variant", "modalities": "atac"}, "mask='variant' needs method='exact'"),
        ({"mask": "gene"}, "Unknown mask 'gene'"),
        ({"method": "hybrid", "scorer": CenterMaskScorer("atac", 501, "l2_diff")}, "has no gradient where ALT is REF"),
        ({"scorer": CenterMaskScorer("cage")}, "no cage tracks here"),
        ({"modalities": "contact_maps"}, "'contact_maps' has no centre-mask scorer"),
        ({"modalities": ["atac", "dnase"], "scorer": CenterMaskScorer("atac")}, "dnase came without a scorer"),
        ({"scorer": [CenterMaskScorer("atac"), CenterMaskScorer("atac")]}, "came twice"),
    ],
)
def test_bad_calls_are_refused_before_anything_runs(model, monkeypatch, options, text):
    monkeypatch.setattr(model.engine, "reference", lambda *args: pytest.fail("something ran"))
    with pytest.raises(ValueError, match=text):
        model.ism("chrA:2,010-2,014", window=2048, **options)


def test_everything_that_can_be_scored_is(model):
    with pytest.warns(GenomekitWarning, match="no centre-mask scorer for contact_maps, splice_junctions"):
        result = model.ism("chrA:2,010-2,011", window=2048)
    modalities = list(dict.fromkeys(result["modality"].values))
    assert set(modalities) == {"rna_seq", "splice_site_usage", "atac", "dnase", "chip_tf", "splice_sites"}
    assert len(set(result["track"].values)) == result.sizes["track"]
    usage = result.gk.tracks(modalities="splice_site_usage")
    assert set(usage["scorer"].values) == {
        "CenterMaskScorer(modality='splice_site_usage', width=501, aggregation='max_abs_diff')"
    }


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_a_result_is_saved_and_read_back(model, tmp_path, ending):
    result = model.ism("chrA:2,010-2,014", modalities=["atac", "chip_tf"], window=2048)
    path = result.gk.save(tmp_path / f"result.{ending}")
    (node,) = gk.open(path).children.values()
    xr.testing.assert_identical(node.to_dataset(), result)


def test_one_gene_is_scored_over_its_exons_and_junctions_are_refused(model, tmp_path, genome):
    names = 'gene_id "g1"; gene_name "g1"; gene_biotype "protein_coding"; transcript_id "g1.1";'
    exons = [(1900, 1960), (2040, 2100)]
    rows = [("gene", 1900, 2100), ("transcript", 1900, 2100), *(("exon", a, b) for a, b in exons)]
    lines = [f"chrA\tmade\t{kind}\t{a + 1}\t{b}\t.\t+\t.\t{names}" for kind, a, b in rows]
    (tmp_path / "genes.gtf").write_text("\n".join(lines) + "\n")
    annotated = gk.Genome(genome.fasta.path, tmp_path / "genes.gtf", organism="worm")
    scorer = GeneMaskScorer("rna_seq", gene="g1")
    options = {"genome": annotated, "window": 2048, "verify": 1}
    result = model.ism("chrA:2,010-2,012", scorer=scorer, **options)

    def over_exons(ref, alt, offset):
        rows = np.concatenate([np.arange(a, b) for a, b in exons]) - 987
        return alt[rows].mean(0) - ref[rows].mean(0)

    assert result["strand"].values.tolist() == ["+", "+"]  # tracks of the other strand say nothing of the gene
    close(result.effect, loop(model, 987, range(2010, 2012), "rna_seq", [0, 1], over_exons))
    hybrid = model.ism("chrA:2,010-2,012", scorer=scorer, method="hybrid", refine=6, **options)
    close(hybrid.effect, result.effect.values)
    with pytest.raises(ValueError, match="mutagenesis has no such scorer"):
        model.ism("chrA:2,010-2,012", scorer=SpliceJunctionScorer(), **options)
    with pytest.raises(ValueError, match="gives 0 rows here"):
        model.ism("chrA:3,500-3,502", scorer=GeneMaskScorer("rna_seq", mask="body"), **options)
