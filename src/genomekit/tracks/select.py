"""Track selection by meaning: which rows each criterion keeps, and what to say when none is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from genomekit.errors import unknown
from genomekit.tracks.modality import MODALITIES, Modality
from genomekit.tracks.schema import STRANDS

SEARCHED = (
    "name",
    "modality",
    "biosample_name",
    "ontology_curie",
    "assay_title",
    "transcription_factor",
    "histone_mark",
    "gtex_tissue",
    "data_source",
)
# Splice-site classes are one set of four for all biosamples, so these criteria do not apply to them.
_NOT_FOR_SPLICE_SITES = ("ontology", "biosample")
_CURIE = re.compile(r"([a-z0-9]+)[:_]0*(\d+)")


def select(
    rows: pd.DataFrame, criteria: Mapping[str, Any], *, modalities: Mapping[str, Modality], organisms: Iterable[str]
) -> pd.DataFrame:
    """Keep the rows that satisfy every criterion that is not None.

    Args:
        rows: Completed rows of a track table.
        criteria: Name of the criterion (as in `TrackTable.select`) to what was asked.
        modalities: The modalities of the table.
        organisms: The organisms of the table.

    Raises:
        ValueError: A value is unknown, or a criterion leaves nothing.
    """
    classes = [name for name, modality in modalities.items() if modality.head_kind == "splice_class"]
    splice_sites = rows["modality"].isin(classes).to_numpy()
    kept = np.ones(len(rows), dtype=bool)
    used: list[str] = []
    for criterion, asked in criteria.items():
        if asked is None:
            continue
        match = _match(rows, criterion, asked, modalities, organisms)
        exempt = splice_sites if criterion in _NOT_FOR_SPLICE_SITES else np.zeros(len(rows), dtype=bool)
        at_stake = kept & ~exempt
        if at_stake.any() and not (at_stake & match).any():
            raise ValueError(_nothing_left(rows[match], _said(criterion, asked), int(at_stake.sum()), used))
        kept &= match | exempt
        used.append(_said(criterion, asked))
    return rows[kept].reset_index(drop=True)


def _match(
    rows: pd.DataFrame,
    criterion: str,
    asked: Any,
    modalities: Mapping[str, Modality],
    organisms: Iterable[str],
) -> np.ndarray:
    """Rows that one criterion keeps; any of several values is enough."""
    if criterion == "tracks" and (isinstance(asked, pd.DataFrame) or not isinstance(asked, Iterable)):
        return _same_tracks(rows, asked)
    values = _as_list(criterion, asked)
    if criterion == "organism":
        return rows["organism"].isin([find_organism(value, organisms) for value in values]).to_numpy()
    if criterion == "modalities":
        return rows["modality"].isin([find_modality(value, modalities) for value in values]).to_numpy()
    return np.logical_or.reduce([_RULES[criterion](rows, value) for value in values])


def find_modality(value: object, modalities: Mapping[str, Modality]) -> str:
    """Give the modality meant by a name in any case, with "-" or "_", or by a `Modality`.

    Raises:
        ValueError: There is none of that name; a published one that is absent here is named as such.
    """
    name = value.name if isinstance(value, Modality) else str(value).strip()
    folded = name.casefold().replace("-", "_").replace(" ", "_")
    for option in modalities:
        if folded == option.casefold():
            return option
    if folded in MODALITIES:
        raise ValueError(f"There are no {folded} tracks here. What there is: {', '.join(modalities)}.")
    raise unknown("modality", name, modalities)


def find_organism(value: object, organisms: Iterable[str]) -> str:
    """Give the organism meant by a name in any case.

    Raises:
        ValueError: There is none of that name.
    """
    for option in organisms:
        if str(value).strip().casefold() == option.casefold():
            return option
    raise unknown("organism", value, organisms)


def search(rows: pd.DataFrame, text: object) -> np.ndarray:
    """Rows in which every word of the text occurs, in any of the columns `SEARCHED`, in any case.

    Raises:
        ValueError: The text is empty, one of its words occurs nowhere, or no row has all of them.
    """
    words = str(text).casefold().split()
    if not words:
        raise ValueError("The search text is empty; give words such as 'liver RNA-seq'.")
    columns = [rows[column].str.casefold() for column in SEARCHED]
    texts = ["\n".join(parts) for parts in zip(*columns, strict=True)]
    match = np.ones(len(rows), dtype=bool)
    for word in words:
        found = np.array([word in text for text in texts], dtype=bool)
        if not found.any():
            phrases = _values(
                rows, "modality", "name", "biosample_name", "assay_title", "transcription_factor", "histone_mark"
            )
            parts = sorted({part for phrase in phrases for part in re.split(r"[\s,()-]+", phrase)} - {""})
            raise unknown("search word", word, [*parts, *(phrase for phrase in phrases if " " in phrase)])
        match &= found
    if not match.any():
        raise ValueError(
            f"No track has all the words of {text!r}, though each occurs; search for fewer, or give a list of texts to "
            "have the tracks of any of them."
        )
    return match


def _biosample(rows: pd.DataFrame, value: object, *, kind: str) -> np.ndarray:
    """Rows whose CURIE or biosample name is the value, zero padding and case aside."""
    wanted = _curie(value)
    found = (rows["ontology_curie"].map(_curie) == wanted) | (rows["biosample_name"].str.casefold() == wanted)
    if not wanted or not found.any():
        column = "ontology_curie" if _CURIE.fullmatch(wanted) else "biosample_name"
        raise unknown(kind, value, _values(rows, column))
    return found.to_numpy()


def _curie(value: object) -> str:
    """Lower case, and a CURIE without leading zeros, so that UBERON:2107 is UBERON:0002107."""
    text = str(value).strip().casefold()
    match = _CURIE.fullmatch(text)
    return f"{match[1]}:{match[2]}" if match else text


def _strand(rows: pd.DataFrame, value: object) -> np.ndarray:
    if value not in STRANDS:
        raise unknown("strand", value, STRANDS)
    return (rows["strand"] == value).to_numpy()


def _named(rows: pd.DataFrame, value: object, *, required: bool = True) -> np.ndarray:
    """Rows of that label or name."""
    wanted = str(value).strip().casefold()
    found = (rows["label"].str.casefold() == wanted) | (rows["name"].str.casefold() == wanted)
    if required and not found.any():
        raise unknown("track", value, _values(rows, "name", "label"))
    return found.to_numpy()


def _track(rows: pd.DataFrame, value: object) -> np.ndarray:
    """Rows of that label or name or, if there is none, the ones that free text finds."""
    found = _named(rows, value, required=False)
    return found if found.any() else search(rows, value)


def _same_tracks(rows: pd.DataFrame, tracks: Any) -> np.ndarray:
    """Rows that another table lists, by modality and label, and by organism where it gives one."""
    frame = getattr(tracks, "frame", tracks)
    if not isinstance(frame, pd.DataFrame) or not {"modality", "label"} <= set(frame.columns):
        raise ValueError(
            f"tracks={type(tracks).__name__} cannot be read; give a TrackTable, a table with the columns modality and "
            "label, a list of labels, or words to search for."
        )
    keys = [column for column in ("organism", "modality", "label") if column in frame.columns]
    wanted = set(frame[keys].itertuples(index=False, name=None))
    here = list(rows[keys].itertuples(index=False, name=None))
    missing = sorted(wanted - set(here))
    if missing:
        more = f" ({len(missing)} of the {len(wanted)} tracks given are not here)"
        raise ValueError(str(unknown("track", " ".join(missing[0]), (" ".join(key) for key in here))) + more)
    return np.array([key in wanted for key in here], dtype=bool)


def _exact(rows: pd.DataFrame, value: object, *, column: str, kind: str) -> np.ndarray:
    """Rows whose column is the value, case aside."""
    wanted = str(value).strip().casefold()
    found = rows[column].str.casefold() == wanted
    if not wanted or not found.any():
        raise unknown(kind, value, _values(rows, column))
    return found.to_numpy()


_RULES: dict[str, Callable[[pd.DataFrame, object], np.ndarray]] = {
    "ontology": partial(_biosample, kind="ontology"),
    "biosample": partial(_biosample, kind="biosample"),
    "strand": _strand,
    "name": _named,
    "tracks": _track,
    "search": search,
    "transcription_factor": partial(_exact, column="transcription_factor", kind="transcription factor"),
    "histone_mark": partial(_exact, column="histone_mark", kind="histone mark"),
    "assay": partial(_exact, column="assay_title", kind="assay"),
}


def _values(rows: pd.DataFrame, *columns: str) -> list[str]:
    """What the columns hold, each once, without blanks."""
    return list(dict.fromkeys(value for column in columns for value in rows[column] if value))


def _as_list(criterion: str, asked: Any) -> list[Any]:
    values = [asked] if isinstance(asked, (str, Modality)) or not isinstance(asked, Iterable) else list(asked)
    if not values:
        raise ValueError(f"{criterion} is an empty list, which selects nothing; leave it out to keep all tracks.")
    return values


def _said(criterion: str, asked: Any) -> str:
    if isinstance(asked, (str, list, tuple)):
        return f"{criterion}={asked!r}"
    return f"{criterion}=<{type(asked).__name__}>"


def _nothing_left(matches: pd.DataFrame, said: str, left: int, used: list[str]) -> str:
    """Say which criterion emptied the selection, and where its tracks are."""
    by = f" left by {', '.join(used)}" if used else ""
    counts = matches.groupby(["organism", "modality"], sort=False).size()
    where = ", ".join(f"{organism} {modality} ({count})" for (organism, modality), count in counts.items())
    home = f"Its tracks are in: {where}" if where else "No track here has it"
    return f"No track is left: {said} keeps none of the {left} tracks{by}. {home}. Change or drop one of these."
