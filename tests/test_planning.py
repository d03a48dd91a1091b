import numpy as np
import pandas as pd
import pytest

import genomekit as gk
from genomekit.engine.plan import Speed, parse_bytes
from genomekit.errors import OutOfMemory
from genomekit.model import Model

LETTERS = "".join(np.random.default_rng(2).choice(list("ACGT"), 8192))


@pytest.fixture
def genome(tmp_path):
    (tmp_path / "genome.fa").write_text(f">chrA\n{LETTERS}\n")
    return gk.Genome(tmp_path / "genome.fa", organism="worm")


def test_a_plan_says_what_the_call_does(tiny_model, genome):
    plan = tiny_model.plan(
        tiny_model.predict_interval, "chrA:1,000-1,100", genome=genome, modalities=["atac", "chip_tf"]
    )
    assert (plan.call, plan.device, plan.dtype, plan.window) == ("predict_interval", "cpu", "float32", 2048)
    assert dict(plan.tracks) == {"atac": 2, "chip_tf": 2}
    assert plan.passes == 1
    assert plan.result_bytes == 100 * 2 * 4 + 2 * 2 * 4  # the interval touches two bins of 128 bp
    assert plan.fits
    assert plan.seconds > 0
    assert "predict_interval: 1 window of 2,048 bp on cpu in float32; tracks: atac (2), chip_tf (2)" in str(plan)
    assert str(plan).split(";")[0] in plan._repr_html_()


def test_every_verb_has_one_by_name_or_as_it_is(tiny_model, genome):
    tiny_model.genome = genome
    many = tiny_model.plan("predict_intervals", ["chrA:10-20", "chrA:0-4,096"], modalities="atac", average_strands=True)
    assert (many.passes, many.window) == (4, 4096)
    assert tiny_model.plan("predict_sequence", LETTERS[:2048], organism="worm", modalities="atac").window == 2048
    scan = tiny_model.plan(tiny_model.ism, "chrA:100-110", modalities="atac")
    assert (scan.passes, scan.unit, scan.result_bytes) == (30, "substitution", 10 * 4 * 2 * 4)
    assert tiny_model.plan("ism", "chrA:100-110", modalities="atac", method="hybrid").seconds < scan.seconds


def test_two_alleles_are_two_passes_and_junctions_two_more_where_memory_is_short(tiny_model, genome, monkeypatch):
    tiny_model.genome = genome
    letter = LETTERS[3999]
    variant = f"chrA:4000:{letter}>{'A' if letter != 'A' else 'C'}"
    plan = tiny_model.plan(tiny_model.predict_variant, variant, modalities="atac", interval="chrA:3,990-4,010")
    assert (plan.call, plan.passes, plan.window, plan.result_bytes) == ("predict_variant", 2, 2048, 2 * 20 * 2 * 4)
    both = ["atac", "splice_junctions"]
    plan = tiny_model.plan("predict_haplotype", [variant], modalities=both, average_strands=True)
    assert plan.passes == 4
    # Each is held for its junctions, unless there is memory for no more than one pass.
    monkeypatch.setattr(tiny_model.engine, "memory_budget", plan.bytes)
    assert tiny_model.plan("predict_haplotype", [variant], modalities=both, average_strands=True).passes == 8
    with pytest.raises(ValueError, match="not understood"):
        tiny_model.plan("predict_variant", "chrA", modalities="atac")


def test_a_plan_refuses_what_the_call_refuses(tiny_model, genome):
    with pytest.raises(ValueError, match="Unknown verb 'predict'"):
        tiny_model.plan("predict", "chrA:10-20")
    with pytest.raises(ValueError, match="no cage tracks here"):
        tiny_model.plan("predict_interval", "chrA:10-20", genome=genome, modalities="cage")
    with pytest.raises(ValueError, match="one argument by position, and 2 came"):
        tiny_model.plan("ism", "chrA:10-20", genome, modalities="atac")


def test_a_small_budget_recomputes_and_changes_no_number(tiny_checkpoint):
    options = {"organism": "worm", "modalities": ["atac", "chip_tf", "contact_maps"]}
    whole = Model(tiny_checkpoint, device="cpu", precision="float64")
    plan = whole.plan("predict_sequence", LETTERS, **options)
    less = whole.engine.cost(8192, {"atac": np.arange(2)}, {})[0].bytes
    budget = min(plan.bytes, less) - 1
    tight = Model(tiny_checkpoint, device="cpu", precision="float64", memory_budget=budget)
    planned = tight.plan("predict_sequence", LETTERS, **options)
    assert plan.recomputed == 0
    assert planned.recomputed > 0
    assert planned.fits
    a, b = (model.predict_sequence(LETTERS, **options) for model in (whole, tight))
    for name, node in a.children.items():
        np.testing.assert_allclose(b[name].signal, node.signal, rtol=1e-6, atol=1e-9)


