"""The records that came in: each has a row in the result, whether it could be scored or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from genomekit.errors import unknown
from genomekit.labels import text

COLUMNS = ("record", "variant", "chrom", "position", "ref", "alt", "id", "window", "status", "reason")
STATUSES = ("ok", "skipped", "failed")
_NUMBERS = ("record", "position")


@runtime_checkable
class AnyRecord(Protocol):
    """What a source of records yields, such as the reader of VCF files."""

    @property
    def number(self) -> int:
        """Number of the record in its source, unique."""
        ...

    @property
    def chrom(self) -> str:
        """Chromosome."""
        ...

    @property
    def position(self) -> int:
        """First REF base, 1-based."""
        ...

    @property
    def ref(self) -> str:
        """REF letters."""
        ...

    @property
    def alt(self) -> str:
        """ALT letters."""
        ...

    @property
    def id(self) -> str:
        """Free label, such as an rsID."""
        ...

    @property
    def reason(self) -> str:
        """Why it cannot be scored; empty where it can."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a list or table of variants.

    Args:
        number: Number of the record, unique among those of one job.
        chrom: Chromosome.
        position: First REF base, 1-based.
        ref: REF letters.
        alt: ALT letters.
        id: Free label.
        reason: Why it cannot be scored; "" where it can.
        same_as: Number of an earlier record that makes the same change; None where there is none.
    """

    number: int
    chrom: str
    position: int
    ref: str
    alt: str
    id: str = ""
    reason: str = ""
    same_as: int | None = None


def same_as(record: AnyRecord) -> int | None:
    """Return the number of an earlier record that makes the same change, where a record says so."""
    return getattr(record, "same_as", None)


def variant_text(record: AnyRecord) -> str:
    """Write `chrom:position:REF>ALT`, the position 1-based; "" where nothing of it could be read.

    Example:
        >>> variant_text(Record(0, "chrV", 123, "A", "G"))
        'chrV:123:A>G'
    """
    return _spelled(record.chrom, record.position, record.ref, record.alt)


def _spelled(*place: object) -> str:
    chrom, position, ref, alt = place
    return f"{chrom}:{position}:{ref}>{alt}" if any(place) else ""


def record_table(
    records: pd.DataFrame | Iterable[AnyRecord],
    *,
    windows: Sequence[str] | None = None,
    failures: Mapping[int, str] | None = None,
) -> pd.DataFrame:
    """Write records as a table, one row each, in their order.

    Args:
        records: Records, or a table that has at least record, chrom, position (1-based), ref and alt; absent columns
            are filled.
        windows: What the network read for each record, "chrom:start-end" (0-based half-open); "" where nothing.
        failures: Reason for each record number that failed while it was scored.

    Returns:
        Columns record, variant, chrom, position, ref, alt, id, window, status ("ok", "skipped" where a record came
        with a reason, "failed") and reason.

    Raises:
        ValueError: A column is absent, a number came twice, an unknown status, or a row that is not "ok" and has no
            reason.

    Example:
        >>> table = record_table(
        ...     [Record(0, "chrV", 123, "A", "G"), Record(1, "chrV", 5, "A", "<DEL>", reason="symbolic")]
        ... )
        >>> table[["variant", "status", "reason"]].values.tolist()
        [['chrV:123:A>G', 'ok', ''], ['chrV:5:A><DEL>', 'skipped', 'symbolic']]
    """
    given: pd.DataFrame = records if isinstance(records, pd.DataFrame) else _listed(records)
    absent = [name for name in ("record", "chrom", "position", "ref", "alt") if name not in given]
    if absent:
        raise ValueError(
            f"A table of records needs record, chrom, position, ref and alt; {', '.join(absent)} is absent."
        )

    columns = {name: given[name].to_numpy(np.int64) for name in _NUMBERS}
    for name in ("chrom", "ref", "alt", "id", "window", "reason"):
        columns[name] = text(given[name]) if name in given else text([""] * len(given))
    place = zip(columns["chrom"], columns["position"], columns["ref"], columns["alt"], strict=True)
    columns["variant"] = text(given["variant"] if "variant" in given else (_spelled(*one) for one in place))
    if windows is not None:
        columns["window"] = text(windows)
    came = text(given["status"]) if "status" in given else text([""] * len(given))
    columns["status"] = np.where(came != "", came, np.where(columns["reason"] == "", "ok", "skipped")).astype(object)
    table = pd.DataFrame({name: columns[name] for name in COLUMNS})
    for number, reason in (failures or {}).items():
        table.loc[table["record"] == number, ["status", "reason"]] = "failed", reason
    _check(table)
    return table


def _listed(records: Iterable[AnyRecord]) -> pd.DataFrame:
    rows = [(r.number, r.chrom, r.position, r.ref, r.alt, r.id, r.reason) for r in records]
    return pd.DataFrame(rows, columns=["record", "chrom", "position", "ref", "alt", "id", "reason"])


def _check(table: pd.DataFrame) -> None:
    twice = table["record"][table["record"].duplicated()]
    if len(twice):
        raise ValueError(f"Record {twice.iloc[0]} came more than once; number the records of one job one by one.")
    for status in table["status"].unique():
        if status not in STATUSES:
            raise unknown("status", status, STATUSES)
    silent = table[(table["status"] != "ok") & (table["reason"] == "")]
    if len(silent):
        first = silent.iloc[0]
        raise ValueError(f"Record {first['record']} ({first['variant']}) is {first['status']!r} and gives no reason.")
