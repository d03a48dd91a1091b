"""Two organisms of our own making, small enough to train a network on for a few steps.

The worm's genes follow rules that tests can foresee: no base is two kinds of splice site.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from genomekit.genome.letters import COMPLEMENT_CODES
from genomekit.nn import AlphaGenome, HeadConfig, NetworkConfig
from genomekit.training import mini
from genomekit.training.data import OrganismData
from genomekit.training.isoforms import annotate

PARTNERS = {"atac": np.array([0]), "rna_seq": np.array([1, 0]), "chip_tf": np.array([0, 1]), "mnase": np.array([0])}


def tiny_config(**changes: object) -> NetworkConfig:
    """The heads of mini on the smallest network there is."""
    sizes = {"channels": 8, "channel_step": 4, "num_layers": 2, "num_heads": 2, "key_channels": 8, "value_channels": 8}
    sizes |= {"pair_channels": 8, "pair_heads": 2, "pair_key_channels": 8, "junction_channels": 8}
    sizes |= {"max_length": 16_384, "default_length": 2048, "lengths": ()}
    return dataclasses.replace(mini.network_config(), **{**sizes, **changes})


def only(name: str, kind: str, channels: int, resolutions: tuple[int, ...] = (1,)) -> NetworkConfig:
    """The smallest network with a single head."""
    return tiny_config(heads=(HeadConfig(modality=name, kind=kind, channels=channels, resolutions=resolutions),))


def tiny_network(seed: int = 0) -> AlphaGenome:
    """A random network with the heads of mini; worm has no tracks, so its track means are NaN."""
    torch.manual_seed(seed)
    network = AlphaGenome(tiny_config())
    empty = float("nan")
    widths = {head.modality: head.channels for head in network.config.heads if head.kind == "track"}
    network.set_track_means({name: torch.tensor([[empty] * n, [0.5] * n]) for name, n in widths.items()})
    return network


def exon_table(genes: Sequence[tuple[str, str, Sequence[Sequence[tuple[int, int]]]]], chrom: str) -> pd.DataFrame:
    """One row per exon from (gene, strand, isoforms), an isoform being its exons."""
    rows = [
        {"chrom": chrom, "start": start, "end": end, "strand": strand, "gene_id": gene, "transcript_id": f"{gene}.{i}"}
        for gene, strand, isoforms in genes
        for i, exons in enumerate(isoforms)
        for start, end in exons
    ]
    columns = ["chrom", "start", "end", "strand", "gene_id", "transcript_id"]
    return pd.DataFrame(rows, columns=columns).astype({"start": np.int64, "end": np.int64})


def reversed_exons(exons: pd.DataFrame, length: int) -> pd.DataFrame:
    """The same exons on the reverse complement of the chromosome."""
    strand = exons["strand"].map({"+": "-", "-": "+"})
    return exons.assign(start=length - exons["end"], end=length - exons["start"], strand=strand)


def made_exons(rng: np.random.Generator, length: int, chrom: str) -> pd.DataFrame:
    """Genes on both strands, every other one with a second isoform that skips its middle exon."""
    genes, at = [], 40
    while at + 700 < length:
        edges = at + np.cumsum(rng.integers(20, 120, 6))
        exons = [tuple(map(int, pair)) for pair in edges.reshape(3, 2)]
        isoforms = [exons, [exons[0], exons[2]]] if len(genes) % 2 else [exons]
        genes.append((f"g{len(genes)}", "+-"[int(rng.integers(2))], isoforms))
        at = int(edges[-1]) + int(rng.integers(10, 60))
    return exon_table(genes, chrom)


def made_worm(seed: int = 0, length: int = 12_000) -> OrganismData:
    """Random letters with GT and AG where introns begin and end."""
    rng = np.random.default_rng(seed)
    exons = made_exons(rng, length, "chrA")
    splicing = annotate(exons, "chrA")
    codes = rng.integers(0, 4, length).astype(np.uint8)
    motifs = {0: {1: 2, 2: 3}, 1: {-2: 0, -1: 2}, 2: {-1: 1, -2: 0}, 3: {2: 3, 1: 1}}
    for kind, motif in motifs.items():
        for offset, code in motif.items():
            codes[splicing.site_position[splicing.site_kind == kind] + offset] = code
    return OrganismData(organism=mini.WORM, codes={"chrA": codes}, splicing={"chrA": splicing})


def made_yeast(seed: int = 1, length: int = 12_000) -> OrganismData:
    """Random letters with smooth random coverage."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, length).astype(np.uint8)
    coverage = {
        name: {"chrB": rng.gamma(0.5, 2.0, (len(order), length)).astype(np.float32)} for name, order in PARTNERS.items()
    }
    return OrganismData(organism=mini.YEAST, codes={"chrB": codes}, coverage=coverage, partners=PARTNERS)


def reversed_organism(data: OrganismData, exons: pd.DataFrame | None = None) -> OrganismData:
    """The same organism with every chromosome written as its reverse complement."""
    lengths = {chrom: len(codes) for chrom, codes in data.codes.items()}
    turned = {
        name: {chrom: rows[data.partners[name]][:, ::-1] for chrom, rows in by_chrom.items()}
        for name, by_chrom in data.coverage.items()
    }
    splicing = {c: annotate(reversed_exons(exons, lengths[c]), c) for c in data.splicing} if exons is not None else {}
    return OrganismData(
        organism=data.organism,
        codes={chrom: COMPLEMENT_CODES[codes[::-1]] for chrom, codes in data.codes.items()},
        coverage=turned,
        partners=data.partners,
        splicing=splicing,
    )
