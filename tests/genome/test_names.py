import pytest

from genomekit.errors import ReferenceMismatch
from genomekit.genome import builds
from genomekit.genome.names import ChromosomeNames, canonical


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["chr1", "1", "Chr1", "CHR1", "NC_000001.11", "NC_000001", "NC_000067.6"], "1"),
        (["chrX", "X", "NC_000023.11", "NC_003284.7"], "X"),
        (["chrM", "MT", "MtDNA", "Mito", "chrMT", "M", "NC_012920.1", "NC_001328.1", "NC_001224.1"], "M"),
        (["chrIV", "IV", "NC_003282.6", "NC_001136.10"], "IV"),
        (["chr1_KI270706v1_random", "KI270706.1"], "KI270706"),
        (["chrUn_GL456239", "GL456239.1"], "GL456239"),
        (["scaffold_12"], "SCAFFOLD_12"),
        (["chr"], "CHR"),
    ],
)
def test_spellings_of_one_chromosome_share_a_key(spellings, key):
    assert {canonical(name) for name in spellings} == {key}


def test_every_direction_is_mapped():
    assert ChromosomeNames(["1", "X", "MT"]).find("chrM") == "MT"
    assert ChromosomeNames(["NC_000001.11"]).find("chr1") == "NC_000001.11"
    assert ChromosomeNames(["chr1"]).find("NC_000001.11") == "chr1"
    assert ChromosomeNames(["chr1"]).find("chr2") is None


def test_numbers_are_roman_as_far_as_these_run():
    worm = ChromosomeNames(["chrI", "chrII", "chrIII", "chrIV", "chrV", "chrX"])
    yeast = ChromosomeNames("I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI".split())
    assert (worm.find("5"), worm.find("10")) == ("chrV", None)
    assert (yeast.find("chr10"), yeast.find("16")) == ("X", "XVI")
    # An X alone is a sex chromosome.
    assert ChromosomeNames(["chr1", "chrX"]).find("10") is None


def test_accessions_of_another_organism_are_not_taken():
    yeast = ChromosomeNames(["chrI"], organism="yeast")
    assert yeast.find("NC_003279.8") is None
    assert yeast.find("NC_001133.9") == "chrI"


def test_two_names_with_one_key_are_found_exactly_only():
    names = ChromosomeNames(["chr1", "1"])
    assert names.find("1") == "1"
    assert names.find("Chr1") is None


def test_aliases():
    names = ChromosomeNames(["part_22"], {"chr22": "part_22"})
    assert names.find("chr22") == "part_22"
    with pytest.raises(ValueError, match="'part_23', which is not in the FASTA"):
        ChromosomeNames(["part_22"], {"chr23": "part_23"})


def test_mapping_drops_what_is_absent():
    assert ChromosomeNames(["chr1"]).mapping(["1", "2"]) == {"1": "chr1"}


def test_builds_are_told_by_their_lengths():
    assert builds.identify({"1": 248956422, "scaffold": 5}) == "hg38"
    assert builds.identify({"chr1": 248956422, "chr2": 1}) is None
    assert builds.identify({"chrM": 13794}) is None  # ce10 and ce11 share it
    assert builds.identify({"NC_003279.8": 15072434}) == "ce11"


def test_every_table_holds_whole_genomes():
    # Sums of the assembled chromosomes, from the lengths that the providers publish for each assembly.
    assert sum(builds.LENGTHS["ce10"].values()) == 100_286_070
    assert sum(builds.LENGTHS["sacCer3"].values()) == 12_157_105
    assert sum(builds.LENGTHS["hg38"].values()) == 3_088_286_401
    assert sum(builds.LENGTHS["hg19"].values()) == 3_095_677_412
    assert {name: len(table) for name, table in builds.LENGTHS.items()} == {
        "hg38": 25, "hg19": 24, "mm10": 22, "mm39": 22, "ce10": 7, "ce11": 7, "sacCer3": 17,
    }  # fmt: skip


def test_a_wrong_build_is_named():
    with pytest.raises(ReferenceMismatch, match=r"not hg38: chr1 has 249,250,621.*fit hg19"):
        builds.check("hg38", {"chr1": 249250621}, "x.fa")
    with pytest.raises(ReferenceMismatch, match="No build known here"):
        builds.check("hg38", {"chr1": 1000}, "x.fa")
    builds.check("hg38", {"chr22_20000001_21000000": 1_000_000}, "x.fa")


def test_accession_versions_tell_the_build():
    assert builds.accession_build("NC_000017.11") == "hg38"
    assert builds.accession_build("NC_000017.10") == "hg19"
    assert builds.accession_build("NC_000068.7") == "mm10"
    assert builds.accession_build("NC_000086.8") == "mm39"
    assert builds.accession_build("NC_000017") is None
