"""The one table of modalities: what each output family is, and which head reads it.

Head construction, loss choice, labels, scorer defaults, plot units and the docs read this table.
A checkpoint carries its own copy and may add modalities; nothing is registered globally.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from genomekit.errors import unknown

HEAD_KINDS = ("track", "contact", "splice_class", "splice_usage", "splice_junction")
LOSSES = ("multinomial_poisson", "mse", "cross_entropy", "binary_cross_entropy", "junction")
AGGREGATIONS = ("sum", "mean", "max")
_DIMS = {"contact": ("bin1", "bin2", "track"), "splice_junction": ("junction", "track")}


@dataclass(frozen=True, slots=True)
class Modality:
    """One output family.

    Attributes:
        name: Name in this library, e.g. "rna_seq".
        head: Name of the head inside the published model.
        head_kind: One of `HEAD_KINDS`: the shape of head that reads it.
        resolution: bp per bin of what the user sees.
        resolutions: bp per bin of everything its head computes, finest first.
        dims: Names of the axes of `signal`.
        units: Unit of the values, in words.
        long_name: Name for axes and docs.
        stranded: Tracks can belong to the + or the - strand.
        loss: One of `LOSSES`.
        loss_weight: Weight of its loss in the total.
        squash: Values are raised to the power 0.75 in model space.
        aggregation: How neighbouring bins become one coarser bin: "sum", "mean" or "max".
        reverse_shift: On reverse complement, shift right by one bin after the flip, because the signal
            sits between bases (DNase cut sites).

    Raises:
        ValueError: A field holds what the rest of the library cannot read.

    Example:
        >>> MODALITIES["dnase"].resolutions, MODALITIES["dnase"].reverse_shift
        ((1, 128), True)
        >>> MODALITIES["splice_site_usage"].head
        'splice_sites_usage'

    Source:
        Units, resolutions and heads: track metadata of google-deepmind/alphagenome_research. Loss weights, the RNA-seq
        power and the DNase shift: the same repository, heads and reverse complement.
    """

    name: str
    head: str
    head_kind: str
    resolution: int
    resolutions: tuple[int, ...]
    dims: tuple[str, ...]
    units: str
    long_name: str
    stranded: bool
    loss: str
    loss_weight: float = 1.0
    squash: bool = False
    aggregation: str = "sum"
    reverse_shift: bool = False

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or not self.head.isidentifier():
            raise ValueError(
                f"Modality name {self.name!r} and head {self.head!r}: letters, digits and _ only, no leading digit; "
                "they become names of result nodes and of network modules."
            )
        for kind, value, options in (
            ("head kind", self.head_kind, HEAD_KINDS),
            ("loss", self.loss, LOSSES),
            ("aggregation", self.aggregation, AGGREGATIONS),
        ):
            if value not in options:
                raise unknown(kind, value, options)
        if not self.resolutions or list(self.resolutions) != sorted(set(self.resolutions)) or self.resolutions[0] < 1:
            raise ValueError(f"Resolutions of {self.name!r} are {self.resolutions}; give bp per bin, finest first.")
        if self.resolution not in self.resolutions:
            raise ValueError(f"Resolution {self.resolution} of {self.name!r} is not one of {self.resolutions}.")
        expected = _DIMS.get(self.head_kind, ("position", "track"))
        if self.dims != expected:
            raise ValueError(f"Dims of {self.name!r} are {self.dims}; a {self.head_kind} head gives {expected}.")
        if not self.loss_weight >= 0:
            raise ValueError(f"Loss weight of {self.name!r} is {self.loss_weight}; give 0 or more.")

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON-able values.

        Example:
            >>> Modality.from_dict(MODALITIES["cage"].to_dict()) == MODALITIES["cage"]
            True
        """
        return asdict(self) | {"resolutions": list(self.resolutions), "dims": list(self.dims)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Modality:
        """Rebuild a modality from `to_dict`, as read from a checkpoint's JSON.

        Raises:
            ValueError: A field is unknown, missing or not allowed.
        """
        for field in fields:
            if field not in cls.__slots__:
                raise unknown("modality field", field, cls.__slots__)
        try:
            arguments: dict[str, Any] = {**fields, "resolutions": tuple(fields["resolutions"])}
            arguments["dims"] = tuple(fields["dims"])
            return cls(**arguments)
        except (KeyError, TypeError) as error:
            name = fields.get("name", "?")
            raise ValueError(f"Modality {name!r} is incomplete ({error}); it needs the fields of Modality.") from error


def _track(
    name: str,
    long_name: str,
    units: str,
    resolutions: tuple[int, ...] = (1, 128),
    *,
    stranded: bool = False,
    **more: Any,
) -> Modality:
    """A modality read by a plain track head."""
    return Modality(
        name=name,
        head=name,
        head_kind="track",
        resolution=resolutions[0],
        resolutions=resolutions,
        dims=("position", "track"),
        units=units,
        long_name=long_name,
        stranded=stranded,
        loss="multinomial_poisson",
        **more,
    )


_INSERTIONS = "normalized insertion signal"
_READS = "normalized read signal"
_FOLD = "fold change over control, summed in the 128 bp bin"
_BY_POSITION = ("position", "track")

_ALL = (
    _track("atac", "Chromatin accessibility (ATAC-seq)", _INSERTIONS),
    _track("dnase", "Chromatin accessibility (DNase-seq)", _INSERTIONS, reverse_shift=True),
    _track("procap", "Transcription initiation (PRO-cap)", _READS, stranded=True),
    _track("cage", "Transcription initiation (CAGE)", _READS, stranded=True),
    _track("rna_seq", "Gene expression (RNA-seq)", _READS, stranded=True, squash=True),
    _track("chip_tf", "Transcription factor binding (ChIP-seq)", _FOLD, (128,)),
    _track("chip_histone", "Histone modification (ChIP-seq)", _FOLD, (128,)),
    Modality(
        name="contact_maps",
        head="contact_maps",
        head_kind="contact",
        resolution=2048,
        resolutions=(2048,),
        dims=("bin1", "bin2", "track"),
        units="log fold over distance-based expectation",
        long_name="Chromatin contacts (Hi-C, Micro-C)",
        stranded=False,
        loss="mse",
        aggregation="mean",
    ),
    Modality(
        name="splice_sites",
        head="splice_sites_classification",
        head_kind="splice_class",
        resolution=1,
        resolutions=(1,),
        dims=_BY_POSITION,
        units="probability",
        long_name="Splice sites",
        stranded=True,
        loss="cross_entropy",
        aggregation="max",
    ),
    Modality(
        name="splice_site_usage",
        head="splice_sites_usage",
        head_kind="splice_usage",
        resolution=1,
        resolutions=(1,),
        dims=_BY_POSITION,
        units="fraction",
        long_name="Splice site usage",
        stranded=True,
        loss="binary_cross_entropy",
        aggregation="max",
    ),
    Modality(
        name="splice_junctions",
        head="splice_sites_junction",
        head_kind="splice_junction",
        resolution=1,
        resolutions=(1,),
        dims=("junction", "track"),
        units="normalized junction read signal",
        long_name="Splice junctions",
        stranded=True,
        loss="junction",
        # The only weight other than 1 in the published training objective.
        loss_weight=0.2,
    ),
)

MODALITIES: dict[str, Modality] = {modality.name: modality for modality in _ALL}


def modality_name(given: object) -> str:
    """Return the name of a modality: a published one, or one of a checkpoint's own.

    Names are case-exact. Text that can only be a misspelling is refused here; whether a checkpoint has the modality is
    seen where the two meet.

    Args:
        given: A name, or the `Modality` itself, which may be called as it likes.

    Raises:
        ValueError: No text, no name, or text near a published name: another case, a part of it, a letter too many.

    Example:
        >>> modality_name("rna_seq"), modality_name("mnase")
        ('rna_seq', 'mnase')
        >>> modality_name("ATAC")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: Unknown modality 'ATAC'. Did you mean 'atac'? There are 11: atac, dnase, ...
    """
    if isinstance(given, Modality):
        return given.name
    if isinstance(given, str) and given in MODALITIES:
        return given
    if isinstance(given, str) and given.isidentifier() and not _near(given):
        return given
    error = unknown("modality", given, MODALITIES)
    if isinstance(given, str) and given.isidentifier():
        raise ValueError(f"{error} For a checkpoint's own modality of that name give model.modalities[{given!r}].")
    raise error


def _near(name: str) -> bool:
    """Whether a name is meant to be a published one, which it is not."""
    if any(re.match(rf"{one}[_\d]", name) for one in MODALITIES):
        return False  # a variety of its own, such as "atac_nuclei" or "dnase2"
    plain, known = _plain(name), [_plain(one) for one in MODALITIES]
    # At 0.85 "atacc" is a misspelling of "atac", and "mnase" none of "dnase".
    return any(plain in one for one in known) or bool(difflib.get_close_matches(plain, known, cutoff=0.85))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
