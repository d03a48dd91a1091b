"""The columns of a track table: checked, completed, ordered, and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from genomekit.errors import unknown

COLUMNS = (
    "organism",
    "modality",
    "channel",
    "label",
    "name",
    "strand",
    "partner",
    "ontology_curie",
    "biosample_name",
    "biosample_type",
    "biosample_life_stage",
    "assay_title",
    "data_source",
    "gtex_tissue",
    "transcription_factor",
    "histone_mark",
    "endedness",
    "genetically_modified",
    "nonzero_mean",
)
NUMBERS = {"channel": np.int64, "partner": np.int64, "nonzero_mean": np.float32}
STRANDS = ("+", "-", ".")
_REQUIRED = ("organism", "modality", "channel", "name")


def complete(
    frame: pd.DataFrame, *, modalities: Sequence[str], organisms: Sequence[str], widths: Mapping[str, int]
) -> pd.DataFrame:
    """Check the rows, fill absent columns, and order by organism, modality and channel.

    An absent `label` is made from name and strand, an absent `partner` by pairing the + and - tracks of one name, an
    absent `strand` is ".", other absent text is "" and an absent `nonzero_mean` is NaN.

    Raises:
        ValueError: A column, organism, modality, strand, channel, label or partner is wrong; the text says which.

    Example:
        >>> rows = pd.DataFrame({"organism": "worm", "modality": "rna_seq", "name": "gut", "channel": [0, 1]})
        >>> rows["strand"] = ["+", "-"]
        >>> done = complete(rows, modalities=["rna_seq"], organisms=["worm"], widths={"rna_seq": 2})
        >>> done[["label", "partner"]].values.tolist()
        [['gut +', 1], ['gut -', 0]]
    """
    for column in frame.columns:
        if column not in COLUMNS:
            raise unknown("track column", column, COLUMNS)
    absent = [column for column in _REQUIRED if column not in frame.columns]
    if absent:
        raise ValueError(f"A track table needs the columns {', '.join(_REQUIRED)}; {', '.join(absent)} is absent.")
    columns: dict[str, Any] = {}
    for column in COLUMNS:
        if column in frame.columns:
            columns[column] = _numbers(frame[column]) if column in NUMBERS else _texts(frame[column])
        elif column not in ("label", "partner"):
            blank = np.nan if column in NUMBERS else "." if column == "strand" else ""
            columns[column] = np.full(len(frame), blank, dtype=NUMBERS.get(column, object))
    rows = pd.DataFrame(columns)
    _check(rows, modalities, organisms, widths)
    place = [{name: i for i, name in enumerate(names)} for names in (organisms, modalities)]
    order = np.lexsort((rows["channel"], rows["modality"].map(place[1]), rows["organism"].map(place[0])))
    rows = rows.iloc[order].reset_index(drop=True)
    if "label" not in rows:
        rows["label"] = make_labels(rows)
    if "partner" not in rows:
        rows["partner"] = _make_partners(rows)
    _check_labels(rows)
    _check_partners(rows, widths)
    return rows[list(COLUMNS)]


def make_labels(rows: pd.DataFrame) -> list[str]:
    """Name each track, " +" or " -" appended where stranded, unique within organism and modality.

    The second and later tracks of one name and strand get " (2)", " (3)" and so on, in channel order.
    """
    named = zip(rows["name"], rows["strand"], strict=True)
    labels = [name if strand == "." else f"{name} {strand}" for name, strand in named]
    groups = list(zip(rows["organism"], rows["modality"], strict=True))
    # Every plain label is reserved first, so that a made one never takes the name of a later track.
    reserved = set(zip(groups, labels, strict=True))
    given: set[tuple[tuple[str, str], str]] = set()
    for i, key in enumerate(zip(groups, labels, strict=True)):
        count = 1
        while (groups[i], labels[i]) in given or (count > 1 and (groups[i], labels[i]) in reserved):
            count += 1
            labels[i] = f"{key[1]} ({count})"
        given.add((groups[i], labels[i]))
    return labels


def _texts(column: pd.Series) -> np.ndarray:
    """Text without surrounding blanks; "" where nothing is given."""
    values = column.astype(object).to_numpy(copy=True)
    values[pd.isna(values)] = ""
    return np.array([str(value).strip() for value in values], dtype=object)


def _numbers(column: pd.Series) -> np.ndarray:
    """The numbers in the type of their column."""
    kind = NUMBERS[str(column.name)]
    try:
        values = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Track column {column.name!r} holds something other than numbers: {error}.") from error
    if kind is np.int64 and not np.array_equal(values, np.round(values)):
        raise ValueError(f"Track column {column.name!r} needs a whole number on every row.")
    return values.astype(kind)


def _check(rows: pd.DataFrame, modalities: Sequence[str], organisms: Sequence[str], widths: Mapping[str, int]) -> None:
    for column, options in (("organism", organisms), ("modality", modalities), ("strand", STRANDS)):
        for value in rows[column].unique():
            if value not in options:
                raise unknown(column, value, options)
    nameless = (rows["name"] == "") | (rows["name"].str.casefold() == "padding")
    if nameless.any():
        raise ValueError(
            f"{int(nameless.sum())} rows have no name or are padding; a track table holds real tracks only: "
            "leave padding rows out and give the head width in `widths`."
        )
    for modality, group in rows.groupby("modality", sort=False)["channel"]:
        width = widths.get(str(modality))
        if width is None:
            raise ValueError(f"No head width for {modality!r}; give one in `widths` for each modality.")
        if group.min() < 0 or group.max() >= width:
            raise ValueError(f"Channels of {modality!r} run {group.min()} to {group.max()}; its head has {width}.")
    twice = rows.duplicated(["organism", "modality", "channel"])
    if twice.any():
        row = rows[twice].iloc[0]
        raise ValueError(f"Channel {row['channel']} of {row['organism']} {row['modality']} is given to two tracks.")


def _check_labels(rows: pd.DataFrame) -> None:
    bad = rows.duplicated(["organism", "modality", "label"]) | (rows["label"] == "")
    if bad.any():
        row = rows[bad].iloc[0]
        raise ValueError(
            f"Label {row['label']!r} of {row['organism']} {row['modality']} is empty or not unique; "
            "leave the column out to have labels made from name and strand."
        )


def _make_partners(rows: pd.DataFrame) -> np.ndarray:
    """Pair the n-th + track of a name with the n-th - track of that name; others keep their channel."""
    partner = rows["channel"].to_numpy(copy=True)
    stranded = rows[rows["strand"] != "."]
    repeat = stranded.groupby(["organism", "modality", "name", "strand"], sort=False).cumcount()
    waiting: dict[tuple, int] = {}
    groups = stranded[["organism", "modality", "name"]].itertuples(index=False, name=None)
    for i, group, count in zip(stranded.index, groups, repeat, strict=True):
        key = (*group, count)
        mate = waiting.pop(key, None)
        if mate is None:
            waiting[key] = i
        else:
            partner[i], partner[mate] = partner[mate], partner[i]
    if waiting:
        row = rows.loc[next(iter(waiting.values()))]
        raise ValueError(
            f"{row['modality']} track {row['name']!r} is on strand {row['strand']} and has no mate of that name on the "
            "other; add it, set strand '.', or give a `partner` column (its own channel for a track without a mate)."
        )
    return partner


def _check_partners(rows: pd.DataFrame, widths: Mapping[str, int]) -> None:
    keys = list(zip(rows["organism"], rows["modality"], strict=True))
    places = zip(keys, rows["channel"], strict=True)
    mates = dict(zip(places, rows["partner"], strict=True))
    for (group, channel), mate in mates.items():
        # A selection may hold one strand only, so an absent mate is fine.
        if not 0 <= mate < widths[group[1]] or mates.get((group, mate), channel) != channel:
            raise ValueError(
                f"Channel {channel} of {' '.join(group)} has partner {mate}, whose partner is "
                f"{mates.get((group, mate), 'outside the head')}; partners must name each other."
            )


def to_columns(rows: pd.DataFrame) -> dict[str, Any]:
    """Write completed rows as JSON-able columns: one value, values with run-length codes, or a plain list."""
    columns: dict[str, Any] = {}
    for column in COLUMNS:
        values = rows[column].tolist()
        if column == "label" and values == make_labels(rows):
            continue
        if column == "nonzero_mean":
            # The shortest decimal that gives the same float32 back.
            values = [None if np.isnan(value) else float(str(np.float32(value))) for value in values]
        unique = list(dict.fromkeys(values))
        if len(unique) == 1:
            columns[column] = {"value": unique[0]}
        elif column not in NUMBERS and 2 * len(unique) < len(values):
            columns[column] = {"values": unique} | _runs(values, {value: i for i, value in enumerate(unique)})
        else:
            columns[column] = values
    return columns


def _runs(values: Sequence[Any], code: Mapping[Any, int]) -> dict[str, list[int]]:
    """Codes, run-length encoded because neighbouring tracks mostly agree."""
    runs = [(code[value], len(list(run))) for value, run in groupby(values)]
    return {"codes": [first for first, _ in runs], "repeats": [length for _, length in runs]}


def from_columns(columns: Mapping[str, Any], length: int) -> pd.DataFrame:
    """Read what `to_columns` wrote.

    Raises:
        ValueError: The columns differ in length or a code points nowhere.
    """
    decoded: dict[str, Any] = {}
    for column, values in columns.items():
        try:
            if isinstance(values, Mapping) and "value" in values:
                values = [values["value"]] * length
            elif isinstance(values, Mapping):
                values = np.repeat(np.array(values["values"], dtype=object)[values["codes"]], values["repeats"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"Track column {column!r} is damaged ({error!r}); get the file again.") from error
        if len(values) != length:
            raise ValueError(
                f"Track column {column!r} has {len(values)} values for {length} tracks; get the file again."
            )
        # None marks a missing number; text columns never hold it.
        decoded[column] = np.array(values, dtype=np.float64) if column == "nonzero_mean" else values
    return pd.DataFrame(decoded, index=range(length))
