"""The room on disk that a preview and a plan tell, against the files of the job."""

import fake_scoring as fake
import numpy as np
import pytest

import genomekit as gk
from genomekit.batch import preview, score_records
from genomekit.batch.on_disk import bytes_each
from genomekit.batch.vcf import count
from genomekit.genome.vcf import pysam
from genomekit.model import Model

LETTERS = "".join(np.random.default_rng(4).choice(list("ACGT"), 6000))
HEAD = "##fileformat=VCFv4.2\n##contig=<ID=chrA,length=6000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def room(folder):
    return sum(path.stat().st_size for path in (folder / "shards").rglob("*") if path.is_file())


@pytest.mark.parametrize("ending", ["h5", "zarr"])
def test_a_few_records_tell_the_size_of_the_job(tmp_path, ending):
    if ending == "zarr":
        pytest.importorskip("zarr")
    out = tmp_path / f"scores.{'zarr' if ending == 'zarr' else 'd'}"
    score_records(fake.records(192), fake.score, out, identity={}, shard_size=64, progress=False)
    told = preview(fake.score, fake.records(192)[::32], 192, shard_size=64, ending=ending)
    assert told.bytes == pytest.approx(room(out), rel=0.25)


def test_what_comes_once_counts_less_in_larger_shards():
    sample = fake.score(fake.records(6))
    assert bytes_each(sample, 6, "h5") > 4 * bytes_each(sample, 256, "h5")


@pytest.fixture
def source(tmp_path):
    """Sixty lines, of which every third has two ALT alleles: 80 records."""
    rows = []
    for number, position in enumerate(range(1000, 4000, 50)):
        ref = LETTERS[position - 1]
        others = [base for base in "ACGT" if base != ref]
        alt = ",".join(others[: 2 if number % 3 == 0 else 1])
        rows.append(f"chrA\t{position}\t.\t{ref}\t{alt}\t.\t.\t.\n")
    (tmp_path / "in.vcf").write_text(HEAD + "".join(rows))
    return tmp_path / "in.vcf"


def test_records_of_a_file_are_counted(source, tmp_path):
    pytest.importorskip("pysam")
    pysam().tabix_compress(str(source), str(tmp_path / "in.vcf.gz"))
    with pysam().VariantFile(str(source)) as text:
        with pysam().VariantFile(str(tmp_path / "in.bcf"), "wb", header=text.header) as binary:
            for record in text:
                binary.write(record)
    assert [count(path) for path in (source, tmp_path / "in.vcf.gz", tmp_path / "in.bcf")] == [80, 80, 80]
    packed = (tmp_path / "in.vcf.gz").read_bytes()
    (tmp_path / "cut.vcf.gz").write_bytes(packed[: len(packed) // 2])
    assert count(tmp_path / "cut.vcf.gz") is None


def test_a_vcf_is_announced_with_its_number_and_time_and_the_plan_knows_its_room(
    tiny_checkpoint, source, tmp_path, capsys
):
    (tmp_path / "genome.fa").write_text(f">chrA\n{LETTERS}\n")
    model = Model(tiny_checkpoint, device="cpu", genome=gk.Genome(tmp_path / "genome.fa", organism="worm"))
    call = {"scorers": ["atac", "chip_tf"], "out": tmp_path / "scores", "shard_size": 32}
    plan = model.plan("score_variants", str(source), **call)
    model.score_variants(str(source), **call, preview=4)
    told = capsys.readouterr().err
    assert "80 variants at " in told
    assert "per second (4 timed): about " in told
    assert plan.passes == 80
    assert plan.result_bytes == pytest.approx(room(tmp_path / "scores"), rel=0.3)
