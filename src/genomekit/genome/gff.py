"""Follow the Parent links of GFF3 features from exon to transcript to gene."""

from __future__ import annotations

from urllib.parse import unquote

import pandas as pd

_PREFIX = r"(?i)^(?:gene|transcript|rna|mrna|pseudogene)[:-]"
_DESCRIPTION = ["gene_name", "gene_type", "transcript_type", "support_level", "mane"]
_PLACE = ["chrom", "feature", "start", "end", "strand"]


def resolve_parents(features: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every exon, CDS and transcript of a GFF3 file its transcript and gene.

    A transcript is what exons or CDS parts name as Parent, and every feature called transcript, mRNA or ...RNA. A
    gene is the Parent of a transcript; a transcript without one is its own gene.

    Args:
        features: chrom, feature, start (1-based), end, strand, id, parent, gene_id, transcript_id, gene_name,
            gene_type, transcript_type, support_level, mane.

    Returns:
        Rows (gene, transcript, exon, CDS) and descriptions as a GTF would give them.
    """
    text = [column for column in features.columns if isinstance(features[column].dtype, pd.CategoricalDtype)]
    features = features.astype(dict.fromkeys(text, object))
    is_part = features["feature"].isin(["exon", "CDS"])
    parts = features[is_part & (features["parent"] != "")]
    parts = parts.assign(parent=parts["parent"].str.split(",")).explode("parent")
    records = features[~is_part & (features["id"] != "")].drop_duplicates("id").set_index("id", drop=False)
    records["parent"] = records["parent"].str.split(",").str[0]

    named_so = records["feature"].isin(["transcript", "mRNA"]) | records["feature"].str.endswith("RNA")
    transcripts = pd.Index(parts["parent"].unique()).union(records.index[named_so], sort=False)
    parent = records["parent"].reindex(transcripts).fillna("")
    gene_of = parent.where(parent.isin(records.index), parent.index.to_series())

    gene_ids, transcript_ids = _ids(records, "gene_id"), _ids(records, "transcript_id")
    # Exons may name a parent that has no line of its own.
    for ids, keys in ((gene_ids, gene_of.unique()), (transcript_ids, transcripts)):
        ids.update({key: key for key in keys if key not in ids})
    is_gene = records["feature"].str.endswith("gene") | records.index.isin(gene_of.to_numpy())
    genes = records[is_gene & ~records["feature"].str.endswith("RNA")]
    rows = pd.concat(
        [
            genes[_PLACE].assign(feature="gene", gene_id=genes.index.map(gene_ids), transcript_id=""),
            _described(records[records.index.isin(transcripts)], "transcript", "id", gene_of, gene_ids, transcript_ids),
            _described(parts, None, "parent", gene_of, gene_ids, transcript_ids),
        ],
        ignore_index=True,
    )
    return rows, _details(records, genes, transcripts, gene_of, gene_ids, transcript_ids)


def _ids(records: pd.DataFrame, attribute: str) -> dict[str, str]:
    """Feature ID -> the id to show: its own attribute, else the ID without the prefix of its kind."""
    shown = records[attribute].where(records[attribute] != "", records["id"].str.replace(_PREFIX, "", regex=True))
    return dict(zip(records.index, shown, strict=True))


def _described(
    rows: pd.DataFrame,
    feature: str | None,
    key: str,
    gene_of: pd.Series,
    gene_ids: dict[str, str],
    transcript_ids: dict[str, str],
) -> pd.DataFrame:
    ids = {"gene_id": rows[key].map(gene_of).map(gene_ids), "transcript_id": rows[key].map(transcript_ids)}
    described = rows[_PLACE].assign(**ids)
    return described if feature is None else described.assign(feature=feature)


def _details(
    records: pd.DataFrame,
    genes: pd.DataFrame,
    transcripts: pd.Index,
    gene_of: pd.Series,
    gene_ids: dict[str, str],
    transcript_ids: dict[str, str],
) -> pd.DataFrame:
    about_genes = genes[_DESCRIPTION].assign(
        gene_id=genes.index.map(gene_ids),
        transcript_id="",
        gene_name=genes["gene_name"].map(lambda name: unquote(name) if "%" in name else name),
        transcript_type="",
    )
    found = records[records.index.isin(transcripts)]
    # Ensembl writes one "biotype" on both kinds of line: on a transcript it is the transcript's.
    kind = found["transcript_type"].where(found["transcript_type"] != "", found["gene_type"])
    kind = kind.where(kind != "", found["feature"].replace("mRNA", "protein_coding"))
    about_transcripts = found[_DESCRIPTION].assign(
        gene_id=found["id"].map(gene_of).map(gene_ids),
        transcript_id=found.index.map(transcript_ids),
        # A gene that holds its parts itself tells no type of a transcript.
        transcript_type=kind.where(~kind.isin(["transcript", "gene"]), ""),
        gene_name="",
        gene_type="",
    )
    return pd.concat([about_genes, about_transcripts], ignore_index=True)
