"""The interface of a scorer: which rows it gives for a variant, what it reads for each, and what it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.scoring.aggregation import AGGREGATIONS


class Bins(NamedTuple):
    """As many bins for each variant, from a bin of its own on; they may run past the ends of the window."""

    starts: Int[np.ndarray, " variant"]
    """First bin for each variant, or one for all."""
    width: int
    """Bins."""


class Values(NamedTuple):
    """What was predicted in the bins of a scorer."""

    signal: Float[Tensor, "variant bin track"]
    """Predictions, on the device; of contact maps (variant, bin1, bin, track)."""
    inside: Bool[Tensor, "variant bin"]
    """Which bins lie in the window; the others hold nothing that counts."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where variants are scored: one window of a genome, and what of it they touch."""

    chrom: str
    start: int
    """Genomic start of the window, 0-based."""
    length: int
    """bp of the window."""
    touched: Interval
    """What is changed: of a variant from its first base to the end of REF, or of ALT where that is longer."""
    genome: Genome | None = None
    """Where the window comes from, with its annotation; None for a bare sequence."""
    parity: bool = False
    """Whether upstream's own peculiarities are kept; see `docs/scorers.md`."""

    @property
    def window(self) -> Interval:
        """The window."""
        return Interval(self.chrom, self.start, self.start + self.length)

    @cached_property
    def genes(self) -> pd.DataFrame:
        """The genes that are touched; none where there is no annotation. Several scorers read them."""
        if self.genome is None or not self.genome.has_annotation:
            return pd.DataFrame(columns=["start", "end", "coding"])
        return self.genome.genes(self.touched)


@runtime_checkable
class Rule(Protocol):
    """How one row is read and scored."""

    def bins(self, starts: Int[np.ndarray, " variant"], length: int, resolution: int) -> list[Bins]:
        """Say which bins are read, in one stretch or several.

        Args:
            starts: 0-based offset in the window of each variant's first base.
            length: bp of the window.
            resolution: bp per bin.
        """
        ...

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF, from the values of each stretch."""
        ...

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the score's own measure of one allele: what the effect is a change of."""
        ...


class Target(NamedTuple):
    """One row of a result: a gene, or the place of the variant."""

    rule: Rule
    row: Mapping[str, Any] = {}
    """What the row is: gene_id, gene_name, gene_type, gene_strand, ...; nothing for a place."""
    strand: str = "."
    """Tracks of the other strand mean nothing here and score NaN."""


class Scorer:
    """How an edit is scored; the base of every scorer, your own too.

    A scorer is a frozen dataclass whose `str` is its name in results. One that reads a place around the variant has
    `bins` and `score`; one of genes, or of any rows, has `targets`. Predictions of both alleles stay on the device;
    only scores leave it.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Peak(Scorer):
        ...     modality: str = "atac"
        ...
        ...     def bins(self, starts, length, resolution):
        ...         return [Bins(starts // resolution, 1)]
        ...
        ...     def score(self, ref, alt):
        ...         return (alt[0].signal - ref[0].signal)[:, 0]
        >>> str(Peak())
        "Peak(modality='atac')"
    """

    modality: str
    """The modality that is read."""
    signed: bool = True
    """Whether scores have a direction (ALT above or below REF)."""
    differentiable: bool = False
    """Whether the score has a useful gradient where ALT is REF."""
    aligned: bool = False
    """Whether ALT is put on the coordinates of REF before they are compared (1 bp modalities)."""
    nothing: str = "nothing to score"
    """Why there may be no row."""

    def __str__(self) -> str:
        """Name the scorer in results; options that are off are left out."""
        options = [(field.name, getattr(self, field.name), field.default) for field in fields(self)]  # type: ignore
        shown = [f"{name}={value!r}" for name, value, default in options if value is not default or value]
        return f"{type(self).__name__}({', '.join(shown)})"

    def targets(self, place: Place) -> list[Target]:
        """Give the rows for a place; one, the scorer itself, unless it says otherwise."""
        return [Target(self)]

    def bins(self, starts: Int[np.ndarray, " variant"], length: int, resolution: int) -> list[Bins]:
        """Say which bins are read; see `Rule.bins`."""
        raise TypeError(f"{self} reads no place of its own; ask the rules of its targets.")

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF; see `Rule.score`."""
        raise TypeError(f"{self} reads no place of its own; ask the rules of its targets.")

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the measure of one allele; NaN where a scorer has none."""
        return torch.full_like(self.score(ref, ref), torch.nan)


class AggregationScorer(Scorer):
    """A scorer whose score is one of `AGGREGATIONS`, which says what kind of score it is."""

    aggregation: str

    @property
    def signed(self) -> bool:
        """Whether scores have a direction."""
        return AGGREGATIONS[self.aggregation].signed

    @property
    def differentiable(self) -> bool:
        """Whether the score has a useful gradient where ALT is REF: the differences do."""
        return self.signed
