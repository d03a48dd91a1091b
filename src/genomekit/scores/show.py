"""How a set of scores looks at the prompt and in a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import pandas as pd
from anndata import AnnData

from genomekit.errors import shorten
from genomekit.scores.layout import GENE, own_columns
from genomekit.scores.records import STATUSES

_MOST = 5
COLUMNS = ("modality", "signed", "rows", "tracks", "of", "layers", "scorer")
"""What is shown of each table."""


def as_text(records: pd.DataFrame, tables: Mapping[str, AnnData]) -> str:
    """What became of the records, one line per scorer, and why the first records have no scores."""
    lines = [summary(records, tables)]
    lines += [f"record {row.record} ({row.variant}) {row.status}: {row.reason}" for row in _lost(records).itertuples()]
    return "\n".join(lines)


def summary(records: pd.DataFrame, tables: Mapping[str, AnnData]) -> str:
    """What became of the records, and one line per scorer."""
    lines = [_title(records, tables)]
    if len(tables):
        lines.append(table_of_tables(tables).to_string(index=False))
    return "\n".join(lines)


def as_html(records: pd.DataFrame, tables: Mapping[str, AnnData]) -> str:
    """The same as HTML tables."""
    parts = [f"<p><b>{html.escape(_title(records, tables))}</b></p>"]
    if len(tables):
        parts.append(table_of_tables(tables).to_html(border=0, index=False))
    lost = _lost(records)
    if len(lost):
        parts.append(lost.to_html(border=0, index=False))
    return "".join(parts)


def _title(records: pd.DataFrame, tables: Mapping[str, AnnData]) -> str:
    counts = [(int((records["status"] == status).sum()), status) for status in STATUSES]
    fates = ", ".join(f"{count:,} {status}" for count, status in counts if count)
    what = "1 record" if len(records) == 1 else f"{len(records):,} records"
    scorers = "1 scorer" if len(tables) == 1 else f"{len(tables)} scorers"
    return f"ScoreSet: {what}{f' ({fates})' if fates else ''}, {scorers}"


def table_of_tables(tables: Mapping[str, AnnData]) -> pd.DataFrame:
    """Write what is known of every table, one row each."""
    return pd.DataFrame(facts_of(tables), columns=list(COLUMNS))


def facts_of(tables: Mapping[str, AnnData]) -> list[dict[str, Any]]:
    """What is known of every table; of tables on disk without reading them."""
    known = getattr(tables, "facts", None)
    return known() if known else [facts(tables[name]) for name in tables]


def facts(table: AnnData) -> dict[str, Any]:
    """Say what a table holds: `COLUMNS`, and the short name of its scorer."""
    uns, own = table.uns, own_columns(table.obs)
    about = f"{own[0]}s" if own else "variants"
    return {
        "modality": uns["modality"],
        "signed": int(uns["signed"]),
        "rows": table.n_obs,
        "tracks": table.n_vars,
        "of": "junctions" if "junction_start" in table.obs else "genes" if GENE[0] in table.obs else about,
        "layers": ", ".join(table.layers),
        "scorer": uns["scorer"],
        "name": uns.get("name", ""),
    }


def _lost(records: pd.DataFrame) -> pd.DataFrame:
    # Of many records some have always nothing to score; of a single one it is what one wants to know.
    lost = records[(records["status"] != "ok") | ((records["reason"] != "") & (len(records) == 1))].head(_MOST)
    named = lost["variant"].where(lost["chrom"] != "", lost["id"])  # what could not be read stands as it came
    return lost.assign(variant=named.map(shorten))[["record", "variant", "status", "reason"]]
