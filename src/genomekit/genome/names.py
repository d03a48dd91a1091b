"""Chromosome names: chr1, 1 and NC_000001.11 are one chromosome, chrM, MT, MtDNA and Mito another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_ROMAN = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI".split()
_MITOCHONDRION = {"M", "MT", "MTDNA", "MITO", "MITOCHONDRION"}


def _accessions() -> dict[str, tuple[str, str]]:
    """RefSeq accession without version -> (organism, canonical name)."""
    numbered = {
        "human": (1, [*map(str, range(1, 23)), "X", "Y"]),
        "mouse": (67, [*map(str, range(1, 20)), "X", "Y"]),
        "worm": (3279, ["I", "II", "III", "IV", "V", "X"]),
        "yeast": (1133, _ROMAN),
    }
    table = {
        f"NC_{first + i:06d}": (organism, name)
        for organism, (first, names) in numbered.items()
        for i, name in enumerate(names)
    }
    mitochondria = {"human": "NC_012920", "mouse": "NC_005089", "worm": "NC_001328", "yeast": "NC_001224"}
    return table | {accession: (organism, "M") for organism, accession in mitochondria.items()}


ACCESSIONS = _accessions()


def canonical(name: str) -> str:
    """Return the spelling that all names of one chromosome share.

    The prefix "chr" goes, letters become upper case, the mitochondrion is "M", a RefSeq accession of a human,
    mouse, worm or yeast chromosome becomes its name, an unplaced contig its accession without the version.

    Example:
        >>> [canonical(name) for name in ("chr1", "NC_000001.11", "MtDNA", "chrXIV", "chr1_KI270706v1_random")]
        ['1', '1', 'M', 'XIV', 'KI270706']
    """
    accession = re.fullmatch(r"(NC_\d+)(?:\.\d+)?", name, re.IGNORECASE)
    if accession and accession[1].upper() in ACCESSIONS:
        return ACCESSIONS[accession[1].upper()][1]
    # UCSC writes contigs as chr1_KI270706v1_random or chrUn_GL456239, others as KI270706.1.
    contig = re.fullmatch(r"(?:chr\w+?_)?([A-Z]{2}\d{6})(?:[v.]\d+)?(?:_(?:random|alt|fix))?", name, re.IGNORECASE)
    if contig:
        return contig[1].upper()
    bare = re.sub(r"^(?:chromosome|chr)[_-]?(?=.)", "", name, flags=re.IGNORECASE).upper()
    return "M" if bare in _MITOCHONDRION else bare


class ChromosomeNames:
    """Find the name that a FASTA uses for a chromosome.

    Args:
        chroms: Names as they stand in the FASTA.
        aliases: Further names of the user's own: alias -> name in the FASTA.
        organism: Accessions of other organisms are then not recognised.

    Raises:
        ValueError: An alias stands for a name that is not in the FASTA.

    Example:
        >>> names = ChromosomeNames(["chrI", "chrII", "chrM"])
        >>> names.find("II"), names.find("2"), names.find("MtDNA"), names.find("chrIX")
        ('chrII', 'chrII', 'chrM', None)
    """

    def __init__(
        self, chroms: Iterable[str], aliases: Mapping[str, str] | None = None, organism: str | None = None
    ) -> None:
        self.chroms = list(chroms)
        self.organism = organism
        self._exact = {name: name for name in self.chroms}
        for alias, name in (aliases or {}).items():
            if name not in self._exact:
                raise ValueError(
                    f"Alias {alias!r} stands for {name!r}, which is not in the FASTA. It has {self.sample()}; "
                    "aliases are written {alias: name in the FASTA}."
                )
            self._exact[alias] = name
        self._by_key = self._unambiguous()

    def _unambiguous(self) -> dict[str, str]:
        """Canonical name -> FASTA name; names that two chromosomes would share are left out."""
        keys: dict[str, list[str]] = {}
        for name in self.chroms:
            keys.setdefault(canonical(name), []).append(name)
        table = {key: names[0] for key, names in keys.items() if len(names) == 1}
        # Yeast chromosomes are also numbered 1-16, worm ones 1-5: as far as the roman names run without a gap.
        for number, roman in enumerate(_ROMAN, start=1):
            if roman not in table or "II" not in table:
                break
            table.setdefault(str(number), table[roman])
        return table

    def find(self, name: str) -> str | None:
        """Return the FASTA's name for a chromosome in any spelling, or None."""
        if name in self._exact:
            return self._exact[name]
        accession = ACCESSIONS.get(name.partition(".")[0].upper())
        if accession and self.organism and accession[0] != self.organism:
            return None
        return self._by_key.get(canonical(name))

    def mapping(self, names: Iterable[str]) -> dict[str, str]:
        """Return name -> FASTA name for those that the FASTA has."""
        return {name: found for name in names if (found := self.find(name)) is not None}

    def sample(self, count: int = 6) -> str:
        """Return the first few names as text."""
        return ", ".join(self.chroms[:count]) + (", ..." if len(self.chroms) > count else "")
