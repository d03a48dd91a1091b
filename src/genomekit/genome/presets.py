"""Genomes known by name: where their files lie, and how these come to the cache on first use."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

from genomekit import errors
from genomekit.genome import builds, cache
from genomekit.genome.download import Source, fetch

_UCSC = "https://hgdownload.soe.ucsc.edu/goldenPath"
_GENCODE = "https://ftp.ebi.ac.uk/pub/databases/gencode"
_ENSEMBL = "https://ftp.ensembl.org/pub"
_OFFICIAL = "https://storage.googleapis.com/alphagenome/reference"

KINDS = ("fasta", "gtf", "polya")


@dataclass(frozen=True, slots=True)
class Preset:
    """A genome with a name.

    Args:
        name: UCSC name of the assembly.
        organism: "human", "mouse", "worm" or "yeast".
        fasta: Sequence.
        gtf: Annotation.
        polya: Polyadenylation sites, where a scorer uses them.
    """

    name: str
    organism: str
    fasta: Source
    gtf: Source
    polya: Source | None = None


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "hg38",
            "human",
            Source(f"{_UCSC}/hg38/bigZips/hg38.fa.gz", "md5sum.txt"),
            Source(f"{_GENCODE}/Gencode_human/release_46/gencode.v46.annotation.gtf.gz", "MD5SUMS"),
            # PolyA_DB 3 on hg38, the table of the official scorer; PolyA_DB itself serves it on hg19.
            Source(f"{_OFFICIAL}/exon/hg38/polyadb_human_v3_exon3_contiguous_gtfv46.feather", None),
        ),
        Preset(
            "mm10",
            "mouse",
            Source(f"{_UCSC}/mm10/bigZips/chromFa.tar.gz", "md5sum.txt"),
            # The last releases on GRCm38 are M23 (the official annotation) to M25.
            Source(f"{_GENCODE}/Gencode_mouse/release_M23/gencode.vM23.annotation.gtf.gz", "MD5SUMS"),
        ),
        Preset(
            "ce10",
            "worm",
            Source(f"{_UCSC}/ce10/bigZips/chromFa.tar.gz", "md5sum.txt"),
            # The last Ensembl release on WS220; Ensembl serves no MD5 sums.
            Source(f"{_ENSEMBL}/release-66/gtf/caenorhabditis_elegans/Caenorhabditis_elegans.WS220.66.gtf.gz", None),
        ),
        Preset(
            "sacCer3",
            "yeast",
            Source(f"{_UCSC}/sacCer3/bigZips/chromFa.tar.gz", "md5sum.txt"),
            Source(f"{_UCSC}/sacCer3/bigZips/genes/sacCer3.ensGene.gtf.gz", "md5sum.txt"),
        ),
    )
}


def find(name: str) -> Preset | None:
    """Return the preset of this name in any spelling ("GRCh38" is hg38), or None.

    Example:
        >>> find("grch38").name, find("HG38").organism, find("hg19")
        ('hg38', 'human', None)
    """
    return PRESETS.get(builds.known(name) or "")


def variable(preset: str, kind: str) -> str:
    """Return the environment variable that gives a preset's file: GENOMEKIT_HG38_FASTA, GENOMEKIT_HG38_GTF, ...

    Example:
        >>> variable("sacCer3", "gtf")
        'GENOMEKIT_SACCER3_GTF'
    """
    return f"GENOMEKIT_{preset.upper()}_{kind.upper()}"


def provides(preset: str, kind: str) -> bool:
    """Say whether there is such a file: the preset's own, or one that the environment variable names.

    Example:
        >>> provides("hg38", "polya")
        True
    """
    return getattr(PRESETS[preset], kind) is not None or bool(os.environ.get(variable(preset, kind), "").strip())


def obtain(preset: str, kind: str) -> Path:
    """Return the path of a preset's FASTA, annotation or table of polyA sites, downloading it on first use.

    In this order: the environment variable, the cache (then no network call is made), the provider. A partial
    download is continued; the whole is verified against the checksum file beside the data, where there is one.

    Args:
        preset: A name in `PRESETS`.
        kind: "fasta", "gtf" or "polya".

    Raises:
        ValueError: Unknown name or kind, a kind that the preset does not have, or the file does not have the
            provider's checksum.
        FileNotFoundError: The environment variable names no file, or the provider no longer has it.
        ConnectionError: No network; the text says what to do.
        OSError: The cache cannot be written.
    """
    if preset not in PRESETS:
        raise errors.unknown("genome", preset, PRESETS)
    if kind not in KINDS:
        raise errors.unknown("file of a preset", kind, KINDS)
    name = variable(preset, kind)
    given = os.environ.get(name, "").strip()
    if given:
        path = Path(given).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"{name}={given} is no file. Correct the environment variable or unset it.")
        return path
    source: Source | None = getattr(PRESETS[preset], kind)
    if source is None:
        raise ValueError(f"The preset {preset!r} has no {kind}. Set the environment variable {name} to a file.")
    advice = f"set the environment variable {name} to its path"
    folder = cache.folder("presets", preset)
    if not source.url.endswith(".tar.gz"):
        return fetch(source, folder, advice=advice)
    joined = folder / f"{preset}.fa"
    if not joined.exists():
        archive = fetch(source, folder, advice=advice)
        _join(archive, joined)
        archive.unlink()
    return joined


def _join(archive: Path, target: Path) -> None:
    """Write the sequences of an archive, one file per chromosome, into one FASTA."""
    with cache.atomic(target) as temporary, tarfile.open(archive) as members, temporary.open("wb") as output:
        files = [member for member in members.getmembers() if member.isfile() and member.name.endswith(".fa")]
        if not files:
            raise ValueError(f"{archive} holds no .fa file. Remove it and try again.")
        for member in files:
            stream = members.extractfile(member)
            assert stream is not None
            while chunk := stream.read(1 << 22):
                output.write(chunk)
                last = chunk[-1:]
            if last != b"\n":
                output.write(b"\n")
