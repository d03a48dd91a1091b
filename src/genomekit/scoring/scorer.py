"""The interface of a scorer: which rows it gives for a variant, what it reads for each, and what it makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.scoring.aggregation import AGGREGATIONS
from genomekit.tracks import MODALITIES, Modality, modality_name
from genomekit.tracks.modality import HEAD_KINDS

ALONG = ("track", "splice_class", "splice_usage")
"""Kinds of head whose predictions lie along the sequence."""
ModalityName: TypeAlias = Any
"""Name of a modality, or the `Modality`; a scorer keeps the name."""
Genes: TypeAlias = Any
"""Name or id of a gene, a collection of them, or None; a scorer keeps text, a tuple or None."""
Width: TypeAlias = Any
"""bp of a mask, or None; a scorer keeps an int or None."""
_OWN = "one that reads a place around the variant has bins and score, any other targets whose rules have them."


class Missing(TypeError):
    """A scorer lacks what it is asked for; the text says so."""


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
    head_kinds: ClassVar[tuple[str, ...]] = tuple(kind for kind in HEAD_KINDS if kind != "splice_junction")
    """Kinds of modality that it can read; see `Modality.head_kind`."""

    def __post_init__(self) -> None:
        """Check the modality. A dataclass calls this; one with a `__post_init__` of its own calls it from there.

        Raises:
            TypeError: The class names no modality.
            ValueError: A name that is none, near matches are listed; or a modality that the scorer cannot read.
        """
        given: Any = getattr(self, "modality", None)
        if given is None and not hasattr(self, "modality"):
            kind = type(self).__name__
            raise TypeError(f"{kind} does not say what it reads; give it a field, modality: str = 'atac'.")
        name = modality_name(given)
        if name != given:
            object.__setattr__(self, "modality", name)
        known = given if isinstance(given, Modality) else MODALITIES.get(name)
        if known is not None:
            self.check_kind(known)

    def check_kind(self, modality: Modality) -> None:
        """Check that the scorer can read a modality.

        Raises:
            ValueError: It cannot; what it can read is listed.
        """
        if modality.head_kind not in self.head_kinds:
            listed = ", ".join(name for name, one in MODALITIES.items() if one.head_kind in self.head_kinds)
            hint = " Junctions are for scorers derived from JunctionScorer." if "junction" in modality.head_kind else ""
            raise ValueError(
                f"{type(self).__name__} cannot read {modality.name!r}, which has a {modality.head_kind} head; of the "
                f"published modalities it can read {listed}.{hint}"
            )

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
        raise Missing(f"{self} has no bins(); {_OWN}")

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF; see `Rule.score`."""
        raise Missing(f"{self} has no score(); {_OWN}")

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the measure of one allele; NaN where a scorer has none."""
        return torch.full_like(self.score(ref, ref), torch.nan)


def whole_width(given: Any, otherwise: str) -> int | None:
    """Return the width of a mask in bp, or None.

    Args:
        given: What came.
        otherwise: What None stands for, for the text of the error.

    Raises:
        ValueError: No whole number of at least 1.

    Example:
        >>> whole_width(np.int64(501), "the whole window")
        501
    """
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
        raise ValueError(f"width={given!r} came; give a whole number of bp, at least 1, or None for {otherwise}.")
    return int(given)


class AggregationScorer(Scorer):
    """A scorer whose score is one of `AGGREGATIONS`, which says what kind of score it is."""

    aggregation: str
    head_kinds: ClassVar[tuple[str, ...]] = ALONG

    @property
    def signed(self) -> bool:
        """Whether scores have a direction."""
        return AGGREGATIONS[self.aggregation].signed

    @property
    def differentiable(self) -> bool:
        """Whether the score has a useful gradient where ALT is REF: the differences do."""
        return self.signed


class GeneScorer(Scorer):
    """A scorer of genes: of all that there are, of one, or of a set."""

    gene: Genes
    head_kinds: ClassVar[tuple[str, ...]] = ALONG

    def __post_init__(self) -> None:
        """Check the modality and the genes."""
        super().__post_init__()
        object.__setattr__(self, "gene", gene_set(self.gene))


def gene_set(given: Genes) -> str | tuple[str, ...] | None:
    """Return names or ids of genes as what a frozen scorer keeps.

    Args:
        given: One, a collection of them (list, set, column of a table), or None for every gene.

    Raises:
        ValueError: No gene, or what is no text.

    Example:
        >>> gene_set(["unc-54", "lin-12", "unc-54"]), gene_set({"unc-54"})
        (('unc-54', 'lin-12'), 'unc-54')
    """
    if given is None or isinstance(given, str):
        return given
    listed = [*given] if isinstance(given, Iterable) else [given]
    strange = [one for one in listed if not isinstance(one, str) or not one]
    if strange or not listed:
        came = repr(strange[0]) if strange else f"gene={given!r}"
        raise ValueError(f"{came} came; give the name or id of a gene, several in a list, or None for every gene.")
    # A set has no order, and the name of a scorer must not depend on chance.
    names = tuple(dict.fromkeys(sorted(listed) if isinstance(given, set | frozenset) else listed))
    return names[0] if len(names) == 1 else names
