"""The loop on a network small enough to run here: it learns, it can be killed, and it never saves nonsense."""

import json

import numpy as np
import pytest
import torch
from made_organisms import made_worm, made_yeast, tiny_network

from genomekit.genome.interval import Interval
from genomekit.training.data import Augmentation
from genomekit.training.loop import LoopConfig, Phase, Stream, Trainer, to_device

WEIGHTS = {"splice_junctions": 0.1, "atac": 0.03, "rna_seq": 0.03, "chip_tf": 0.03, "mnase": 0.01}


@pytest.fixture(scope="module")
def streams():
    shared = {"length": 2048, "windows": 2}
    return [
        Stream(name="worm", data=made_worm(), regions=[Interval("chrA", 0, 12_000)], **shared),
        Stream(name="yeast", data=made_yeast(), regions=[Interval("chrB", 0, 12_000)], **shared),
    ]


BOTH = (Phase(start=0, shares={"worm": 0.6, "yeast": 0.4}, head_weights=WEIGHTS),)


def settings(**changes):
    given = {"steps": 6, "warmup": 2, "phases": BOTH, "augmentation": Augmentation(blank=0.3), "save_every": 3}
    return LoopConfig(**{**given, **changes})


def flat(value, prefix=""):
    """All leaves of nested state, by path."""
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {path: leaf for key, item in items for path, leaf in flat(item, f"{prefix}/{key}").items()}
    return {prefix: value}


def same_state(first, second):
    first, second = (flat(torch.load(folder / "state.pt", weights_only=True)) for folder in (first, second))
    assert first.keys() == second.keys()
    for path, value in first.items():
        equal = torch.equal(value, second[path]) if isinstance(value, torch.Tensor) else value == second[path]
        assert equal, path


def test_the_rate_rises_and_falls():
    config = settings(steps=50, warmup=5)
    rates = np.array([config.rate(step) for step in range(50)])
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert (np.diff(rates[5:]) < 0).all()
    assert rates[5] == 1
    assert 0 < rates[-1] < 0.01
    assert settings(steps=5, warmup=0).rate(0) == 1


def test_the_loss_falls(streams, tmp_path, capsys):
    config = settings(steps=25, log_every=1, learning_rate=5e-3, average=0.5, save_every=100)
    Trainer(tiny_network(), streams[:1], config, tmp_path).run()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 26))
    for name in ("splice_sites", "splice_site_usage"):
        loss = [line[f"worm/{name}"] for line in lines]
        assert np.mean(loss[-3:]) < 0.6 * np.mean(loss[:3]), name
    assert capsys.readouterr().out.count("\n") == 25


def test_a_killed_run_goes_on_as_if_nothing_had_happened(streams, tmp_path):
    Trainer(tiny_network(), streams, settings(), tmp_path / "straight").run()

    def kill(_):
        raise KeyboardInterrupt

    # Saved after step 3, killed after step 4: the step in between is done again.
    with pytest.raises(KeyboardInterrupt):
        Trainer(tiny_network(), streams, settings(), tmp_path / "killed").run(evaluate=kill, evaluate_every=4)
    again = Trainer(tiny_network(seed=5), streams, settings(), tmp_path / "killed")
    assert again.step == 3
    again.run()
    same_state(tmp_path / "straight", tmp_path / "killed")
    # Both streams were drawn, or the test would prove less than it says.
    log = (tmp_path / "straight" / "log.jsonl").read_text()
    assert json.loads(log.splitlines()[0])["step"] == 1
    drawn = {
        int(torch.multinomial(torch.tensor([0.6, 0.4]), 1, generator=torch.Generator().manual_seed(s)))
        for s in range(6)
    }
    assert drawn == {0, 1}


