"""The transformer in blocks against the plain one, in float64 at tiny widths."""

import numpy as np
import pytest
import torch
from tiny import TINY, parameter
from torch.nn.attention.flex_attention import flex_attention

from genomekit.engine import pairs, tower
from genomekit.engine.fused import FusedAttention
from genomekit.engine.tower import TowerBlocks
from genomekit.errors import GenomekitWarning
from genomekit.nn import AlphaGenome

FLOAT64 = 1e-12


@pytest.fixture(scope="module")
def plain():
    network = AlphaGenome(TINY).double().eval()
    shapes = {name: t.shape for name, t in network.state_dict().items()}
    network.load_state_dict({n: torch.from_numpy(parameter(n, tuple(s))).reshape(s) for n, s in shapes.items()})
    tokens = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 48, TINY.trunk_channels)))
    with torch.inference_mode():
        yield network.tower, tokens, *network.tower(tokens)


@pytest.fixture(params=[(1 << 21, 1 << 15), (1000, 3)], ids=["one block", "many blocks"])
def blocks(plain, request, monkeypatch):
    monkeypatch.setattr(tower, "LOGITS", request.param[0])
    monkeypatch.setattr(pairs, "PAIRS", request.param[1])
    return TowerBlocks(TINY, lambda module: module, plain[0], torch.float64)


def test_blocks_give_what_the_plain_tower_gives(plain, blocks):
    _, tokens, expected, pair = plain
    got, got_pair = blocks(tokens)
    torch.testing.assert_close(got, expected, rtol=0, atol=FLOAT64)
    torch.testing.assert_close(got_pair, pair, rtol=0, atol=FLOAT64)


def test_the_last_layer_can_be_asked_for_some_tokens_alone(plain, blocks):
    _, tokens, expected, _ = plain
    needed = torch.tensor([[0, 5, 31, 47], [1, 2, 3, 4]])
    got, _ = blocks(tokens, needed=needed)
    for element in range(2):
        kept = needed[element]
        torch.testing.assert_close(got[element, kept], expected[element, kept], rtol=0, atol=FLOAT64)


def test_contact_maps_need_no_attention_in_the_last_layer(plain, blocks, monkeypatch):
    _, tokens, _, pair = plain
    calls = []
    attend = blocks._attend
    monkeypatch.setattr(blocks, "_attend", lambda *args: calls.append(1) or attend(*args))
    got, got_pair = blocks(tokens, tokens_needed=False)
    assert got is None
    assert len(calls) == TINY.num_layers - 1
    torch.testing.assert_close(got_pair, pair, rtol=0, atol=FLOAT64)


def fused_tower(plain, kernel, monkeypatch):
    blocks = TowerBlocks(TINY, lambda module: module, plain[0], torch.float64)
    blocks._fused = FusedAttention(kernel)
    # The device decides in earnest; here the fused form runs on the CPU, in PyTorch's own reference implementation.
    monkeypatch.setattr(TowerBlocks, "_fuses", lambda self, x: True)
    return blocks


@pytest.mark.parametrize("needed", [None, torch.tensor([[0, 5, 31, 47], [1, 2, 3, 4]])])
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_the_fused_kernel_computes_the_same(plain, monkeypatch, needed):
    _, tokens, expected, _ = plain
    blocks = fused_tower(plain, flex_attention, monkeypatch)
    with torch.no_grad():
        got, _ = blocks(tokens, needed=needed)
    assert blocks._fused.available
    for element in range(2):
        kept = slice(None) if needed is None else needed[element]
        torch.testing.assert_close(got[element, kept], expected[element, kept], rtol=0, atol=FLOAT64)


def test_without_a_kernel_the_blocks_run_and_it_is_said_once(plain, monkeypatch):
    _, tokens, expected, _ = plain
    calls = []

    def broken(*args, **options):
        calls.append(1)
        raise RuntimeError("no Triton")

    blocks = fused_tower(plain, broken, monkeypatch)
    with torch.no_grad(), pytest.warns(GenomekitWarning, match="Fused attention does not work here") as warned:
        got, _ = blocks(tokens)
    assert len(calls) == len(warned) == 1
    torch.testing.assert_close(got, expected, rtol=0, atol=FLOAT64)
