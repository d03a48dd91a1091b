"""The bundled model: its data, its splits, its size, and the command that trains it.

    python -m genomekit.training.mini --data DATA --out RUN

`docs/mini.md` lists the files of DATA with their public sources. A run resumes where it was stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from genomekit.genome.annotation import Annotation
from genomekit.genome.fasta import Fasta
from genomekit.genome.interval import Interval
from genomekit.genome.letters import base_codes
from genomekit.nn import AlphaGenome, HeadConfig, NetworkConfig
from genomekit.tracks import MODALITIES, Modality, TrackTable
from genomekit.training.data import Augmentation, OrganismData
from genomekit.training.isoforms import annotate
from genomekit.training.loop import LoopConfig, Phase, Stream, Trainer
from genomekit.training.signal import bigwig_coverage, fragment_ends
from genomekit.weights.native import save

ORGANISMS = ("worm", "yeast")
WORM, YEAST = range(2)

MNASE = Modality(
    name="mnase",
    head="mnase",
    head_kind="track",
    resolution=1,
    resolutions=(1, 128),
    dims=("position", "track"),
    units="read coverage",
    long_name="Nucleosome occupancy (MNase-seq)",
    stranded=False,
    loss="multinomial_poisson",
)

# What the files hold, where it is not what the published tracks hold.
_UNITS = {
    "atac": "fragment ends",
    "rna_seq": "read coverage",
    "chip_tf": "read coverage, summed in the 128 bp bin",
    "splice_site_usage": "fraction of annotated isoforms",
    "splice_junctions": "annotated isoforms",
}
_MODALITIES = {
    name: dataclasses.replace(modality, units=_UNITS.get(name, modality.units))
    for name, modality in {**MODALITIES, "mnase": MNASE}.items()
}

SPLITS = {
    "worm": {
        "train": ("chrI:0-15072423", "chrII:0-15279345", "chrIII:0-13783700", "chrIV:0-15000000"),
        "tune": ("chrIV:15000000-17493793",),
        "test": ("chrV:0-20924149",),
    },
    "yeast": {
        "train": ("chrIV:0-1331933",),
        "tune": ("chrIV:1331933-1531933",),
        "test": ("chrII:0-813184",),
    },
}
"""Regions by organism; 0-based half-open. Test regions are read by the evaluation command only."""

STEPS = 3600
_LATE_SHARES = {"worm": 0.68, "worm_long": 0.12, "yeast": 0.20}
_LATE_WEIGHTS = {
    "splice_sites": 50.0,
    "splice_site_usage": 30.0,
    "splice_junctions": 0.1,
    "atac": 0.5,
    "rna_seq": 0.15,
    "chip_tf": 0.25,
    "mnase": 0.1,
}
PHASES = (
    Phase(
        start=0,
        shares={"worm": 0.79, "worm_long": 0.12, "yeast": 0.09},
        head_weights={
            "splice_sites": 50.0,
            "splice_site_usage": 30.0,
            "splice_junctions": 0.1,
            "atac": 0.03,
            "rna_seq": 0.03,
            "chip_tf": 0.03,
            "mnase": 0.01,
        },
    ),
    Phase(start=1000, shares=_LATE_SHARES, head_weights=_LATE_WEIGHTS),
    Phase(start=2600, shares=_LATE_SHARES, head_weights=_LATE_WEIGHTS, freeze_norms=True),
)
"""First mostly splicing, which has fifty times the data, then both, at last with the norms as they are used.

