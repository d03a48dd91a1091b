"""Kinds of scores: which of them share an axis, and which panels show them where the user has not said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from genomekit.plot.lollipop import Lollipop
from genomekit.plot.panel import Panel
from genomekit.plot.scores import ScoreHeatmap
from genomekit.plot.tables import scores_of
from genomekit.tracks.modality import MODALITIES

# Scorer, or aggregation of one -> what its score is, as docs/scorers.md has it.
_WORDS = {
    "diff_log2_sum": "log2 fold change of sums",
    "active_sum": "larger sum of both alleles",
    "GeneMaskLFCScorer": "ln fold change of gene means",
    "GeneMaskActiveScorer": "larger gene mean of both alleles",
    "GeneMaskSplicingScorer": "largest change of a site of the gene",
    "SpliceJunctionScorer": "change of ln junction counts",
    "PolyadenylationScorer": "largest shift between polyadenylation sites",
    "ContactMapScorer": "mean change of contacts",
}
_LABELS = ("biosample_name", "gene_name", "track_name")


def panels_of_scores(result: Any) -> list[Panel]:
    """Choose panels: along the genome where there are several variants of one chromosome, and heat maps.

    Scores of different units never share an axis. Quantiles, where every score has one, are of one unit and are shown
    instead of raw scores; levels of the alleles are left out where there are changes, and the title says so. So it does
    of variants without a score.

    Raises:
        ValueError: No scores in it.
    """
    panels = [*_chosen(result)]
    panels[0].note = "; ".join(filter(None, (_unscored(result), panels[0].note)))
    return panels


def _unscored(result: Any) -> str:
    """Count the variants of a set of scores that no scorer has a row for, such as those outside genes."""
    records: Any = getattr(result, "records", None)
    if not isinstance(records, pd.DataFrame):
        return ""
    scored = {record for name in result for record in result[name].obs["record"]}
    left_out = len(records) - len(scored)
    return f"without a score: {left_out} of {len(records)} variants" if left_out else ""


def _chosen(result: Any) -> Iterator[Panel]:
    quantiles = _quantiles(result)
    if quantiles is not None:
        kinds = {"quantile score": quantiles}
    else:
        kinds = _by_kind(scores_of(result, "raw_score"))
    value = "raw_score" if quantiles is None else "quantile_score"
    changes = {words: table for words, table in kinds.items() if not words.startswith("larger ")} or kinds
    left_out = len(kinds) - len(changes)
    maps: list[Panel] = []
    for words, table in changes.items():
        title = _titled(words, table) if len(kinds) > 1 else None
        rows = _rows(table)
        if table["chrom"].nunique() == 1 and table["variant"].nunique() > 1:
            by = rows if rows and table[rows].nunique() <= 7 else None
            yield Lollipop(table, value=value, color_by=by, title=title)
        if rows is not None:
            heading = None if title is None else f"{title} by {rows.replace('_', ' ')}"
            maps.append(ScoreHeatmap(table, value=value, rows=rows, title=heading))
        elif table["chrom"].nunique() > 1 or table["variant"].nunique() == 1:
            maps.append(Lollipop(table, value=value, title=title))
    if maps and left_out:
        maps[-1].note = f"{left_out} more not drawn: levels, not changes"
    yield from maps


def _by_kind(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Split a table of scores by what they are."""
    blank = pd.Series("", index=table.index)
    names = pd.DataFrame({name: table[name] if name in table else blank for name in ("scorer", "modality")}).astype(str)
    words = {pair: _kind(*pair) for pair in names.drop_duplicates().itertuples(index=False, name=None)}
    kinds = pd.Series([words[pair] for pair in names.itertuples(index=False, name=None)], index=table.index)
    found = dict(iter(table.groupby(kinds, sort=False)))
    if len(found) == 1 or names["scorer"].any():
        return found
    # Without scorers the modalities are all that tells kinds apart.
    return {f"raw score, {', '.join(part['modality'].astype(str).unique())}": part for part in found.values()}


def _kind(scorer: str, modality: str) -> str:
    """Say what scores are; those that say the same share an axis.

    Example:
        >>> _kind("CenterMaskScorer(modality='atac', width=501, aggregation='diff_log2_sum')", "atac")
        'log2 fold change of sums'
        >>> _kind("CenterMaskScorer(modality='atac', width=501, aggregation='active_sum')", "atac")
        'larger sum of both alleles, atac'
    """
    if not scorer:
        known = MODALITIES.get(modality)
        return "raw score" if known is None else known.head_kind
    words = next((words for name, words in _WORDS.items() if f"'{name}'" in scorer or scorer.startswith(name)), "")
    words = words or re.sub(r"(modality|width)='?\w+'?(, )?", "", scorer).replace("()", "").replace(", )", ")")
    # Sums and levels are in the units of their modality, changes of logarithms in none.
    return words if re.search(r"\bln\b|log2|site of", words) or not modality else f"{words}, {modality}"


def _titled(words: str, table: pd.DataFrame) -> str:
    """Name the modality too, where there is one and neither the words nor the rows do."""
    names = list(table["modality"].astype(str).unique()) if "modality" in table else []
    return f"{words}, {names[0]}" if len(names) == 1 and names[0] not in words else words


def _rows(table: pd.DataFrame) -> str | None:
    """Choose what the rows of a heat map are: modalities where there are several, else what tells tracks apart."""
    if "modality" in table and table["modality"].nunique() > 1:
        return "modality"
    several = (name for name in _LABELS if name in table and table[name].nunique() > 1)
    return next(several, next((name for name in ("modality", *_LABELS) if name in table), None))


def _quantiles(result: Any) -> pd.DataFrame | None:
    """Give the table of quantiles where every score has one."""
    try:
        table = scores_of(result, "quantile_score")
    except ValueError:
        return None
    raw = table["raw_score"] if "raw_score" in table else table["value"]
    return table if table["value"].notna().any() and not (raw.notna() & table["value"].isna()).any() else None
