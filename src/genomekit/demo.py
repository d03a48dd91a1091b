"""The demonstration: predict a gene whose splice sites are known, and compare."""

from __future__ import annotations

import time
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.model import Model
from genomekit.testing import DesignedGene, designed_gene

SHOWN = 20  # rows of a table that are printed
CONFIDENT = 0.5  # probability from which a site is listed where no annotation says what to expect
MARGIN = 200  # bp drawn on either side of the designed gene


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demonstration predicted and how it compares with what is known."""

    title: str
    tree: xr.DataTree
    """The prediction."""
    sites: pd.DataFrame
    """One row per known splice site: position, kind, strand, probability, rank among all positions of its kind in the
    interval, and whether it is found (its rank is within the number of known sites of its kind)."""
    introns: pd.DataFrame
    """One row per known intron: start, end, strand, predicted count, rank among the introns predicted for its donor,
    and whether it is found (it ranks first)."""
    figure: Path
    """Where the figure is."""
    known: bool
    """Whether there was something to compare with; otherwise `sites` are the confident predictions."""

    def __str__(self) -> str:
        lines = [self.title, ""]
        if self.known:
            lines += _block("Splice sites", self.sites, "is among the best of its kind, as many as are known")
            lines += _block("Introns", self.introns, "ranks first for its donor")
        elif "splice_sites" not in self.tree.children:
            names = ", ".join(f"{name} ({node.sizes['track']})" for name, node in self.tree.children.items())
            lines += [f"This organism has no splice sites here; predicted tracks: {names}.", ""]
        elif len(self.sites):
            lines += [f"Splice sites predicted with a probability of {CONFIDENT} or more:", _printed(self.sites), ""]
        else:
            lines += [f"No splice site was predicted with a probability of {CONFIDENT} or more.", ""]
        return "\n".join([*lines, f"Figure: {self.figure}"])


def demo(
    model: Model | None = None,
    *,
    genome: Genome | str | PathLike[str] | None = None,
    gtf: str | PathLike[str] | None = None,
    interval: Interval | str | None = None,
    organism: str | None = None,
    out: str | PathLike[str] = "genomekit-demo.png",
    seed: int = 0,
) -> Demo:
    """Predict a designed gene, or an interval of a real genome, compare with what is known and draw it.

    Args:
        model: What predicts; None is the bundled mini.
        genome: FASTA, preset or `Genome`; None takes the designed gene.
        gtf: Annotation of that genome, for the comparison and the gene models of the figure.
        interval: Where in that genome.
        organism: Whose heads to read; None takes it from the genome, and the worm for the designed gene.
        out: Figure to write; its ending (.png, .pdf, .svg) is the format.
        seed: Which designed gene.

    Returns:
        The comparison; `print` shows it.

    Raises:
        ValueError: A genome without an interval or the reverse, or anything that predicting refuses.
        OSError: The figure cannot be written.
    """
    if (genome is None) != (interval is None):
        raise ValueError("Give genome= and interval= together, or neither for the designed gene.")
    target = Path(out)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} for the figure does not exist; make it, or give another.")
    model = Model.from_pretrained() if model is None else model
    begin = time.perf_counter()
    if genome is None or interval is None:
        gene = designed_gene(seed)
        own = organism or ("worm" if "worm" in model.organisms else None)
        tree = model.predict_sequence(gene.sequence, interval=gene.interval, organism=own)
        exons, sites, introns = _planted(gene)
        what, region = "a designed gene", gene.gene.as_unstranded().pad(MARGIN, MARGIN)
    else:
        opened = (
            genome if isinstance(genome, Genome) else Genome.open(str(genome), gtf=None if gtf is None else str(gtf))
        )
        tree = model.predict_interval(interval, genome=opened, organism=organism)
        region = Interval(tree.attrs["chrom"], tree.attrs["start"], tree.attrs["end"])
        exons, sites, introns = _annotated(opened, region)
        what = f"{region.chrom}:{region.start:,}-{region.end:,}"
    title = (
        f"{model.name} read {what} ({tree.attrs['organism']}, a window of "
        f"{tree.attrs['window_end'] - tree.attrs['window_start']:,} bp) on {model.engine.device} in "
        f"{time.perf_counter() - begin:.1f} s."
    )
    known = sites is not None and len(sites) > 0
    found = _compare_sites(tree, sites) if sites is not None and known else _confident(tree)
    return Demo(title, tree, found, _compare_introns(tree, introns), _drawn(tree, region, exons, target), known)


def _planted(gene: DesignedGene) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Exons, splice sites and introns of a designed gene."""
    names = {"gene_id": gene.name, "gene_name": gene.name, "transcript_id": gene.name}
    exons = pd.DataFrame([exon.to_dict() | names for exon in gene.exons])
    sites = [(position, "donor", gene.gene.strand) for position in gene.donors]
    sites += [(position, "acceptor", gene.gene.strand) for position in gene.acceptors]
    introns = pd.DataFrame([(intron.start, intron.end, intron.strand) for intron in gene.introns])
    return (
        exons,
        pd.DataFrame(sites, columns=["position", "kind", "strand"]),
        introns.set_axis(["start", "end", "strand"], axis=1),
    )


