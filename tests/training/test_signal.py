"""Signal per base: spelling of chromosomes, edges, and counts that must add up."""

import gzip

import numpy as np
import pandas as pd
import pyBigWig
import pytest

from genomekit.training.signal import bigwig_coverage, fragment_ends


@pytest.fixture
def bigwig(tmp_path):
    path = tmp_path / "made.bw"
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("II", 20)])
        file.addEntries(["II", "II"], [3, 10], ends=[5, 11], values=[2.0, 7.0])
    return path


def write(path, text):
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.write(text)
    return path


@pytest.mark.parametrize("chrom", ["II", "chrII"])
def test_a_bigwig_gives_one_value_per_base_and_zero_elsewhere(bigwig, chrom):
    expected = np.zeros(25, np.float32)
    expected[3:5], expected[10] = 2, 7
    found = bigwig_coverage(bigwig, chrom, 25)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_a_chromosome_may_be_spelt_with_chr_in_the_file(tmp_path):
    path = write(tmp_path / "made.bedpe", "chrI\t0\t3\n")
    assert fragment_ends(path, "I", 5).sum() == 2


def test_the_wrong_genome_is_refused(bigwig):
    with pytest.raises(ValueError, match="another assembly"):
        bigwig_coverage(bigwig, "II", 19)
    with pytest.raises(ValueError, match=r"chromosome in made\.bw"):
        bigwig_coverage(bigwig, "chrIII", 20)


@pytest.mark.parametrize("name", ["made.bedpe", "made.bedpe.gz"])
def test_a_fragment_counts_at_its_first_and_its_last_base(tmp_path, name):
    path = write(tmp_path / name, "chrI\t0\t3\nchrI\t2\t6\nchrII\t1\t2\nchrI\t4\t5\n")
    # [0, 3): 0 and 2; [2, 6): 2 and 5; [4, 5): 4 twice
    assert fragment_ends(path, "chrI", 6).tolist() == [1, 0, 2, 0, 2, 1]
    assert fragment_ends(path, "chrII", 3).tolist() == [0, 2, 0]


def test_chromosomes_named_by_number(tmp_path):
    assert fragment_ends(write(tmp_path / "made.bedpe", "1\t0\t3\n2\t0\t3\n"), "chr2", 3).tolist() == [1, 0, 1]


def test_a_fragment_past_the_end_is_refused(tmp_path):
    with pytest.raises(ValueError, match="ends at 6 on chrI, which has 5 bp"):
        fragment_ends(write(tmp_path / "made.bedpe", "chrI\t2\t6\n"), "chrI", 5)


def test_every_atac_fragment_counts_twice(shared):
    path = shared / "data/yeast/ATAC_SRR1822137_500k.bedpe.gz"
    table = pd.read_csv(path, sep="\t", header=None, names=["chrom", "start", "end"])
    for chrom, length in (("chrII", 813_184), ("chrIV", 1_531_933)):
        assert fragment_ends(path, chrom, length).sum() == 2 * (table["chrom"] == chrom).sum()


def test_real_bigwigs_cover_both_strands_differently(shared):
    forward, reverse = (
        bigwig_coverage(shared / f"data/yeast/RNA.{s}.50bp.bw", "chrII", 813_184) for s in ("fwd", "rev")
    )
    for values in (forward, reverse):
        assert np.isfinite(values).all()
        assert values.min() == 0 < values.mean()
    assert np.corrcoef(forward, reverse)[0, 1] < 0.5
    with pyBigWig.open(str(shared / "data/yeast/RNA.fwd.50bp.bw")) as file:
        first, last, value = max(file.intervals("II", 100_000, 200_000), key=lambda row: row[2])
    assert (forward[first:last] == np.float32(value)).all()
    assert forward[last] != forward[first] != forward[first - 1]
