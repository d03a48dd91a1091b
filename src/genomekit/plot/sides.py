"""Sides: which two data a difference is of, what they are called, and whether they can be compared."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomekit.errors import unknown
from genomekit.plot.curves import named

KINDS = ("difference", "log2fc")
UNNAMED = ("data", "reference")


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two: how it is called, the data, and the allele of them that is meant."""

    name: str
    data: Any
    allele: str | None = None


def sides_of(data: Any, reference: Any) -> tuple[Side, Side]:
    """Say what counts upwards, and what it is compared with.

    Args:
        data: With a reference, what is compared with it. Else a mapping of two names to data, the first of which is
            the reference ("ref" and "alt" in either order), or one prediction with both alleles.
        reference: None where `data` hold both.

    Raises:
        ValueError: A mapping of one name, or of more than two.

    Example:
        >>> [side.name for side in sides_of({"before": 1.0, "after": 2.0}, None)]
        ['after', 'before']
        >>> [side.name for side in sides_of("mutant.bw", "control.bw")]
        ['mutant', 'control']
    """
    if reference is not None:
        names = _name(data), _name(reference)
        above, below = names if all(names) and names[0] != names[1] else UNNAMED
        return Side(above, data), Side(below, reference)
    if not named(data):
        return Side("ALT", data, "alt"), Side("REF", data, "ref")
    if len(data) != 2:
        raise ValueError(
            f"A difference is of two data, and {len(data)} came: {', '.join(map(str, data)) or 'none'}. Give "
            "{name: reference, other name: data}, or reference=."
        )
    below, above = data
    if {str(name).casefold() for name in data} == {"ref", "alt"}:
        below, above = sorted(data, key=lambda name: str(name).casefold(), reverse=True)
        return Side("ALT", data[above]), Side("REF", data[below])
    return Side(str(above), data[above]), Side(str(below), data[below])


def _name(data: Any) -> str:
    if isinstance(data, str | os.PathLike):
        return Path(data).name.split(".")[0]
    return str(next(iter(data))) if named(data) and len(data) == 1 else ""


def spelled(above: str, below: str, kind: str) -> str:
    """Write what is compared, in the order of the formula."""
    return f"{above} - {below}" if kind == "difference" else f"log2 fold change {above} / {below}"


def check_kind(kind: str) -> None:
    """Refuse an unknown kind of difference.

    Raises:
        ValueError: It is none of `KINDS`.
    """
    if kind not in KINDS:
        raise unknown("kind of difference", kind, KINDS)


def check_units(one: str, units: str, other: str, others: str) -> None:
    """Refuse to compare what is measured in two units; files do not tell theirs.

    Raises:
        ValueError: Both are known and differ.
    """
    if units and others and units != others:
        raise ValueError(
            f"{one!r} is in {units!r}, {other!r} in {others!r}; a difference of two units means nothing. Give data of "
            "one unit."
        )
