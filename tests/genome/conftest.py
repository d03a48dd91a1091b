"""A cache of its own for every test, and small files that several tests read."""

import gzip
import zlib
from pathlib import Path

import pytest

from genomekit.genome.assembly import Genome


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GENOMEKIT_CACHE", str(folder))
    return folder


@pytest.fixture
def toy_fasta(tmp_path) -> Path:
    """chrI 60 bp in lines of 20, chrII 25 bp, chrM 8 bp; mixed case, an IUPAC letter."""
    path = tmp_path / "toy.fa"
    path.write_text(
        ">chrI first\nACGTACGTACGTACGTACGT\naaaaacccccgggggttttt\nGGCCGGCCGGCCGGCCGGCC\n"
        ">chrII\nTTTTTTTTTTTTTTTTTTTT\nRACGT\n>chrM\nacgtnnNN\n"
    )
    return path


def gtf_line(feature, start, end, strand, chrom="chrI", **attributes) -> str:
    text = " ".join(f'{key} "{value}";' for key, value in attributes.items())
    return f"{chrom}\ttoy\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{text}\n"


def bgzip(data: bytes, *, block: int = 50) -> bytes:
    """Compress as bgzip does: gzip members with their size in an extra field, then an empty one."""
    members = []
    for first in [*range(0, len(data), block), len(data)]:
        part = data[first : first + block]
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = packer.compress(part) + packer.flush()
        head = bytes.fromhex("1f8b08040000000000ff060042430200") + (len(body) + 25).to_bytes(2, "little")
        members.append(head + body + zlib.crc32(part).to_bytes(4, "little") + len(part).to_bytes(4, "little"))
    return b"".join(members)


@pytest.fixture(scope="session")
def helpers():
    """Functions that tests of this folder share."""

    class Helpers:
        line = staticmethod(gtf_line)
        bgzip = staticmethod(bgzip)
        gzip = staticmethod(gzip.compress)

    return Helpers


@pytest.fixture
def toy_gtf(tmp_path) -> Path:
    """Gene abc-1 on + (t1: exons 5-10, 15-20, 30-35; t2: 5-10, 30-40) and xyz-2 on - (t3), all on chrI; 1-based."""
    abc = {"gene_id": "ENSG001.4", "gene_name": "abc-1", "gene_type": "protein_coding"}
    xyz = {"gene_id": "ENSG002.1", "gene_name": "xyz-2", "gene_type": "lncRNA"}
    lines = ["# a comment\twith\ttabs\ta\tb\tc\td\te\tf\n"]
    lines += [gtf_line("exon", a, b, "+", **abc, transcript_id="t1") for a, b in ((5, 10), (15, 20), (30, 35))]
    lines += [gtf_line("CDS", 7, 10, "+", **abc, transcript_id="t1")]
    lines += [gtf_line("exon", a, b, "+", **abc, transcript_id="t2") for a, b in ((30, 40), (5, 10))]
    lines += [gtf_line("exon", a, b, "-", **xyz, transcript_id="t3") for a, b in ((41, 44), (50, 55))]
    path = tmp_path / "toy.gtf"
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="session")
def worm(shared, tmp_path_factory) -> Genome:
    """The real worm genome with its genes, read once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENOMEKIT_CACHE", str(tmp_path_factory.mktemp("worm")))
        genome = Genome(shared / "data/celegans/ce10.fa.gz", shared / "data/celegans/ce10.genes.gtf.gz")
        assert genome.annotation is not None
    return genome