Upstream's head weights are 1 (junctions 0.2). At this size the coverage losses are thousands of times the splice ones
and one optimiser cannot serve both, so each head's weight is chosen to make the gradients of the heads of one order:
measured at the start of each phase, the splice gradients being large at first and small later.
"""

_SPLICING = "WormBase WS245 isoforms (annotation-derived)"
_TRACKS = (
    # organism, modality, channel, name, strand, assay_title, data_source, transcription_factor, file
    ("yeast", "atac", 0, "ATAC-seq SRR1822137", ".", "ATAC-seq", "SRA", "", "yeast/ATAC_SRR1822137_500k.bedpe.gz"),
    ("yeast", "rna_seq", 0, "RNA-seq SRR2045244", "+", "RNA-seq", "SRA", "", "yeast/RNA.fwd.50bp.bw"),
    ("yeast", "rna_seq", 1, "RNA-seq SRR2045244", "-", "RNA-seq", "SRA", "", "yeast/RNA.rev.50bp.bw"),
    ("yeast", "chip_tf", 0, "Pol II ChIP-seq", ".", "TF ChIP-seq", "tidyCoverage", "Pol II", "yeast/PolII.50bp.bw"),
    ("yeast", "chip_tf", 1, "Scc1 ChIP-seq", ".", "TF ChIP-seq", "tidyCoverage", "Scc1", "yeast/Scc1.50bp.bw"),
    ("yeast", "mnase", 0, "MNase-seq", ".", "MNase-seq", "tidyCoverage", "", "yeast/MNase.50bp.bw"),
    ("worm", "splice_sites", 0, "donor", "+", "annotation", _SPLICING, "", None),
    ("worm", "splice_sites", 1, "acceptor", "+", "annotation", _SPLICING, "", None),
    ("worm", "splice_sites", 2, "donor", "-", "annotation", _SPLICING, "", None),
    ("worm", "splice_sites", 3, "acceptor", "-", "annotation", _SPLICING, "", None),
    ("worm", "splice_site_usage", 0, "usage over annotated isoforms", "+", "annotation", _SPLICING, "", None),
    ("worm", "splice_site_usage", 1, "usage over annotated isoforms", "-", "annotation", _SPLICING, "", None),
    ("worm", "splice_junctions", 0, "annotated isoforms per junction", "+", "annotation", _SPLICING, "", None),
    ("worm", "splice_junctions", 1, "annotated isoforms per junction", "-", "annotation", _SPLICING, "", None),
)
_BIOSAMPLES = {"worm": ("whole organism", "C. elegans N2"), "yeast": ("whole organism", "S. cerevisiae")}
_WIDTHS = {
    "atac": 1,
    "rna_seq": 2,
    "chip_tf": 2,
    "mnase": 1,
    "splice_sites": 5,
    "splice_site_usage": 2,
    "splice_junctions": 2,
}


def network_config() -> NetworkConfig:
    """Return the size of mini: the published architecture, 16 times narrower.

    Example:
        >>> network_config().trunk_channels
        144
    """
    heads = tuple(
        HeadConfig(
            modality=name,
            kind=_MODALITIES[name].head_kind,
            channels=width,
            resolutions=_MODALITIES[name].resolutions,
            squash=_MODALITIES[name].squash,
        )
        for name, width in _WIDTHS.items()
    )
    return NetworkConfig(
        organisms=ORGANISMS,
        heads=heads,
        channels=48,
        channel_step=16,
        num_layers=4,
        num_heads=4,
        key_channels=32,
        value_channels=32,
        pair_channels=32,
        pair_heads=8,
        pair_key_channels=16,
        junction_channels=64,
        max_length=262_144,
        default_length=16_384,
    )


def track_table(means: dict[tuple[str, int], float] | None = None) -> TrackTable:
    """Return what mini's channels mean.

    Args:
        means: Mean of the non-zero signal per (modality, channel), measured on the training regions.
    """
    rows = pd.DataFrame(
        [row[:-1] for row in _TRACKS],
        columns=[
            "organism",
            "modality",
            "channel",
            "name",
            "strand",
            "assay_title",
            "data_source",
            "transcription_factor",
        ],
    )
    rows["biosample_type"] = [_BIOSAMPLES[organism][0].replace(" ", "_") for organism in rows["organism"]]
    rows["biosample_name"] = [_BIOSAMPLES[organism][1] for organism in rows["organism"]]
    keys = zip(rows["modality"], rows["channel"], strict=True)
    rows["nonzero_mean"] = [(means or {}).get(key, np.nan) for key in keys]
    return TrackTable(rows, modalities=_MODALITIES, organisms=ORGANISMS, widths=_WIDTHS)


def regions(organism: str, split: str) -> list[Interval]:
    """Return the regions of a split, "train", "tune" or "test"."""
    return [Interval.parse(text) for text in SPLITS[organism][split]]


def load_worm(folder: Path, splits: tuple[str, ...]) -> OrganismData:
    """Read the worm chromosomes of these splits with their annotated splicing."""
    fasta = Fasta(folder / "celegans/ce10.fa.gz")
    exons = Annotation.open(folder / "celegans/ce10.genes.gtf.gz").exons()
    chroms = _chroms("worm", splits)
    return OrganismData(
        organism=WORM,
        codes={chrom: base_codes(fasta.fetch(chrom, 0, fasta.lengths[chrom])) for chrom in chroms},
        splicing={chrom: annotate(exons, chrom) for chrom in chroms},
    )


def load_yeast(folder: Path, splits: tuple[str, ...]) -> OrganismData:
    """Read the yeast chromosomes of these splits with their coverage."""
    fasta = Fasta(folder / "yeast/sacCer3.fa.gz")
    chroms = _chroms("yeast", splits)
    codes = {chrom: base_codes(fasta.fetch(chrom, 0, fasta.lengths[chrom])) for chrom in chroms}
    coverage: dict[str, dict[str, np.ndarray]] = {}
    for chrom in chroms:
        length = len(codes[chrom])
        for _, modality, channel, *_, file in (row for row in _TRACKS if row[0] == "yeast"):
            read = fragment_ends if str(file).endswith("bedpe.gz") else bigwig_coverage
            rows = coverage.setdefault(modality, {}).setdefault(
                chrom, np.zeros((_WIDTHS[modality], length), np.float32)
            )
            rows[channel] = read(folder / str(file), chrom, length)
    table = track_table()
    partners = {name: table.partners(name, "yeast") for name in coverage}
    return OrganismData(organism=YEAST, codes=codes, coverage=coverage, partners=partners)


def _chroms(organism: str, splits: tuple[str, ...]) -> list[str]:
    """Return the chromosomes that these splits touch, each once."""
    return list(dict.fromkeys(region.chrom for split in splits for region in regions(organism, split)))


def signal_means(data: OrganismData, places: list[Interval]) -> dict[tuple[str, int], float]:
    """Return the mean of the non-zero signal per base of each channel, over these places."""
    means = {}
    for modality, by_chrom in data.coverage.items():
        joined = np.concatenate([by_chrom[place.chrom][:, place.start : place.end] for place in places], axis=1)
        for channel, row in enumerate(joined):
            means[modality, channel] = float(row[row > 0].mean())
    return means


def loop_config(steps: int, *, compile: bool, seed: int = 0) -> LoopConfig:
    """Return the settings mini is trained with."""
    return LoopConfig(
        steps=steps,
        phases=PHASES,
        augmentation=Augmentation(reverse_complement=0.5, blank=0.1),
        average=0.995,
        compile=compile,
        seed=seed,
    )


def streams(folder: Path) -> list[Stream]:
    """Return the streams mini is trained on: worm at two window lengths, yeast at one."""
    worm, yeast = load_worm(folder, ("train",)), load_yeast(folder, ("train",))
    worm_train, yeast_train = regions("worm", "train"), regions("yeast", "train")
    return [
        Stream(name="worm", data=worm, regions=worm_train, length=16_384, windows=8),
        Stream(name="worm_long", data=worm, regions=worm_train, length=65_536, windows=2),
        Stream(name="yeast", data=yeast, regions=yeast_train, length=16_384, windows=8),
    ]


def train(folder: Path, out: Path, *, steps: int, compile: bool, device: str, seed: int = 0) -> Path:
    """Train mini and write its checkpoint; resume where an earlier run in `out` was stopped.

    Args:
        folder: The data, laid out as `docs/mini.md` says.
        out: Where state, log and `checkpoint/` go.
        steps: Optimiser steps.
        compile: Compile the network's convolutions first (needs a C++ compiler on CPU).
        device: "cpu" or "cuda".
        seed: Of the weights and the sampling.

    Returns:
        The checkpoint folder.
    """
    sources = streams(folder)
    yeast = next(stream.data for stream in sources if stream.data.organism == YEAST)
    table = track_table(signal_means(yeast, regions("yeast", "train")))
    torch.manual_seed(seed)
    network = AlphaGenome(network_config())
    means = {
        name: torch.from_numpy(table.means(name)) for name, m in table.modalities.items() if m.head_kind == "track"
    }
    network.set_track_means(means)
    config = loop_config(steps, compile=compile, seed=seed)
    trained = Trainer(network, sources, config, out, device).run()
    provenance = {
        "trained_by": "python -m genomekit.training.mini",
        "steps": steps,
        "seed": seed,
        "splits": {organism: {split: list(places) for split, places in by.items()} for organism, by in SPLITS.items()},
        "phases": [dataclasses.asdict(phase) for phase in PHASES],
        "data": "WormBase WS220/WS245, UCSC sacCer3, SRA, tidyCoverage, MACS test data; see NOTICE",
    }
    return save(
        out / "checkpoint",
        trained,
        table,
        name="mini",
        provenance=provenance,
        licence="Apache-2.0",
        overwrite=True,
    )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the files that docs/mini.md lists")
    parser.add_argument("--out", type=Path, required=True, help="folder for state, log and checkpoint")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile first: minutes once, then about twice as fast")
    arguments = parser.parse_args()
    path = train(
        arguments.data, arguments.out, steps=arguments.steps, compile=arguments.compile, device=arguments.device
    )
    print(f"Checkpoint in {path}")


if __name__ == "__main__":
    main()
