"""Which heads a batch trains, what each head's loss is made of, and how they add up."""

import math

import numpy as np
import pytest
import torch
from made_organisms import made_worm, made_yeast, only, tiny_network

from genomekit.nn import AlphaGenome
from genomekit.training import losses
from genomekit.training.data import OrganismData, Window, make_batch
from genomekit.training.objective import head_losses, total

RESOLUTIONS = {"atac": 1, "rna_seq": 1, "chip_tf": 128, "mnase": 1}
TRACKS = {"atac", "rna_seq", "chip_tf", "mnase"}
SPLICING = {"splice_sites", "splice_site_usage", "splice_junctions"}


@pytest.fixture
def network():
    return tiny_network()


@pytest.fixture(scope="module")
def worm_batch():
    return make_batch(made_worm(), [Window("chrA", 0, False), Window("chrA", 4000, True)], 2048, RESOLUTIONS)


@pytest.fixture(scope="module")
def yeast_batch():
    return make_batch(made_yeast(), [Window("chrB", 0, False), Window("chrB", 4000, True)], 2048, RESOLUTIONS)


def test_each_organism_trains_the_heads_it_has_targets_for(network, worm_batch, yeast_batch):
    for batch, names in ((worm_batch, SPLICING), (yeast_batch, TRACKS)):
        found = head_losses(network, batch)
        assert set(found) == names
        assert all(math.isfinite(value) and value > 0 for value in map(torch.Tensor.item, found.values()))


def test_a_batch_moves_its_own_heads_and_organism_alone(network, yeast_batch):
    total(head_losses(network, yeast_batch), {}).backward()
    for name, head in network.heads.items():
        gradients = [p.grad for p in head.parameters()]
        assert all((g is not None) == (name in TRACKS) for g in gradients)
        for g in gradients if name in TRACKS else ():
            assert torch.isfinite(g).all()
            assert g[0].abs().sum() == 0 < g[1].abs().sum()


def test_losses_are_those_of_the_plain_forward_pass(network, worm_batch, yeast_batch):
    network.eval()
    found = head_losses(network, yeast_batch)
    raw = network(yeast_batch.dna, yeast_batch.organism, sorted(TRACKS))
    for name in TRACKS:
        head = network.config.head(name)
        expected = losses.track_loss(
            raw[name],
            yeast_batch.coverage[name],
            mask=torch.ones(2, head.channels, dtype=torch.bool),
            track_mean=torch.full((2, head.channels), 0.5),
            resolutions=head.resolutions,
            squash=name == "rna_seq",
        )
        torch.testing.assert_close(found[name], expected)
    found = head_losses(network, worm_batch)
    logits = network(worm_batch.dna, worm_batch.organism, ["splice_sites"])["splice_sites"]["logits"]
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), worm_batch.classes.flatten())
    torch.testing.assert_close(found["splice_sites"], expected, rtol=1e-4, atol=1e-6)


def test_blanked_bases_do_not_count_as_classes(network):
    network.eval()
    batch = make_batch(made_worm(), [Window("chrA", 0, False, (512, 700))], 2048, {})
    logits = network(batch.dna, batch.organism, ["splice_sites"])["splice_sites"]["logits"][0, 512:-700]
    expected = torch.nn.functional.cross_entropy(logits, batch.classes[0, 512:-700])
    torch.testing.assert_close(head_losses(network, batch)["splice_sites"], expected, rtol=1e-4, atol=1e-6)


def test_a_track_without_mean_is_left_out(network, yeast_batch):
    network.eval()
    both = head_losses(network, yeast_batch)["rna_seq"]
    network.set_track_means({"rna_seq": torch.tensor([[float("nan")] * 2, [0.5, float("nan")]])})
    one = head_losses(network, yeast_batch)["rna_seq"]
    assert torch.isfinite(one)
    assert one != both


def test_junctions_train_on_annotated_sites_from_the_first_step(network, worm_batch):
    network.eval()
    before = head_losses(network, worm_batch)["splice_junctions"]
    introns = worm_batch.junctions
    no_introns = [found._replace(count=np.zeros_like(found.count)) for found in introns]
    after = head_losses(network, worm_batch._replace(junctions=no_introns))["splice_junctions"]
    # A random network is sure of no site: only the annotated ones can make the counts matter.
    assert before != after
    assert sum(map(len, (found.count for found in introns))) > 5


def test_a_window_without_sites_has_losses_too(network):
    empty = made_worm(length=2048 + 700)
    bare = OrganismData(organism=0, codes=empty.codes, splicing={"chrA": made_worm(length=600).splicing["chrA"]})
    batch = make_batch(bare, [Window("chrA", 600, False)], 2048, {})
    assert (batch.classes == 4).all()
    found = head_losses(network, batch)
    assert set(found) == SPLICING
    total(found, {}).backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_contact_maps_are_trained_where_a_batch_has_them(yeast_batch):
    torch.manual_seed(0)
    network = AlphaGenome(only("contact_maps", "contact", 2, (2048,))).eval()
    maps = torch.tensor([[[[1.0, float("nan")]]]]).expand(2, 1, 1, 2)
    found = head_losses(network, yeast_batch._replace(coverage={"contact_maps": maps}))
    raw = network(yeast_batch.dna, yeast_batch.organism)["contact_maps"]["predictions"]
    torch.testing.assert_close(found["contact_maps"], (raw[..., 0] - 1).square().mean())


def test_the_total_weighs_and_defaults_to_one():
    by_head = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    assert total(by_head, {"a": 10.0}).item() == 23.0
