"""What is known of genome builds: lengths of the main chromosomes, organisms, RefSeq accessions.

Source:
    Lengths: chrom.sizes of the UCSC genome browser. Accessions: NCBI assembly reports of GRCh38, GRCh37,
    GRCm38, GRCm39, WBcel235 / WS220 and R64.
"""

from __future__ import annotations

from collections.abc import Mapping

from genomekit.errors import ReferenceMismatch
from genomekit.genome.names import canonical

_MAMMAL = [str(number) for number in range(1, 23)]
_WORM = ["I", "II", "III", "IV", "V", "X", "M"]
_YEAST = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI", "M"]


def _table(names: list[str], lengths: str) -> dict[str, int]:
    return dict(zip(names, map(int, lengths.split()), strict=True))


# Keys are canonical names. hg19 has no M here: UCSC and GRCh37 differ in it.
LENGTHS: dict[str, dict[str, int]] = {
    "hg38": _table(
        [*_MAMMAL, "X", "Y", "M"],
        "248956422 242193529 198295559 190214555 181538259 170805979 159345973 145138636 138394717 133797422 135086622 "
        "133275309 114364328 107043718 101991189 90338345 83257441 80373285 58617616 64444167 46709983 50818468 "
        "156040895 57227415 16569",
    ),
    "hg19": _table(
        [*_MAMMAL, "X", "Y"],
        "249250621 243199373 198022430 191154276 180915260 171115067 159138663 146364022 141213431 135534747 135006516 "
        "133851895 115169878 107349540 102531392 90354753 81195210 78077248 59128983 63025520 48129895 51304566 "
        "155270560 59373566",
    ),
    "mm10": _table(
        [*_MAMMAL[:19], "X", "Y", "M"],
        "195471971 182113224 160039680 156508116 151834684 149736546 145441459 129401213 124595110 130694993 122082543 "
        "120129022 120421639 124902244 104043685 98207768 94987271 90702639 61431566 171031299 91744698 16299",
    ),
    "mm39": _table(
        [*_MAMMAL[:19], "X", "Y", "M"],
        "195154279 181755017 159745316 156860686 151758149 149588044 144995196 130127694 124359700 130530862 121973369 "
        "120092757 120883175 125139656 104073951 98008968 95294699 90720763 61420004 169476592 91455967 16299",
    ),
    "ce10": _table(_WORM, "15072423 15279345 13783700 17493793 20924149 17718866 13794"),
    "ce11": _table(_WORM, "15072434 15279421 13783801 17493829 20924180 17718942 13794"),
    "sacCer3": _table(
        _YEAST,
        "230218 813184 316620 1531933 576874 270161 1090940 562643 439888 745751 666816 1078177 924431 784333 1091291 "
        "948066 85779",
    ),
}
ORGANISMS = {
    "hg38": "human",
    "hg19": "human",
    "mm10": "mouse",
    "mm39": "mouse",
    "ce10": "worm",
    "ce11": "worm",
    "sacCer3": "yeast",
}
SPELLINGS = {
    "grch38": "hg38",
    "grch37": "hg19",
    "grcm38": "mm10",
    "grcm39": "mm39",
    "ws220": "ce10",
    "wbcel235": "ce11",
    "r64": "sacCer3",
    "r64-1-1": "sacCer3",
}


def known(name: str) -> str | None:
    """Return our name of a build in any spelling ("GRCh38" is "hg38"), or None.

    Example:
        >>> known("GRCh38"), known("SacCer3"), known("my assembly")
        ('hg38', 'sacCer3', None)
    """
    folded = name.casefold()
    return SPELLINGS.get(folded) or {build.casefold(): build for build in LENGTHS}.get(folded)


def identify(lengths: Mapping[str, int]) -> str | None:
    """Return the build whose main chromosomes have these lengths in bp, or None.

    Every chromosome that bears a main chromosome's name must agree, and one at least besides chrM, which some
    builds share.

    Example:
        >>> identify({"chr1": 249250621, "chr2": 243199373}), identify({"1": 50000})
        ('hg19', None)
    """
    found = {canonical(name): length for name, length in lengths.items()}
    for build, table in LENGTHS.items():
        shared = [name for name in table if name in found]
        if all(found[name] == table[name] for name in shared) and set(shared) - {"M"}:
            return build
    return None


def check(build: str, lengths: Mapping[str, int], source: object) -> None:
    """Compare the lengths of a FASTA with those of the build it is said to be.

    Raises:
        ReferenceMismatch: A main chromosome has another length; the build that fits is named.
    """
    table = LENGTHS[build]
    for name, length in lengths.items():
        expected = table.get(canonical(name))
        if expected is not None and expected != length:
            fits = identify(lengths)
            hint = f"The lengths fit {fits}: say {fits} or" if fits else "No build known here has these lengths:"
            raise ReferenceMismatch(
                f"{source} is not {build}: {name} has {length:,} bases, {build} has {expected:,}. "
                f"{hint} give a FASTA of {build}."
            )


# GRCh38 version of NC_000001 ... NC_000024; every GRCh37 version is one lower.
_HUMAN = [11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10]
# GRCm38 version of NC_000067 ... NC_000087; every GRCm39 version is one higher.
_MOUSE = [6, 7, *[6] * 17, 7, 7]
_VERSIONS = {f"NC_{1 + i:06d}": {version: "hg38", version - 1: "hg19"} for i, version in enumerate(_HUMAN)} | {
    f"NC_{67 + i:06d}": {version: "mm10", version + 1: "mm39"} for i, version in enumerate(_MOUSE)
}


def accession_build(name: str) -> str | None:
    """Return the build that the version of a human or mouse RefSeq accession belongs to, or None.

    Example:
        >>> accession_build("NC_000001.10"), accession_build("NC_000001.11"), accession_build("chr1")
        ('hg19', 'hg38', None)
    """
    accession, _, version = name.partition(".")
    return _VERSIONS.get(accession.upper(), {}).get(int(version)) if version.isdigit() else None
