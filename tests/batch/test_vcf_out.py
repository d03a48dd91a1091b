"""Scores written into a VCF, shard by shard."""

import gc
import weakref

import fake_scoring as fake
import pytest

from genomekit.batch import score_group, score_records
from genomekit.batch.vcf import records, write
from genomekit.genome.assembly import Genome
from genomekit.scores import iter_shards

pytest.importorskip("pysam")

LETTERS = "ACGTTGCAGGCACACATTTTGATCCAGT"
HEAD = "##fileformat=VCFv4.2\n##contig=<ID=chrI,length=28>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
# One allele, three of which one is symbolic, none, a line that cannot be read and names two, and a duplicate.
PLACES = [(3, "G", "T"), (5, "T", "A,<INS>,TA"), (6, "G", "."), ("five", "A", "G,C"), (9, "G", "A,C"), (3, "G", "T")]


@pytest.fixture
def genome(tmp_path):
    (tmp_path / "toy.fa").write_text(f">chrI\n{LETTERS}\n")
    return Genome(tmp_path / "toy.fa")


@pytest.fixture
def source(tmp_path):
    rows = ["\t".join(["chrI", str(p), ".", ref, alt, ".", ".", "DP=3"]) + "\n" for p, ref, alt in PLACES]
    (tmp_path / "in.vcf").write_text(HEAD + "".join(rows))
    return tmp_path / "in.vcf"


@pytest.mark.parametrize("shard_size", [1, 2, 100])
def test_shard_by_shard_is_the_same_as_at_once(tmp_path, genome, source, shard_size):
    found = list(records(source, genome))
    assert len(found) == 1 + 3 + 1 + 1 + 2 + 1
    at_once = score_group(fake.score, found)
    write(source, tmp_path / "at_once.vcf", at_once, [at_once])
    made = score_records(
        found, fake.score, tmp_path / "out", identity={}, shard_size=shard_size, preview=0, progress=False
    )
    write(source, tmp_path / "shards.vcf", made, iter_shards(tmp_path / "out"))
    assert (tmp_path / "shards.vcf").read_bytes() == (tmp_path / "at_once.vcf").read_bytes()

    rows = [line.split("\t") for line in (tmp_path / "shards.vcf").read_text().splitlines() if line[0] != "#"]
    assert [row[4] for row in rows] == [alt for *_, alt in PLACES]
    info = [dict(part.split("=", 1) for part in row[7].split(";")) for row in rows]
    assert [one["DP"] for one in info] == ["3"] * len(PLACES)
    assert [len(one["GK_Mask_dnase"].split(",")) for one in (info[0], info[1], info[4])] == [1, 3, 2]
    assert info[1]["GK_reason"].split(",")[::2] == [".", "."]
    assert "does_not_say_its_letters" in info[1]["GK_reason"].split(",")[1]
    assert info[2]["GK_reason"] == "no_ALT_allele"
    assert info[3]["GK_reason"] == "the_line_cannot_be_read"
    assert "GK_reason" not in info[5]  # the change of an earlier record, with scores of its own
    assert info[5]["GK_Mask_dnase"] != "."


def test_only_one_shard_is_in_memory(tmp_path, genome, source):
    found = list(records(source, genome))
    made = score_records(found, fake.score, tmp_path / "out", identity={}, shard_size=2, preview=0, progress=False)
    seen, alive = [], []

    def shards():
        for shard in iter_shards(tmp_path / "out"):
            seen.append(weakref.ref(shard))
            gc.collect()
            alive.append(sum(one() is not None for one in seen))
            yield shard

    write(source, tmp_path / "out.vcf", made, shards())
    assert alive == [1, 2, 2, 2, 2]  # the one before is let go when the next is there


def test_a_file_that_has_changed_is_not_annotated(tmp_path, genome, source):
    made = score_group(fake.score, list(records(source, genome)))
    lines = source.read_text().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[-1]]):
        source.write_text("".join(changed))
        with pytest.raises(ValueError, match="does not have the records that were scored"):
            write(source, tmp_path / "out.vcf", made, [made])
