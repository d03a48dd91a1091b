"""One figure of a prediction: panels of every modality, stacked over one interval."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genomekit.genome.interval import Interval

# Okabe-Ito: told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY, INK = "#CC79A7", "#56B4E9", "#8C8C8C", "#333333"
CURVES = (BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION)
WIDTH = 10.0  # inches
COLUMNS = 2000  # pixel columns a curve is reduced to; the highest value of each survives
SITE_THRESHOLD = 0.05  # probabilities below this are not drawn: there are thousands, and they mean "no site"
MAX_ARCS = 40
Region = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Panel:
    """One row of the figure: its height in inches, its label, and what draws it."""

    height: float
    label: str
    draw: Callable[[Axes], None]


def figure(
    tree: xr.DataTree,
    *,
    region: Interval | str | None = None,
    genes: pd.DataFrame | None = None,
    max_tracks: int = 4,
    title: str | None = None,
) -> Figure:
    """Draw a prediction: genes, splice sites, tracks, junctions and contacts over one interval.

    Donors point up and acceptors down; tracks of the minus strand hang below those of the plus strand; junction arcs
    are as wide as they are strong, above for the plus strand and below for the minus strand. No global setting of
    matplotlib is touched and nothing is shown: use `.savefig`, or leave it as the last line of a notebook cell.

    Args:
        tree: What a `predict_*` call returned, without dim allele (use `.gk.delta()` or `.sel(allele="alt")`).
        region: Part to draw; default is all of it.
        genes: Exons as `Genome.exons` gives them; their genes are drawn on top.
        max_tracks: Tracks (or pairs of strands) drawn per modality, the first ones; the rest is counted in the label.
        title: Title; default is the region and the assembly.

    Raises:
        ValueError: Nothing to draw, more than one allele, or a region outside the prediction.

    Example:
        >>> import genomekit as gk
        >>> gene, model = gk.testing.designed_gene(), gk.Model.from_pretrained()
        >>> tree = model.predict_sequence(gene.sequence, organism="worm", modalities=["splice_sites"])
        >>> drawn = figure(tree, genes=gene.to_frame())
        >>> [axes.get_title(loc="left") for axes in drawn.axes]
        ['Genes', 'Splice sites']
    """
    nodes = {name: child.to_dataset(inherit=False) for name, child in tree.children.items() if "signal" in child}
    if not nodes:
        raise ValueError(f"The tree has nodes {list(tree.children)}, none with a signal; there is nothing to draw.")
    if max_tracks < 1:
        raise ValueError(f"max_tracks={max_tracks}; draw at least one track per modality.")
    both = [name for name, node in nodes.items() if "allele" in node["signal"].dims]
    if both:
        raise ValueError(f"{both[0]} holds two alleles; draw .gk.delta(), or .sel(allele='alt').")
    nodes, shown, attrs = _window(nodes, region)
    panels = [panel for name in sorted(nodes, key=_rank) for panel in _panels(nodes[name], shown, max_tracks)]
    if genes is not None:
        panels = [_genes(genes, attrs.get("chrom", ""), shown, attrs.get("displayed_strand") == "-"), *panels]

    heights = [panel.height for panel in panels]
    drawing = Figure(figsize=(WIDTH, sum(heights) + 0.28 * len(panels) + 0.75), dpi=150, layout="constrained")
    grid = drawing.subplots(len(panels), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})
    for axes, panel in zip(grid[:, 0], panels, strict=True):
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.spines["left"].set(color=GREY, linewidth=0.6)
        axes.tick_params(labelsize=7, length=2.5, width=0.6, color=GREY, labelcolor=INK)
        axes.tick_params(axis="x", length=0)
        axes.yaxis.set_major_locator(MaxNLocator(2))
        axes.set_title(panel.label, loc="left", fontsize=8, color=INK, pad=3)
        panel.draw(axes)
    _position_axis(grid[-1, 0], attrs, shown)
    where = f"{attrs.get('chrom') or 'sequence'}:{shown[0]:,}-{shown[1]:,}"
    drawing.suptitle(title or " ".join(filter(None, [where, str(attrs.get("assembly", ""))])), fontsize=10, color=INK)
    return drawing


def _window(nodes: dict[str, xr.Dataset], region: Interval | str | None) -> tuple[dict[str, xr.Dataset], Region, Any]:
    """Cut the nodes to the region (its ends rounded out to whole bins) and find what is shown."""
    attrs = next(iter(nodes.values())).attrs
    if region is None:
        spans = [_span(node) for node in nodes.values()]
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        return nodes, (int(attrs.get("start", low)), int(attrs.get("end", high))), attrs
    where = Interval.parse(region)
    chrom = attrs.get("chrom", "")
    if chrom and where.chrom.removeprefix("chr") != chrom.removeprefix("chr"):
        raise ValueError(f"Region {where} is on {where.chrom}, the prediction is on {chrom}.")
    cut = {}
    for name, node in nodes.items():
        if "junction" in node.dims:
            crosses = (node["start"].values < where.end) & (node["end"].values > where.start)
            cut[name] = node.isel(junction=np.flatnonzero(crosses))
            continue
        for dim in ("position", "bin1", "bin2"):
            if dim in node.dims:
                first = node[dim].values
                inside = (first < where.end) & (first + int(node.attrs.get("resolution", 1)) > where.start)
                node = node.isel({dim: np.flatnonzero(inside)})
        if node["signal"].size:
            cut[name] = node
    if not any("junction" not in node.dims or node["signal"].size for node in cut.values()):
        raise ValueError(f"Region {where} holds nothing of the prediction.")
    return cut, (where.start, where.end), attrs


def _span(node: xr.Dataset) -> Region:
    dim = next((d for d in ("position", "bin1") if d in node.dims), None)
    if dim is None:
        ends = [int(node.attrs.get(name, 0)) for name in ("start", "end")]
        return ends[0], ends[1]
    return int(node[dim].min()), int(node[dim].max()) + int(node.attrs.get("resolution", 1))


def _rank(name: str) -> tuple[int, str]:
    order = ("splice_sites", "splice_site_usage", "splice_junctions")
    return (order.index(name) if name in order else len(order) + (name == "contact_maps"), name)


def _panels(node: xr.Dataset, shown: Region, max_tracks: int) -> Iterator[_Panel]:
    """Choose the panels of one modality."""
    name = str(node.attrs.get("modality", "signal"))
    what = str(node.attrs.get("long_name") or name)
    if node.sizes.get("track", 1) == 0:
        return
    if name == "splice_sites":
        yield _Panel(1.0, what, lambda axes: _sites(axes, node))
        return
    if "junction" in node.dims:
        label = f"{what}: {_named(node['track'].values[0])}{_more(node.sizes['track'], 1)}"
        yield _Panel(1.1, label, lambda axes: _arcs(axes, node))
        return
    groups = _groups(node)
    for index, (track, members) in enumerate(list(groups.items())[:max_tracks]):
        label = f"{what}: {_named(track)}" + (_more(len(groups), max_tracks) if index == max_tracks - 1 else "")
        if "bin1" in node.dims:
            height = WIDTH * 0.2
            yield _Panel(height, label, lambda axes, i=members[0]: _triangle(axes, node.isel(track=i), shown))
        else:
            color = CURVES[index % len(CURVES)]
            yield _Panel(0.75, label, lambda axes, m=members, c=color: _curves(axes, node, m, c))


def _groups(node: xr.Dataset) -> dict[str, list[int]]:
    """Put the two strands of one track together."""
    groups: dict[str, list[int]] = {}
    strands = node["strand"].values if "strand" in node.coords else [""] * node.sizes["track"]
    for index, (label, strand) in enumerate(zip(node["track"].values, strands, strict=True)):
        stem = label.replace(f" {strand}", "", 1) if strand in ("+", "-") and f" {strand}" in label else label
        groups.setdefault(stem, []).append(index)
    return groups


def _named(text: str) -> str:
    return textwrap.shorten(str(text), 70, placeholder=" ...")


def _more(count: int, drawn: int) -> str:
    return f"   (+ {count - drawn} more not drawn)" if count > drawn else ""


def _genes(exons: pd.DataFrame, chrom: str, shown: Region, turned: bool) -> _Panel:
    """Pack transcripts into rows; where they are too many, one model per gene."""
    missing = [name for name in ("chrom", "start", "end", "strand", "gene_id", "transcript_id") if name not in exons]
    if missing:
        raise ValueError(f"genes has no column {', '.join(missing)}; give the table of Genome.exons(...).")
    if chrom:
        exons = exons[exons["chrom"].astype(str).str.removeprefix("chr") == chrom.removeprefix("chr")]
    span = exons.groupby("transcript_id")  # an intron may cover the whole region, with every exon outside
    inside = exons[(span["start"].transform("min") < shown[1]) & (span["end"].transform("max") > shown[0])]
    key = "transcript_id" if inside["transcript_id"].nunique() <= 12 else "gene_id"
    models = sorted((part for _, part in inside.groupby(key, sort=False)), key=lambda part: part["start"].min())
    gap = 0.1 * (shown[1] - shown[0])  # room for the name to the right of a model
    rows: list[float] = []
    placed: list[tuple[int, pd.DataFrame]] = []
    for model in models:
        row = next((i for i, end in enumerate(rows) if end < model["start"].min()), len(rows))
        rows[row : row + 1] = [model["end"].max() + gap]
        placed.append((row, model))

    def draw(axes: Axes) -> None:
        axes.set(ylim=(-(len(rows) or 1) + 0.4, 0.6), yticks=[])
        axes.spines["left"].set_visible(False)
        for row, model in placed:
            forward = model["strand"].iloc[0] != "-"
            color = BLUE if forward else VERMILLION
            start, end = model["start"].min(), model["end"].max()
            axes.plot([start, end], [-row, -row], color=color, linewidth=0.8, solid_capstyle="butt", zorder=1)
            steps = np.arange(max(start, shown[0]), min(end, shown[1]), (shown[1] - shown[0]) / 45)[1:]
            marker = ">" if forward != turned else "<"
            axes.plot(steps, np.full(len(steps), -row), marker, color=color, markersize=2.2, zorder=1)
            boxes = [[(a, y - row) for a, y in ((s, -0.28), (s, 0.28), (e, 0.28), (e, -0.28))]
                     for s, e in zip(model["start"], model["end"], strict=True)]  # fmt: skip
            axes.add_collection(PolyCollection(boxes, facecolor=color, edgecolor="white", linewidth=0.3, zorder=2))
            name = model["gene_name"].iloc[0] if "gene_name" in model else ""
            name = name if isinstance(name, str) and name else str(model["gene_id"].iloc[0])
            at = max(start, shown[0]) if turned else min(end, shown[1])
            axes.annotate(name, (at, -row), (4, 0), textcoords="offset points", fontsize=7, style="italic",
                          color=INK, va="center", ha="left", annotation_clip=False)  # fmt: skip

    return _Panel(max(0.3, 0.24 * len(rows)), "Genes" if placed else "Genes (none here)", draw)


def _sites(axes: Axes, node: xr.Dataset) -> None:
    """Stems: donors up, acceptors down, filled heads on the plus strand and open ones on the minus strand."""
    for index in range(node.sizes["track"]):
        track = node.isel(track=index)
        donor = "donor" in str(track["track"].item()).casefold()
        color, sign, open_head = BLUE if donor else VERMILLION, 1 if donor else -1, track["strand"].item() == "-"
        values = track["signal"].values
        at = np.flatnonzero(values >= SITE_THRESHOLD)
        x, y = node["position"].values[at] + 0.5, sign * values[at]
        axes.vlines(x, 0, y, color=color, linewidth=0.9)
        axes.plot(x, y, "o", color=color, markersize=2.8, markerfacecolor="white" if open_head else color,
                  markeredgewidth=0.7)  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set(ylim=(-1.12, 1.12), yticks=[-1, 0, 1], yticklabels=["1", "0", "1"])
    axes.set_ylabel("probability", fontsize=7, color=INK)
    key = {"family": "sans-serif", "fontsize": 7, "ha": "right", "transform": axes.transAxes}
    axes.text(1, 1.03, "donor (up)", color=BLUE, va="bottom", **key)
    axes.text(0.92, 1.03, "acceptor (down)", color=VERMILLION, va="bottom", **key)
    axes.text(0.81, 1.03, "filled: + strand, open: - strand", color=INK, va="bottom", **key)


def _curves(axes: Axes, node: xr.Dataset, members: list[int], color: str) -> None:
    """Filled curves; the minus strand hangs below, lighter."""
    step = int(node.attrs.get("resolution", 1))
    for index in members:
        track = node.isel(track=index)
        below = "strand" in track.coords and track["strand"].item() == "-" and len(members) > 1
        edges, values = _decimated(node["position"].values, track["signal"].values, step)
        values = np.nan_to_num(-values if below else values)
        axes.stairs(values, edges, fill=True, color=color, alpha=0.55 if below else 0.9, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.margins(y=0.05)
    axes.set_ylabel(textwrap.fill(str(node.attrs.get("units", "")), 18), fontsize=6, color=INK)
    if len(members) > 1:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))


def _decimated(position: np.ndarray, values: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Give bin edges and the value furthest from 0 in each of at most `COLUMNS` columns."""
    if position[0] > position[-1]:
        position, values = position[::-1], values[::-1]
    starts = np.unique(np.linspace(0, len(values), min(COLUMNS, len(values)), endpoint=False).astype(int))
    high, low = np.fmax.reduceat(values, starts), np.fmin.reduceat(values, starts)
    return np.append(position[starts], position[-1] + step), np.where(np.abs(high) >= np.abs(low), high, low)


