"""VCF and BCF files as a stream: one record for each ALT allele, with a reason where it cannot be predicted."""

from __future__ import annotations

import gzip
import importlib
import re
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomekit import errors
from genomekit.errors import GenomekitWarning, ReferenceMismatch, shorten
from genomekit.genome import builds
from genomekit.genome.assembly import Genome
from genomekit.genome.duplicates import Duplicates
from genomekit.genome.fasta import reverse_complement
from genomekit.genome.interval import Interval
from genomekit.genome.names import ChromosomeNames, canonical
from genomekit.genome.variant import Variant

_REASONS = {
    ".": "no ALT allele",
    "*": "the base is deleted by another record",
    "<*>": "stands for any other allele",
    "<NON_REF>": "stands for any other allele",
}
_ACCESSION = re.compile(r"[A-Z]{2}\d{6}")
_BREAKEND = re.compile(r".*[\[\]].*|\.[A-Za-z]+|[A-Za-z]+\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class VcfRecord:
    """One ALT allele of one record of a VCF file, as written there, and what can be made of it."""

    number: int
    """Number of the record in what was read, from 0."""
    allele: int
    """Number of the ALT allele in its record, from 1, as genotypes count; 0 where the record has none."""
    chrom: str
    position: int
    """1-based; 0 where the line cannot be read."""
    id: str
    """Of the record; "" where it has none."""
    ref: str
    alt: str
    variant: Variant | None
    """What to predict; None where `reason` says why not."""
    reason: str = ""
    duplicate_of: int | None = None
    """Number of the first record with the same change."""


def read_vcf(
    path: str | Path,
    genome: Genome | None = None,
    *,
    region: Interval | str | None = None,
    max_length: int = 100_000,
) -> Iterator[VcfRecord]:
    """Read a VCF or BCF file, compressed or not, record by record.

    Every record gives at least one `VcfRecord`, in the order of the file, which need not be sorted. `<DEL>`, `<DUP>`
    and `<INV>` with an END (or SVLEN) are spelled out with the letters of the genome. A text file that does not end
    with a new line may be cut: with columns missing in its last line it is refused, else a warning names the line.

    Args:
        path: The file.
        genome: For the letters of symbolic alleles, which have a reason without it, and to know duplicates in every
            spelling; without it only those that are spelled alike are.
        region: Only records that overlap it; needs an index beside the file (tabix or CSI).
        max_length: Longest symbolic allele that is spelled out, bp.

    Raises:
        ImportError: pysam is not installed; the text names the extra.
        FileNotFoundError: No such file.
        ValueError: No VCF file, one that is cut or damaged, a region without an index, or an unknown chromosome.

    Example:
        >>> path = Path(tempfile.mkdtemp()) / "two.vcf"
        >>> columns = "#CHROM POS ID REF ALT QUAL FILTER INFO".replace(" ", chr(9))
        >>> row = "chrI 5 rs1 A G,* . . .".replace(" ", chr(9))
        >>> _ = path.write_text(chr(10).join(["##fileformat=VCFv4.2", columns, row, ""]))
        >>> for record in read_vcf(path):
        ...     print(record.number, record.allele, record.id, record.variant, record.reason)
        0 1 rs1 chrI:5:A>G
        0 2 rs1 None the base is deleted by another record
    """
    known = Duplicates(None if genome is None else genome.fasta.fetch)
    for found in stream_vcf(path, genome, region=region, max_length=max_length):
        if found.variant is None:
            yield found
        else:
            yield replace(found, duplicate_of=known.first(found.number, _named(found.variant, genome)))


def stream_vcf(
    path: str | Path, genome: Genome | None, *, region: Interval | str | None = None, max_length: int = 100_000
) -> Iterator[VcfRecord]:
    """Read a file as `read_vcf` does, without a look for duplicates: nothing of a record is remembered."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"No VCF file at {path}. Check the path.")
    with opened(path) as file:
        for number, record in enumerate(_records(file, path, region)):
            yield from alleles_of(number, record, genome, max_length)


def _named(variant: Variant, genome: Genome | None) -> Variant:
    """Name the chromosome as the genome does, where it has it."""
    try:
        return variant if genome is None else replace(variant, chrom=genome.resolve(variant.chrom))
    except ValueError:  # said where the record is used
        return variant


def pysam() -> Any:
    """Import pysam.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return importlib.import_module("pysam")
    except ImportError as error:
        raise ImportError("VCF files are read with pysam. Install it: pip install 'genomekit-torch[vcf]'") from error


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file quietly; what is wrong with it is said in the error."""
    library = pysam()
    verbosity = library.set_verbosity(0)
    file = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            file = _open(library, path, Path(folder))
            yield file
        finally:
            if file is not None:
                with suppress(OSError):  # of a damaged file, which has been reported
                    file.close()
            library.set_verbosity(verbosity)


def check_build(file: Any, path: Path, genome: Genome) -> None:
    """Compare the lengths of chromosomes that the header states with those of the genome.

    Of another build every fourth substitution fits by chance. The mitochondrion is left out: builds differ in it alone.

    Raises:
        ReferenceMismatch: A chromosome has another length; the build that fits is named where it is known.
    """
    stated = {name: contig.length for name, contig in file.header.contigs.items() if contig.length}
    named = ChromosomeNames(genome.chroms, organism=genome.organism).mapping(stated)
    for name, own in named.items():
        length, here = stated[name], genome.chroms[own]
        versioned = own != name and _ACCESSION.fullmatch(canonical(name))  # names may leave the version out
        if length == here or canonical(own) == "M" or versioned:
            continue
        fits = builds.identify(stated)
        raise ReferenceMismatch(
            f"VCF file {path} is of another build than {genome.assembly or genome.fasta.path.name}: its header gives "
            f"{name} {length:,} bp, and the genome has {here:,}. "
            + (f"Its lengths fit {fits}: give that genome" if fits else "Give its own genome")
            + ", or lift the variants over."
        )


def _open(library: Any, path: Path, folder: Path) -> Any:
    try:
        return library.VariantFile(str(path))
    except NotImplementedError:  # gzip without blocks, which htslib reads but pysam does not
        plain = folder / "plain.vcf"
        try:
            with gzip.open(path) as packed, plain.open("wb") as output:
                shutil.copyfileobj(packed, output)
            return library.VariantFile(str(plain))
        except (EOFError, OSError, ValueError, zlib.error) as error:
            raise _damaged(path, error) from error
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ValueError:
    text = str(error)
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed and ("EOF" in text or "header" in text or "end-of-stream" in text):
        return ValueError(f"VCF file {path} is cut or damaged: {text}. Fetch or copy it again.")
    return ValueError(
        f"{path} is no VCF or BCF file. A VCF file starts with ##fileformat=VCFv4.2 or the like, then #CHROM POS "
        "ID REF ALT QUAL FILTER INFO; columns are separated by tabs."
    )


def _records(file: Any, path: Path, region: Interval | str | None) -> Iterator[Any]:
    """Give the records; None for a line that cannot be read."""
    check_end(path)
    stream, last, broken = file if region is None else _fetch(file, path, region), -1, False
    while True:
        try:
            record = next(stream)
        except StopIteration:
            break
        except (OSError, ValueError) as error:
            here = file.tell()
            if here == last:  # no further line was reached
                raise ValueError(f"VCF file {path} is cut or damaged: {error}. Fetch or copy it again.") from error
            if broken:
                yield None
            last, broken = here, True
            continue
        if broken:  # only now is it known that the file goes on after that line
            yield None
            broken = False
        yield record
    if broken:
        yield None


def check_end(path: Path) -> None:
    """Look at how a text file ends, before hours are spent on the rest; compressed ones have been when opened.

    Raises:
        ValueError: Its last line has no end, and fewer columns than the header.
    """
    with path.open("rb") as file:
        packed, size = file.read(3).startswith((b"\x1f\x8b", b"BCF")), file.seek(0, 2)
        file.seek(max(size - 1, 0))
        if packed or file.read(1) == b"\n":
            return
        line = _last_line(file, size)
        file.seek(0)
        header = next((one for one in file if one.startswith(b"#CHROM")), b"")
    columns, wanted = line.count(b"\t") + 1, header.count(b"\t") + 1
    shown = shorten(" ".join(line.decode("utf-8", "replace").split("\t")[:5]))
    if columns < wanted:
        raise ValueError(
            f"VCF file {path} is cut: its last line ({shown}) has no end, and {columns} of {wanted} columns. Fetch or "
            "copy it again."
        )
    warnings.warn(
        f"VCF file {path} may be cut: its last line ({shown}) does not end with a new line, as whole files do. The "
        "record is read as it stands; fetch or copy the file again where you are not sure.",
        GenomekitWarning,
        stacklevel=3,
    )


def _last_line(file: Any, size: int) -> bytes:
    """Return what comes after the last end of a line."""
    tail, start = b"", size
    while start > 0 and b"\n" not in tail:
        start, more = max(start - 65_536, 0), min(start, 65_536)
        file.seek(start)
        tail = file.read(more) + tail
    return tail.rpartition(b"\n")[2]


def overlapping(file: Any, path: Path, where: Interval) -> Iterator[Any]:
    """Give the records that overlap an interval: by the index where there is one, else by reading the whole file.

    Raises:
        ValueError: The file does not have the chromosome, or is damaged.
    """
    if file.index is not None:
        yield from _records(file, path, where)
        return
    for record in _records(file, path, None):
        if record is None or (
            canonical(record.chrom) == canonical(where.chrom) and record.start < where.end and record.stop > where.start
        ):
            yield record
    _contig(file, where)  # only now are those known that the header does not list


def _contig(file: Any, where: Interval) -> str:
    """Name the chromosome as the file does."""
    names = [name for name in file.header.contigs if canonical(name) == canonical(where.chrom)]
    if not names:
        raise errors.unknown("chromosome", where.chrom, file.header.contigs)
    return names[0]


def _fetch(file: Any, path: Path, region: Interval | str) -> Iterator[Any]:
    where = Interval.parse(region)
    chrom = _contig(file, where)
    try:
        return iter(file.fetch(chrom, max(where.start, 0), where.end))
    except ValueError as error:
        raise ValueError(
            f"VCF file {path} has no index, which region={str(where)!r} needs. Compress it with bgzip and index it "
            "with `tabix -p vcf`, or leave region= out."
        ) from error


def alleles_of(number: int, record: Any, genome: Genome | None, max_length: int) -> Iterator[VcfRecord]:
    """Give a `VcfRecord` for each ALT allele of a record of pysam; None is a line that cannot be read."""
    if record is None:
        blank = {"chrom": "", "position": 0, "id": "", "ref": "", "alt": "", "variant": None}
        yield VcfRecord(number=number, allele=0, reason="the line cannot be read", **blank)
        return
    name = record.id or ""
    for allele, alt in enumerate(record.alts or (".",), start=1 if record.alts else 0):
        variant, reason = None, ""
        try:
            variant = _variant(record, allele, alt, name, genome, max_length)
        except ValueError as error:
            reason = str(error)
        place = {"chrom": record.chrom, "position": record.pos, "id": name, "ref": record.ref or "", "alt": alt}
        yield VcfRecord(number=number, allele=allele, variant=variant, reason=reason, **place)


def _variant(record: Any, allele: int, alt: str, name: str, genome: Genome | None, max_length: int) -> Variant:
    """Make a variant of an ALT allele.

    Raises:
        ValueError: There is none; the text is the reason.
    """
    if alt in _REASONS:
        raise ValueError(_REASONS[alt])
    if alt.startswith("<"):
        return _spelled_out(record, allele, alt, name, genome, max_length)
    if _BREAKEND.fullmatch(alt):
        raise ValueError("a breakend joins two places; give the sequence it makes to predict_sequence")
    return Variant(record.chrom, record.pos, record.ref, alt, name)


def _spelled_out(record: Any, allele: int, alt: str, name: str, genome: Genome | None, max_length: int) -> Variant:
    """Write <DEL>, <DUP> and <INV> in letters: they are about the bases after POS, up to END.

    The base at POS is as REF has it, so that it is compared with the genome like every other.
    """
    kind = alt.strip("<>").split(":")[0]
    if kind not in ("DEL", "DUP", "INV"):
        raise ValueError(f"symbolic allele {alt} does not say its letters")
    end = _end(record, allele)
    if end is None:
        raise ValueError(f"symbolic allele {alt} has neither END nor SVLEN")
    if not record.pos < end:
        raise ValueError(f"symbolic allele {alt} ends at {end:,}, not after its position {record.pos:,}")
    if end - record.pos > max_length:
        raise ValueError(f"symbolic allele {alt} is {end - record.pos:,} bp long, more than {max_length:,}")
    if genome is None:
        raise ValueError(f"symbolic allele {alt} needs the letters of a genome, and none was given")
    chrom = genome.resolve(record.chrom)
    if end > genome.chroms[chrom]:
        raise ValueError(f"symbolic allele {alt} ends at {end:,}, past the end of {chrom} ({genome.chroms[chrom]:,})")
    letters = genome.sequence(Interval(chrom, record.pos, end))
    first = record.ref[:1].upper()
    if first == "N":  # callers of structural variants may not look it up
        first = genome.sequence(Interval(chrom, record.pos - 1, record.pos))
    ref = first if kind == "DUP" else first + letters
    changed = first + {"DEL": "", "DUP": letters, "INV": reverse_complement(letters)}[kind]
    return Variant(record.chrom, record.pos, ref, changed, name)


def _end(record: Any, allele: int) -> int | None:
    """Return the last base of a symbolic allele, 1-based; read as text, since headers do not always declare it."""
    column = str(record).rstrip("\n").split("\t")[7]
    end = re.search(r"(?:^|;)END=(\d+)(?:;|$)", column)
    found = re.search(r"(?:^|;)SVLEN=([-\d,]+)(?:;|$)", column)
    sizes = found[1].split(",") if found else []
    if end and not 1 < len(sizes) == len(record.alts):  # of several alleles END is that of the longest
        return int(end[1])
    size = sizes[allele - 1] if allele <= len(sizes) else ""
    return record.pos + int(size.lstrip("-")) if size.lstrip("-").isdigit() else None
