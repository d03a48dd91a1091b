"""Write a VCF file with further INFO fields, its records otherwise as they were."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

from genomekit.errors import GenomekitWarning, unknown
from genomekit.genome import cache
from genomekit.genome.vcf import opened, pysam

TYPES = ("Integer", "Float", "String", "Flag")


@dataclass(frozen=True, slots=True)
class InfoField:
    """One INFO field to add.

    Args:
        id: Its name, letters, digits and "_".
        number: "A" for one value per ALT allele, "1" and so on for so many, "0" for a flag, "." for any.
        type: Integer, Float, String or Flag.
        description: One sentence.

    Raises:
        ValueError: A name or type that VCF does not allow.
    """

    id: str
    number: str
    type: str
    description: str

    def __post_init__(self) -> None:
        if not self.id.isidentifier() or not self.id.isascii():
            raise ValueError(f"INFO field {self.id!r}: a name has letters, digits and '_', and no digit first.")
        if self.type not in TYPES:
            raise unknown("type of an INFO field", self.type, TYPES)

    def __str__(self) -> str:
        text = self.description.replace("\\", "\\\\").replace('"', '\\"')
        return f'##INFO=<ID={self.id},Number={self.number},Type={self.type},Description="{text}">'


def annotate_vcf(
    source: str | Path,
    target: str | Path,
    fields: Sequence[InfoField],
    annotate: Callable[[int, int], Mapping[str, Any] | None],
) -> int:
    """Copy a VCF or BCF file and add INFO fields to its records; every record is kept, in its order.

    Fields of the same name that are there already are replaced. The target takes its name when it is whole. A
    compressed one gets an index beside it (`.tbi`, or `.csi` for positions beyond 2**29); where records are not sorted
    there is none, which a warning says.

    Args:
        source: The file that was read.
        target: A path that ends in `.vcf`, or in `.vcf.gz` or `.vcf.bgz` (bgzip).
        fields: What is added.
        annotate: Gives the values of a record, from its number (from 0, as `VcfRecord.number`) and that of its ALT
            alleles: field to value, or to a list of values, one per ALT allele where the field says so; None and NaN
            are missing. It is asked for every record, in their order.

    Returns:
        Number of records.

    Raises:
        ValueError: Another ending, the source itself, a field that was not declared, or a source that is cut.
        FileNotFoundError: The folder of the target does not exist.
        ImportError: pysam is needed (for BCF and bgzip) and not installed.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "one.vcf"
        >>> columns = "#CHROM POS ID REF ALT QUAL FILTER INFO".replace(" ", chr(9))
        >>> row = "chrI 5 rs1 A G,C . . DP=3".replace(" ", chr(9))
        >>> _ = path.write_text(chr(10).join(["##fileformat=VCFv4.2", columns, row, ""]))
        >>> score = InfoField("SCORE", "A", "Float", "a score")
        >>> annotate_vcf(path, path.with_name("out.vcf"), [score], lambda number, alleles: {"SCORE": [0.25, None]})
        1
        >>> path.with_name("out.vcf").read_text().splitlines()[-1].split()[-1]
        'DP=3;SCORE=0.25,.'
    """
    source, target = Path(source).expanduser(), Path(target).expanduser()
    packed = check_target(target, source)
    names, count = {field.id for field in fields}, 0
    with cache.atomic(target) as temporary:
        output = pysam().BGZFile(str(temporary), "wb") if packed else temporary.open("wb")
        with output:
            for line in lines_of(source):
                if line.startswith("#"):
                    if line.startswith("##INFO=<ID=") and line[11:].split(",")[0] in names:
                        continue
                    if line.startswith("#CHROM"):
                        output.write("".join(f"{field}\n" for field in fields).encode())
                else:
                    line = _annotated(line, annotate(count, alleles_in(line)) or {}, names)
                    count += 1
                output.write(f"{line}\n".encode())
    if packed:
        _index(target)
    return count


def check_target(target: Path, source: Path) -> bool:
    """Say whether a target is compressed, as its ending says.

    Raises:
        ValueError: It has another ending, or is the source.
        FileNotFoundError: Its folder does not exist.
    """
    packed = target.name.endswith((".vcf.gz", ".vcf.bgz"))
    if not packed and not target.name.endswith(".vcf"):
        told = f"{target} was asked for; annotated records are written to .vcf or .vcf.gz"
        bcf = " For BCF write .vcf.gz, then convert it: bcftools view -Ob -o OUT.bcf IN.vcf.gz."
        raise ValueError(f"{told}.{bcf if target.suffix == '.bcf' else ''}")
    if target.resolve() == source.resolve():
        raise ValueError(f"{target} is the file that is read; give the annotated one another name.")
    if not target.absolute().parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} of {target.name} does not exist; create it first.")
    return packed


def _index(target: Path) -> None:
    """Put an index beside a compressed file, in place of what another file of this name had."""
    library = pysam()
    for ending in (".tbi", ".csi"):
        Path(f"{target}{ending}").unlink(missing_ok=True)
    verbosity = library.set_verbosity(0)
    try:
        for options in ({}, {"csi": True}):
            with suppress(OSError):
                library.tabix_index(str(target), preset="vcf", **options)
                return
    finally:
        library.set_verbosity(verbosity)
    warnings.warn(
        f"{target} has no index: its records are not sorted by chromosome and position, or a line cannot be read. To "
        "have one, sort the file that is scored (`bcftools sort`).",
        GenomekitWarning,
        stacklevel=4,
    )


def lines_of(source: Path) -> Iterator[str]:
    """Give the lines of a file without their ends; those of a BCF file as text."""
    with source.open("rb") as file:
        head = file.read(3)
    packed = head[:2] == b"\x1f\x8b"
    try:
        if head == b"BCF" or (packed and _is_packed_bcf(source)):
            with opened(source) as file:
                yield from str(file.header).splitlines()
                for record in file:
                    yield str(record).rstrip("\n")
            return
        with gzip.open(source, "rt", newline="\n") if packed else source.open(newline="\n") as file:
            for line in file:
                yield str(line).rstrip("\r\n")
    except (EOFError, zlib.error, OSError) as error:
        raise ValueError(f"VCF file {source} is cut or damaged: {error}. Fetch or copy it again.") from error


def _is_packed_bcf(source: Path) -> bool:
    with gzip.open(source) as file:
        return file.read(3) == b"BCF"


def alleles_in(line: str) -> int:
    """Count the ALT alleles of a line."""
    columns = line.split("\t", 5)
    return 0 if len(columns) < 5 or columns[4] == "." else columns[4].count(",") + 1


def _annotated(line: str, values: Mapping[str, Any], names: set[str]) -> str:
    """Add values to the INFO column; a line that has none stays as it is."""
    if strange := set(values) - names:
        raise ValueError(f"INFO field {sorted(strange)[0]!r} was given a value and not declared; add it to fields=.")
    columns = line.split("\t")
    if len(columns) < 8:
        return line
    old = [part for part in columns[7].split(";") if part not in ("", ".") and part.split("=")[0] not in names]
    new = [part for name, value in values.items() if (part := _spelled(name, value))]
    columns[7] = ";".join(old + new) or "."
    return "\t".join(columns)


def _spelled(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return name
    listed = [value] if isinstance(value, str) or not hasattr(value, "__len__") else list(value)
    texts = [_text(one) for one in listed]
    return f"{name}={','.join(texts)}" if any(text != "." for text in texts) else ""


def _text(value: Any) -> str:
    """Write a value; what would end a field is percent-encoded, as VCF 4.3 asks."""
    if value is None or value != value:  # NaN is not itself
        return "."
    if isinstance(value, str):
        return re.sub(r"[%;=,\s]", lambda found: f"%{ord(found[0]):02X}", value) or "."
    return str(int(value)) if isinstance(value, Integral) else f"{value:.6g}"
