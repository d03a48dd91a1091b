"""Where the variants of a batch come from: a table, a list, or a VCF file or a part of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from genomekit.batch import vcf
from genomekit.batch.folder import check_folder
from genomekit.batch.records import as_records
from genomekit.genome.interval import Interval
from genomekit.genome.vcf_write import check_target
from genomekit.scores.records import AnyRecord
from genomekit.scoring.job import Job

Source = pd.DataFrame | Iterable[Any] | str | os.PathLike[str]


def records_of(job: Job, source: Source, region: Interval | None = None) -> Iterator[AnyRecord]:
    """Number the records of a source, or those of a VCF file that overlap a region."""
    file = vcf.path_of(source)
    if file is None:
        return as_records(source, job.genome)
    return vcf.records(file, job.genome, job.ref_check, region)


def within(job: Job, region: Interval | str | None) -> Interval | None:
    """Return a region as an interval of the genome."""
    return None if region is None else job.genome.locate(region)


def check_paths(
    source: Source,
    out: str | os.PathLike[str] | None = None,
    vcf_out: str | os.PathLike[str] | None = None,
    region: Interval | str | None = None,
) -> Path | None:
    """Check what is read and written, before anything that takes time.

    Returns:
        The VCF file that is read; None where variants come in another way.

    Raises:
        FileNotFoundError: There is no such file, or the folder of `vcf_out` is not there.
        ValueError: `source` is no VCF file by its ending, or `out` or `vcf_out` cannot be written under that name; a
            region of what is no VCF file, or with `vcf_out`.
    """
    file = vcf.path_of(source)
    if out is not None:
        check_folder(out)
    if region is not None and file is None:
        raise ValueError("region= came and the variants are no VCF file; leave the others out of the table or list.")
    if region is not None and vcf_out is not None:
        raise ValueError(
            "region= and vcf_out= came, and a VCF file is written again as a whole. Make one of the region first: "
            "bcftools view -r REGION -Oz -o PART.vcf.gz IN.vcf.gz"
        )
    if vcf_out is not None:
        if file is None:
            raise ValueError("vcf_out= came and the variants are no VCF file; only such a file can be written again.")
        check_target(Path(vcf_out).expanduser(), file)
    return file