def test_a_finished_run_takes_no_further_step(streams, tmp_path):
    first = Trainer(tiny_network(), streams, settings(steps=2), tmp_path)
    first.run()
    again = Trainer(tiny_network(seed=5), streams, settings(steps=2), tmp_path)
    network = again.run()
    assert again.step == 2
    for a, b in zip(first.best.state_dict().values(), network.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_seeds_decide_what_is_drawn(streams, tmp_path):
    weights = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        trained = Trainer(tiny_network(), streams, settings(steps=2, seed=seed), tmp_path / name)
        trained.run()
        weights.append(trained.network.encoder.embedder.conv.weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_streams_are_drawn_by_their_weights(streams, tmp_path, monkeypatch):
    trainer = Trainer(tiny_network(), streams, settings(), tmp_path)
    drawn = []

    def stop(stream, _):
        drawn.append(stream.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "_batch", stop)
    for trainer.step in range(1000):
        with pytest.raises(KeyboardInterrupt):
            trainer._train_step()
    assert drawn.count("worm") == pytest.approx(600, abs=60)


def test_the_average_follows_weights_and_stored_norms(streams, tmp_path):
    trainer = Trainer(tiny_network(), streams, settings(average=0.5, learning_rate=0.05), tmp_path)
    before = dict(trainer.best.named_buffers())["encoder.embedder.block.norm.variance"].clone()
    expected = None
    for _ in range(3):
        trainer._train_step()
        now = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
        expected = now if expected is None else {k: torch.lerp(now[k], expected[k], 0.5) for k in now}
    for name, tensor in trainer.best.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], msg=name)
    assert not torch.equal(before, trainer.best.encoder.embedder.block.norm.variance)
    # Facts of the data stay what they are, also where there is none.
    mean = trainer.best.heads["rna_seq"].track_mean
    assert mean[0].isnan().all()
    assert (mean[1] == 0.5).all()


def test_the_averaged_network_is_what_a_run_returns_and_what_is_evaluated(streams, tmp_path):
    trainer = Trainer(tiny_network(), streams, settings(steps=2, average=0.9, log_every=100), tmp_path)
    seen = []

    def evaluate(network):
        seen.append(network)
        assert not network.training
        return {"score": 0.5}

    network = trainer.run(evaluate=evaluate, evaluate_every=2)
    assert network is trainer.best is seen[0]
    assert not network.training
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1]) == {"step": 2, "score": 0.5}


def test_vectors_are_not_decayed(streams, tmp_path):
    trainer = Trainer(tiny_network(), streams, settings(weight_decay=0.3), tmp_path)
    decayed, plain = trainer.optimizer.param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)
    assert {p.ndim for p in plain["params"]} <= {0, 1}
    assert len(decayed["params"]) + len(plain["params"]) == len(list(trainer.network.parameters()))


def test_a_loss_that_is_no_number_stops_the_run(streams, tmp_path):
    network = tiny_network()
    trainer = Trainer(network, streams[:1], settings(), tmp_path)
    with torch.no_grad():
        network.heads["splice_sites"].linear.bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match=r"Loss is nan at step 0 of stream 'worm'.*Lower the learning rate"):
        trainer.run()
    assert not (tmp_path / "state.pt").exists()


def test_a_gradient_that_is_no_number_leaves_the_weights_alone(streams, tmp_path):
    network = tiny_network()
    trainer = Trainer(network, streams[:1], settings(), tmp_path)
    network.encoder.embedder.conv.weight.register_hook(lambda gradient: gradient * float("inf"))
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    with pytest.raises(FloatingPointError, match=r"gradient's norm is (inf|nan) at step 0"):
        trainer.run()
    assert all(torch.equal(parameter, before[name]) for name, parameter in network.named_parameters())
    assert not (tmp_path / "state.pt").exists()


def test_saving_leaves_no_partial_file(streams, tmp_path):
    Trainer(tiny_network(), streams, settings(steps=1), tmp_path).run()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "state.pt"]


def test_streams_too_short_for_their_windows_are_refused(streams, tmp_path):
    short = Stream(name="worm", data=streams[0].data, regions=[Interval("chrA", 0, 2000)], length=2048, windows=1)
    with pytest.raises(ValueError, match="No region holds a window"):
        Trainer(tiny_network(), [short], settings(), tmp_path)


def test_batches_move_as_a_whole(streams, tmp_path):
    trainer = Trainer(tiny_network(), streams, settings(), tmp_path)
    batch = trainer._batch(streams[1], trainer.samplers[1])
    moved = to_device(batch, torch.device("meta"))
    assert {moved.dna.device.type, *(value.device.type for value in moved.coverage.values())} == {"meta"}
    assert moved.classes is None


def test_each_phase_draws_and_weighs_by_its_own_rule(streams, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("genomekit.training.loop.total", lambda by_head, weights: seen.append(weights) or _sum(by_head))
    phases = (Phase(start=0, shares={"worm": 1.0}, head_weights={"a": 2.0}), Phase(start=2, shares={"yeast": 1.0}))
    Trainer(tiny_network(), streams, settings(phases=phases, log_every=1, steps=4), tmp_path).run()
    assert seen == [{"a": 2.0}, {"a": 2.0}, {}, {}]
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    drawn = [{name.split("/")[0] for name in line if "/" in name} for line in logged]
    assert drawn == [{"worm"}, {"worm"}, {"yeast"}, {"yeast"}]


def _sum(by_head):
    return torch.stack(list(by_head.values())).sum()
