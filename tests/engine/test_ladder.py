"""Any stretch of encoder and decoder against the plain network, in float64 at tiny widths."""

import numpy as np
import pytest
import torch
from tiny import TINY, parameter

from genomekit.engine import ladder as ladder_module
from genomekit.engine.ladder import LEVELS, Encoding, Ladder, decode
from genomekit.engine.rows import Span
from genomekit.nn import AlphaGenome

FLOAT64 = 1e-12
LENGTH = 4096


@pytest.fixture(scope="module")
def plain():
    """The network, its ladder, a sequence, and what the plain forward makes of it."""
    network = AlphaGenome(TINY).double().eval()
    state = {
        n: torch.from_numpy(parameter(n, tuple(t.shape))).reshape(t.shape) for n, t in network.state_dict().items()
    }
    network.load_state_dict(state)
    dna = torch.from_numpy(np.eye(4)[np.random.default_rng(0).integers(0, 4, LENGTH)])[None]
    with torch.inference_mode():
        tokens, skips = network.encode(dna)
        trunk = network.trunk(tokens, torch.tensor([0]))
        decoded = network.decode(trunk.tokens, skips)
        yield Ladder.of(network.encoder, network.decoder, torch.float64), dna, tokens, skips, trunk.tokens, decoded


@pytest.mark.parametrize("tile", [74, 256, LENGTH])
@pytest.mark.parametrize("kept", [0, 2, LEVELS - 1])
def test_levels_in_tiles_are_those_of_the_plain_encoder(plain, monkeypatch, tile, kept):
    ladder, dna, tokens, skips, *_ = plain
    monkeypatch.setattr(ladder_module, "TILE", tile)
    encoding = Encoding(ladder, dna, kept)
    torch.testing.assert_close(encoding.tokens, tokens, rtol=0, atol=FLOAT64)
    for level in range(LEVELS):
        total = LENGTH >> level
        rows = encoding.rows(level, Span.one(0, total, total))
        torch.testing.assert_close(rows, skips[level], rtol=0, atol=FLOAT64)


@pytest.mark.parametrize("kept", [0, 3])
@pytest.mark.parametrize("stretch", [(0, LENGTH), (0, 1), (333, 334), (1000, 1501), (4001, LENGTH)])
def test_any_stretch_is_decoded_as_in_the_whole(plain, kept, stretch):
    ladder, dna, _, _, tokens, decoded = plain
    rows = decode(ladder, Encoding(ladder, dna, kept), tokens, Span.one(*stretch, LENGTH))
    torch.testing.assert_close(rows, decoded[:, slice(*stretch)], rtol=0, atol=FLOAT64)


def test_stretches_of_a_batch_may_start_anywhere_and_run_past_the_ends(plain):
    ladder, dna, _, _, tokens, decoded = plain
    span = Span(np.array([0, 5, 1000, 1001, 3600, -20, 4090]), 97, LENGTH)
    rows = decode(ladder, Encoding(ladder, dna), tokens, span)
    for row, start in zip(rows, span.starts, strict=True):
        low, high = max(start, 0), min(start + 97, LENGTH)
        torch.testing.assert_close(row[low - start : high - start], decoded[0, low:high], rtol=0, atol=FLOAT64)


@pytest.mark.parametrize("kept", [0, 2])
def test_a_region_is_kept_and_the_rest_computed_when_it_is_read(plain, kept):
    ladder, dna, tokens, skips, *_ = plain
    encoding = Encoding(ladder, dna, kept, region=(1000, 1300))
    torch.testing.assert_close(encoding.tokens, tokens, rtol=0, atol=FLOAT64)
    assert encoding.levels[0][1].shape[1] == 300 + 33
    for level, first in ((0, 1001), (0, 60), (3, 130), (6, 0)):
        total = LENGTH >> level
        rows = encoding.rows(level, Span.one(first, first + 20, total))
        torch.testing.assert_close(rows, skips[level][:, first : first + 20], rtol=0, atol=FLOAT64)


def test_tokens_alone_keep_nothing(plain):
    ladder, dna, tokens, *_ = plain
    encoding = Encoding(ladder, dna, skips=False)
    assert not encoding.levels
    torch.testing.assert_close(encoding.tokens, tokens, rtol=0, atol=FLOAT64)


@pytest.mark.parametrize("first", [0, 1, 127, 128, 2001, 4095])
def test_only_what_lies_past_a_change_is_encoded_again(plain, monkeypatch, first):
    ladder, dna, *_ = plain
    changed = dna.clone()
    changed[:, first:] = torch.roll(dna[:, first:], 1, dims=1)
    whole = Encoding(ladder, changed)
    base = Encoding(ladder, dna)
    computed = []
    compute = Encoding.compute
    monkeypatch.setattr(
        Encoding, "compute", lambda self, level, span, into=None: computed.append((level, span))
        or compute(self, level, span, into)
    )  # fmt: skip
    again = Encoding(ladder, changed, base=base, first=first)
    torch.testing.assert_close(again.tokens, whole.tokens, rtol=0, atol=FLOAT64)
    assert min(span.starts[0] for level, span in computed if level == 0) >= first - 9
    for level in range(LEVELS):
        total = LENGTH >> level
        row = first >> level
        for span in (Span.one(0, total, total), Span.one(max(0, row - 12), max(0, row - 12) + 5, total)):
            got, expected = again.rows(level, span), whole.rows(level, span)
            torch.testing.assert_close(got, expected, rtol=0, atol=FLOAT64)
