"""Annotation: genes, transcripts, exons, TSS, splice sites and introns, by interval or by gene."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from genomekit.errors import unknown
from genomekit.genome import annotation_store
from genomekit.genome.annotation_header import declared_release
from genomekit.genome.gene_names import GeneNames
from genomekit.genome.gene_tables import GeneTables
from genomekit.genome.gtf import read_annotation
from genomekit.genome.interval import Interval
from genomekit.genome.spans import SpanIndex

MIN_INTRON = 4
"""Shorter gaps between exons, in bp, are artefacts of annotation and no introns (as in the official SDK)."""
_GENE = ["gene_id", "gene_name", "gene_type"]
_TRANSCRIPT = ["transcript_id", "transcript_type"]


class Annotation:
    r"""Genes and transcripts of one assembly; every table is 0-based half-open.

    Genes and transcripts come in order of place, their exons, CDS parts and introns transcript by transcript.

    All query methods take the same arguments and return a new DataFrame whose columns start with chrom, start, end,
    strand, gene_id, gene_name, gene_type (and transcript_id, transcript_type below the gene):

    - `interval`: keep what overlaps it, whatever its strand. None keeps all.
    - `gene`: a symbol (upper or lower case) or an id, or a list of them. An id is found with its version or without,
      and with that of another release, wherever it stands for one gene.
    - `transcript`: an id, or a list of them.
    - `protein_coding`, `longest`, `mane`: keep coding transcripts; of each gene the one that spans most bp; MANE
      Select.
    - `support_level`: keep transcripts of this support level or a better (lower) one, 1 to 5.

    Filters act one after the other, `longest` last. An unknown gene is an error with near matches, a symbol of
    several genes one that names them; an interval with nothing in it gives an empty frame.

    Args:
        tables: What `genomekit.genome.gtf.read_annotation` returns.
        source: Where it comes from, shown in texts.
        release: What the file declares of its genome build and release; "" where nothing.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "toy.gtf"
        >>> name = 'gene_id "g1"; gene_name "abc-1"; transcript_id "t1";'
        >>> line = "chrI\ttoy\texon\t{}\t{}\t.\t+\t.\t" + name + "\n"
        >>> _ = path.write_text(line.format(11, 20) + line.format(31, 45))
        >>> toy = Annotation.open(path, cached=False)
        >>> toy.introns(gene="ABC-1")[["chrom", "start", "end", "strand"]].values.tolist()
        [['chrI', 20, 30, '+']]
        >>> toy.splice_sites("chrI:0-100")[["position", "kind"]].values.tolist()
        [[19, 'donor'], [30, 'acceptor']]
    """

    def __init__(self, tables: GeneTables, *, source: str = "annotation", release: str = "") -> None:
        self._tables = tables
        self.source, self.release = source, release

    @classmethod
    def open(cls, path: str | Path, *, cached: bool = True) -> Annotation:
        """Open a GTF or GFF3 file (plain or gzip).

        Args:
            path: The file.
            cached: Keep the parsed tables in the cache folder and take them from there the next time.

        Raises:
            FileNotFoundError: No such file.
            ValueError: The file is malformed (the line is named), truncated, or holds no gene.
        """
        tables = annotation_store.load(path) if cached else read_annotation(path)
        return cls(tables, source=str(path), release=declared_release(Path(path).expanduser()))

    def __repr__(self) -> str:
        genes, transcripts, exons, _ = self._tables
        counts = f"{len(genes):,} genes, {len(transcripts):,} transcripts, {len(exons):,} exons"
        return f"Annotation({self.source!r}: {counts})"

    @property
    def chroms(self) -> dict[str, int]:
        """Chromosome -> end of its last feature, bp."""
        genes = self._tables.genes
        return {str(name): int(end) for name, end in genes.groupby("chrom", observed=True)["end"].max().items()}

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of what the annotation says: genes by name and place, and every exon."""
        content = hashlib.sha256()
        genes = self._tables.genes[["chrom", "start", "end", "strand", *_GENE, "coding"]]
        for table in (genes.astype({"chrom": object, "strand": object}), self._tables.exons):
            content.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
        return content.hexdigest()

    def renamed(self, names: Mapping[str, str]) -> Annotation:
        """Return the annotation with other chromosome names; what is not in `names` keeps its own."""
        genes, transcripts = (
            table.assign(chrom=table["chrom"].astype(object).map(lambda name: names.get(name, name)).astype("category"))
            for table in (self._tables.genes, self._tables.transcripts)
        )
        tables = self._tables._replace(genes=genes, transcripts=transcripts)
        return Annotation(tables, source=self.source, release=self.release)

    def genes(
        self,
        interval: Interval | str | None = None,
        *,
        gene: str | Iterable[str] | None = None,
        protein_coding: bool = False,
    ) -> pd.DataFrame:
        """Return genes: chrom, start, end, strand, gene_id, gene_name, gene_type, coding."""
        table = self._tables.genes
        rows = self._overlapping("genes", interval)
        if gene is not None:
            wanted = self._gene_rows(gene, interval)
            # The order asked for is the order returned.
            rows = wanted if rows is None else wanted[np.isin(wanted, rows)]
        found = table if rows is None else table.iloc[rows]
        return _plain(found[found["coding"]] if protein_coding else found)

    def transcripts(
        self, interval: Interval | str | None = None, *, gene: str | Iterable[str] | None = None, **filters: object
    ) -> pd.DataFrame:
        """Return transcripts, also with coding, mane, support_level, num_exons and exonic_length (bp)."""
        rows = self._chosen("transcripts", interval, gene, filters)
        return self._with_gene(self._tables.transcripts, rows, rows)

    def exons(
        self, interval: Interval | str | None = None, *, gene: str | Iterable[str] | None = None, **filters: object
    ) -> pd.DataFrame:
        """Return exons of every transcript; `exon_number` counts from 1 in the direction of transcription."""
        rows = self._chosen("exons", interval, gene, filters)
        exons, transcripts = self._tables.exons, self._tables.transcripts
        owner = exons["transcript"].to_numpy()
        first = np.searchsorted(owner, owner[rows], side="left")
        forward = rows - first + 1
        backward = transcripts["num_exons"].to_numpy()[owner[rows]] - (rows - first)
        minus = (transcripts["strand"] == "-").to_numpy()[owner[rows]]
        return self._parts("exons", rows).assign(exon_number=np.where(minus, backward, forward))

    def cds(
        self, interval: Interval | str | None = None, *, gene: str | Iterable[str] | None = None, **filters: object
    ) -> pd.DataFrame:
        """Return CDS parts as the file has them (GTF leaves the stop codon out, GFF3 includes it)."""
        return self._parts("cds", self._chosen("cds", interval, gene, filters))

    def tss(
        self, interval: Interval | str | None = None, *, gene: str | Iterable[str] | None = None, **filters: object
    ) -> pd.DataFrame:
        """Return the first transcribed base of each transcript as `position`; start and end hold that one base."""
        rows = self._chosen("tss", interval, gene, filters)
        found = self._with_gene(self._tables.transcripts, rows, rows)
        positions = self._first_bases[rows]
        return _placed(found[["chrom", "start", "end", "strand", *_GENE, *_TRANSCRIPT]], positions)

    def introns(
        self,
        interval: Interval | str | None = None,
        *,
        gene: str | Iterable[str] | None = None,
        unique: bool = False,
        **filters: object,
    ) -> pd.DataFrame:
        """Return introns of at least 4 bp, of every transcript, or each once per gene.

        Args:
            interval: Keep introns that overlap it.
            gene: Symbols or ids.
            unique: One row per gene and intron, with `num_transcripts` instead of the transcript.
            **filters: See the class.
        """
        found = self._parts("_introns", self._chosen("_introns", interval, gene, filters))
        if not unique:
            return found
        keys = ["chrom", "start", "end", "strand", *_GENE]
        return found.groupby(keys, sort=False).size().rename("num_transcripts").reset_index()

    def splice_sites(
        self, interval: Interval | str | None = None, *, gene: str | Iterable[str] | None = None, **filters: object
    ) -> pd.DataFrame:
        """Return donors and acceptors, each once per gene, sites of all transcripts pooled.

        `position` is the exon-side base, 0-based: the last base of the exon before the intron (kind "donor") and the
        first base of the exon after it ("acceptor"), in the direction of transcription. Only sites inside `interval`
        are kept. Transcripts without a strand have none.
        """
        where = None if interval is None else Interval.parse(interval)
        # The site lies one base outside its intron.
        reach = None if where is None else where.pad(1, 1)
        rows = self._chosen("_introns", reach, gene, filters)
        introns, transcripts, genes = self._introns, self._tables.transcripts, self._tables.genes
        owner = introns["transcript"].to_numpy()[rows]
        rows, owner = rows[self._strands[owner] != "."], owner[self._strands[owner] != "."]
        minus = self._strands[owner] == "-"
        low, high = introns["start"].to_numpy()[rows] - 1, introns["end"].to_numpy()[rows]
        first, last = np.where(minus, high, low), np.where(minus, low, high)
        of_gene = transcripts["gene"].to_numpy()[owner]
        # One column per site: its gene, its position, whether it is a donor.
        sites = np.stack([np.tile(of_gene, 2), np.append(first, last), np.repeat([1, 0], len(rows))])
        if where is not None:
            sites = sites[:, (sites[1] >= where.start) & (sites[1] < where.end)]
        sites, count = np.unique(sites, axis=1, return_counts=True)
        found = genes[["chrom", "strand", *_GENE]].iloc[sites[0]]
        found.insert(1, "position", sites[1])
        found.insert(2, "kind", np.where(sites[2] == 1, "donor", "acceptor").astype(object))
        found = _plain(found.assign(num_transcripts=count, start=sites[1], end=sites[1] + 1))
        return found.sort_values(["chrom", "position", "kind", "gene_id"], kind="stable", ignore_index=True)

    def gene_interval(self, gene: str) -> Interval:
        """Return the place of one gene, with its strand and its symbol as name.

        Raises:
            ValueError: No such gene (near matches are listed), or several (they are named).
        """
        return self.gene_intervals([gene])[0]

    def gene_intervals(self, genes: Iterable[str]) -> list[Interval]:
        """Return the places of genes in the order asked for; see `gene_interval`."""
        table = self._tables.genes.iloc[self._gene_rows(genes, None)]
        columns = (table[name] for name in ("chrom", "start", "end", "strand", "gene_name"))
        return [Interval(c, int(s), int(e), strand, name) for c, s, e, strand, name in zip(*columns, strict=True)]

    @cached_property
    def _names(self) -> GeneNames:
        return GeneNames(self._tables.genes, self.source)

    @cached_property
    def _introns(self) -> pd.DataFrame:
        exons = self._tables.exons
        start, end, owner = (exons[name].to_numpy() for name in ("start", "end", "transcript"))
        kept = (owner[1:] == owner[:-1]) & (start[1:] - end[:-1] >= MIN_INTRON)
        return pd.DataFrame({"start": end[:-1][kept], "end": start[1:][kept], "transcript": owner[1:][kept]})

    @cached_property
    def _strands(self) -> np.ndarray:
        return self._tables.transcripts["strand"].to_numpy(object)

    @cached_property
    def _first_bases(self) -> np.ndarray:
        table = self._tables.transcripts
        return np.where(table["strand"] == "-", table["end"] - 1, table["start"])

    @cached_property
    def _indices(self) -> dict[str, SpanIndex]:
        return {}

    def _table(self, kind: str) -> pd.DataFrame:
        return self._introns if kind == "_introns" else getattr(self._tables, "transcripts" if kind == "tss" else kind)

    def _overlapping(self, kind: str, interval: Interval | str | None) -> np.ndarray | None:
        """Return the rows of a table that overlap, or None for all."""
        if interval is None:
            return None
        interval = Interval.parse(interval)
        chroms = self._tables.genes["chrom"].cat.categories if kind == "genes" else self._transcript_chroms
        if kind not in self._indices:
            self._indices[kind] = self._build_index(kind)
        number = chroms.get_indexer(pd.Index([interval.chrom]))[0]
        return np.sort(self._indices[kind].overlapping(int(number), interval.start, interval.end))

    @property
    def _transcript_chroms(self) -> pd.Index:
        return self._tables.transcripts["chrom"].cat.categories

    def _build_index(self, kind: str) -> SpanIndex:
        table = self._table(kind)
        if kind == "tss":
            return SpanIndex(table["chrom"].cat.codes.to_numpy(), self._first_bases, self._first_bases + 1)
        owner = self._tables.transcripts["chrom"] if "transcript" in table else table["chrom"]
        codes = owner.cat.codes.to_numpy()
        chrom = codes[table["transcript"].to_numpy()] if "transcript" in table else codes
        return SpanIndex(chrom, table["start"].to_numpy(), table["end"].to_numpy())

    def _gene_rows(self, gene: str | Iterable[str], interval: Interval | str | None) -> np.ndarray:
        return self._names.find([gene] if isinstance(gene, str) else gene, among=self._overlapping("genes", interval))

    def _chosen(
        self,
        kind: str,
        interval: Interval | str | None,
        gene: str | Iterable[str] | None,
        filters: Mapping[str, object],
    ) -> np.ndarray:
        """Return the row numbers that pass every filter, in order of place."""
        table = self._table(kind)
        rows = self._overlapping(kind, interval)
        if rows is None:
            rows = np.arange(len(table))
        if gene is None and not filters:
            return rows
        kept = self._transcript_mask(gene, interval, filters)
        owner = table["transcript"].to_numpy() if "transcript" in table else np.arange(len(table))
        return rows[kept[owner[rows]]]

    def _transcript_mask(
        self, gene: str | Iterable[str] | None, interval: Interval | str | None, filters: Mapping[str, object]
    ) -> np.ndarray:
        for name in filters:
            if name not in _FILTERS:
                raise unknown("filter", name, ["interval", "gene", *_FILTERS])
        table = self._tables.transcripts
        kept = np.ones(len(table), bool)
        if gene is not None:
            kept &= np.isin(table["gene"], self._gene_rows(gene, interval))
        for name, choose in _FILTERS.items():
            value = filters.get(name)
            if value is not None and value is not False:
                kept = choose(table, kept, value)
        return kept

    def _parts(self, kind: str, rows: np.ndarray) -> pd.DataFrame:
        """Return exons, CDS parts or introns with what their transcripts and genes are called."""
        table = self._table(kind)
        owner = table["transcript"].to_numpy()[rows]
        frame = self._with_gene(self._tables.transcripts, owner, owner)
        frame = frame[["chrom", "start", "end", "strand", *_GENE, *_TRANSCRIPT]]
        return frame.assign(start=table["start"].to_numpy()[rows], end=table["end"].to_numpy()[rows])

    def _with_gene(self, table: pd.DataFrame, rows: np.ndarray, transcripts: np.ndarray) -> pd.DataFrame:
        genes = self._tables.genes.iloc[self._tables.transcripts["gene"].to_numpy()[transcripts]]
        frame = table.iloc[rows].drop(columns="gene")
        for position, name in enumerate(_GENE, start=4):
            frame.insert(position, name, genes[name].to_numpy())
        return _plain(frame)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns as plain strings: categories of absent chromosomes would surprise in groupby."""
    frame = frame.reset_index(drop=True)
    frame["chrom"], frame["strand"] = frame["chrom"].to_numpy(object), frame["strand"].to_numpy(object)
    return frame


def _placed(frame: pd.DataFrame, position: np.ndarray) -> pd.DataFrame:
    return frame.assign(position=position, start=position, end=position + 1)


def _keep_transcripts(table: pd.DataFrame, kept: np.ndarray, names: object) -> np.ndarray:
    wanted = [names] if isinstance(names, str) else list(names)  # pyright: ignore[reportArgumentType, reportCallIssue]
    if strange := set(wanted) - set(table["transcript_id"]):
        raise unknown("transcript", sorted(strange)[0], table["transcript_id"])
    return kept & table["transcript_id"].isin(wanted).to_numpy()


def _keep_mane(table: pd.DataFrame, kept: np.ndarray, _: object) -> np.ndarray:
    if not table["mane"].any():
        raise ValueError(
            "mane=True, but this annotation tags no transcript MANE Select: only human ones do "
            "(GENCODE, Ensembl, RefSeq). Use longest=True."
        )
    return kept & table["mane"].to_numpy()


def _keep_supported(table: pd.DataFrame, kept: np.ndarray, level: object) -> np.ndarray:
    if level not in (1, 2, 3, 4, 5):
        raise ValueError(f"support_level={level!r}; it is a number from 1 (best) to 5.")
    known = table["support_level"].to_numpy()
    return kept & (known > 0) & (known <= level)


def _keep_longest(table: pd.DataFrame, kept: np.ndarray, _: object) -> np.ndarray:
    rows = np.flatnonzero(kept)
    span, exonic = ((table["end"] - table["start"]).to_numpy()[rows], table["exonic_length"].to_numpy()[rows])
    owner = table["gene"].to_numpy()[rows]
    order = np.lexsort((-exonic, -span, owner))
    first = np.unique(owner[order], return_index=True)[1]
    result = np.zeros(len(table), bool)
    result[rows[order[first]]] = True
    return result


_FILTERS = {
    "transcript": _keep_transcripts,
    "protein_coding": lambda table, kept, _: kept & table["coding"].to_numpy(),
    "mane": _keep_mane,
    "support_level": _keep_supported,
    "longest": _keep_longest,
}
