"""The haplotypes of a sample: what the genotypes of a phased VCF file put on each copy of a chromosome."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genomekit import errors
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.changes import Change, check_apart
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.genome.vcf import alleles_of, check_build, opened, overlapping

ON_ERROR = ("raise", "skip")
_SHOWN = 3
_UNPHASED, _OTHER_SET = "heterozygous and not phased", "in another phase set than most"
_REMEDIES = {
    _UNPHASED: "Phase the file, for example with WhatsHap, SHAPEIT or Beagle.",
    _OTHER_SET: "Give a shorter interval, inside one phase set.",
}


def read_haplotypes(
    path: str | Path,
    interval: Interval | str,
    *,
    genome: Genome | str | Path,
    sample: str | None = None,
    on_error: str = "raise",
    max_length: int = 100_000,
) -> tuple[tuple[Variant, ...], ...]:
    """Read the haplotypes of a sample over an interval, for `predict_haplotype` and `score_variant`.

    The genotypes say which alleles lie on which copy. Homozygous ones need no phase, nor does a single heterozygous
    one; several must be phased ("0|1") in one phase set (PS). An allele `*` is the deletion of another record.

    Args:
        path: A VCF or BCF file with genotypes; its index (tabix or CSI) is used where there is one.
        interval: Where, 0-based half-open. Alleles that change a base of it, or put letters between two, are taken.
        genome: REF is compared with its letters, and symbolic alleles are spelled out with them.
        sample: Name of the sample; None takes the only one of the file.
        on_error: "raise" stops at records that cannot be put on a haplotype; "skip" leaves them out, so that REF
            stands there, and warns with their number and reasons.
        max_length: Longest symbolic allele that is spelled out, bp.

    Returns:
        Variants in order, for each copy: two tuples of a diploid sample, one where genotypes are haploid. An empty
        one is the reference; where the sample has no genotype in the interval there are two of them.

    Raises:
        ImportError: pysam is not installed; the text names the extra.
        FileNotFoundError: No such file.
        ValueError: A file that is no VCF, damaged or without genotypes; an unknown sample or chromosome; or with
            `on_error="raise"`, records that are missing, not phased, of several phase sets, of another number of
            copies, without letters, or that change a base twice.
        ReferenceMismatch: REF, or the length of a chromosome in the header, differs from the genome.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "toy.fa").write_text(">chrI" + chr(10) + "ACGTTGCAGG" + chr(10))
        >>> rows = ["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT worm", "chrI 3 . G T . . . GT 0|1"]
        >>> rows += ["chrI 5 . T TA,C . . . GT 1|2", "chrI 8 . A G . . . GT 1/1"]
        >>> text = chr(10).join(["##fileformat=VCFv4.2", *(row.replace(" ", chr(9)) for row in rows), ""])
        >>> _ = (folder / "phased.vcf").write_text(text)
        >>> for haplotype in read_haplotypes(folder / "phased.vcf", "chrI:0-10", genome=folder / "toy.fa"):
        ...     print(*haplotype)
        chrI:5:T>TA chrI:8:A>G
        chrI:3:G>T chrI:5:T>C chrI:8:A>G
    """
    if on_error not in ON_ERROR:
        raise errors.unknown("on_error", on_error, ON_ERROR)
    path, genome = Path(path).expanduser(), Genome.open(genome)
    if not path.is_file():
        raise FileNotFoundError(f"No VCF file at {path}. Check the path.")
    where, calls, lost = genome.locate(interval), [], _Lost()
    with opened(path) as file:
        check_build(file, path, genome)
        name = _sample(file, path, sample)
        for record in overlapping(file, path, where):
            try:
                calls.append(_Call.of(record, name, where, genome, max_length))
            except ReferenceMismatch:
                if on_error == "raise":
                    raise
                lost.add("REF differs from the genome", _place(record))
            except ValueError as error:
                lost.add(str(error), _place(record))
    records = len(calls) + lost.count
    calls = _of_one_phase(_of_one_ploidy(calls, lost), lost)
    haplotypes = tuple(_apart(calls, copy, lost) for copy in range(len(calls[0].alleles) if calls else 2))
    deletions = [one for haplotype in haplotypes for one in haplotype if one.is_deletion]
    for call in calls:
        if call.starred and not any(one.start <= call.start < one.end for one in deletions):
            lost.add("a base that is deleted (*), by no record of the sample", call.place)
    if lost.count:
        here = f"{where.chrom}:{where.start:,}-{where.end:,}"
        text = f"{lost.count} of {records} records of sample {name!r} in {here} cannot be put on a haplotype: {lost}."
        if on_error == "raise":
            remedies = [remedy for why, remedy in _REMEDIES.items() if why in lost.of]
            hint = "Or pass on_error='skip'" if remedies else "Pass on_error='skip'"
            raise ValueError(" ".join([text, *remedies, f"{hint}, which leaves them out: REF stands there."]))
        warnings.warn(f"{text} They are left out: REF stands there.", GenomekitWarning, stacklevel=2)
    return haplotypes


@dataclass(frozen=True, slots=True)
class _Call:
    """The genotype of one record, as far as it changes the interval."""

    place: str
    start: int
    """First base, 0-based."""
    alleles: tuple[int, ...]
    """Of each copy; 0 where nothing is changed."""
    phase: str | None
    """Name of the phase set, "" where it has none; None where the alleles are in no order."""
    variants: Mapping[int, Variant]
    """By number of the allele."""
    starred: bool
    """Whether a copy lacks the base because of another record."""

    @classmethod
    def of(cls, record: Any, sample: str, where: Interval, genome: Genome, max_length: int) -> _Call:
        """Read it.

        Raises:
            ValueError: It says nothing about a haplotype; the text is the reason.
        """
        if record is None:
            raise ValueError("a line that cannot be read")
        own = record.samples[sample]
        alleles = own.allele_indices or ()
        if not alleles or None in alleles:
            raise ValueError("a genotype that is missing")
        variants, starred = {}, False
        for found in alleles_of(0, record, genome, max_length):
            if found.allele not in alleles or not found.allele:
                continue
            if found.alt == "*":
                starred = True
                continue
            if found.variant is None:
                raise ValueError(found.reason)
            if _touches(variant := genome.check_reference(found.variant), where):
                variants[found.allele] = variant
        name = own.get("PS")
        phase = ("" if name in (None, ".") else str(name)) if own.phased else None
        changed = tuple(allele if allele in variants else 0 for allele in alleles)
        return cls(_place(record), record.start, changed, phase, variants, starred)

    @property
    def heterozygous(self) -> bool:
        """Whether the copies differ."""
        return len(set(self.alleles)) > 1


@dataclass(slots=True)
class _Lost:
    """Records that cannot be put on a haplotype: their places, by reason."""

    of: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, place: str) -> None:
        """Note one, once for all copies that it concerns."""
        places = self.of.setdefault(reason, [])
        if place not in places:
            places.append(place)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self.of.values()))

    def __str__(self) -> str:
        told = []
        for reason, places in self.of.items():
            more = ", ..." if len(places) > _SHOWN else ""
            told.append(f"{len(places)} {reason} ({', '.join(places[:_SHOWN])}{more})")
        return "; ".join(told)


def _sample(file: Any, path: Path, sample: str | None) -> str:
    """Settle whose genotypes are read."""
    names = list(file.header.samples)
    if not names:
        raise ValueError(f"VCF file {path} has no genotypes; haplotypes are those of a sample.")
    if sample is None:
        if len(names) > 1:
            raise ValueError(f"VCF file {path} has {len(names)} samples: {', '.join(names[:12])}. Say which: sample=.")
        return names[0]
    if sample not in names:
        raise errors.unknown("sample", sample, names)
    return sample


def _of_one_ploidy(calls: list[_Call], lost: _Lost) -> list[_Call]:
    """Keep the calls with as many copies as most have."""
    counts = Counter(len(call.alleles) for call in calls)
    if len(counts) < 2:
        return calls
    most = counts.most_common(1)[0][0]
    for call in calls:
        if len(call.alleles) != most:
            lost.add(f"with {len(call.alleles)} alleles where most have {most}", call.place)
    return [call for call in calls if len(call.alleles) == most]


def _of_one_phase(calls: list[_Call], lost: _Lost) -> list[_Call]:
    """Keep the calls whose order is known: those that need none, and the phase set with most of the others."""
    open_ones = [call for call in calls if call.heterozygous]
    if len(open_ones) < 2:
        return calls
    sets = Counter(call.phase for call in open_ones if call.phase is not None)
    most = sets.most_common(1)[0][0] if sets else ""
    for call in open_ones:
        if call.phase is None:
            lost.add(_UNPHASED, call.place)
        elif call.phase != most:
            lost.add(_OTHER_SET, call.place)
    return [call for call in calls if not call.heterozygous or call.phase == most]


def _apart(calls: Iterable[_Call], copy: int, lost: _Lost) -> tuple[Variant, ...]:
    """List the variants of one copy in order, each base changed once."""
    changes = []
    for call in calls:
        if call.alleles[copy]:
            one = call.variants[call.alleles[copy]]
            changes.append((Change(one.start, one.ref, one.alt, one).trimmed(), call.place))
    kept: list[Change] = []
    for change, place in sorted(changes, key=lambda pair: (pair[0].start, pair[0].end)):
        try:
            check_apart([*kept[-1:], change])
        except ValueError:
            lost.add("changing what another record of the same haplotype changes", place)
        else:
            kept.append(change)
    return tuple(change.variant for change in kept)


def _touches(variant: Variant, where: Interval) -> bool:
    """Whether a base of the interval is changed, or letters are put between two."""
    change = Change(variant.start, variant.ref, variant.alt, variant).trimmed()
    return change.start < where.end and change.end > where.start


def _place(record: Any) -> str:
    if record is None:
        return "somewhere in the file"
    return errors.shorten(f"{record.chrom}:{record.pos} {record.ref}>{','.join(record.alts or ('.',))}")
