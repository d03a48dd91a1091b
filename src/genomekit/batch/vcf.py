"""VCF files as sources and targets of batches: a row for each ALT allele, scores back as INFO fields."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genomekit.batch.info import info_fields, info_of
from genomekit.genome.assembly import Genome
from genomekit.genome.vcf import read_vcf
from genomekit.genome.vcf_write import annotate_vcf
from genomekit.scores import Record, ScoreSet

_ENDINGS = (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf")


def path_of(source: Any) -> Path | None:
    """Return the path of a VCF or BCF file, or None where the source is something else.

    Raises:
        ValueError: A text or path that is no VCF file by its ending.
    """
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    if not str(path).casefold().endswith(_ENDINGS):
        raise ValueError(
            f"{os.fspath(source)!r} came; give a VCF file ({', '.join(_ENDINGS)}), a table or a list of variants."
        )
    return path


def records(path: Path, genome: Genome) -> Iterator[Record]:
    """Number the ALT alleles of a file from 0."""
    for number, found in enumerate(read_vcf(path, genome)):
        variant, reason = found.variant, found.reason
        if found.duplicate_of is not None:
            reason = f"the same variant as record {found.duplicate_of}"
        place = (found.chrom, found.position, found.ref, found.alt)
        if variant is not None:
            place = (variant.chrom, variant.position, variant.ref, variant.alt)
        yield Record(number, *place, found.id, reason)


def write(path: Path, target: str | os.PathLike[str], scores: ScoreSet, genome: Genome) -> None:
    """Copy a VCF file with the scores of each allele as INFO fields."""
    values, fields = info_of(scores), info_fields(scores)
    rows: dict[int, list[int]] = {}
    for number, found in enumerate(read_vcf(path, genome)):
        rows.setdefault(found.number, []).append(number)

    def annotate(number: int) -> dict[str, Any]:
        own = [values.get(row, {}) for row in rows.get(number, [])]
        names = [field.id for field in fields if any(field.id in one for one in own)]
        return {name: [one.get(name) for one in own] for name in names}

    annotate_vcf(path, Path(target), fields, annotate)
