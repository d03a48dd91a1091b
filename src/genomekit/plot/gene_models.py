"""Models of genes: transcripts of a region out of a genome, an annotation, a file or a table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genomekit.errors import unknown
from genomekit.genome.annotation import Annotation
from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.genome.names import canonical
from genomekit.plot.panel import BARE

SELECTIONS = ("auto", "all", "longest", "mane")
AUTO = 12  # transcripts up to which "auto" draws all of them
CODING = ("chrom", "start", "end", "transcript_id")
COLUMNS = ("chrom", "start", "end", "strand", "gene_id", "transcript_id")


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One transcript as it is drawn: name, place, kind (what it is coloured by), and its parts (part, 2)."""

    name: str
    start: int
    end: int
    strand: str
    kind: str
    exons: np.ndarray
    cds: np.ndarray


def models_of(
    data: Any, cds: pd.DataFrame | None, region: Interval, *, select: str, label: str, color_by: str
) -> list[Model]:
    """Give the models that overlap a region, by their start in it.

    Args:
        data: What `Genes` takes.
        cds: Coding parts of a table.
        region: Where.
        select: Which transcripts.
        label: Column of the names; "" leaves them out.
        color_by: Column of the kinds.

    Raises:
        ValueError: Data of another kind, an unknown selection or column, or "mane" where nothing is tagged.
    """
    exons, coding_parts = _exons(data, cds, select, region)
    if exons.empty:
        return []
    if label and label not in exons and label != "gene_name":
        raise unknown("column", label, exons.columns)
    if color_by not in exons:
        raise unknown("column", color_by, exons.columns)
    if isinstance(data, pd.DataFrame):
        exons = _selected(exons, select)
    names = exons[label] if label in exons else exons["gene_id"]
    names = names.where(names.notna() & (names != ""), exons["gene_id"]).astype(str).to_numpy()
    strands, kinds = (exons[column].astype(str).to_numpy() for column in ("strand", color_by))
    coding = {transcript: spans for transcript, _, spans in _spans(coding_parts)}
    models = [
        Model(
            name=names[first] if label else "",
            start=int(spans[:, 0].min()),
            end=int(spans[:, 1].max()),
            strand=strands[first],
            kind=kinds[first],
            exons=spans,
            cds=coding.get(transcript, spans[:0]),
        )
        for transcript, first, spans in _spans(exons)
    ]
    inside = [model for model in models if model.start < region.end and model.end > region.start]
    return sorted(inside, key=lambda model: (max(model.start, region.start), model.end))


def _exons(
    data: Any, given_cds: pd.DataFrame | None, select: str, region: Interval
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give exons and coding parts of all transcripts that overlap the region."""
    if select not in SELECTIONS:
        raise unknown("selection of transcripts", select, SELECTIONS)
    if isinstance(data, pd.DataFrame):
        exons = _table(data, region)
        return exons, exons.iloc[:0] if given_cds is None else _table(given_cds, region, CODING)
    if isinstance(data, Genome):
        if not data.has_annotation:
            raise ValueError(f"{data!r} has no annotation to draw. Open it with gtf=<a GTF or GFF3 file>.")
        source, where = data.annotation, data.locate(region)
    else:
        source = data if isinstance(data, Annotation) else _opened(data)
        where = Interval(_spelled(source, region), region.start, region.end)
    found = source.transcripts(where)["transcript_id"].unique()
    if not len(found):
        return pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(COLUMNS))
    options: dict[str, Any] = {"transcript": list(found)}
    if select == "mane" or select == "longest" or (select == "auto" and len(found) > AUTO):
        options["mane" if select == "mane" else "longest"] = True
    try:
        return source.exons(**options), source.cds(**options)
    except ValueError as error:
        if select != "mane":
            raise
        raise ValueError(
            "select='mane', but the annotation tags no transcript MANE Select: only human ones do (GENCODE, "
            "Ensembl, RefSeq). Use select='longest'."
        ) from error


def _spans(table: pd.DataFrame) -> Iterator[tuple[str, int, np.ndarray]]:
    """Give of each transcript its name, its first row, and the starts and ends of its parts (part, 2)."""
    if table.empty:
        return
    codes, names = pd.factorize(table["transcript_id"])
    order = np.argsort(codes, kind="stable")
    firsts = np.searchsorted(codes[order], np.arange(len(names)))
    parts = np.split(table[["start", "end"]].to_numpy()[order], firsts[1:])
    for name, first, spans in zip(names, order[firsts], parts, strict=True):
        yield str(name), int(first), spans


def _table(table: pd.DataFrame, region: Interval, needed: tuple[str, ...] = COLUMNS) -> pd.DataFrame:
    """Keep the rows of a table that are on the chromosome."""
    missing = [name for name in needed if name not in table]
    if missing:
        raise ValueError(f"genes has no column {', '.join(missing)}; give the table of Genome.exons(...).")
    here = table["chrom"].astype(str).map(canonical) == canonical(region.chrom)
    return table[here | (region.chrom == BARE)].reset_index(drop=True)


def _selected(exons: pd.DataFrame, select: str) -> pd.DataFrame:
    """Keep the transcripts of a table that are asked for."""
    if select == "mane":
        if "mane" not in exons:
            raise ValueError("select='mane' needs a column `mane`; give a Genome or a GTF file instead of a table.")
        if not exons["mane"].any():
            raise ValueError("select='mane', but the column `mane` of the table is true nowhere. Use select='longest'.")
        return exons[exons["mane"].astype(bool)]
    if select == "all" or (select == "auto" and exons["transcript_id"].nunique() <= AUTO):
        return exons
    spans = exons.groupby(["gene_id", "transcript_id"], sort=False).agg(start=("start", "min"), end=("end", "max"))
    longest = (spans["end"] - spans["start"]).groupby("gene_id", sort=False).idxmax()
    return exons[exons["transcript_id"].isin({transcript for _, transcript in longest})]


@lru_cache(maxsize=4)
def _opened(path: Any) -> Annotation:
    if not isinstance(path, str | os.PathLike):
        raise ValueError(
            f"{type(path).__name__} holds no genes; give a Genome, a GTF or GFF3 file, or a table of exons."
        )
    return Annotation.open(Path(path))


def _spelled(source: Annotation, region: Interval) -> str:
    """Give the chromosome as the annotation spells it; one it lacks has no genes."""
    same = [name for name in source.chroms if canonical(name) == canonical(region.chrom)]
    if not same and source.chroms:
        raise ValueError(
            f"{source.source} has no gene on {region.chrom}, it has {', '.join(list(source.chroms)[:6])}. "
            "Is it of this assembly?"
        )
    return same[0] if same else region.chrom