def _annotated(
    genome: Genome, region: Interval
) -> tuple[pd.DataFrame | None, pd.DataFrame | None, pd.DataFrame | None]:
    """Exons, and the splice sites and introns inside a region, isoforms pooled; None without an annotation."""
    if not genome.has_annotation:
        return None, None, None
    exons, sites, introns = genome.exons(region), genome.splice_sites(region), genome.introns(region)
    inside = (introns["start"] >= region.start) & (introns["end"] <= region.end)
    within = (sites["position"] >= region.start) & (sites["position"] < region.end)
    return (
        exons,
        sites.loc[within, ["position", "kind", "strand"]].drop_duplicates().reset_index(drop=True),
        introns.loc[inside, ["start", "end", "strand"]].drop_duplicates().reset_index(drop=True),
    )


def _compare_sites(tree: xr.DataTree, sites: pd.DataFrame) -> pd.DataFrame:
    """Give each known site its predicted probability and its rank."""
    if "splice_sites" not in tree.children:
        return pd.DataFrame()
    parts = []
    for (kind, strand), group in sites.groupby(["kind", "strand"], sort=False):
        values = _class(tree, str(kind), str(strand))
        if values is None:
            continue
        probability = values.sel(position=group["position"].to_numpy()).values
        rank = 1 + (values.values[None] > probability[:, None]).sum(axis=1)
        parts.append(group.assign(probability=probability, rank=rank, found=rank <= len(group)))
    return pd.concat(parts).sort_values(["position", "kind"], ignore_index=True) if parts else pd.DataFrame()


def _class(tree: xr.DataTree, kind: str, strand: str) -> xr.DataArray | None:
    """Probabilities of one class of splice sites along the positions."""
    signal = tree["splice_sites"].to_dataset()["signal"]
    chosen = np.flatnonzero((signal["name"].values == kind) & (signal["strand"].values == strand))
    return signal.isel(track=int(chosen[0])) if len(chosen) else None


def _confident(tree: xr.DataTree) -> pd.DataFrame:
    """List the sites that are predicted with confidence."""
    rows = []
    if "splice_sites" in tree.children:
        for kind in ("donor", "acceptor"):
            for strand in ("+", "-"):
                values = _class(tree, kind, strand)
                for site in [] if values is None else values[values.values >= CONFIDENT]:
                    rows.append((int(site["position"]), kind, strand, float(site)))
    table = pd.DataFrame(rows, columns=["position", "kind", "strand", "probability"])
    return table.sort_values(["position", "kind"], ignore_index=True)


def _compare_introns(tree: xr.DataTree, introns: pd.DataFrame | None) -> pd.DataFrame:
    """Give each known intron its predicted count and its rank among those of its donor; 0 where it is not predicted."""
    if introns is None or "splice_junctions" not in tree.children:
        return pd.DataFrame()
    node = tree["splice_junctions"].to_dataset()
    keys = ["start", "end", "strand"]
    predicted = pd.DataFrame({key: node[key].values for key in (*keys, "donor")})
    predicted["count"] = node["signal"].max("track").values
    predicted["rank"] = predicted.groupby(["strand", "donor"])["count"].rank(ascending=False, method="min")
    merged = introns.merge(predicted[[*keys, "count", "rank"]], on=keys, how="left")
    merged["found"] = merged["rank"] == 1
    return merged.fillna({"count": 0.0, "rank": 0}).astype({"rank": int}).sort_values(keys, ignore_index=True)


def _drawn(tree: xr.DataTree, region: Interval, exons: pd.DataFrame | None, target: Path) -> Path:
    """Save the figure."""
    from genomekit.plot import figure  # matplotlib takes a second to load

    figure(tree, region=region, genes=exons).savefig(target)
    return target


def _block(name: str, table: pd.DataFrame, meaning: str) -> list[str]:
    """A heading with the count of what was found, and the table."""
    if table.empty:
        return [f"{name}: none known here, or none that this model predicts.", ""]
    return [f"{name}: {int(table['found'].sum())} of {len(table)} found (a found one {meaning}).", _printed(table), ""]


def _printed(table: pd.DataFrame) -> str:
    shown = table.head(SHOWN).copy()
    if "found" in shown:
        shown["found"] = np.where(shown["found"], "yes", "no")
    text = shown.to_string(index=False, float_format=lambda value: f"{value:.3g}")
    return text + (f"\n... and {len(table) - SHOWN} more" if len(table) > SHOWN else "")
