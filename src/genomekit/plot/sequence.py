"""Sequence: the letters of the genome, coloured."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.plot.glyphs import Letters
from genomekit.plot.panel import Extent, Panel, extent_of, message
from genomekit.plot.real import Real
from genomekit.plot.weights import complement, letter_colors, node_of

LETTERS = "ACGTN"
MOST = 20_000  # bases; beyond, stripes of colour say nothing


@dataclass(eq=False)
class Sequence(Panel):
    """Letters; stripes of colour where a base has fewer than 3 pixels, and nothing beyond 20,000 bp.

    Args:
        data: A Genome or FASTA file, letters that begin at `start`, or mutagenesis (its reference).
        start: Position of the first letter of a text, 0-based.
        chrom: Chromosome of a text, where it has one.
        scheme: "colorblind", "classic", or letter -> colour.
        complement: Also draw the minus strand, below.

    Raises:
        ValueError: When drawn: data without letters, or a region without any of them.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Sequence("ACGTA", start=100).draw(Figure().add_subplot())
        >>> [float(limit) for limit in ax.get_xlim()]
        [100.0, 105.0]
    """

    data: Any
    _: KW_ONLY
    start: int = 0
    chrom: str = ""
    scheme: str | Mapping[str, str] = "colorblind"
    complement: bool = False

    def _is_text(self) -> bool:
        return isinstance(self.data, str) and os.path.sep not in self.data and "." not in self.data

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        data = node_of(self.data)
        if isinstance(data, xr.Dataset | xr.DataArray) and "ref_base" in data.coords:
            at = data["position"].values
            return extent_of(data.attrs, int(at.min()), int(at.max()) + 1, bool(len(at) > 1 and at[0] > at[-1]))
        if self._is_text():
            if not self.data:
                raise ValueError("The sequence is empty; give at least one letter.")
            return Extent(self.chrom, self.start, self.start + len(self.data))
        return None

    def assembly(self) -> str:
        """Name the assembly of a Genome."""
        return (self.data.assembly or "") if isinstance(self.data, Genome) else super().assembly()

    def inches(self, width: Real, region: Interval) -> Real:
        """One low row for each strand."""
        return self.height or (0.32 if self.complement else 0.17)

    def _draw(self, ax: Axes, region: Interval) -> str:
        rows = 2 if self.complement else 1
        ax.set(ylim=(0, rows), yticks=[])
        ax.spines["left"].set_visible(False)
        if region.width > MOST:
            message(ax, f"{region.width:,} bp are too many to draw: up to {MOST:,} show, as stripes, few as letters")
            return ""
        text, start = self._letters(region)
        table = letter_colors(self.scheme, tuple(LETTERS))
        strands = [text, "".join(complement(letter) for letter in text)][:rows]
        if ax.xaxis_inverted():
            strands = strands[::-1] if rows == 2 else ["".join(complement(letter) for letter in text)]
        for row, letters in enumerate(strands):
            heights = (np.array(list(letters))[:, None] == np.array(list(LETTERS))[None]) * 0.9
            artist = Letters(heights, LETTERS, start, table, base=rows - 1 - row + 0.05)
            artist.set_clip_path(ax.patch)
            ax.add_artist(artist)
        return ""

    def _letters(self, region: Interval) -> tuple[str, int]:
        """Give letters of the plus strand and the position of the first."""
        data = node_of(self.data)
        if isinstance(data, xr.Dataset | xr.DataArray):
            if "ref_base" not in data.coords:
                raise ValueError(
                    "The data have no `ref_base`; mutagenesis has, and so have a Genome, a FASTA or a text."
                )
            bases = data["ref_base"]
            if data.attrs.get("displayed_strand") == "-":
                letters = "".join(complement(str(base)) for base in bases.values[::-1])
            else:
                letters = "".join(bases.values)
            return letters, int(data["position"].values.min())
        if self._is_text():
            return str(self.data).upper(), self.start
        if isinstance(self.data, Genome | str | os.PathLike):
            source = self.data if isinstance(self.data, Genome) else os.fspath(self.data)
            return Genome.open(source).sequence(region.as_unstranded()), region.start
        raise ValueError(f"{type(self.data).__name__} holds no letters; give a Genome, a FASTA file or a text.")
