"""A full pass in tiles against the plain network, in float64 at tiny widths, for every head."""

import numpy as np
import pytest
import torch
from tiny import LENGTH, TINY, TRACK_MEANS, dna, parameter

from genomekit.align import align, site_spans
from genomekit.engine import ladder, passes, tower
from genomekit.engine.passes import Ask, JunctionCounts, run
from genomekit.engine.prepared import Prepared
from genomekit.genome.edit import Event
from genomekit.nn import AlphaGenome

FLOAT64 = 1e-12
KEPT = {"rna_seq": (1, 0), "chip_tf": (0,), "contact_maps": (1,), "splice_sites": (0, 3), "splice_site_usage": (3, 1)}


def plain_network():
    network = AlphaGenome(TINY).double().eval()
    shapes = {name: t.shape for name, t in network.state_dict().items()}
    network.load_state_dict({n: torch.from_numpy(parameter(n, tuple(s))).reshape(s) for n, s in shapes.items()})
    network.set_track_means({name: torch.from_numpy(mean) for name, mean in TRACK_MEANS.items()})
    return network


@pytest.fixture(scope="module")
def plain():
    """The prepared network, a sequence, and the whole plain output."""
    network = plain_network()
    sequence = torch.from_numpy(dna())[:1]
    with torch.inference_mode():
        out = network(sequence, torch.tensor([1]))
    return Prepared(network, torch.device("cpu"), torch.float64), sequence, out


@pytest.fixture(params=["one tile", "many tiles"])
def tiles(request, monkeypatch):
    if request.param == "many tiles":
        for module, name, size in (
            (passes, "BASES", 384),
            (passes, "READ", 128),
            (ladder, "TILE", 90),
            (tower, "LOGITS", 1000),
        ):
            monkeypatch.setattr(module, name, size)


def asks(names, bins=None):
    kinds = {head.modality: head for head in TINY.heads}
    cut = bins or {}
    resolution = {"chip_tf": 128, "contact_maps": 2048}
    return {
        name: Ask(kinds[name].kind, KEPT.get(name, (2, 0)), resolution.get(name, 1), cut.get(name, slice(None)))
        for name in names
    }


def expected(out, name):
    key = {"rna_seq": "predictions_1bp", "chip_tf": "predictions_128bp"}.get(name, "predictions")
    return out[name][key][0][..., list(KEPT[name])]


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_every_head_is_that_of_the_plain_network(plain, tiles, kept):
    prepared, sequence, out = plain
    with torch.inference_mode():
        got = dict(run(prepared, sequence, 1, asks(out), kept=kept))
    assert set(got) == set(out)
    for name in KEPT:
        scale = expected(out, name).abs().max()
        torch.testing.assert_close(got[name], expected(out, name), rtol=0, atol=FLOAT64 * scale)


def test_junctions_are_those_of_the_plain_network(plain, tiles):
    prepared, sequence, out = plain
    with torch.inference_mode():
        got = dict(run(prepared, sequence, 1, asks(["splice_junctions"])))["splice_junctions"]
    assert isinstance(got, JunctionCounts)
    check_junctions(got, out["splice_junctions"])


def check_junctions(got, plain):
    sites = plain["sites"][0]
    counts = got.counts.permute(1, 2, 0)
    donors, acceptors = counts.shape[:2]
    assert (sites >= 0).sum() > 8
    np.testing.assert_array_equal(got.sites, sites[:, : got.sites.shape[1]])
    assert (sites[:, got.sites.shape[1] :] == -1).all()
    both = [2, 0, 5, 3]  # tissues 2 and 0, then the same on the other strand
    whole = plain["predictions"][0][:donors, :acceptors, both]
    donor, acceptor = got.sites[[0, 2]][:, :donors, None], got.sites[[1, 3]][:, None, :acceptors]
    can_be = torch.stack([acceptor[0] > donor[0], donor[1] > acceptor[1]]) & (donor >= 0) & (acceptor >= 0)
    mask = can_be.permute(1, 2, 0).repeat_interleave(2, dim=-1)
    assert 5 < mask.sum() < mask.numel() - 5
    torch.testing.assert_close(counts[mask], whole[mask], rtol=0, atol=FLOAT64 * whole.abs().max())


def test_junctions_of_given_sites(plain, tiles):
    prepared, sequence, out = plain
    sites = out["splice_junctions"]["sites"][0]
    with torch.inference_mode():
        got = dict(run(prepared, sequence, 1, asks(["splice_junctions"]), sites=sites))["splice_junctions"]
    check_junctions(got, out["splice_junctions"])


def test_junctions_of_sites_read_elsewhere(plain, tiles):
    """Sites of REF in an ALT window: the embedding is aligned first, by the rule of scores, and then read."""
    prepared, sequence, _ = plain
    network, organism = plain_network(), torch.tensor([1])
    sites = torch.arange(40, 40 + 24 * 60, 60).reshape(6, 4).T.contiguous()
    first, gone = 280, 1060
    # The second donor stands before an insertion across tiles; later sites move, and one of them is deleted.
    events = [Event(first + 1, 0, 300), Event(gone, 1, 0)]
    sources = site_spans(events, sites.numpy(), LENGTH)
    assert sources[first] == (first, first + 301)
    assert sources[gone] == (0, 0)
    with torch.inference_mode():
        encoded = network.encode(sequence)
        embeddings = network.embed(network.trunk(encoded.tokens, organism), encoded.skips, organism)
        aligned = align(embeddings.base, events, LENGTH, dim=1)
        expected = network.heads["splice_junctions"](aligned, organism, sites[None])
        ask = asks(["splice_junctions"])
        got = dict(run(prepared, sequence, 1, ask, sites=sites, sources=sources))["splice_junctions"]
    check_junctions(got, expected)


@pytest.mark.parametrize("stretch", [(0, 1), (127, 129), (1000, 1501), (LENGTH - 3, LENGTH)])
def test_bins_are_read_alone(plain, tiles, monkeypatch, stretch):
    prepared, sequence, out = plain
    decoded = []
    whole = passes.decode
    monkeypatch.setattr(passes, "decode", lambda *args: decoded.append(args[3].width) or whole(*args))
    bins = {"rna_seq": slice(*stretch), "chip_tf": slice(3, 9), "contact_maps": slice(1, 2)}
    with torch.inference_mode():
        got = dict(run(prepared, sequence, 1, asks(bins, bins)))
    for name, kept in bins.items():
        cut = expected(out, name)[kept, kept] if name == "contact_maps" else expected(out, name)[kept]
        torch.testing.assert_close(got[name], cut, rtol=1e-12, atol=0)
    assert sum(decoded) <= stretch[1] - stretch[0] + 2 * passes.BASES
