"""A part of an indexed VCF file."""

from pathlib import Path

import numpy as np
import pytest

from genomekit.batch.vcf import count
from genomekit.genome.assembly import Genome
from genomekit.genome.fasta import Fasta
from genomekit.genome.interval import Interval
from genomekit.model import Model
from genomekit.testing import toy_genome

pysam = pytest.importorskip("pysam")

PLACES = (2000, 5000, 6000, 9000)


@pytest.fixture
def source(tmp_path):
    """A genome, an indexed VCF with a record at each place (two ALT alleles at 6000), and the same without index."""
    toy = toy_genome(tmp_path / "toy")
    letters = Fasta(toy.fasta)
    rows = []
    for position in PLACES:
        ref = letters.fetch("chrI", position - 1, position)
        alts = [base for base in "ACGT" if base != ref][: 2 if position == 6000 else 1]
        rows.append(f"chrI\t{position}\t.\t{ref}\t{','.join(alts)}\t.\t.\t.\n")
    head = "##fileformat=VCFv4.3\n##contig=<ID=chrI>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    plain = tmp_path / "in.vcf"
    plain.write_text(head + "".join(rows))
    packed = Path(pysam.tabix_index(str(plain), preset="vcf", keep_original=True))
    return Genome(toy.fasta, organism="worm"), packed, plain


def test_only_records_of_the_region_are_scored(tiny_checkpoint, source, tmp_path):
    genome, packed, _ = source
    model = Model(tiny_checkpoint, device="cpu", genome=genome)
    options = {"scorers": "atac", "window": 2048, "progress": False}
    whole = model.score_variants(packed, **options)
    part = model.score_variants(packed, region="chrI:4,999-6,000", out=tmp_path / "out", **options)
    # 0-based half-open: the base of position 5000 is the first of the region, that of 6000 the last.
    assert part.records["position"].tolist() == [5000, 6000, 6000]
    assert part.records["record"].tolist() == [0, 1, 2]
    assert np.array_equal(part["atac"].X, whole["atac"].X[1:4])
    assert (count(packed), count(packed, Interval("chrI", 4999, 6000))) == (5, 3)
    plan = model.plan("score_variants", packed, region="chrI:4,999-6,000", scorers="atac", window=2048)
    assert "3 variants" in str(plan)


def test_what_has_no_region(tiny_checkpoint, source, tmp_path):
    genome, packed, plain = source
    model = Model(tiny_checkpoint, device="cpu", genome=genome)
    options = {"scorers": "atac", "window": 2048, "progress": False, "region": "chrI:0-6000"}
    for given, text in ((plain, "tabix -p vcf"), (["chrI:5000:A>C"], "region= came and the variants are no VCF file")):
        with pytest.raises(ValueError, match=text):
            model.score_variants(given, **options)
    with pytest.raises(ValueError, match="bcftools view -r REGION"):
        model.score_variants(packed, vcf_out=tmp_path / "out.vcf", **options)
    with pytest.raises(ValueError, match="chrX"):
        model.score_variants(packed, **options | {"region": "chrX:0-6000"})
    with pytest.raises(ValueError, match=r"in\.vcf\.gz has no record that overlaps chrI:0-100"):
        model.score_variants(packed, **options | {"region": "chrI:0-100"})
