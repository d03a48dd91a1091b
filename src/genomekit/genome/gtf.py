"""Read a GTF or GFF3 file, plain or gzip, into tables of genes, transcripts, exons and CDS parts."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from tqdm import tqdm

from genomekit.genome.gene_tables import GeneTables, assemble
from genomekit.genome.gff import resolve_parents

_BLOCK = 1 << 25  # bytes parsed at a time: bounds the memory of a 1.5 GB human GTF
_SHOW_PROGRESS = 20 << 20  # bytes of a file that take more than a few seconds
_COLUMNS = ["chrom", "source", "feature", "start", "end", "score", "strand", "frame", "attributes"]
_WORD = pa.dictionary(pa.int32(), pa.string())
_TYPES = {"chrom": _WORD, "feature": _WORD, "start": pa.int64(), "end": pa.int64(), "strand": _WORD}
_GTF_FEATURES = ["gene", "transcript", "mRNA", "exon", "CDS"]
# Attributes that describe a gene or transcript: ours -> spellings in files, the preferred one first.
_DETAILS = {
    "gene_name": ("gene_name", "gene_symbol", "gene"),
    "gene_type": ("gene_type", "gene_biotype", "biotype"),
    "transcript_type": ("transcript_type", "transcript_biotype"),
    "support_level": ("transcript_support_level",),
}
_MANE = r"MANE[_ ]Select"


class _Block(NamedTuple):
    """Whole lines of the file."""

    text: bytes
    first_line: int
    complete: bool


def read_annotation(path: str | Path) -> GeneTables:
    """Parse a GTF or GFF3 file; which of the two it is shows in its first feature.

    Genes and transcripts that the file does not list are put together from their exons and CDS parts.

    Args:
        path: The file, plain or gzip.

    Returns:
        Tables with 0-based half-open coordinates.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A malformed line (its number is named), a truncated file, or no gene in it.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"No annotation file at {path}. Check the path.")
    is_gff3: bool | None = None
    rows: list[pa.Table] = []
    details: list[pa.Table] = []
    for block in _blocks(path):
        table = _parse(block, path)
        if table is None:
            continue
        if is_gff3 is None:
            is_gff3 = re.match(r'\s*[^\s;="]+=', table["attributes"][0].as_py()) is not None
        part, detail = _gff3_columns(table) if is_gff3 else _gtf_columns(table, block, path)
        rows.append(part)
        details.append(detail)
    if not rows:
        raise ValueError(f"Annotation file {path} holds no feature. Give a GTF or GFF3 file.")
    frame, detail = (_joined(parts) for parts in (rows, details))
    if is_gff3:
        frame, detail = resolve_parents(frame)
    if frame.empty:
        raise ValueError(
            f"Annotation file {path} holds no gene, transcript, exon or CDS line. Give a GTF or GFF3 file of genes."
        )
    return assemble(frame, detail)


def _joined(tables: list[pa.Table]) -> pd.DataFrame:
    return pa.concat_tables(tables).unify_dictionaries().to_pandas()


def _blocks(path: Path) -> Iterator[_Block]:
    rest, line, size = b"", 1, path.stat().st_size
    bar = tqdm(total=size, unit="B", unit_scale=True, desc=f"Parsing {path.name}", disable=size < _SHOW_PROGRESS)
    with path.open("rb") as raw, bar:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # pyright: ignore[reportAssignmentType]
        while True:
            try:
                chunk = stream.read(_BLOCK)
                bar.update(raw.tell() - bar.n)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise ValueError(
                    f"Annotation file {path} is truncated or corrupt after line {_whole_lines(path)}: {error}. "
                    "Fetch or copy it again."
                ) from error
            cut = chunk.rfind(b"\n") + 1
            text, rest = (rest + chunk[:cut], chunk[cut:]) if cut else (b"", rest + chunk)
            # Sequences may follow the features of a GFF3 file.
            sequences = re.search(rb"^##FASTA", text, re.MULTILINE)
            if sequences:
                yield _Block(text[: sequences.start()], line, True)
                return
            if text:
                yield _Block(text, line, True)
                line += text.count(b"\n")
            if not chunk:
                break
    if rest.strip():
        yield _Block(rest, line, False)


def _whole_lines(path: Path) -> int:
    """Count the lines that can be read before the file breaks off."""
    count = 0
    try:
        with gzip.open(path, "rb") as stream:
            for _ in stream:
                count += 1
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass
    return count


def _parse(block: _Block, path: Path) -> pa.Table | None:
    text = re.sub(rb"(?m)^#.*\n?", b"", block.text)
    if not text.strip():
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            read_options=csv.ReadOptions(column_names=_COLUMNS),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types=_TYPES | {"attributes": pa.string()}, include_columns=[*_TYPES, "attributes"]
            ),
        )
    except pa.ArrowInvalid as error:
        raise _bad_line(block, path) or ValueError(f"Annotation file {path} cannot be read: {error}.") from error
    sound = pc.and_(pc.greater_equal(table["start"], 1), pc.greater_equal(table["end"], table["start"]))  # pyright: ignore[reportAttributeAccessIssue]
    last_cut = not block.complete and text.count(b'"') % 2 == 1
    if last_cut or not pc.all(sound).as_py():  # pyright: ignore[reportAttributeAccessIssue]
        error = _bad_line(block, path)
        if error:
            raise error
    return table


