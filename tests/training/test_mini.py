"""The recipe of mini: its splits, its size, its track table, and the command from data to checkpoint."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from made_organisms import made_worm, made_yeast, tiny_config

from genomekit.genome.fasta import Fasta
from genomekit.genome.interval import Interval
from genomekit.nn import AlphaGenome
from genomekit.tracks import MODALITIES
from genomekit.training import mini
from genomekit.training.loop import Stream
from genomekit.weights.load import load
from genomekit.weights.native import save

MEGABYTE = 10**6


def overlap(a, b):
    return a.chrom == b.chrom and a.start < b.end and b.start < a.end


def test_splits_are_those_that_were_promised():
    worm = {split: mini.regions("worm", split) for split in ("train", "tune", "test")}
    assert [(r.chrom, r.start) for r in worm["train"]] == [("chrI", 0), ("chrII", 0), ("chrIII", 0), ("chrIV", 0)]
    assert worm["train"][-1].end == 15_000_000
    assert [(r.chrom, r.start) for r in worm["tune"]] == [("chrIV", 15_000_000)]
    assert [(r.chrom, r.start) for r in worm["test"]] == [("chrV", 0)]
    yeast = {split: mini.regions("yeast", split) for split in ("train", "tune", "test")}
    assert [(r.chrom, r.start) for r in yeast["train"]] == [("chrIV", 0)]
    assert [(r.chrom, r.width) for r in yeast["tune"]] == [("chrIV", 200_000)]
    assert yeast["train"][0].end == yeast["tune"][0].start
    assert [(r.chrom, r.start) for r in yeast["test"]] == [("chrII", 0)]


@pytest.mark.parametrize("organism", mini.ORGANISMS)
def test_splits_share_no_base(organism):
    every = [region for split in ("train", "tune", "test") for region in mini.regions(organism, split)]
    assert not any(overlap(a, b) for i, a in enumerate(every) for b in every[:i])
    # Whole chromosomes are held out, so that no window of training can reach into one.
    trained = {region.chrom for region in mini.regions(organism, "train")}
    assert trained.isdisjoint(region.chrom for region in mini.regions(organism, "test"))


def test_splits_reach_the_ends_of_the_chromosomes(shared):
    for organism, file in (("worm", "celegans/ce10.fa.gz"), ("yeast", "yeast/sacCer3.fa.gz")):
        lengths = Fasta(shared / "data" / file).lengths
        regions = [region for split in ("train", "tune", "test") for region in mini.regions(organism, split)]
        covered = {chrom: sum(r.width for r in regions if r.chrom == chrom) for chrom in {r.chrom for r in regions}}
        assert covered == {chrom: lengths[chrom] for chrom in covered}


def test_the_network_is_small(tmp_path):
    torch.manual_seed(0)
    network = AlphaGenome(mini.network_config())
    assert network.num_parameters() < 2_500_000
    path = save(tmp_path / "mini", network, mini.track_table(), name="mini")
    assert sum(file.stat().st_size for file in path.iterdir()) < 10 * MEGABYTE
    assert network.config.max_length >= 131_072
    assert network.config.organisms == mini.ORGANISMS
    assert {head.kind for head in network.config.heads} == {"track", "splice_class", "splice_usage", "splice_junction"}


def test_the_track_table_says_what_is_measured_and_what_is_derived():
    table = mini.track_table({("atac", 0): 2.0})
    rows = table.frame
    assert set(rows["modality"]) == {head.modality for head in mini.network_config().heads}
    assert {head.modality: head.channels for head in mini.network_config().heads} == table.widths
    derived = rows["data_source"].str.contains("annotation-derived")
    assert set(rows[derived]["organism"]) == {"worm"}
    assert set(rows[~derived]["organism"]) == {"yeast"}
    assert rows[rows["organism"] == "yeast"]["modality"].value_counts().to_dict() == {
        "rna_seq": 2,
        "chip_tf": 2,
        "atac": 1,
        "mnase": 1,
    }
    assert table.partners("rna_seq", "yeast").tolist() == [1, 0]
    assert table.partners("chip_tf", "yeast").tolist() == [0, 1]
    means = table.means("atac")
    # 1 where an organism has no track of the modality, as in the published model.
    assert means.tolist() == [[1.0], [2.0]]
    assert "mnase" in table.modalities
    assert "mnase" not in MODALITIES


def test_every_phase_weighs_every_head():
    config = mini.loop_config(10, compile=False)
    assert config.phases == mini.PHASES
    assert config.phases[0].start == 0
    for phase in config.phases:
        assert set(phase.head_weights) == {head.modality for head in mini.network_config().heads}
        assert sum(phase.shares.values()) == pytest.approx(1)
    assert config.augmentation.reverse_complement == 0.5


def test_means_are_of_the_signal_where_there_is_some():
    data = made_yeast()
    data.coverage["atac"]["chrB"][0] = 0
    data.coverage["atac"]["chrB"][0, 10:14] = [1, 3, 0, 5]
    means = mini.signal_means(data, [Interval("chrB", 0, 12), Interval("chrB", 13, 20)])
    assert means["atac", 0] == 3.0
    assert set(means) == {("atac", 0), ("rna_seq", 0), ("rna_seq", 1), ("chip_tf", 0), ("chip_tf", 1), ("mnase", 0)}


@pytest.fixture(scope="module")
def real_streams(shared):
    return mini.streams(shared / "data")


def test_training_never_loads_what_is_reported(real_streams):
    streams = real_streams
    assert [stream.name for stream in streams] == ["worm", "worm_long", "yeast"]
    assert all(set(phase.shares) == {stream.name for stream in streams} for phase in mini.PHASES)
    for stream in streams:
        organism = mini.ORGANISMS[stream.data.organism]
        held_out = [*mini.regions(organism, "tune"), *mini.regions(organism, "test")]
        assert not any(overlap(region, held) for region in stream.regions for held in held_out)
        reported = {region.chrom for region in mini.regions(organism, "test")}
        loaded = [stream.data.codes, stream.data.splicing, *stream.data.coverage.values()]
        assert all(reported.isdisjoint(chroms) for chroms in loaded)
    yeast = streams[-1].data
    assert {name: rows["chrIV"].shape for name, rows in yeast.coverage.items()} == {
        "atac": (1, 1_531_933),
        "rna_seq": (2, 1_531_933),
        "chip_tf": (2, 1_531_933),
        "mnase": (1, 1_531_933),
    }
    means = mini.signal_means(yeast, mini.regions("yeast", "train"))
    assert all(np.isfinite(mean) and mean > 0 for mean in means.values())
    # An end of a fragment is at least one count.
    assert 1 <= means["atac", 0] < 2


@pytest.fixture
def small_recipe(monkeypatch):
    """The recipe on made-up organisms and the smallest network."""
    splits = {"worm": {"train": ("chrA:0-12000",)}, "yeast": {"train": ("chrB:0-12000",)}}
    monkeypatch.setattr(mini, "SPLITS", splits)
    config = tiny_config()
    monkeypatch.setattr(mini, "network_config", lambda: config)

    def streams(folder):
        sizes = {"length": 2048, "windows": 1}
        return [
            Stream(name="worm", data=made_worm(), regions=mini.regions("worm", "train"), **sizes),
            Stream(name="yeast", data=made_yeast(), regions=mini.regions("yeast", "train"), **sizes),
        ]

    monkeypatch.setattr(mini, "streams", streams)


def test_the_command_trains_and_writes_a_checkpoint(small_recipe, tmp_path, monkeypatch, capsys):
    command = ["mini", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--steps", "3", "--device", "cpu"]
    monkeypatch.setattr("sys.argv", command)
    mini.main()
    assert "Checkpoint in" in capsys.readouterr().out
    found = load(tmp_path / "run" / "checkpoint")
    assert found.name == "mini"
    assert not found.network.training
    means = found.network.heads["atac"].track_mean
    measured = made_yeast().coverage["atac"]["chrB"]
    assert means[mini.YEAST].item() == pytest.approx(measured[measured > 0].mean(), rel=1e-5)
    assert means[mini.WORM].item() == 1
    description = json.loads((tmp_path / "run/checkpoint/model.json").read_text())
    assert description["licence"] == "Apache-2.0"
    assert description["provenance"]["steps"] == 3
    assert description["provenance"]["splits"]["worm"]["train"] == ["chrA:0-12000"]
    # The same command again changes nothing.
    before = (tmp_path / "run/checkpoint/model.safetensors").read_bytes()
    mini.main()
    assert (tmp_path / "run/checkpoint/model.safetensors").read_bytes() == before


def test_the_page_about_mini_says_what_the_code_does(shared, real_streams):
    page = (Path(__file__).parents[2] / "docs/mini.md").read_text()
    assert f"{AlphaGenome(mini.network_config()).num_parameters():,} parameters" in page
    assert f"{mini.STEPS:,} of AdamW" in page
    for head in mini.network_config().heads:
        weights = " | ".join(f"{phase.head_weights[head.modality]:g}" for phase in mini.PHASES)
        assert f"| `{head.modality}` | {weights} |" in page
    files = {row[-1] for row in mini._TRACKS if row[-1]}
    for phase in mini.PHASES[1:]:
        assert f"from step {phase.start:,} on" in page
    assert f"(decay {mini.loop_config(1, compile=False).average})" in page
    for file in files | {"celegans/ce10.fa.gz", "celegans/ce10.genes.gtf.gz", "yeast/sacCer3.fa.gz"}:
        assert f"`{file}`" in page
        assert (shared / "data" / file).exists()
    for stream in real_streams:
        shares = " | ".join(f"{100 * phase.shares[stream.name]:.0f} %" for phase in mini.PHASES)
        assert f"| {stream.windows} | {stream.length:,} bp | {shares} |" in page
