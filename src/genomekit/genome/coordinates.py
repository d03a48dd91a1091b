"""How coordinates are written: whole numbers, chromosome names, and the text of an interval."""

from __future__ import annotations

import operator
import re
from fractions import Fraction
from typing import TYPE_CHECKING, SupportsIndex

if TYPE_CHECKING:
    # A coordinate is stored as an int; what a run-time type checker sees is all that is accepted and converted.
    Whole = int
else:
    Whole = SupportsIndex | float

FORMS = (
    "chr5:10,100,000-30M, chr1:5k-6.5kb, chr1:100..200, chr1:100-200:+, chr1:100-200(-) or 'chr1 100 200' "
    "(0-based, half-open: chr1:0-100 is the first 100 bases)"
)
STRANDS = ("+", "-", ".")

# Commas must group thousands, so that a decimal comma ("1,5k") is refused instead of read as 15k.
_NUMBER = r"[-\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)(?:\.\d+)?(?:\s*[kmg]?(?:bp?)?)?"
_DASH = r"[-\u2010-\u2015\u2212]"
_STRAND = r"[-\u2212+.]"
# The name is greedy because contigs such as HLA-A*01:01 carry colons and dashes themselves.
_LOCUS = re.compile(
    rf"(?P<chrom>\S+)\s*:\s*(?P<start>{_NUMBER})\s*(?:\.\.|{_DASH})\s*(?P<end>{_NUMBER})"
    rf"\s*(?:(?::\s*|(?<=\s))(?P<strand>{_STRAND})|\((?P<bracketed>{_STRAND})\))?",
    re.IGNORECASE,
)
_COLUMNS = re.compile(
    rf"(?P<chrom>\S+)\s+(?P<start>{_NUMBER})\s+(?P<end>{_NUMBER})(?:\s+(?P<strand>{_STRAND}))?(?P<bracketed>)",
    re.IGNORECASE,
)
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def whole_number(value: object, what: str) -> int:
    """Return a Python int from an int, a NumPy integer or a float without a fraction.

    Raises:
        ValueError: Anything else; `what` names the quantity in the text.

    Example:
        >>> whole_number(5.0, "Interval start")
        5
    """
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return operator.index(value)  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise ValueError(
            f"{what} is {value!r} ({type(value).__name__}); coordinates are whole numbers of bases. Give an int."
        ) from None


def chrom_name(value: object) -> str:
    """Check that a chromosome name is a non-empty string without white space.

    Raises:
        ValueError: It is not; FASTA names end at the first white space, so such a name can match nothing.
    """
    if not isinstance(value, str) or not value or value.split() != [value]:
        raise ValueError(f"Chromosome name {value!r} is not a word; give a name without spaces such as 'chr1'.")
    return str(value)


def parse_locus(text: str) -> tuple[str, int, int, str]:
    """Read the text of an interval into (chrom, start, end, strand), 0-based half-open.

    Raises:
        ValueError: Text in no accepted form; the accepted ones are listed.

    Example:
        >>> parse_locus("chr5:10,100,000-30M")
        ('chr5', 10100000, 30000000, '.')
    """
    found = _LOCUS.fullmatch(text.strip()) or _COLUMNS.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"Interval {text!r} is not understood. Write {FORMS}.{_hint(text.strip())}")
    strand = (found["strand"] or found["bracketed"] or ".").replace("\u2212", "-")
    return found["chrom"], _bases(found["start"], text), _bases(found["end"], text), strand


def _bases(number: str, text: str) -> int:
    digits, unit = re.fullmatch(r"(.*?[\d])\s*([a-z]*)", number.lower().replace("\u2212", "-"), re.DOTALL).groups()  # type: ignore[union-attr]
    scale = _SCALE[unit.rstrip("bp")]
    value = Fraction(digits.replace(",", "").replace("_", "")) * scale
    # "1.000" is a thousand to some and one to others: a decimal point needs a unit to be plain.
    if value.denominator != 1 or ("." in digits and scale == 1):
        raise ValueError(f"Interval {text!r} has {number!r}, which is no whole number of bases. Write {FORMS}.")
    return int(value)


def _hint(text: str) -> str:
    single = re.fullmatch(r"(\S+):([\d,_]+)", text)
    if single:
        position = int(re.sub(r"\D", "", single[2]) or 0)
        return f" For the single base {position:,} (1-based) write {single[1]}:{position - 1}-{position}."
    if text and re.fullmatch(r"\w+", text):
        return " A whole chromosome needs its length: give 0 and the length."
    return ""
