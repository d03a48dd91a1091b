"""What is noticed of records as they stream by: REF letters that do not fit, and changes that came before."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace

from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.duplicates import Duplicates
from genomekit.genome.reference_check import ReferenceTally
from genomekit.genome.variant import Variant
from genomekit.scores.records import AnyRecord, Record


def watch(
    records: Iterable[AnyRecord], genome: Genome, notes: dict[str, int], *, parity: bool = False, check: bool = True
) -> Iterator[AnyRecord]:
    """Give records on, those that repeat an earlier one with its number; say once what is noticed.

    Args:
        records: With a reason or without.
        genome: Their genome.
        notes: Filled when all have passed: `reference_mismatches` (records whose REF letters are not those of the
            genome) and `duplicates` (records that make the same change as an earlier one), where there are any.
        parity: Whether variants are taken as spelled; else all spellings of a change are one.
        check: Whether many records that do not fit the genome are worth a warning.
    """
    tally = ReferenceTally(genome.fasta.fetch, genome.assembly or genome.fasta.path.name)
    known, repeated = Duplicates(None if parity else genome.fasta.fetch), 0
    for record in records:
        variant = None if record.reason else _variant(record, genome, tally)
        if variant is not None:
            if check:
                tally.fits(variant)
            if (first := known.first(record.number, variant)) is not None:
                repeated += 1
                record = _repeat(record, first)
        yield record
    if check:
        tally.tell()
    if repeated:
        warnings.warn(
            f"Records that make the same change as an earlier one, maybe in another spelling: {repeated:,}. Each has "
            "its own row with the same scores, and the reason there names the earlier record.",
            GenomekitWarning,
            stacklevel=2,
        )
    counts = {"reference_mismatches": tally.missed, "duplicates": repeated}
    notes |= {name: count for name, count in counts.items() if count}


def _variant(record: AnyRecord, genome: Genome, tally: ReferenceTally) -> Variant | None:
    """Return the variant of a record on its chromosome; None where there is none, which scoring will say."""
    try:
        variant = Variant(record.chrom, record.position, record.ref, record.alt)
        return replace(variant, chrom=genome.resolve(variant.chrom))
    except ReferenceMismatch:  # a chromosome of another build, by its accession
        tally.count(False)
    except ValueError:
        pass
    return None


def _repeat(record: AnyRecord, first: int) -> Record:
    if isinstance(record, Record):
        return replace(record, same_as=first)
    return Record(record.number, record.chrom, record.position, record.ref, record.alt, record.id, same_as=first)
