"""Every way to write a variant: those of `Variant.parse`, lines of a VCF file, HGVS on a genome, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from genomekit.errors import shorten
from genomekit.genome.assembly import Genome
from genomekit.genome.fasta import reverse_complement
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant

_HGVS = re.compile(r"(?P<chrom>\S+?):\s*(?P<kind>[a-z])\.\s*(?P<change>\S+)")
_CHANGE = re.compile(
    r"(?P<first>\d+)(?:_(?P<last>\d+))?"
    r"(?:(?P<ref>[A-Za-z]*)>(?P<alt>[A-Za-z]+)|(?P<what>delins|del|ins|dup|inv|=)(?P<letters>(?:(?!ins|inv)[A-Za-z])*))"
)
_NOT_READ = {
    r"del[A-Za-z]+ins[A-Za-z]": "Leave the letters that are deleted out.",
    r";": "Give one change at a time; those of a haplotype as a list.",
    r"[()?]": "Places must be known to the base, without brackets and question marks.",
    r"ins.*(\d|inv|\[)|con": "Letters that are inserted must be written out, not as copies of others or their inverse.",
    r"\[": "Write repeats in letters, as a deletion and insertion (delins) of the bases.",
}
"""What HGVS allows and is not read, by a sign of it."""
_HGVS_FORMS = "g.123A>G, g.123_125del, g.123_124insACG, g.123_125delinsT, g.123_125dup, g.123_125inv"


def read_variant(text: str | Variant, genome: Genome) -> Variant:
    r"""Read a variant in any spelling; a Variant comes back unchanged.

    Beside the spellings of `Variant.parse` there are a line of a VCF file ("chrV 123 . A G", with or
    without the id and what follows ALT),
    and HGVS on the genome ("chrV:g.123A>G", "NC_003283.9:g.123_125dup"). Letters that the text leaves out are read
    from the genome; those it has are not compared with it here.

    Args:
        text: The variant, its position 1-based.
        genome: Where the letters come from, and the names of chromosomes.

    Raises:
        ValueError: Text in none of the spellings, an unknown chromosome, or a place outside it.
        ReferenceMismatch: An accession of another build.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> path = Path(tempfile.mkdtemp()) / "toy.fa"
        >>> _ = path.write_text(">chrI\nACGTTGCA\n")
        >>> toy = Genome(path)
        >>> [str(read_variant(text, toy)) for text in ("chrI 3 . G T", "chrI:g.3_5inv", "chrI:g.3dup", "chrI:3:G>T")]
        ['chrI:3:G>T', 'chrI:3:GTT>AAC', 'chrI:4:>G', 'chrI:3:G>T']
    """
    if isinstance(text, Variant):
        return text
    stripped = text.strip() if isinstance(text, str) else ""
    if found := _HGVS.fullmatch(stripped):
        return _read_hgvs(text, found, genome)
    # Of a VCF line every column counts: an id may look like an allele.
    fields = stripped.split("\t") if "\t" in stripped else stripped.split()
    if len(fields) >= 4 and fields[1].isdigit():
        name, ref, alt = ("", *fields[2:4]) if len(fields) == 4 else fields[2:5]
        if "," in alt:
            raise ValueError(f"Variant {shorten(text)!r} has several ALT alleles; give one at a time.")
        if alt == ".":
            raise ValueError(f"Variant {shorten(text)!r} has no ALT allele: '.' says that nothing changes.")
        return Variant(fields[0], int(fields[1]), ref, alt, "" if name == "." else name)
    return Variant.parse(text)


def read_variants(variants: Any, genome: Genome) -> list[Variant]:
    """Read variants from a table or a list.

    Args:
        variants: A table with the columns of `Variant.from_dict` (chrom, position, ref, alt and such), or one column
            `variant` of texts; or a list of variants, texts and rows (of a table, or mappings); or a single one.
        genome: See `read_variant`.

    Raises:
        ValueError: No variant, or one that cannot be read; its number is named.
    """
    if isinstance(variants, Variant | str):
        return [read_variant(variants, genome)]
    if isinstance(variants, Mapping):
        return [Variant.from_dict(dict(variants))]
    if isinstance(variants, pd.DataFrame):
        as_text = [name for name in variants if str(name).lower() == "variant"]
        rows: list[Any] = list(variants[as_text[0]]) if as_text else variants.to_dict("records")
    elif isinstance(variants, Iterable):
        rows = list(variants)
        if any(isinstance(row, int | np.integer) for row in rows):  # the parts of a variant, not a list of them
            raise ValueError(
                f"{variants!r} came; write one variant as text, chrom:position:REF>ALT, or as a Variant(...)."
            )
    else:
        raise ValueError(f"{variants!r} came; give a variant, its text such as 'chr22:1024:A>C', or a list of them.")
    found = []
    for number, row in enumerate(rows):
        try:
            is_row = isinstance(row, Mapping | pd.Series)
            found.append(Variant.from_dict(dict(row)) if is_row else read_variant(row, genome))
        except ValueError as error:
            if len(rows) == 1:
                raise
            raise type(error)(f"Variant number {number} (counted from 0): {error}") from error
    return found


def _hint(found: re.Match[str]) -> str:
    """Say what of HGVS is not read."""
    if found["kind"] not in "gm":
        return " Only names on a genome are: c., n., r. and p. need a transcript, o. a circle."
    return next((f" {said}" for sign, said in _NOT_READ.items() if re.search(sign, found["change"])), "")


def _read_hgvs(text: str, found: re.Match[str], genome: Genome) -> Variant:
    text = repr(shorten(text))
    change = _CHANGE.fullmatch(found["change"])
    if found["kind"] not in "gm" or change is None:
        raise ValueError(f"HGVS name {text} cannot be read.{_hint(found)} Write it as in {_HGVS_FORMS}.")
    chrom, first = genome.resolve(found["chrom"]), int(change["first"])
    last = int(change["last"] or first)
    if not 1 <= first <= last <= genome.chroms[chrom]:
        raise ValueError(
            f"HGVS name {text} is about bases {first} to {last}, and {chrom} has 1 to {genome.chroms[chrom]:,}. "
            "Check the order of the positions and the assembly."
        )
    what, letters = change["what"] or ">", (change["letters"] or "").upper()
    if what == "ins":
        if last != first + 1 or not letters:
            raise ValueError(
                f"HGVS name {text}: an insertion names the two bases beside it and its letters, g.5_6insA."
            )
        return Variant(chrom, last, "", letters)
    here = genome.sequence(Interval(chrom, first - 1, last))
    if what == ">":
        ref = change["ref"].upper()
        if len(ref) != last - first + 1:
            raise ValueError(f"HGVS name {text} replaces {last - first + 1} bp and names {len(ref)}; give them all.")
        return Variant(chrom, first, ref, change["alt"])
    # Letters after del, dup and inv are optional, and are those of the genome.
    named = letters if letters and what in ("del", "dup", "inv") else here
    if len(named) != len(here):
        raise ValueError(f"HGVS name {text} is about {len(here)} bp and names {len(named)}; leave the letters out.")
    if what == "delins" and not letters:
        raise ValueError(f"HGVS name {text} does not say what is inserted; write it as in {_HGVS_FORMS}.")
    if what == "dup":
        # As a change of the bases themselves, so that letters the text has are compared with the genome.
        return Variant(chrom, first, named, named * 2) if letters else Variant(chrom, last + 1, "", here)
    return Variant(
        chrom, first, named, {"del": "", "delins": letters, "inv": reverse_complement(named), "=": named}[what]
    )
