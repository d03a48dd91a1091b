"""Reading a window on one strand or on both, with results always along the plus strand."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from genomekit.engine.encode import reverse_bins, reverse_complement, reverse_junctions, reverse_sites, reverse_tracks
from genomekit.engine.engine import Engine, Junctions
from genomekit.engine.held import Held
from genomekit.engine.passes import Sources
from genomekit.tracks import Modality, TrackTable


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What was asked of one modality, for one organism."""

    modality: Modality
    rows: pd.DataFrame
    """Rows of the track table; for junctions one per tissue and strand."""
    channels: Int[np.ndarray, " kept"]
    """Channels to read, in the order of the rows (for junctions: tissues)."""
    partners: Int[np.ndarray, " kept"]
    """Channels that hold the same tracks when the other strand is read."""

    @property
    def is_junction(self) -> bool:
        """Whether the modality is read by a junction head."""
        return self.modality.head_kind == "splice_junction"


def parts(chosen: TrackTable, organism: str, whole: TrackTable) -> dict[str, Part]:
    """Turn a selection of tracks into what the engine reads.

    Args:
        chosen: Tracks wanted.
        organism: Whose.
        whole: All tracks of the network, where the partners of the chosen ones are.
    """
    found = {}
    for name, modality in chosen.modalities.items():
        rows = chosen.rows(name, organism)
        if rows.empty:
            continue
        channels = rows["channel"].to_numpy(np.int64)
        if modality.head_kind == "splice_junction":
            # The two strands of a tissue are one channel of the head; the strand belongs to the junction.
            channels = pd.unique(channels % (whole.widths[name] // 2))
            partners = channels
        else:
            partners = whole.partners(name, organism)[channels]
        found[name] = Part(modality, rows, channels, partners)
    return found


def read_window(
    engine: Engine,
    encoded: Float[np.ndarray, "position 4"],
    organism: str,
    wanted: Mapping[str, Part],
    bins: Mapping[str, slice],
    *,
    strand: str = "+",
    average: bool = False,
    sites: Int[np.ndarray, "4 site"] | None = None,
    sources: Sources = None,
    held: tuple[Held, Hashable] | None = None,
) -> dict[str, Any]:
    """Predict the wanted parts of one window, reading one strand or both.

    Args:
        engine: The network.
        encoded: One-hot of the window, plus strand.
        organism: Whose heads to read.
        wanted: What to predict.
        bins: Bins to keep of each modality but junctions, counted along the plus strand.
        strand: "-" reads the reverse complement and maps the result back.
        average: Read both strands and average them; splice junctions pair the sites that the plus strand shows.
        sites: Splice sites to pair, along the plus strand; None takes those that the network predicts.
        sources: Where these sites are read, along the plus strand; see `passes.run`.
        held: Windows held for a second reading, and the name of this one; see `Engine.predict`.

    Returns:
        Modality to values along the plus strand, as `Engine.predict` gives them. On the minus strand DNase has NaN in
        the first bin of the window, which no bin of that reading covers; in an average that bin is the plus strand's.
    """
    if strand == "-" and not average:
        return _read_minus(engine, encoded, organism, wanted, bins, sites, sources, held)
    channels = {name: part.channels for name, part in wanted.items()}
    plus = engine.predict(encoded, organism, channels, bins, sites, sources, _of_strand(held, "+"))
    if not average:
        return plus
    sites = next((plus[name].sites for name, part in wanted.items() if part.is_junction), None)
    minus = _read_minus(engine, encoded, organism, wanted, bins, sites, sources, held)
    return {name: _mean(plus[name], minus[name]) for name in wanted}


def _read_minus(
    engine: Engine,
    encoded: np.ndarray,
    organism: str,
    wanted: Mapping[str, Part],
    bins: Mapping[str, slice],
    sites: np.ndarray | None,
    sources: Sources,
    held: tuple[Held, Hashable] | None,
) -> dict[str, Any]:
    """Read the reverse complement and map it back to the plus strand."""
    length = len(encoded)
    there = {
        name: reverse_bins(bins[name], length // part.modality.resolution, part.modality.reverse_shift)
        for name, part in wanted.items()
        if name in bins
    }
    raw = engine.predict(
        reverse_complement(encoded),
        organism,
        {name: part.partners for name, part in wanted.items()},
        there,
        sites=None if sites is None else _turned_sites(reverse_sites(sites, length)),
        sources=None if sources is None else _reverse_sources(sources, length),
        held=_of_strand(held, "-"),
    )
    out: dict[str, Any] = {}
    for name, part in wanted.items():
        if part.is_junction:
            # Sites are read in ascending order; those that were given come back in the order they came.
            predictions, found = raw[name] if sites is None else _turned(raw[name])
            out[name] = Junctions(reverse_junctions(predictions), reverse_sites(found, length))
        else:
            shown = bins.get(name)
            width = shown.stop - shown.start if shown is not None else None
            out[name] = reverse_tracks(raw[name], shifted=part.modality.reverse_shift, length=width)
    return out


def _of_strand(held: tuple[Held, Hashable] | None, strand: str) -> tuple[Held, Hashable] | None:
    return None if held is None else (held[0], (held[1], strand))


def _turned_sites(sites: np.ndarray) -> np.ndarray:
    """Turn the order of the sites of each kind, -1 last."""
    out = np.full_like(sites, -1)
    for kind, row in enumerate(sites):
        known = row[row >= 0]
        out[kind, : len(known)] = known[::-1]
    return out


def _turned(junctions: Junctions) -> Junctions:
    """Turn the order of the sites of each kind, and of the counts of each strand with them."""
    out = junctions.predictions.copy()
    tissues = out.shape[-1] // 2
    number = (junctions.sites >= 0).sum(axis=1)
    for strand in (0, 1):
        donors, acceptors = number[2 * strand], number[2 * strand + 1]
        block = out[:donors, :acceptors, strand * tissues : (strand + 1) * tissues]
        block[:] = block[::-1, ::-1].copy()
    return Junctions(out, _turned_sites(junctions.sites))


def _reverse_sources(sources: Mapping[int, tuple[int, int]], length: int) -> dict[int, tuple[int, int]]:
    return {
        length - 1 - site: (length - last, length - first) if first < last else (0, 0)
        for site, (first, last) in sources.items()
    }


def _mean(plus: Any, minus: Any) -> Any:
    """Average two readings; where the second has no value, the first stands."""
    if isinstance(plus, Junctions):
        return Junctions((plus.predictions + minus.predictions) / 2, plus.sites)
    return np.where(np.isnan(minus), plus, (plus + minus) / 2)