def test_a_call_past_the_budget_is_refused_with_cheaper_ones(tiny_checkpoint):
    model = Model(tiny_checkpoint, device="cpu", memory_budget="10 kB")
    with pytest.raises(OutOfMemory, match=r"10 kB may be used.*\(1\) a larger memory_budget; \(2\) .*; \(3\) "):
        model.predict_sequence(LETTERS, organism="worm", modalities=["atac", "chip_tf"])
    plan = model.plan("predict_sequence", LETTERS, organism="worm", modalities="atac")
    assert not plan.fits
    assert "but only 10 kB allowed" in str(plan)


@pytest.mark.parametrize("amount", ["8 apples", 0, -1, True, "", "8 xb"])
def test_a_budget_that_is_no_amount_is_refused(amount):
    with pytest.raises(ValueError, match="memory_budget="):
        parse_bytes(amount)


def test_speed_is_learnt_from_what_was_run():
    import torch

    speed = Speed(torch.device("cpu"), torch.float32, 16)
    assert speed.flops_per_second > 0
    speed.saw(1e9, 2.0)
    assert speed.flops_per_second == 5e8
    speed.saw(1e9, 0.001)  # too short to say anything
    assert speed.flops_per_second == 5e8


def snv(position):
    ref = LETTERS[position - 1]
    return f"chrA:{position}:{ref}>{'A' if ref != 'A' else 'C'}"


def test_scoring_has_a_plan_too(tiny_model, genome):
    tiny_model.genome = genome
    plan = tiny_model.plan(tiny_model.score_variant, snv(4000), scorers=["atac", "chip_tf"])
    assert (plan.call, plan.passes, plan.unit, plan.window) == ("score_variant", 1, "variant", 2048)
    assert dict(plan.tracks) == {"atac": 2, "chip_tf": 2}
    assert plan.result_bytes == 2 * 2 * 3 * 4  # two scorers, two tracks, score and both levels, four bytes
    assert "score_variant: 1 variant in a window of 2,048 bp on cpu" in str(plan)
    scores = tiny_model.score_variant(snv(4000), scorers=["atac", "chip_tf"])
    assert plan.result_bytes == sum(4 * t.n_obs * t.n_vars * (1 + len(t.layers)) for t in scores.values())

    longer = tiny_model.plan("score_variant", snv(4000), scorers="atac", window=8192)
    assert longer.bytes > tiny_model.plan("score_variant", snv(4000), scorers="atac").bytes
    two = tiny_model.plan("score_variant", [snv(4000), snv(4100)], scorers="atac")
    assert (two.passes, two.unit) == (1, "haplotype")
    level = tiny_model.plan("score_interval", "chrA:3,000-3,100", scorers="atac")
    assert (level.passes, level.unit) == (1, "interval")
    assert level.seconds < tiny_model.plan("score_variant", snv(3050), scorers="atac").seconds  # one allele


def test_many_variants_have_one_plan(tiny_model, genome, tmp_path):
    tiny_model.genome = genome
    source = [snv(position) for position in range(3000, 3100)]
    plan = tiny_model.plan("score_variants", source, scorers="atac", shard_size=10)
    one = tiny_model.plan("score_variant", source[0], scorers="atac")
    assert (plan.passes, plan.bytes, plan.result_bytes) == (100, one.bytes, 100 * one.result_bytes)
    flops = 100 * one.seconds  # beside them a plan of many has the time to lay each over its window
    assert flops * 0.98 < plan.seconds < flops * 1.02 + 100 * 0.1
    tiny_model.plan("score_variants", source, scorers="atac", out=tmp_path / "s", shard_size=10)
    assert "score_variants: 100 variants in windows of 2,048 bp" in str(plan)
    assert not (tmp_path / "s").exists()
    # Those that cannot be scored take nothing; neighbours share a window.
    assert tiny_model.plan("score_variants", [*source, "chrA:nowhere"], scorers="atac").passes == 100
    assert tiny_model.plan("score_variants", source, scorers="atac", step=1000).seconds < plan.seconds
    # The longest decides memory and window, wherever it comes in.
    long = f"chrA:1000:{LETTERS[999:4999]}>{LETTERS[999]}"
    some = [*source[:60], long, *source[60:]]
    mixed = tiny_model.plan("score_variants", some, scorers="atac")
    assert mixed.bytes == tiny_model.plan("score_variant", long, scorers="atac").bytes > plan.bytes
    assert mixed.window > 2048
    assert f"101 variants in windows of up to {mixed.window:,} bp" in str(mixed)
    table = pd.DataFrame({"chrom": "chrA", "position": [3000], "ref": LETTERS[2999], "alt": "N"})
    assert tiny_model.plan("score_variants", table, scorers="atac").passes == 1
    with pytest.raises(ValueError, match="None of the variants can be scored: Variant 'chrA:nowhere' is not underst"):
        tiny_model.plan("score_variants", ["chrA:nowhere"], scorers="atac")


