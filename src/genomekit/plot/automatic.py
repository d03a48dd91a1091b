"""Which panels show a result, where the user has not said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import xarray as xr

from genomekit.plot.annotations import Annotation, Variants
from genomekit.plot.colors import palette
from genomekit.plot.contacts import ContactMap
from genomekit.plot.difference import Difference
from genomekit.plot.genes import Genes
from genomekit.plot.ism import IsmHeatmap
from genomekit.plot.logo import Logo
from genomekit.plot.overlay import Overlay
from genomekit.plot.panel import Panel
from genomekit.plot.sashimi import Sashimi
from genomekit.plot.score_kinds import panels_of_scores
from genomekit.plot.splice_sites import SpliceSites
from genomekit.plot.tracks import Tracks

ORDER = ("splice_sites", "splice_site_usage", "splice_junctions")


def panels_of(result: Any, *, genes: Any = None, max_tracks: int = 4) -> tuple[list[Panel], list[Annotation]]:
    """Choose panels, and what is marked across them.

    Args:
        result: A tree, a node, an array, mutagenesis, or scores of variants.
        genes: What `Genes` takes; drawn on top.
        max_tracks: Tracks (pairs of strands) drawn per modality, the first ones; the title counts the rest.

    Raises:
        ValueError: Nothing in the result can be drawn.
    """
    if max_tracks < 1:
        raise ValueError(f"max_tracks={max_tracks}; draw at least one track per modality.")
    top: list[Panel] = [] if genes is None else [Genes(genes)]
    if isinstance(result, xr.DataTree):
        # The node itself may be one modality; a whole tree has them below.
        nodes = {name: node.to_dataset(inherit=False) for name, node in result.subtree_with_keys if node.data_vars}
        if len(nodes) == 1 and "effect" in next(iter(nodes.values())):
            return top + _mutagenesis(next(iter(nodes.values())), max_tracks), []
        drawable = {name: node for name, node in nodes.items() if "signal" in node}
        if not drawable:
            raise ValueError(
                f"The tree has nodes {list(result.children)}, none with a signal; there is nothing to draw."
            )
        named = sorted(((_rank(str(node.attrs.get("modality") or key)), node) for key, node in drawable.items()),
                       key=lambda pair: pair[0])  # fmt: skip
        tints = palette()
        rows = [
            panel
            for number, (_, node) in enumerate(named)
            for panel in _signal(node, max_tracks, tints[number % len(tints)])
        ]
        if not rows:
            raise ValueError(f"The nodes {list(drawable)} have no track; there is nothing to draw. Select more.")
        return top + rows, _variants(result.attrs)
    if isinstance(result, xr.DataArray) and "base" in result.dims:
        return [*top, Logo(result)], []
    if isinstance(result, xr.DataArray):
        result = result.to_dataset(name="signal").assign_attrs(result.attrs)
    if isinstance(result, xr.Dataset):
        if "effect" in result:
            return top + _mutagenesis(result, max_tracks), []
        if "signal" in result:
            return top + list(_signal(result, max_tracks)), _variants(result.attrs)
        raise ValueError(
            f"The data have {list(result.data_vars)}, neither `signal` nor `effect`; nothing can be drawn."
        )
    if hasattr(result, "obs") or hasattr(result, "columns") or callable(getattr(result, "to_frame", None)):
        return [*top, *panels_of_scores(result)], []
    if isinstance(result, Iterator):
        raise ValueError(
            f"A {type(result).__name__} came, which gives results one after the other; draw each, as in "
            "`for tree in results: tree.gk.plot()`. Panels come as a list."
        )
    raise ValueError(
        f"{type(result).__name__} cannot be drawn by itself; give a result, or a list of panels such as [Tracks(...)]."
    )


def _rank(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER) + (name == "contact_maps"), name)


def _signal(node: xr.Dataset, max_tracks: int, color: str | None = None) -> Iterator[Panel]:
    """Choose the panels of one modality."""
    signal = node["signal"]
    if signal.sizes.get("track", 1) == 0:
        return
    both = "allele" in signal.dims
    signed = not both and bool((signal < 0).any())  # a difference: gains and losses
    if "base" in signal.dims:
        yield Logo(signal.assign_attrs(node.attrs))
    elif str(node.attrs.get("modality")) == "splice_sites" and not signed:
        yield SpliceSites(node)
    elif "junction" in signal.dims:
        yield Sashimi(node)
    elif "bin1" in signal.dims:
        count = signal.sizes.get("track", 1)
        for index in range(min(count, max_tracks)):
            last = index == max_tracks - 1
            part = node.isel(track=[index]) if "track" in signal.dims else node
            note = _more(count - max_tracks) if last else ""
            if both:
                yield ContactMap(part, allele="ref")
            yield ContactMap(part, note=note)
    elif "position" in signal.dims:
        kept, left_out = _first(node, max_tracks)
        if both:
            yield Overlay(kept, scale="shared", note=_more(left_out), max_tracks=2 * max_tracks)
            yield Difference(kept, scale="shared", max_tracks=2 * max_tracks)
        else:
            # Below zero is a loss, not the other strand; one scale, or changes of nothing would look like some.
            how: dict[str, Any] = {"strands": "separate", "scale": "shared"} if signed else {}
            yield Tracks(kept, note=_more(left_out), color=color, max_tracks=2 * max_tracks, **how)


def _more(count: int) -> str:
    return f"+ {count} more not drawn" if count > 0 else ""


def _first(node: xr.Dataset, count: int) -> tuple[xr.Dataset, int]:
    """Keep the first tracks, a pair of strands counting once; say how many are left out."""
    if "track" not in node["signal"].dims:
        return node, 0
    strands = node["strand"].values if "strand" in node.coords else [""] * node.sizes["track"]
    groups: dict[str, list[int]] = {}
    for index, (label, strand) in enumerate(zip(node["track"].values, strands, strict=True)):
        sign = f" {strand}"
        stem = str(label).replace(sign, "", 1) if strand in ("+", "-") and sign in str(label) else str(label)
        groups.setdefault(stem, []).append(index)
    kept = [index for members in list(groups.values())[:count] for index in members]
    return node.isel(track=kept), max(len(groups) - count, 0)


def _mutagenesis(node: xr.Dataset, max_tracks: int) -> list[Panel]:
    effect = node["effect"]
    labels = [str(label) for label in effect["track"].values] if "track" in effect.dims else [None]
    rows: list[Panel] = []
    for label in labels[:max_tracks]:
        rows += [Logo(node, track=label), IsmHeatmap(node, track=label)]
    return rows


def _variants(attrs: Any) -> list[Annotation]:
    """Mark the variants that a result is about."""
    text = str(attrs.get("variant") or "")
    return [Variants([part.strip() for part in text.split(";" if ";" in text else ",")])] if text else []