def _arcs(axes: Axes, node: xr.Dataset) -> None:
    """Arcs from exon end to exon start, as wide as they are strong, the strongest numbered."""
    values = np.nan_to_num(node["signal"].isel(track=0).values)
    strongest = np.argsort(-values, kind="stable")[:MAX_ARCS]
    strongest = strongest[values[strongest] > 0]
    spans = node["end"].values - node["start"].values
    top, widest = max(values.max(initial=0), 1e-12), max(spans[strongest].max(initial=1), 1)
    plate = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
    for rank, index in enumerate(strongest):
        start, end = int(node["start"].values[index]), int(node["end"].values[index])
        sign = -1 if node["strand"].values[index] == "-" else 1
        height = sign * (0.25 + 0.75 * np.sqrt(spans[index] / widest))
        # A cubic reaches three quarters of the height of its control points.
        path = Path([(start, 0), (start, height * 4 / 3), (end, height * 4 / 3), (end, 0)], [1, 4, 4, 4])
        color, share = (BLUE if sign > 0 else VERMILLION), values[index] / top
        axes.add_patch(
            PathPatch(path, fill=False, edgecolor=color, linewidth=0.4 + 2.2 * share, alpha=0.35 + 0.6 * share)
        )
        if rank < 8:
            axes.annotate(f"{values[index]:.2g}", ((start + end) / 2, height), ha="center", va="center", fontsize=6,
                          color=INK, bbox=plate)  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=0.6)
    signs = {str(node["strand"].values[index]) for index in strongest}
    axes.set(ylim=(-1.15 if "-" in signs else -0.05, 1.15 if "+" in signs or not signs else 0.05), yticks=[])
    axes.spines["left"].set_visible(False)
    hidden = int((values > 0).sum()) - len(strongest)
    if hidden > 0:
        axes.text(1, 1.0, f"the {MAX_ARCS} strongest of {hidden + MAX_ARCS}", fontsize=6, color=INK, ha="right",
                  transform=axes.transAxes)  # fmt: skip