def _bad_line(block: _Block, path: Path) -> ValueError | None:
    """Find the first malformed line; slow, so only for a block that is known to have one."""
    lines = block.text.decode("utf-8", "replace").split("\n")
    for number, line in enumerate(lines, start=block.first_line):
        if line.strip() and not line.startswith("#"):
            problem = _problem(line.rstrip("\r"))
            if not problem and not block.complete and line.count('"') % 2:
                problem = "a quote is not closed"
            if problem:
                end = "" if block.complete else " The file ends inside this line: it is truncated."
                return ValueError(
                    f"Annotation file {path}, line {number}: {problem}.{end} The line is {line[:80]!r}. "
                    "Mend the file or fetch it again."
                )
    return None


def _problem(line: str) -> str:
    fields = line.split("\t")
    if len(fields) != len(_COLUMNS):
        return f"{len(fields)} columns where GTF and GFF3 have 9, separated by tabs"
    start, end = fields[3], fields[4]
    if not (start.isascii() and start.isdigit() and end.isascii() and end.isdigit()):
        return f"start {start!r} and end {end!r} must be whole numbers"
    if int(start) < 1 or int(end) < int(start):
        return f"start {start} and end {end} must satisfy 1 <= start <= end"
    return ""


def _attribute(column: pa.ChunkedArray, *keys: str) -> pa.ChunkedArray:
    """Return one attribute in GTF (key "value") or GFF3 (key=value) writing, "" where it is missing."""
    result = pa.chunked_array([pa.array([""] * len(column), pa.string())])
    for key in reversed(keys):
        pattern = rf'(?:^|[;\s]){key}(?:\s+"?|=)(?P<value>[^";]*)'
        found = pc.struct_field(pc.extract_regex(column, pattern), [0])  # pyright: ignore[reportAttributeAccessIssue]
        result = pc.coalesce(found, result)  # pyright: ignore[reportAttributeAccessIssue]
    return result


def _places(table: pa.Table) -> pa.Table:
    return table.select([*_TYPES])


def _gtf_columns(table: pa.Table, block: _Block, path: Path) -> tuple[pa.Table, pa.Table]:
    table = table.filter(pc.is_in(table["feature"].cast(pa.string()), pa.array(_GTF_FEATURES)))  # pyright: ignore[reportAttributeAccessIssue]
    attributes = table["attributes"]
    gene, transcript = (_attribute(attributes, key) for key in ("gene_id", "transcript_id"))
    feature = table["feature"].cast(pa.string())
    is_part = pc.is_in(feature, pa.array(["exon", "CDS"]))  # pyright: ignore[reportAttributeAccessIssue]
    if pc.any(pc.and_(is_part, pc.equal(transcript, ""))).as_py():  # pyright: ignore[reportAttributeAccessIssue]
        raise _without_transcript(block, path)
    rows = _places(table).append_column("gene_id", gene.dictionary_encode())
    rows = rows.append_column("transcript_id", transcript.dictionary_encode())
    # Every exon repeats the description of its transcript: the first row of each is enough, and four times as fast.
    ids = pd.DataFrame({"feature": feature.to_pandas(), "transcript": transcript.to_pandas()})
    wanted = ~ids.duplicated("transcript") | ids["feature"].isin(["gene", "transcript", "mRNA"])
    picked = pa.array(wanted.to_numpy())
    described = attributes.filter(picked)
    detail = {"gene_id": gene.filter(picked), "transcript_id": transcript.filter(picked)}
    detail |= {name: _attribute(described, *keys) for name, keys in _DETAILS.items()}
    detail["mane"] = pc.match_substring_regex(described, _MANE)  # pyright: ignore[reportAttributeAccessIssue]
    return rows, pa.table(detail)


def _without_transcript(block: _Block, path: Path) -> ValueError:
    for number, line in enumerate(block.text.decode("utf-8", "replace").split("\n"), start=block.first_line):
        fields = line.split("\t")
        if len(fields) == 9 and fields[2] in ("exon", "CDS") and not re.search(r'transcript_id\s+"?[^";\s]', fields[8]):
            end = "" if block.complete else " The file does not end with a line end: it may be truncated."
            return ValueError(
                f"Annotation file {path}, line {number}: {fields[2]} without transcript_id.{end} "
                f"The line is {line[:80]!r}. Give a GTF whose exons name their transcript, or a GFF3 file with Parent."
            )
    return ValueError(f"Annotation file {path} has an exon or CDS without transcript_id.")


def _gff3_columns(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    attributes = table["attributes"]
    rows = _places(table)
    columns = {
        "id": ("ID",),
        "parent": ("Parent",),
        "gene_id": ("gene_id",),
        "transcript_id": ("transcript_id",),
        **_DETAILS,
        "gene_name": ("gene_name", "Name", "gene"),
    }
    for name, keys in columns.items():
        rows = rows.append_column(name, _attribute(attributes, *keys).dictionary_encode())
    rows = rows.append_column("mane", pc.match_substring_regex(attributes, _MANE))  # pyright: ignore[reportAttributeAccessIssue]
    return rows, pa.table({"unused": pa.array([], pa.string())})
