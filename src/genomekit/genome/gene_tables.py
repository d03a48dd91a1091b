"""Genes, transcripts, exons and CDS parts as four sorted tables, put together from the rows of a file."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd


class GeneTables(NamedTuple):
    """The content of an annotation file; 0-based half-open bp.

    genes: chrom, start, end, strand, gene_id, gene_name, gene_type, coding; by place.
    transcripts: chrom, start, end, strand, gene (row of genes), transcript_id, transcript_type, coding, mane,
        support_level (1-5, 0 unknown), num_exons, exonic_length (bp); by place.
    exons, cds: start, end, transcript (row of transcripts); by transcript, then start.
    """

    genes: pd.DataFrame
    transcripts: pd.DataFrame
    exons: pd.DataFrame
    cds: pd.DataFrame


def assemble(rows: pd.DataFrame, details: pd.DataFrame) -> GeneTables:
    """Build the tables; genes and transcripts without a line of their own span their exons and CDS parts.

    Args:
        rows: chrom, feature (gene, transcript, mRNA, exon, CDS), start (1-based), end, strand, gene_id,
            transcript_id ("" on genes).
        details: gene_id, transcript_id, gene_name, gene_type, transcript_type, support_level (text), mane (bool);
            any number of rows per id, "" where not told.
    """
    rows = rows.assign(
        start=rows["start"] - 1,
        strand=pd.Categorical(rows["strand"].astype(object), ["+", "-", "."]).fillna("."),
        chrom=rows["chrom"].astype("category"),
        feature=rows["feature"].astype(object),
        gene_id=rows["gene_id"].astype(object),
        transcript_id=rows["transcript_id"].astype(object),
    )
    # Files without gene_id exist: a transcript is then its own gene.
    rows["gene_id"] = rows["gene_id"].where(rows["gene_id"] != "", rows["transcript_id"])
    rows = rows[rows["gene_id"] != ""]
    of_transcript = rows[(rows["feature"] != "gene") & (rows["transcript_id"] != "")]
    transcripts, transcript_of = _spans(of_transcript, "transcript_id")
    transcripts["gene_id"] = of_transcript["gene_id"].to_numpy()[transcripts.pop("first")]
    genes, gene_of = _spans(pd.concat([transcripts, rows[rows["feature"] == "gene"]]), "gene_id")
    genes = genes.drop(columns="first")
    transcripts = transcripts.assign(gene=gene_of[: len(transcripts)].astype(np.int32)).drop(columns="gene_id")

    parts = of_transcript[["start", "end", "feature"]].assign(transcript=transcript_of.astype(np.int32))
    cds = _sorted_parts(parts[parts["feature"] == "CDS"])
    exons = _with_exons(_sorted_parts(parts[parts["feature"] == "exon"]), cds)
    return _describe(GeneTables(genes, transcripts, exons, cds), details)


def _spans(rows: pd.DataFrame, key: str) -> tuple[pd.DataFrame, np.ndarray]:
    """One row per (key, chrom, strand) in order of place, and for every row the number of its span.

    Chromosome and strand belong to the identity: PAR genes and some RefSeq transcripts lie in two places.
    """
    columns = [key, "chrom", "strand"]
    ordered = rows[[*columns, "start", "end"]].assign(first=np.arange(len(rows)))
    grouped = ordered.groupby(columns, sort=False, observed=True)
    spans = grouped.agg(start=("start", "min"), end=("end", "max"), first=("first", "first")).reset_index()
    number = grouped.ngroup().to_numpy()
    order = np.lexsort((spans["end"], spans["start"], spans["chrom"].cat.codes))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    spans = spans.iloc[order].reset_index(drop=True)
    return spans[["chrom", "start", "end", "strand", key, "first"]], place[number]


def _sorted_parts(parts: pd.DataFrame) -> pd.DataFrame:
    return parts.sort_values(["transcript", "start", "end"], ignore_index=True)[["start", "end", "transcript"]]


def _with_exons(exons: pd.DataFrame, cds: pd.DataFrame) -> pd.DataFrame:
    """Files of bacteria and yeast may list CDS parts only: these then stand for the exons."""
    bare = cds[~cds["transcript"].isin(exons["transcript"])]
    if bare.empty:
        return exons
    return _sorted_parts(pd.concat([exons, bare], ignore_index=True))


def _first_told(details: pd.DataFrame, key: str, columns: list[str]) -> pd.DataFrame:
    named = details[details[key].astype(object) != ""]
    values = named[columns].astype(object)
    return values.where(values != "").groupby(named[key].astype(object), sort=False).first()


def _describe(tables: GeneTables, details: pd.DataFrame) -> GeneTables:
    genes, transcripts, exons, cds = tables
    about = _first_told(details, "gene_id", ["gene_name", "gene_type"]).reindex(genes["gene_id"])
    genes = genes.assign(
        gene_name=about["gene_name"].fillna(pd.Series(about.index, about.index)).to_numpy(),
        gene_type=about["gene_type"].fillna("").to_numpy(),
    )
    about = _first_told(details, "transcript_id", ["transcript_type", "support_level"])
    about = about.reindex(transcripts["transcript_id"])
    level = pd.to_numeric(about["support_level"].astype(object).astype(str).str.extract(r"^(\d)")[0], errors="coerce")
    mane = set(details.loc[details["mane"].astype(bool), "transcript_id"]) - {""}
    count = np.bincount(exons["transcript"], minlength=len(transcripts))
    length = np.bincount(exons["transcript"], exons["end"] - exons["start"], minlength=len(transcripts))
    transcripts = transcripts.assign(
        transcript_type=about["transcript_type"].fillna("").to_numpy(),
        support_level=level.fillna(0).to_numpy().astype(np.int8),
        mane=transcripts["transcript_id"].isin(mane),
        num_exons=count.astype(np.int32),
        exonic_length=length.astype(np.int64),
    )
    transcripts["coding"] = _codes_protein(genes, transcripts, cds)
    coding_genes = np.zeros(len(genes), bool)
    coding_genes[transcripts.loc[transcripts["coding"], "gene"]] = True
    # A file of gene lines alone still tells which of them code.
    silent = np.bincount(transcripts["gene"], minlength=len(genes)) == 0
    genes["coding"] = coding_genes | (silent & (genes["gene_type"] == "protein_coding").to_numpy())
    order = ["chrom", "start", "end", "strand"]
    return GeneTables(
        genes[[*order, "gene_id", "gene_name", "gene_type", "coding"]],
        transcripts[
            [
                *order,
                "gene",
                "transcript_id",
                "transcript_type",
                "coding",
                "mane",
                "support_level",
                "num_exons",
                "exonic_length",
            ]
        ],
        exons,
        cds,
    )


def _codes_protein(genes: pd.DataFrame, transcripts: pd.DataFrame, cds: pd.DataFrame) -> np.ndarray:
    """A coding transcript has CDS lines, where the file has any, and the right type, where the file tells it.

    The type alone will not do: some files call every transcript of a coding gene protein_coding. CDS lines alone
    will not do either: transcripts that decay have them too.
    """
    gene_type = genes["gene_type"].to_numpy()[transcripts["gene"]]
    kind = transcripts["transcript_type"].where(transcripts["transcript_type"] != "", gene_type)
    has_cds = transcripts.index.isin(cds["transcript"]) if len(cds) else np.ones(len(transcripts), bool)
    typed = (kind == "protein_coding") | ((kind == "") & bool(len(cds)))
    return (has_cds & typed).to_numpy()
