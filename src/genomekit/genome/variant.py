"""Variant: one change of letters, and its normal form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from genomekit import errors
from genomekit.genome.coordinates import Whole, chrom_name, whole_number
from genomekit.genome.interval import Interval
from genomekit.genome.variant_row import POSITION, read_row

if TYPE_CHECKING:
    Letters = str
else:
    Letters = object  # of tables come numbers and lists, which are refused in words

_LETTERS = "ACGTN"
_ALLELE = r"[A-Za-z*.]*"
# Contig names are greedy and may hold the separator themselves, as in chr1_KI270706v1_random_100_A_C.
_FORMATS = {
    "default": re.compile(
        rf"(?P<chrom>\S+)\s*:\s*(?P<position>{POSITION})\s*:?\s*(?P<ref>{_ALLELE}|-)\s*>\s*(?P<alt>.*)"
    ),
    "open_targets_bigquery": re.compile(
        rf"(?P<chrom>\S+):(?P<position>{POSITION}):(?P<ref>{_ALLELE}):(?P<alt>{_ALLELE})"
    ),
    "gtex": re.compile(rf"(?P<chrom>\S+)_(?P<position>\d+)_(?P<ref>{_ALLELE})_(?P<alt>{_ALLELE})(?:_[A-Za-z0-9.]+)?"),
    "open_targets": re.compile(rf"(?P<chrom>\S+)_(?P<position>\d+)_(?P<ref>{_ALLELE})_(?P<alt>{_ALLELE})"),
    "gnomad": re.compile(rf"(?P<chrom>\S+)-(?P<position>\d+)-(?P<ref>{_ALLELE})-(?P<alt>{_ALLELE})"),
}
# These databases write human chromosomes without "chr".
_BARE = {"open_targets_bigquery", "open_targets", "gnomad"}
_EXAMPLES = {
    "default": "chr22:1024:A>C",
    "gtex": "chr22_1024_A_C_b38",
    "open_targets": "22_1024_A_C",
    "open_targets_bigquery": "22:1024:A:C",
    "gnomad": "22-1024-A-C",
}


@dataclass(frozen=True, slots=True, order=True)
class Variant:
    """One change: the REF letters at a 1-based position become the ALT letters.

    `position` is 1-based as in VCF; `start`, `end` and `interval` are 0-based half-open. REF is not compared
    with a genome here. An empty REF inserts ALT before the base at `position`; an empty ALT deletes REF.
    Variants compare and hash by (chrom, position, ref, alt).

    Args:
        chrom: Chromosome name.
        position: First REF base, 1-based.
        ref: REF letters A C G T N, any case (stored upper case), may be empty.
        alt: ALT letters, likewise.
        name: Free label, e.g. an rsID.

    Raises:
        ValueError: Position below 1, an allele that is no text, or another letter in one.

    Example:
        >>> variant = Variant("chr22", 1024, "ac", "a")
        >>> str(variant), variant.is_deletion, str(variant.interval)
        ('chr22:1024:AC>A', True, 'chr22:1023-1025:.')
    """

    chrom: str
    position: Whole
    ref: Letters
    alt: Letters
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "chrom", chrom_name(self.chrom))
        object.__setattr__(self, "position", whole_number(self.position, "Variant position"))
        if self.position < 1:
            raise ValueError(
                f"Variant on {self.chrom} has position {self.position}; positions are 1-based and start at 1. "
                "A 0-based start needs + 1."
            )
        for what in ("ref", "alt"):
            letters = getattr(self, what)
            if not isinstance(letters, str):
                raise ValueError(
                    f"Variant {self.chrom}:{self.position} has {letters!r} as {what.upper()}; give the letters of one "
                    "allele as text, '' where it has none."
                )
            letters = letters.upper()
            # Stripping every allowed letter from both ends leaves nothing exactly when all are allowed.
            if letters.strip(_LETTERS):
                raise ValueError(_bad_letter(self, what, letters))
            object.__setattr__(self, what, letters)

    def __str__(self) -> str:
        """Write `chrom:position:REF>ALT`, which `parse` reads back."""
        return f"{self.chrom}:{self.position}:{self.ref}>{self.alt}"

    @classmethod
    def parse(cls, text: str | Variant, *, format: str | None = None) -> Variant:
        """Read a variant from text; a Variant comes back unchanged.

        Five spellings are told apart by themselves: "chr22:1024:A>C" (also "chr22:1,024A>C", and "-" for an
        empty allele: "chr22:1024:->A" inserts before base 1024), "chr22_1024_A_C_b38", "22_1024_A_C",
        "22:1024:A:C" and "22-1024-A-C". Any contig name will do, and it is kept as written: a Genome maps "22" to
        "chr22" when it reads. Only a named `format` of a human database (open_targets, open_targets_bigquery, gnomad)
        adds the "chr" those leave out.

        Args:
            text: The variant; the position is 1-based in every spelling.
            format: None, or one of default, gtex, open_targets, open_targets_bigquery, gnomad.

        Raises:
            ValueError: Text in none of the spellings, an unknown format, or a letter outside A C G T N.

        Example:
            >>> str(Variant.parse("chr1_KI270706v1_random_100_A_C"))
            'chr1_KI270706v1_random:100:A>C'
            >>> str(Variant.parse("22-1024-a-c")), str(Variant.parse("22-1024-a-c", format="gnomad"))
            ('22:1024:A>C', 'chr22:1024:A>C')
        """
        if isinstance(text, Variant):
            return text
        if format is not None and format not in _FORMATS:
            raise errors.unknown("variant format", format, _FORMATS)
        stripped = text.strip() if isinstance(text, str) else ""
        for pattern in _FORMATS.values() if format is None else [_FORMATS[format]]:
            found = pattern.fullmatch(stripped)
            if found:
                chrom = _with_prefix(found["chrom"]) if format in _BARE else found["chrom"]
                ref, alt = ("" if allele == "-" else allele for allele in (found["ref"], found["alt"]))
                return cls(chrom, int(found["position"].replace(",", "")), ref, alt)
        raise ValueError(_not_understood(text, stripped, format))

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Variant:
        """Build from chrom, position, ref, alt and, where present, name; column names of VCF, SDK and MAF fit too.

        The position is 1-based, a number or its text ("12345", "12,345"). An allele "-" has no letters, as in MAF
        files and those of VEP: a deletion begins at its first base; an insertion also needs the column `end`, since
        MAF gives the bases before and after it (end = position + 1), and VEP the same turned round
        (end = position - 1).

        Raises:
            ValueError: A column is missing, a cell empty, a position no whole number, or an insertion without place.

        Example:
            >>> str(Variant.from_dict({"CHROM": "chr1", "POS": "1,007", "REF": "A", "ALT": "-"}))
            'chr1:1007:A>'
            >>> str(Variant.from_dict({"chrom": "chr1", "position": 7, "end": 8, "ref": "-", "alt": "G"}))
            'chr1:8:>G'
        """
        return cls(*read_row(row))

    def to_dict(self) -> dict[str, str | int]:
        """Return chrom, position (1-based), ref, alt, name."""
        return {"chrom": self.chrom, "position": self.position, "ref": self.ref, "alt": self.alt, "name": self.name}

    def as_truncated_str(self, max_length: int = 50) -> str:
        """Write like `str`, with "..." in the middle of alleles longer than `max_length` letters.

        Example:
            >>> Variant("chr1", 5, "A" * 9, "C").as_truncated_str(4)
            'chr1:5:AA...AA>C'
        """
        left = max_length // 2
        ref, alt = (
            letters
            if len(letters) <= max_length
            else f"{letters[:left]}...{letters[len(letters) - (max_length - left) :]}"
            for letters in (self.ref, self.alt)
        )
        return f"{self.chrom}:{self.position}:{ref}>{alt}"

    @property
    def start(self) -> int:
        """First REF base, 0-based."""
        return self.position - 1

    @property
    def end(self) -> int:
        """One past the last REF base, 0-based."""
        return self.start + len(self.ref)

    @property
    def interval(self) -> Interval:
        """The REF bases, 0-based half-open, without strand; empty for an empty REF."""
        return Interval(self.chrom, self.start, self.end, name=self.name)

    @property
    def is_snv(self) -> bool:
        """Whether both alleles have one letter."""
        return len(self.ref) == len(self.alt) == 1

    @property
    def is_insertion(self) -> bool:
        """Whether ALT is longer than REF."""
        return len(self.alt) > len(self.ref)

    @property
    def is_deletion(self) -> bool:
        """Whether ALT is shorter than REF."""
        return len(self.alt) < len(self.ref)

    @property
    def is_indel(self) -> bool:
        """Whether the alleles differ in length."""
        return len(self.alt) != len(self.ref)

    @property
    def is_frameshift(self) -> bool:
        """Whether the difference in length is no multiple of 3."""
        return (len(self.alt) - len(self.ref)) % 3 != 0

    @property
    def is_structural(self) -> bool:
        """Whether the lengths differ by 50 bp or more."""
        return abs(len(self.alt) - len(self.ref)) >= 50

    def reference_overlaps(self, interval: Interval) -> bool:
        """Whether a REF base lies in the interval."""
        return interval.overlaps(self.interval)

    def alternate_overlaps(self, interval: Interval) -> bool:
        """Whether the interval overlaps len(ALT) bases from the variant's start."""
        return interval.overlaps(Interval(self.chrom, self.start, self.start + len(self.alt)))

    def split(self, anchor: int) -> tuple[Variant | None, Variant | None]:
        """Cut in two at a boundary: ALT is cut at the same offset as REF, what remains goes downstream.

        Args:
            anchor: 0-based boundary; the base with this index goes downstream.

        Returns:
            (upstream, downstream), None where nothing lies on that side.

        Example:
            >>> [str(part) for part in Variant("chr1", 5, "AC", "TGTC").split(5)]
            ['chr1:5:A>T', 'chr1:6:C>GTC']
        """
        if anchor <= self.start:
            return None, self
        if anchor >= self.end:
            return self, None
        cut = anchor - self.start
        upstream = replace(self, ref=self.ref[:cut], alt=self.alt[:cut])
        return upstream, replace(self, position=anchor + 1, ref=self.ref[cut:], alt=self.alt[cut:])


