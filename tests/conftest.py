"""Fixtures every test room uses."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep unpacked genomes and parsed annotation out of the user's cache, and parse each once in a run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENOMEKIT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference numbers and real data; skips where it is not given."""
    folder = os.environ.get("GENOMEKIT_SHARED")
    if not folder:
        pytest.skip("GENOMEKIT_SHARED is not set: the reference numbers and real data are not on this machine")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"GENOMEKIT_SHARED={folder} is not a folder")
    return path


@pytest.fixture
def result_tree():
    """A small prediction with every kind of node: two stranded and three unstranded tracks, contacts, junctions."""
    import numpy as np
    import pandas as pd

    from genomekit.labels import junction_dataset, prediction_tree, track_dataset
    from genomekit.tracks.modality import MODALITIES

    random = np.random.default_rng(0)
    where = {"chrom": "chrV", "start": 1000, "end": 1512, "chrom_length": 1500, "organism": "worm", "assembly": "ce10"}
    where |= {"genomekit": "0.1.0"}

    def rows(*names, strands=("."), **more):
        table = [{"name": n, "strand": s, "label": n if s == "." else f"{n} {s}"} for n in names for s in strands]
        return pd.DataFrame(table).assign(channel=range(len(table)), biosample_name="", **more)

    rna = random.random((512, 4), dtype=np.float32)
    rna[5:9, 1] = np.nan
    chip = rows("CTCF liver", "CTCF gut", "POLR2A gut", transcription_factor=["CTCF", "CTCF", "POLR2A"])
    chip["biosample_name"] = ["liver", "gut", "gut"]
    introns = pd.DataFrame({"chrom": "chrV", "start": [1300, 1100], "end": [1400, 1200], "strand": ["-", "+"]})
    nodes = {
        "rna_seq": track_dataset(
            rna,
            modality=MODALITIES["rna_seq"],
            rows=rows("liver RNA", "gut RNA", strands="+-", ontology_curie="UBERON:0002107"),
            start=1000,
            attrs=where,
        ),
        "chip_tf": track_dataset(
            random.random((5, 3)), modality=MODALITIES["chip_tf"], rows=chip, start=896, attrs=where
        ),
        "contact_maps": track_dataset(
            random.random((4, 4, 1)),
            modality=MODALITIES["contact_maps"],
            rows=rows("cell Hi-C"),
            start=896,
            attrs=where | {"resolution": 256},
        ),
        "splice_junctions": junction_dataset(
            np.arange(4).reshape(2, 2),
            modality=MODALITIES["splice_junctions"],
            rows=rows("liver", "gut", strands="+-").sort_values("strand"),
            junctions=introns,
            attrs=where,
        ),
    }
    return prediction_tree(nodes, {**where, "model": "test"})


def _tiny_checkpoint(seed: int = 3):
    """A random network of two organisms with a head of every kind, its track table, and a name."""
    import pandas as pd
    import torch

    from genomekit.nn import AlphaGenome, HeadConfig, NetworkConfig
    from genomekit.tracks import MODALITIES, TrackTable
    from genomekit.weights.checkpoint import Checkpoint

    def rows(organism, modality, names, strands=(".",), first=0):
        made = [{"name": name, "strand": strand} for strand in strands for name in names]
        table = pd.DataFrame(made).assign(organism=organism, modality=modality, nonzero_mean=0.5)
        return table.assign(channel=range(first, first + len(table)), biosample_name=table["name"].str.split().str[0])

    stranded = {"rna_seq": 6, "splice_site_usage": 4}
    frames = []
    for organism in ("worm", "yeast"):
        frames += [rows(organism, name, ["egg x", "gut x"], "+-") for name in stranded]
        frames += [rows(organism, name, ["egg a", "gut a"], first=1) for name in ("atac", "dnase", "chip_tf")]
        frames.append(rows(organism, "contact_maps", ["egg hi-c"]))
        junctions = rows(organism, "splice_junctions", ["egg j", "gut j"], "+-")
        frames.append(junctions.assign(channel=[0, 1, 3, 4]))
        sites = rows(organism, "splice_sites", ["donor", "acceptor"], "+-")
        frames.append(sites.assign(biosample_name=""))
    widths = {
        "atac": 4,
        "dnase": 4,
        "chip_tf": 4,
        "contact_maps": 2,
        "splice_sites": 5,
        "splice_junctions": 6,
        **stranded,
    }
    kinds = {"atac": (1, 128), "dnase": (1, 128), "rna_seq": (1, 128), "chip_tf": (128,)}
    heads = tuple(
        HeadConfig(
            modality=name,
            kind=MODALITIES[name].head_kind,
            channels=width,
            resolutions=kinds.get(name, (MODALITIES[name].resolution,)),
            squash=MODALITIES[name].squash,
        )
        for name, width in widths.items()
    )
    config = NetworkConfig(
        organisms=("worm", "yeast"),
        heads=heads,
        channels=8,
        channel_step=4,
        num_layers=2,
        num_heads=2,
        key_channels=8,
        value_channels=8,
        pair_channels=8,
        pair_heads=2,
        pair_key_channels=8,
        junction_channels=16,
        max_splice_sites=16,
        splice_threshold=0.0,  # a random network is sure of no site, and junctions need some
        max_length=8192,
        default_length=2048,
    )
    torch.manual_seed(seed)
    tracks = TrackTable(pd.concat(frames), modalities=MODALITIES, organisms=config.organisms, widths=widths)
    network = AlphaGenome(config)
    network.set_track_means(
        {head.modality: torch.from_numpy(tracks.means(head.modality)) for head in heads if head.kind == "track"}
    )
    return Checkpoint(
        name="tiny",
        network=network,
        config=config,
        tracks=tracks,
        path=Path("tiny"),
        layout="genomekit",
        terms="for tests only",
        hash_source=lambda: "0" * 64,
    )


@pytest.fixture
def tiny_checkpoint():
    """A random two-organism checkpoint with a head of every kind, in the shape `weights.load.load` gives."""
    return _tiny_checkpoint()


@pytest.fixture
def tiny_engine(tiny_checkpoint):
    """The engine of `tiny_checkpoint` on the CPU."""
    from genomekit.engine import Engine

    return Engine(tiny_checkpoint, device="cpu")


@pytest.fixture
def tiny_model(tiny_checkpoint):
    """The model of `tiny_checkpoint` on the CPU."""
    from genomekit.model import Model

    return Model(tiny_checkpoint, device="cpu")
