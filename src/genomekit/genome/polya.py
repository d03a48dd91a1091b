"""Polyadenylation sites from a table: BED, TSV, Parquet, Feather, PolyA_DB's own or a DataFrame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from genomekit.genome.interval import Interval

_BED = ["chrom", "start", "end", "name", "score", "strand"]
_SPELLINGS = {
    "chromosome": "chrom",
    "chr": "chrom",
    "#chrom": "chrom",
    "chromstart": "start",
    "chromend": "end",
    "gene": "gene_id",
    "gene_symbol": "gene_name",
    "symbol": "gene_name",
    "pas_id": "name",
    "pas_strand": "strand",
    "gene symbol": "gene_name",
    "ensembl gene id": "gene_id",
    "ensemble id": "gene_id",
}
_POLYA_DB = "mean rpm"
"""A column that only PolyA_DB's own tables have; their positions are 1-based."""
_FORMS = (
    "a BED file (.bed, .bed.gz: chrom, start, end, name, score, strand), a table with a header (.tsv, .csv, .txt), a "
    "Parquet or a Feather file with columns chrom, strand and start and end (0-based half-open) or position (0-based), "
    "and where known gene_id, gene_name, name"
)


def read_polya(table: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Read cleavage sites: chrom, position, strand, then start, end, name, gene_id, gene_name and further columns.

    `position` is 0-based: the last transcribed base. Of a wider interval it is the 3' end. The tables of PolyA_DB
    (human.PAS.txt, 1-based) and of the official scorer (Feather, with `pas_strand`) are read as they are.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Columns are missing or make no sense; the accepted forms are listed.

    Example:
        >>> sites = pd.DataFrame({"chrom": ["chr1"], "start": [90], "end": [100], "strand": ["-"]})
        >>> read_polya(sites)[["chrom", "position", "strand"]].values.tolist()
        [['chr1', 90, '-']]
    """
    if isinstance(table, (str, Path)):
        frame, source = _read(Path(table).expanduser()), f"PolyA table {table}"
    else:
        frame, source = table.copy(), "The polyA table"
    frame.columns = [str(name).strip().casefold() for name in frame]
    official, own = "pas_strand" in frame, _POLYA_DB in frame
    if official:
        frame = frame.drop(columns="strand", errors="ignore")  # that of the gene
    frame = frame.rename(columns=_SPELLINGS)
    missing = [name for name in ("chrom", "strand") if name not in frame]
    if "position" not in frame:
        missing += [name for name in ("start", "end") if name not in frame]
    if missing:
        raise ValueError(f"{source} has no column {', '.join(missing)}; it has {', '.join(frame)}. Give {_FORMS}.")
    if official and "start" in frame:
        frame = frame.assign(position=frame["start"])  # the site, whatever the strand
    elif own and "position" in frame:
        frame = frame.assign(position=pd.to_numeric(frame["position"], errors="coerce") - 1)
    return _placed(frame, source)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(f"No polyA table at {path}. Check the path; it may be {_FORMS}.")
    name = path.name.casefold().removesuffix(".gz")
    try:
        if name.endswith((".parquet", ".pq")):
            return pd.read_parquet(path)
        if name.endswith(".feather"):
            return pd.read_feather(path)
        if name.endswith(".bed"):
            frame = pd.read_csv(path, sep="\t", header=None, comment="#")
            frame.columns = [*_BED, *(f"column{i}" for i in range(7, 99))][: frame.shape[1]]
            return frame
        return pd.read_csv(path, sep="," if name.endswith(".csv") else "\t")
    except (ValueError, EOFError, OSError, pa.ArrowInvalid) as error:
        raise ValueError(f"PolyA table {path} cannot be read: {error}. Give {_FORMS}.") from error


def _placed(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    strand = frame["strand"].astype(str)
    if not strand.isin(["+", "-"]).all():
        bad = strand[~strand.isin(["+", "-"])].iloc[0]
        raise ValueError(f"{source} has strand {bad!r}; a polyA site has '+' or '-'.")
    if "position" not in frame:
        frame["position"] = np.where(strand == "-", frame["start"], frame["end"] - 1)
    position = pd.to_numeric(frame["position"], errors="coerce")
    if position.isna().any() or (position < 0).any():
        row = int(np.flatnonzero(position.isna() | (position < 0))[0])
        raise ValueError(f"{source}, row {row + 1}: position {str(frame['position'].iloc[row])!r} is not 0 or more.")
    frame["position"] = position.astype(np.int64)
    for name, other in (("start", 0), ("end", 1)):
        if name not in frame:
            frame[name] = frame["position"] + other
    for name in ("name", "gene_id", "gene_name"):
        frame[name] = frame[name].fillna("").astype(str) if name in frame else ""
    frame["chrom"] = frame["chrom"].astype(str)
    first = ["chrom", "position", "strand", "start", "end", "name", "gene_id", "gene_name"]
    frame = frame[first + [name for name in frame if name not in first]]
    return frame.sort_values(["chrom", "position"], kind="stable", ignore_index=True)


def select_polya(sites: pd.DataFrame, interval: Interval | None, gene: pd.Series | None) -> pd.DataFrame:
    """Keep sites inside an interval and of a gene.

    Args:
        sites: What `read_polya` returns.
        interval: Where; its strand does not matter.
        gene: One row of genes (chrom, start, end, strand, gene_id, gene_name). Where the table names no gene at
            all, the sites within the gene on its strand are taken.
    """
    kept = np.ones(len(sites), bool)
    if interval is not None:
        inside = (sites["position"] >= interval.start) & (sites["position"] < interval.end)
        kept &= (sites["chrom"] == interval.chrom) & inside
    if gene is not None:
        if (sites["gene_id"] != "").any() or (sites["gene_name"] != "").any():
            bare = sites["gene_id"].str.replace(r"\.\d+$", "", regex=True)
            by_id = sites["gene_id"].eq(gene["gene_id"]) | bare.eq(str(gene["gene_id"]).partition(".")[0])
            named = sites["gene_name"].str.casefold().eq(str(gene["gene_name"]).casefold())
            kept &= (sites["gene_id"].ne("") & by_id) | (sites["gene_id"].eq("") & named)
        else:
            inside = (sites["position"] >= gene["start"]) & (sites["position"] < gene["end"])
            kept &= (sites["chrom"] == gene["chrom"]) & (sites["strand"] == gene["strand"]) & inside
    return sites[kept].reset_index(drop=True)