def test_a_scoring_job_that_cannot_fit_says_so_before_it_begins(tiny_checkpoint, genome, tmp_path):
    model = Model(tiny_checkpoint, device="cpu", memory_budget="10 kB", genome=genome)
    told = r"10 kB may be used.*\(1\) a larger memory_budget"
    with pytest.raises(OutOfMemory, match=told):
        model.score_variants(["nothing", snv(3000)], scorers="atac", out=tmp_path / "s", progress=False)
    assert not (tmp_path / "s").exists()
    with pytest.raises(OutOfMemory, match=told):
        model.score_variant(snv(3000), scorers="atac")
    with pytest.raises(OutOfMemory, match=told):
        model.score_interval("chrA:3,000-3,100", scorers="atac")
    assert not model.plan("score_variants", [snv(3000)], scorers="atac").fits


def test_one_variant_that_does_not_fit_does_not_stop_the_rest(tiny_checkpoint, genome):
    whole = Model(tiny_checkpoint, device="cpu", genome=genome)
    long = f"chrA:1000:{LETTERS[999:6999]}>{LETTERS[999]}"
    some, more = (whole.plan("score_variant", one, scorers="chip_tf") for one in (snv(3000), long))
    assert some.bytes < more.bytes
    model = Model(tiny_checkpoint, device="cpu", genome=genome, memory_budget=(some.bytes + more.bytes) // 2)
    records = model.score_variants([long, snv(3000), snv(5000)], scorers="chip_tf", progress=False).records
    assert records["status"].tolist() == ["failed", "ok", "ok"]
    assert "may be used" in records["reason"][0]


def test_memory_that_is_short_today_is_no_fault_of_a_record(tiny_checkpoint, genome, monkeypatch, tmp_path):
    model = Model(tiny_checkpoint, device="cpu", genome=genome)
    plain = model.engine.require

    def short(cost, length, names):
        if (tmp_path / "s").exists() and not (tmp_path / "more").exists():
            raise OutOfMemory("less is free than before")
        plain(cost, length, names)

    monkeypatch.setattr(model.engine, "require", short)
    call = {"scorers": "atac", "out": tmp_path / "s", "progress": False}
    with pytest.raises(OutOfMemory, match="less is free"):
        model.score_variants([snv(3000), snv(5000)], **call)
    (tmp_path / "more").touch()
    assert model.score_variants([snv(3000), snv(5000)], **call).records["status"].tolist() == ["ok", "ok"]


def test_a_plan_of_scoring_refuses_what_the_call_refuses(tiny_model, genome):
    tiny_model.genome = genome
    for options, words in (
        ({"on_error": "nonsense"}, "Unknown on_error 'nonsense'"),
        ({"shard_size": -1}, "shard_size=-1"),
        ({"ref_check": "nonsense"}, "Unknown ref_check 'nonsense'"),
        ({"scorer": "atac"}, "Unknown option of score_variants 'scorer'. Did you mean 'scorers'"),
    ):
        with pytest.raises(ValueError, match=words):
            tiny_model.plan("score_variants", [snv(3000)], **{"scorers": "atac", **options})
    with pytest.raises(ValueError, match="Unknown option of score_interval 'parity'"):
        tiny_model.plan("score_interval", "chrA:10-20", parity=True)
    with pytest.raises(ValueError, match="An iterator came"):
        tiny_model.plan("score_variants", iter([snv(3000)]), scorers="atac")
