"""The index of annotated files, and which names they may have."""

import pytest

from genomekit.errors import GenomekitWarning
from genomekit.genome.vcf_write import InfoField, annotate_vcf

pysam = pytest.importorskip("pysam")

HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
FIELDS = [InfoField("S", "A", "Float", "a score")]


def annotated(tmp_path, name, *places):
    rows = [f"{chrom}\t{position}\t.\tA\tC\t.\t.\t.\n" for chrom, position in places]
    (tmp_path / "in.vcf").write_text(HEAD + "".join(rows))
    annotate_vcf(tmp_path / "in.vcf", tmp_path / name, FIELDS, lambda number, alleles: {"S": [number]})
    return tmp_path / name


@pytest.mark.parametrize("name", ["out.vcf.gz", "out.vcf.bgz"])
def test_a_compressed_file_has_an_index(tmp_path, name):
    target = annotated(tmp_path, name, ("chrI", 5), ("chrI", 70_000), ("chrII", 9))
    assert [row.split("\t")[1] for row in pysam.TabixFile(str(target)).fetch("chrI", 60_000, 80_000)] == ["70000"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.vcf", name, f"{name}.tbi"]


def test_positions_that_tbi_cannot_tell_have_a_csi(tmp_path):
    target = annotated(tmp_path, "out.vcf.gz", ("chrL", 700_000_000))
    index = f"{target}.csi"
    assert len(list(pysam.TabixFile(str(target), index=index).fetch("chrL", 699_999_999, 700_000_000))) == 1


def test_what_is_not_sorted_has_no_index_and_no_old_one(tmp_path):
    annotated(tmp_path, "out.vcf.gz", ("chrI", 5))
    assert (tmp_path / "out.vcf.gz.tbi").exists()
    with pytest.warns(GenomekitWarning, match="has no index: its records are not sorted"):
        annotated(tmp_path, "out.vcf.gz", ("chrI", 9), ("chrI", 5))
    assert not (tmp_path / "out.vcf.gz.tbi").exists()
    annotated(tmp_path, "out.vcf", ("chrI", 9), ("chrI", 5))  # plain text needs none


def test_names_are_refused_with_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"For BCF write \.vcf\.gz, then convert it: bcftools view"):
        annotated(tmp_path, "out.bcf", ("chrI", 5))
    with pytest.raises(FileNotFoundError, match=r"The folder .*none of out\.vcf does not exist"):
        annotated(tmp_path, "none/out.vcf", ("chrI", 5))
