"""A variant as a row of a table: columns by their usual names, positions as numbers or text, "-" for no letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from genomekit import errors
from genomekit.genome.coordinates import whole_number

POSITION = r"\d{1,3}(?:,\d{3})+|\d+"
COLUMNS = ("chrom", "position", "ref", "alt")
# Names of VCF, of the SDK, and of MAF files.
_ALIASES = {
    "#chrom": "chrom",
    "chromosome": "chrom",
    "pos": "position",
    "start_position": "position",
    "end_position": "end",
    "reference_bases": "ref",
    "reference_allele": "ref",
    "alternate_bases": "alt",
    "tumor_seq_allele2": "alt",
    "id": "name",
}


def read_row(row: Mapping[str, Any]) -> tuple[str, Any, str, str, str]:
    """Return chrom, position, ref, alt and name of a row; see `Variant.from_dict`.

    Raises:
        ValueError: A column is missing, a cell empty, a position no whole number, or an insertion without place.

    Example:
        >>> read_row({"Chromosome": 22, "Start_Position": "12,345", "Reference_Allele": "A", "Tumor_Seq_Allele2": "-"})
        ('22', 12345, 'A', '', '')
    """
    known = _named(row)
    _check(known, row)
    empty = [key for key in COLUMNS if _is_empty(known[key]) and not (key in ("ref", "alt") and known[key] == "")]
    if empty:
        raise ValueError(f"A variant row has nothing in {', '.join(empty)}. An allele of no letters is written ''.")
    name = known.get("name")
    place = _without_dash(_as_number(known["position"]), str(known["ref"]), str(known["alt"]), known.get("end"))
    return str(known["chrom"]), *place, name if isinstance(name, str) else ""


def check_columns(names: Iterable[object]) -> None:
    """Refuse a table without the columns of a variant.

    Raises:
        ValueError: One is missing.
    """
    _check(_named(dict.fromkeys(names)), names)


def as_given(row: Mapping[str, Any]) -> tuple[str, int, str, str, str]:
    """Return chrom, position, ref, alt and name of a row that is no variant: "" and 0 where there is nothing to keep.

    Example:
        >>> as_given({"chrom": "chrI", "pos": "12,345", "ref": "R", "alt": None})
        ('chrI', 12345, 'R', '', '')
    """
    known = _named(row)
    chrom, ref, alt, name = (
        "" if _is_empty(value := known.get(key)) else str(value) for key in ("chrom", "ref", "alt", "name")
    )
    try:
        position = whole_number(_as_number(known.get("position")), "Variant position")
    except (ValueError, OverflowError):
        position = 0
    return chrom, position, ref, alt, name


def _check(known: Mapping[str, Any], names: Iterable[object]) -> None:
    missing = [key for key in COLUMNS if key not in known]
    if missing:
        raise ValueError(
            f"A variant row with {', '.join(map(str, names))} has no {', '.join(missing)}. Name its columns "
            f"{', '.join(COLUMNS)}."
        )


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for key, value in row.items():
        own = str(key).lower()
        name = _ALIASES.get(own, own)
        if name not in known or name == own:  # of two columns for one thing the one named so counts
            known[name] = value
    return known


def _is_empty(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and (bool(pd.isna(value)) or value == ""))


def _as_number(position: Any) -> Any:
    """Read a position that a table has as text."""
    if not isinstance(position, str):
        return position
    if not re.fullmatch(POSITION, position.strip()):
        raise ValueError(
            f"Variant position is the text {position!r}; write a whole number of bases, 1-based: 12345 or 12,345."
        )
    return int(position.replace(",", ""))


def _without_dash(position: Any, ref: str, alt: str, end: Any) -> tuple[Any, str, str]:
    """Read "-" for no letters; of an insertion the end says which of two conventions its position follows."""
    if ref != "-":
        return position, ref, "" if alt == "-" else alt
    after = {1: 1, -1: 0}  # by end - position: MAF, VEP
    start = whole_number(position, "Variant position")
    width = None if _is_empty(end) else whole_number(_as_number(end), "Variant end") - start
    if alt == "-" or width not in after:
        came = "no end" if width is None else f"end {start + width}"
        raise ValueError(
            f"A variant row has ref '-', alt {errors.shorten(alt)!r}, position {start} and {came}. An insertion needs "
            "the column end, position + 1 as in MAF files or position - 1 as in those of VEP; or write it as VCF does, "
            "both alleles with the base before it, such as ref 'C', alt 'CA'."
        )
    return start + after[width], "", alt