def normalize(variant: Variant, read: Callable[[str, int, int], str]) -> Variant:
    """Shift a variant as far left as it goes and drop letters REF and ALT share, keeping one letter each.

    Spellings of the same change become equal. One-letter changes and ref == alt come back unchanged; at the
    first base of a chromosome the letter of context is taken from the right, as VCF does.

    Args:
        variant: The variant; its REF is taken on trust.
        read: `read(chrom, start, end)` gives the reference letters, 0-based half-open.

    Raises:
        ValueError: `read` gives another number of letters than asked for.

    Example:
        >>> genome = "GGCACACAT"
        >>> str(normalize(Variant("chr1", 7, "CA", ""), lambda chrom, start, end: genome[start:end]))
        'chr1:2:GCA>G'

    Source:
        Tan, Abecasis and Kang 2015, Unified representation of genetic variants. The SDK's normalize_variant
        also compares with the reference letters under ALT, which leaves some insertions where they are.
    """
    if variant.is_snv or variant.ref == variant.alt:
        return variant
    start, ref, alt = variant.start, variant.ref, variant.alt
    before = _leftwards(variant.chrom, start, read)
    while True:
        if ref and alt and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        elif start > 0 and not (ref and alt):
            letter = next(before)
            start, ref, alt = start - 1, letter + ref, letter + alt
        else:
            break
    if not (ref and alt):
        end = start + len(ref)
        letter = _letters(variant.chrom, end, end + 1, read)
        ref, alt = ref + letter, alt + letter
    shared = 0
    while shared < min(len(ref), len(alt)) - 1 and ref[shared] == alt[shared]:
        shared += 1
    return replace(variant, position=start + shared + 1, ref=ref[shared:], alt=alt[shared:])


