"""Bugs that peers had with what a call leaves behind, and with devices; each test is named after one."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from genomekit.engine.readout import Reader
from genomekit.model import Model
from genomekit.nn.splice import JunctionHead
from genomekit.scoring import CenterMaskScorer

SCORER = CenterMaskScorer("rna_seq", 101)
VERBS = {
    "predict_interval": lambda model, snv: model.predict_interval("chrA:3,000-3,040", window=2048),
    "predict_variant": lambda model, snv: model.predict_variant(snv(3021), window=2048),
    "score_variant": lambda model, snv: model.score_variant(snv(3021), window=2048),
    "ism": lambda model, snv: model.ism("chrA:3,008-3,010", scorer=SCORER, window=2048),
    "hybrid": lambda model, snv: model.ism("chrA:3,008-3,010", scorer=SCORER, window=2048, method="hybrid"),
}


def hooks(network):
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    return [len(getattr(module, name)) for module in network.modules() for name in names]


@pytest.mark.parametrize("verb", VERBS)
def test_training_mode_and_hooks_are_restored_after_an_exception(tiny_checkpoint, genome, snv, monkeypatch, verb):
    """tangermeme release notes 1.2.0."""
    network = tiny_checkpoint.network.train()
    network.tower.eval()
    network.encoder.requires_grad_(False)
    network.register_forward_hook(lambda *args: None)

    def state():
        trained = [(parameter.requires_grad, parameter.grad is None) for parameter in network.parameters()]
        modes = [module.training for module in network.modules()]
        return modes, trained, hooks(network), torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    before, random = state(), torch.random.get_rng_state()
    model = Model(tiny_checkpoint, device="cpu", genome=genome)

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            VERBS[verb](model, snv)
    assert state() == before
    VERBS[verb](model, snv)  # and after a call that ends well
    assert state() == before
    assert torch.equal(torch.random.get_rng_state(), random)


@pytest.mark.parametrize("verb", VERBS)
def test_second_call_holds_no_more_tensors_than_the_first(model, snv, verb):
    """lucidrains/enformer-pytorch#47."""

    def held():
        gc.collect()
        return sum(1 for thing in gc.get_objects() if type(thing) is torch.Tensor)

    VERBS[verb](model, snv)
    first = held()
    VERBS[verb](model, snv)
    assert held() == first


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's count of resident memory")
@pytest.mark.parametrize("verb", ["predict", "score", "ism"])
def test_peak_memory_of_call_2_equals_that_of_call_1(verb):
    """lucidrains/enformer-pytorch#47."""
    script = Path(__file__).with_name("measure_calls.py")
    # Every large array comes from the system and goes back to it, or the gaps between them make the peak a lottery.
    plain = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    environment = os.environ | plain
    done = subprocess.run([sys.executable, script, verb], capture_output=True, text=True, check=True, env=environment)
    first, *later = map(int, done.stdout.split())
    assert len(later) == 2
    assert max(later) < 1.02 * first


@pytest.mark.parametrize("position", [1, 3021, 6000])
def test_scores_are_finite_at_every_place(model, genome, snv, position):
    """Illumina/SpliceAI#99: NaN from some devices. NaN stands only for tracks of the other strand of a gene."""
    for table in model.score_variant(snv(position), window=2048, scorers=None).values():
        strands = table.var["strand"].to_numpy()
        genes = table.obs.get("gene_strand", ".")
        other = (
            (np.asarray(genes).reshape(-1, 1) != strands) & (strands != ".") & (np.asarray(genes) != ".").reshape(-1, 1)
        )
        np.testing.assert_array_equal(np.isnan(table.X), np.broadcast_to(other, table.shape))


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_cpu_and_gpu_agree_and_neither_gives_nan(tiny_checkpoint, genome, snv, precision):
    """Illumina/SpliceAI#99."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    cpu = Model(tiny_checkpoint, device="cpu", precision="float32", genome=genome)
    gpu = Model(tiny_checkpoint, device="cuda", precision=precision, genome=genome)
    tolerance = 1e-3 if precision == "float32" else 0.2
    expected, got = (VERBS["predict_variant"](model, snv) for model in (cpu, gpu))
    for name in set(expected.children) - {"splice_junctions"}:  # a rounding may choose other sites
        there, here = expected[name]["signal"].values, got[name]["signal"].values
        assert np.isfinite(here).all() == np.isfinite(there).all()
        assert np.nanmax(np.abs(here - there)) < tolerance * np.nanmax(np.abs(there))
    levels = {scorer: table.layers["ref"] for scorer, table in VERBS["score_variant"](cpu, snv).items()}
    for scorer, table in VERBS["score_variant"](gpu, snv).items():
        if "Junction" not in scorer:
            assert np.nanmax(np.abs(table.layers["ref"] - levels[scorer])) < tolerance * np.nanmax(
                np.abs(levels[scorer])
            )


def test_a_new_junction_head_has_parameters_that_are_not_all_zero(tiny_checkpoint):
    """google-deepmind/alphagenome_research#22: scales and offsets of 0 give every pair the same count, for ever."""
    torch.manual_seed(0)
    head = JunctionHead(tiny_checkpoint.config, 6)
    for table in head.tables.values():
        assert table.abs().amin(dim=(0, 1, 2)).count_nonzero() == table.shape[-1]
        assert 0.05 < table.std() < 0.15
    sites = torch.tensor([[[3, 9], [20, 30], [-1, -1], [-1, -1]]])
    counts = head(torch.randn(1, 50, 2 * tiny_checkpoint.config.channels), torch.tensor([0]), sites)["predictions"]
    assert len(counts[..., 0].unique()) == 4
    counts.sum().backward()
    assert all((table.grad[0] != 0).any() for name, table in head.tables.items() if name.endswith("plus"))