def _triangle(axes: Axes, track: xr.Dataset, shown: Region) -> None:
    """The upper half of a contact map, turned by 45 degrees: two bins meet above their middle."""
    step = int(track.attrs.get("resolution", 1))
    values = track["signal"].transpose("bin1", "bin2").values
    ends = [np.append(np.sort(track[dim].values), track[dim].values.max() + step) for dim in ("bin1", "bin2")]
    if track["bin1"].values[0] > track["bin1"].values[-1]:
        values = values[::-1, ::-1]
    first, second = np.meshgrid(*ends, indexing="ij")
    upper = np.triu(np.ones_like(values, dtype=bool))
    known = values[upper & np.isfinite(values)]
    signed = known.min(initial=0) < 0
    limit = np.quantile(np.abs(known), 0.995) if known.any() else 1.0
    mesh = axes.pcolormesh((first + second) / 2, (second - first) / 2, np.where(upper, values, np.nan),
                           cmap="RdBu_r" if signed else "cividis", vmin=-limit if signed else 0, vmax=limit,
                           rasterized=True)  # fmt: skip
    axes.set(ylim=(0, (shown[1] - shown[0]) / 2), yticks=[])
    axes.spines["left"].set_visible(False)
    bar = axes.figure.colorbar(mesh, cax=axes.inset_axes((0.012, 0.36, 0.01, 0.42)))
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(labelsize=6, length=1.5, width=0.5)
    bar.ax.set_title(textwrap.fill(str(track.attrs.get("units", "")), 26), fontsize=6, color=INK, loc="left", pad=4)


def _position_axis(axes: Axes, attrs: Any, shown: Region) -> None:
    width = shown[1] - shown[0]
    scale, unit = (1e6, "Mb") if width >= 2e6 else (1e3, "kb") if width >= 2e3 else (1, "bp")
    digits = None if scale == 1 else 3
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{round(x / scale, digits):,}".removesuffix(".0")))
    axes.set_xlim(*(shown if attrs.get("displayed_strand") != "-" else shown[::-1]))
    axes.spines["bottom"].set(visible=True, color=GREY, linewidth=0.6)
    axes.tick_params(axis="x", length=2.5)
    axes.set_xlabel(f"{attrs.get('chrom') or 'position'} ({unit})", fontsize=8, color=INK)
