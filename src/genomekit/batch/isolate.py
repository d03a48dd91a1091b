"""Score a group of records so that one that fails takes no other with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from genomekit.errors import MACHINE_FAULTS, shorten, unknown
from genomekit.scores.layout import ordered, repeated
from genomekit.scores.records import AnyRecord, record_table, same_as, variant_text
from genomekit.scores.score_set import ScoreSet

Score = Callable[[list[AnyRecord]], ScoreSet]
"""Scores records of which each could be scored; gives one row of `records` for each of them."""

Again = tuple[AnyRecord, int]
"""A record, and the number of the one that is scored for it."""


class NotReady(RuntimeError):
    """A process cannot make its scoring function; no record is to blame."""


def score_group(score: Score, records: Sequence[AnyRecord], on_error: str = "row") -> ScoreSet:
    """Score records, and give each a row whatever becomes of it.

    Records that came with a reason are not scored. The others go to `score` together, sorted by place, so that
    neighbours can share a window; where that fails, in halves, until the record that fails is by itself. Of records
    that make the same change one is scored, and the others get its rows.

    Args:
        score: Scores a list of records.
        records: In any order.
        on_error: "row" notes a record that fails, with the reason; "raise" stops at it.

    Returns:
        Scores in the order of the records.

    Raises:
        ValueError: An unknown `on_error`, or with "raise" a record that cannot be scored.
        RuntimeError: `score` answers with other records than it was given, or nothing at all can be scored and the
            errors are not about the records.
        OSError: The machine fails, such as a full disk; also MemoryError and ImportError.
    """
    if on_error not in ("row", "raise"):
        raise unknown("on_error", on_error, ("row", "raise"))
    refused = [record for record in records if record.reason]
    if refused and on_error == "raise":
        raise ValueError(_told(refused[0], refused[0].reason))
    able = sorted(
        (record for record in records if not record.reason), key=lambda record: (record.chrom, record.position)
    )
    failures: dict[int, Exception] = {}
    once, again = _once(able)
    sets = _halved(score, once, on_error, failures) if once else []
    failed = [row for one in sets for row in one.records[one.records["status"] != "ok"].itertuples()]
    if failed and on_error == "raise":
        first = next(record for record in able if record.number == failed[0].record)
        raise ValueError(_told(first, str(failed[0].reason)))
    if len(failures) == len(once) > 1 and not any(isinstance(error, ValueError) for error in failures.values()):
        first = failures[once[0].number]
        raise RuntimeError(f"None of {len(once)} records can be scored: {type(first).__name__}: {first}") from first
    reasons = {number: _named(error) for number, error in failures.items()}
    lost = [record for record in records if record.reason or record.number in failures]
    tables = [one.records for one in sets] + [record_table(lost, failures=reasons)]
    return _in_order(records, [table for table in tables if len(table)], sets, again)


def _once(able: list[AnyRecord]) -> tuple[list[AnyRecord], list[Again]]:
    """Take each change once; of the others say which record has the same."""
    taken: dict[int, int] = {}
    once: list[AnyRecord] = []
    again: list[Again] = []
    for record in able:
        first = same_as(record)
        source = taken.setdefault(record.number if first is None else first, record.number)
        if source == record.number:
            once.append(record)
        else:
            again.append((record, source))
    return once, again


def _halved(score: Score, records: list[AnyRecord], on_error: str, failures: dict[int, Exception]) -> list[ScoreSet]:
    try:
        scores = score(records)
    except (*MACHINE_FAULTS, NotReady):
        raise
    except Exception as error:  # whatever a scorer of the user's own may raise
        if len(records) == 1:
            if on_error == "raise":
                raise ValueError(_told(records[0], _named(error))) from error
            failures[records[0].number] = error
            return []
    else:
        return [_checked(scores, records)]
    middle = len(records) // 2
    halves = records[:middle], records[middle:]
    return [one for half in halves for one in _halved(score, half, on_error, failures)]


def _checked(scores: ScoreSet, records: list[AnyRecord]) -> ScoreSet:
    came, asked = sorted(scores.records["record"].tolist()), sorted(record.number for record in records)
    if came != asked:
        raise RuntimeError(f"{len(asked)} records went to the scoring function and {len(came)} came back, or others.")
    return scores


def _in_order(
    records: Sequence[AnyRecord], tables: list[pd.DataFrame], sets: list[ScoreSet], again: list[Again]
) -> ScoreSet:
    """Put rows in the order of the records: what is written does not depend on how they were grouped."""
    rank = pd.Index([record.number for record in records])
    rows = pd.concat(tables, ignore_index=True) if tables else record_table([])
    if again:
        rows = pd.concat([rows, _rows_again(rows, again)], ignore_index=True)
    rows = rows.set_index("record", drop=False).loc[rank].reset_index(drop=True)
    _name_first(rows, records)
    if not sets:
        return ScoreSet(rows, {})
    joined = ScoreSet.concat(sets)
    done: dict[str, AnnData] = {}
    for name, table in joined.items():
        if again:
            table = repeated(table, [(record.number, source, variant_text(record)) for record, source in again])
        place = rank.get_indexer(pd.Index(table.obs["record"]))
        done[name] = ordered(table, np.argsort(place, kind="stable"))
    return ScoreSet(rows, done, joined.attrs)


def _rows_again(rows: pd.DataFrame, again: list[Again]) -> pd.DataFrame:
    """Give records that were not scored by themselves the window, status and reason of those that were."""
    own = record_table([record for record, _ in again])
    source = rows.set_index("record").loc[[source for _, source in again]]
    return own.assign(**{name: source[name].to_numpy() for name in ("window", "status", "reason")})


def _name_first(rows: pd.DataFrame, records: Sequence[AnyRecord]) -> None:
    """Note beside scores which earlier record has the same."""
    for row, record in enumerate(records):
        if (first := same_as(record)) is not None and rows.loc[row, "status"] == "ok":
            said = f"the same change as record {first}"
            rows.loc[row, "reason"] = "; ".join(filter(None, [str(rows.loc[row, "reason"]), said]))


def _named(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"


def _told(record: AnyRecord, reason: str) -> str:
    name = shorten(record.id or variant_text(record))
    return f"Record {record.number}{name and f' ({name})'} cannot be scored: {reason}"
