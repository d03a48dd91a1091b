import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from genomekit.engine.cost import Asked, decoder_flops, encoder_flops, mutagenesis, prediction, trunk_flops
from genomekit.nn import ALPHAGENOME

ATAC = Asked("track", 1, 256, 131_072)


def test_multiplications_of_the_published_network():
    # Exact counts of the published sizes, per base: 25.3 MFLOP in the encoder, 28.7 in the decoder; transformer and
    # pair track 0.319 TFLOP at 131,072 bp and 5.92 at 1,048,576.
    assert encoder_flops(ALPHAGENOME) == pytest.approx(25.3e6, rel=0.01)
    assert decoder_flops(ALPHAGENOME) == pytest.approx(28.7e6, rel=0.01)
    assert trunk_flops(ALPHAGENOME, 131_072) == pytest.approx(0.319e12, rel=0.02)
    assert trunk_flops(ALPHAGENOME, 1_048_576) == pytest.approx(5.92e12, rel=0.02)
    # One 1 bp head: 3.32 + 0.319 + 3.757 + 0.319 and the head itself, 7.83 with what the 128 bp embedding costs.
    whole = prediction(ALPHAGENOME, 131_072, [ATAC], torch.float32)
    assert whole.flops == pytest.approx(7.83e12, rel=0.02)
    # 128 bp alone runs no decoder.
    assert prediction(ALPHAGENOME, 131_072, [Asked("track", 128, 256, 1024)], torch.float32).flops < 3.8e12


def test_a_substitution_costs_what_was_calculated():
    # 501 bp of one track: 308 GFLOP at 131,072 bp, 52 at 16,384 (2.75 + transformer + 16.5 + 1.9).
    one = Asked("track", 1, 1, 501)
    for length, gigaflops in ((131_072, 308 + 31), (16_384, 52 + 5)):
        costs = [
            mutagenesis(ALPHAGENOME, length, [one], torch.float32, edits=edits, batch=8, region=501)
            for edits in (0, 100)
        ]
        # Within 15 %: the last layer's saving is not counted.
        assert (costs[1].flops - costs[0].flops) / 100 == pytest.approx(gigaflops * 1e9, rel=0.15)


def test_keeping_less_costs_time_and_saves_memory():
    costs = [prediction(ALPHAGENOME, 1_048_576, [ATAC._replace(bins=1_048_576)], torch.float32, k) for k in range(4)]
    assert all(a.flops < b.flops and a.bytes > b.bytes for a, b in itertools.pairwise(costs))
    half = prediction(ALPHAGENOME, 1_048_576, [ATAC._replace(tracks=1)], torch.bfloat16)
    whole = prediction(ALPHAGENOME, 1_048_576, [ATAC._replace(tracks=1)], torch.float32)
    assert half.bytes == pytest.approx(whole.bytes / 2, rel=0.05)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's count of resident memory")
@pytest.mark.parametrize("kept", ["0", "2"])
def test_predicted_memory_is_that_of_the_process(kept):
    # In a process of its own, at a size where activations dominate: 1.1 GB and 0.5 GB.
    script = Path(__file__).with_name("measure_memory.py")
    done = subprocess.run([sys.executable, script, kept], capture_output=True, text=True, check=True)
    measured, predicted = map(int, done.stdout.split())
    assert measured > 200e6
    assert predicted == pytest.approx(measured, rel=0.2)
