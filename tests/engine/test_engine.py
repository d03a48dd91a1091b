import math

import numpy as np
import pytest
import torch

from genomekit.engine import Engine, Junctions, one_hot, passes
from genomekit.errors import OutOfMemory

FLOAT32_SLICED = 1e-5  # a product with fewer columns may be summed in another order
ALL = ("atac", "dnase", "chip_tf", "rna_seq", "contact_maps", "splice_sites", "splice_site_usage", "splice_junctions")


@pytest.fixture
def dna():
    return one_hot("".join(np.random.default_rng(3).choice(list("ACGT"), 2048)))


def wanted(engine, names=ALL, organism="worm"):
    channels = {name: engine.tracks.channels(name, organism) for name in names}
    if "splice_junctions" in channels:
        channels["splice_junctions"] = np.array([0, 1])
    return channels


def test_all_modalities_come_back_as_float32_arrays_of_the_right_shape(tiny_engine, dna):
    out = tiny_engine.predict(dna, "worm", wanted(tiny_engine))
    shapes = {name: getattr(value, "shape", None) for name, value in out.items() if name != "splice_junctions"}
    assert shapes == {
        "atac": (2048, 2),
        "dnase": (2048, 2),
        "chip_tf": (16, 2),
        "rna_seq": (2048, 4),
        "contact_maps": (1, 1, 1),
        "splice_sites": (2048, 4),
        "splice_site_usage": (2048, 4),
    }
    junctions = out["splice_junctions"]
    assert isinstance(junctions, Junctions)
    assert junctions.predictions.shape == (16, 16, 4)
    assert junctions.sites.shape == (4, 16)
    assert {value.dtype for name, value in out.items() if name != "splice_junctions"} == {np.dtype("float32")}


def test_predict_agrees_with_the_plain_network(tiny_engine, dna):
    out = tiny_engine.predict(dna, "yeast", wanted(tiny_engine))
    network = tiny_engine.checkpoint.network.eval()
    with torch.inference_mode():
        plain = network(torch.from_numpy(dna)[None], torch.tensor([1]))
    for name, key in (("atac", "predictions_1bp"), ("chip_tf", "predictions_128bp"), ("contact_maps", "predictions")):
        channels = tiny_engine.tracks.channels(name, "yeast")
        expected = plain[name][key][0].numpy()[..., channels]
        np.testing.assert_allclose(out[name], expected, rtol=0, atol=FLOAT32_SLICED * np.abs(expected).max())
    np.testing.assert_array_equal(out["splice_junctions"].sites, plain["splice_junctions"]["sites"][0].numpy())


def test_coarse_modalities_never_run_the_decoder(tiny_engine, dna, monkeypatch):
    monkeypatch.setattr(passes, "decode", lambda *args: pytest.fail("the decoder ran"))
    tiny_engine.predict(dna, "worm", wanted(tiny_engine, ["chip_tf", "contact_maps"]))


def test_bins_are_cut_on_the_device(tiny_engine, dna):
    channels = wanted(tiny_engine, ["atac", "chip_tf", "contact_maps"])
    whole = tiny_engine.predict(dna, "worm", channels)
    bins = {"atac": slice(100, 300), "chip_tf": slice(2, 5), "contact_maps": slice(0, 1)}
    part = tiny_engine.predict(dna, "worm", channels, bins)
    for name, kept in bins.items():
        np.testing.assert_allclose(part[name], whole[name][kept], rtol=FLOAT32_SLICED, atol=FLOAT32_SLICED)


def test_channels_come_in_the_order_asked(tiny_engine, dna):
    one = tiny_engine.predict(dna, "worm", {"rna_seq": np.array([0, 1, 2])})["rna_seq"]
    other = tiny_engine.predict(dna, "worm", {"rna_seq": np.array([2, 0])})["rna_seq"]
    np.testing.assert_allclose(other, one[:, [2, 0]], rtol=FLOAT32_SLICED)