def _leftwards(chrom: str, end: int, read: Callable[[str, int, int], str]) -> Iterator[str]:
    """Give the reference letters before `end`, nearest first; read in blocks, since repeats are long."""
    while end > 0:
        start = max(0, end - 128)
        yield from reversed(_letters(chrom, start, end, read))
        end = start


def _letters(chrom: str, start: int, end: int, read: Callable[[str, int, int], str]) -> str:
    letters = read(chrom, start, end)
    if len(letters) != end - start:
        raise ValueError(
            f"Reading {chrom}:{start}-{end} gave {len(letters)} letters instead of {end - start}. "
            "Is the variant on this genome, and does read(chrom, start, end) take 0-based half-open ends?"
        )
    return letters.upper()


def _with_prefix(chrom: str) -> str:
    if chrom == "MT":
        return "chrM"
    return f"chr{chrom}" if re.fullmatch(r"\d+|X|Y|M", chrom) else chrom


def _bad_letter(variant: Variant, what: str, letters: str) -> str:
    index = next(i for i, letter in enumerate(letters) if letter not in _LETTERS)
    shown = letters if len(letters) <= 40 else f"{letters[:40]}..."
    return (
        f"Variant {variant.chrom}:{variant.position} has {letters[index]!r} as letter {index + 1} of {what.upper()} "
        f"{shown!r}; alleles are written in A C G T N. Give several ALT alleles one at a time, symbolic "
        "ones in letters, and one without letters as an empty string."
    )


def _not_understood(given: object, text: str, format: str | None) -> str:
    hint = " An rsID needs a database: look its position and alleles up first." if re.fullmatch(r"rs\d+", text) else ""
    came = f"Variant {errors.shorten(repr(given))} is not understood"
    if format is not None:
        return f"{came} in format {format!r}. Write it as in {_EXAMPLES[format]}.{hint}"
    return (
        f"{came}. Write {', '.join(_EXAMPLES.values())}, the position 1-based; where there is a genome also HGVS "
        "(chr22:g.1024A>C), a line of a VCF file (chr22 1024 . A C), or a table with columns chrom, position, ref, "
        f"alt.{hint}"
    )
