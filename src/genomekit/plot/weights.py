"""What a logo shows: one number per position and letter, from any of the forms these numbers come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.contribution import contribution
from genomekit.errors import unknown
from genomekit.plot.colors import LETTER_SCHEMES
from genomekit.plot.curves import one_track
from genomekit.plot.panel import Extent, extent_of

_COMPLEMENT = dict(zip("ACGTUN", "TGCAAN", strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Values of letters, from left to right on the genome.

    values: (position, letter); letters: the sequence itself where it is known, one letter per position;
    signed: False where effects are sizes, without a direction.
    """

    values: np.ndarray
    alphabet: tuple[str, ...]
    start: int
    place: Extent | None
    label: str = ""
    axis: str = ""
    letters: str = ""
    signed: bool = True


def weights_of(data: Any, start: int, *, track: str | None, convention: str | None) -> Weights:
    """Read the values of a logo or of a heat map.

    Args:
        data: Mutagenesis (a Dataset with `effect`), contributions (a DataArray with dims position and base), or a table
            with one column per letter, in any order, indexed by position or from `start`.
        start: Position of the first row of a table that has no positions, 0-based.
        track: Track to read; None reads the first, and its label says how many there are.
        convention: Of mutagenesis: "alphagenome", "mean4" or "raw"; None keeps the effects themselves.

    Raises:
        ValueError: Data of another kind, an unknown track or convention, or positions that are not consecutive.
    """
    data = node_of(data)
    if isinstance(data, xr.Dataset) and "effect" in data:
        shown = data["effect"] if convention is None else contribution(data, convention)
        return _labelled(shown, dict(data.attrs), data, track, convention)
    if isinstance(data, xr.DataArray) and {"position", "base"} <= set(data.dims):
        return _labelled(data, dict(data.attrs), data, track, str(data.attrs.get("convention") or "") or None)
    if isinstance(data, pd.DataFrame):
        return _from_table(data, start)
    raise ValueError(
        f"{type(data).__name__} holds no letters; give what Model.ism or .gk.contribution() return, or a table "
        "with one column per letter."
    )


def node_of(data: Any) -> Any:
    """Take the one node with letters out of a tree: a saved result comes back as a tree around it."""
    if not isinstance(data, xr.DataTree):
        return data
    nodes = [node.to_dataset(inherit=False) for node in data.subtree]
    effects = [node for node in nodes if "effect" in node]
    letters = [node["signal"].assign_attrs(node.attrs) for node in nodes if {"signal", "base"} <= set(node.variables)]
    found = [*effects, *letters]
    return found[0] if len(found) == 1 else data


def _labelled(
    array: xr.DataArray, attrs: dict[str, Any], source: Any, track: str | None, convention: str | None
) -> Weights:
    array, label = one_track(array, track, "The data")
    at = array["position"].values
    turned = attrs.get("displayed_strand") == "-" or bool(len(at) > 1 and at[0] > at[-1])
    array = array.transpose("position", "base")
    if len(at) > 1 and at[0] > at[-1]:
        array, at = array.isel(position=slice(None, None, -1)), at[::-1]
    _check_steps(at)
    letters = "".join(source["ref_base"].sel(position=at).values) if "ref_base" in source.coords else ""
    axis = "effect" if convention is None else f"contribution\n({convention})"
    place = extent_of(attrs, int(at[0]), int(at[-1]) + 1, turned)
    alphabet = tuple(str(base) for base in array["base"].values)
    signed = bool(array["signed"]) if "signed" in array.coords else True
    return Weights(array.values.astype(float), alphabet, int(at[0]), place, label, axis, letters, signed)


def _from_table(table: pd.DataFrame, start: int) -> Weights:
    alphabet = tuple(str(column) for column in table.columns)
    wrong = [letter for letter in alphabet if len(letter) != 1]
    if wrong or not alphabet or len(set(alphabet)) < len(alphabet):
        raise ValueError(
            f"The columns are {', '.join(alphabet) or 'none'}; a table of letters has one column per letter, each "
            "named by it, such as A, C, G, T."
        )
    if table.empty:
        raise ValueError("The table of letters has no row; give one per position.")
    at = np.arange(len(table)) + start
    if not isinstance(table.index, pd.RangeIndex) or table.index.start:
        at = np.asarray(table.index)
        if at.dtype.kind not in "iu":
            raise ValueError(f"The rows are named {list(table.index[:3])}; positions are whole numbers.")
    _check_steps(at)
    return Weights(table.to_numpy(float), alphabet, int(at[0]), Extent("", int(at[0]), int(at[-1]) + 1), axis="value")


def _check_steps(at: np.ndarray) -> None:
    if len(at) > 1 and not (np.diff(at) == 1).all():
        raise ValueError("Positions of letters must be consecutive; give one unbroken stretch at 1 bp.")


def letter_colors(scheme: str | Mapping[str, str], alphabet: tuple[str, ...]) -> dict[str, str]:
    """Give the colour of each letter; letters a mapping leaves out are grey.

    Raises:
        ValueError: An unknown scheme.
    """
    if isinstance(scheme, str):
        if scheme not in LETTER_SCHEMES:
            raise unknown("colour scheme", scheme, LETTER_SCHEMES)
        scheme = LETTER_SCHEMES[scheme]
    return {letter: scheme.get(letter, scheme.get(letter.upper(), "#8C8C8C")) for letter in alphabet}


def complement(letter: str) -> str:
    """Give the letter opposite to one of DNA; any other stays.

    Example:
        >>> complement("A"), complement("X")
        ('T', 'X')
    """
    return _COMPLEMENT.get(letter, letter)