def test_padding_tracks_would_be_nan_and_never_leave(tiny_engine, dna):
    out = tiny_engine.predict(dna, "worm", wanted(tiny_engine))
    assert all(np.isfinite(value).all() for name, value in out.items() if name != "splice_junctions")
    with pytest.raises(FloatingPointError, match="Head 'atac' of 'tiny' gave NaN or infinity in float32 on cpu"):
        tiny_engine.predict(dna, "worm", {"atac": np.array([0])})  # channel 0 is padding


def test_the_guard_names_the_head_and_the_wider_type(tiny_checkpoint, dna):
    with torch.no_grad():
        tiny_checkpoint.network.heads["splice_site_usage"].linear.bias.fill_(math.nan)
    engine = Engine(tiny_checkpoint, device="cpu", precision="bfloat16")
    with pytest.raises(FloatingPointError, match=r"Head 'splice_site_usage'.*bfloat16.*precision='float32'"):
        engine.predict(dna, "worm", wanted(engine, ["splice_site_usage"]))


def test_bfloat16_and_float64_agree_with_float32(tiny_checkpoint, dna):
    names = ["atac", "chip_tf", "contact_maps", "splice_site_usage"]
    single = Engine(tiny_checkpoint, device="cpu").predict(dna, "worm", wanted(Engine(tiny_checkpoint, "cpu"), names))
    half = Engine(tiny_checkpoint, device="cpu", precision="bfloat16")
    rough = half.predict(dna, "worm", wanted(half, names))
    double = Engine(tiny_checkpoint, device="cpu", precision="float64")
    exact = double.predict(dna, "worm", wanted(double, names))
    for name in names:
        assert rough[name].dtype == exact[name].dtype == np.float32
        scale = np.abs(single[name]).max()
        assert np.abs(exact[name] - single[name]).max() < 1e-4 * scale
        # One bin may move far on the steep part of a sigmoid, so the root mean square is held.
        assert np.sqrt(np.mean((rough[name] - single[name]) ** 2)) < 0.1 * scale


@pytest.mark.parametrize(
    "text", ["DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes", "MPS backend out of memory"]
)
def test_out_of_memory_names_three_cheaper_calls(tiny_engine, dna, monkeypatch, text):
    def fail(*args, **more):
        raise RuntimeError(text)

    monkeypatch.setattr(tiny_engine.prepared, "trunk", fail)
    with pytest.raises(OutOfMemory, match=r"\(1\).*\(2\).*\(3\)") as caught:
        tiny_engine.predict(dna, "worm", wanted(tiny_engine, ["atac", "chip_tf"]))
    assert "leave out the 1 bp modalities (atac)" in str(caught.value)
    assert caught.value.__context__ is None  # a kept traceback would keep the tensors


def test_other_runtime_errors_pass(tiny_engine, dna, monkeypatch):
    def fail(*args, **more):
        raise RuntimeError("something else")

    monkeypatch.setattr(tiny_engine.prepared, "trunk", fail)
    with pytest.raises(RuntimeError, match="something else"):
        tiny_engine.predict(dna, "worm", wanted(tiny_engine, ["chip_tf"]))


def test_an_unknown_organism_is_refused(tiny_engine, dna):
    with pytest.raises(ValueError, match="Unknown organism 'fly'"):
        tiny_engine.predict(dna, "fly", wanted(tiny_engine))


@pytest.mark.gpu
def test_gpu_agrees_with_cpu(tiny_checkpoint, dna):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    cpu = Engine(tiny_checkpoint, device="cpu").predict(dna, "worm", {"atac": np.array([1, 2])})["atac"]
    for precision, tolerance in (("float32", 1e-3), ("bfloat16", 0.2), ("auto", 0.2)):
        gpu = Engine(tiny_checkpoint, device="cuda", precision=precision).predict(
            dna, "worm", {"atac": np.array([1, 2])}
        )
        assert np.abs(gpu["atac"] - cpu).max() < tolerance * np.abs(cpu).max()
