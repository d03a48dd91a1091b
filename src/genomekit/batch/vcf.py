"""VCF files as sources and targets of batches: a row for each ALT allele, scores back as INFO fields."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from genomekit.batch.info import info_fields, info_of
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.genome.vcf import check_build, opened, stream_vcf
from genomekit.genome.vcf_write import alleles_in, annotate_vcf, lines_of
from genomekit.scores import Record, ScoreSet

_ENDINGS = (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf")


def path_of(source: Any) -> Path | None:
    """Return the path of a VCF or BCF file, or None where the source is something else.

    Raises:
        ValueError: A text or path that is no VCF file by its ending.
        FileNotFoundError: No such file.
    """
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source).expanduser()
    if not str(path).casefold().endswith(_ENDINGS):
        raise ValueError(
            f"{os.fspath(source)!r} came; give a VCF file ({', '.join(_ENDINGS)}), a table or a list of variants."
        )
    if not path.is_file():
        raise FileNotFoundError(f"No VCF file at {path}. Check the path.")
    return path


def count(path: Path, region: Interval | None = None) -> int | None:
    """Count the records that `records` will give, in seconds for millions; None where the file cannot be read.

    What is wrong with such a file is said when its records are read.
    """
    try:
        if region is not None:
            return sum(1 for _ in stream_vcf(path, None, region=region))
        return sum(max(alleles_in(line), 1) for line in lines_of(path) if line and line[0] != "#")
    except ValueError:
        return None


def records(path: Path, genome: Genome, ref_check: str = "error", region: Interval | None = None) -> Iterator[Record]:
    """Number the ALT alleles of a file from 0.

    Args:
        path: A VCF or BCF file.
        genome: The genome that it is about.
        ref_check: What to do where its header is that of another build: "error", "warn" or "ignore".
        region: Only records that overlap it.

    Raises:
        ReferenceMismatch: It is, and `ref_check` is "error".
    """
    if ref_check != "ignore" and path.is_file():
        with opened(path) as file:
            try:
                check_build(file, path, genome)
            except ReferenceMismatch as error:
                if ref_check == "error":
                    raise
                warnings.warn(str(error), GenomekitWarning, stacklevel=2)
    for number, found in enumerate(stream_vcf(path, genome, region=region)):
        place = found if found.variant is None else found.variant
        yield Record(number, found.chrom, place.position, place.ref, place.alt, found.id, found.reason)


def write(path: Path, target: str | os.PathLike[str], scores: ScoreSet, shards: Iterable[ScoreSet]) -> None:
    """Copy a VCF file with the scores of each allele as INFO fields.

    Args:
        path: The file that was scored.
        target: The file to write.
        scores: All of the job; only the names of scorers are read here.
        shards: The same in pieces, in order; one is in memory at a time.

    Raises:
        ValueError: The file has other records than those that were scored.
    """
    fields, rows = info_fields(scores), _rows(shards, list(scores))
    changed = f"VCF file {path} does not have the records that were scored. Score it again, into another folder."

    def annotate(number: int, alleles: int) -> dict[str, Any]:
        first = next(rows, None)
        count = max(alleles, 1) if first is not None and first.readable else 1
        own = [] if first is None else [first, *itertools.islice(rows, count - 1)]
        if len(own) < count:
            raise ValueError(changed)
        names = [field.id for field in fields if any(field.id in row.values for row in own)]
        return {name: [row.values.get(name) for row in own] for name in names}

    annotate_vcf(path, Path(target), fields, annotate)
    if next(rows, None) is not None:
        raise ValueError(changed)


class _Row(NamedTuple):
    """What is said of one ALT allele, or of a record without one."""

    readable: bool
    """False for a line that could not be read: it has one row, however many alleles it may mean."""
    values: dict[str, float | str]


def _rows(shards: Iterable[ScoreSet], names: list[str]) -> Iterator[_Row]:
    for shard in shards:
        values = info_of(shard, names)
        for number, chrom in zip(shard.records["record"].tolist(), shard.records["chrom"], strict=True):
            yield _Row(chrom != "", values[number])
