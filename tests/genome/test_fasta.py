import errno
import multiprocessing
import os
import pickle
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from genomekit.genome import cache
from genomekit.genome.fasta import Fasta, reverse_complement

CHR_I = "ACGTACGTACGTACGTACGT" + "AAAAACCCCCGGGGGTTTTT" + "GGCCGGCCGGCCGGCCGGCC"


def test_letters_are_upper_case_whatever_the_line(toy_fasta):
    toy = Fasta(toy_fasta)
    assert toy.lengths == {"chrI": 60, "chrII": 25, "chrM": 8}
    for start in range(60):
        for end in range(start + 1, 61):
            assert toy.fetch("chrI", start, end) == CHR_I[start:end]
    assert toy.fetch("chrII", 18, 25) == "TTRACGT"


def test_n_stands_past_the_ends(toy_fasta):
    toy = Fasta(toy_fasta)
    assert toy.fetch("chrI", -3, 2) == "NNNAC"
    assert toy.fetch("chrI", 58, 62) == "CCNN"
    assert toy.fetch("chrM", -1, 9) == "NACGTNNNNN"


@pytest.mark.parametrize(("start", "end"), [(60, 70), (-5, 0), (10, 10), (100, 200)])
def test_wholly_outside_is_an_error(toy_fasta, start, end):
    with pytest.raises(ValueError, match=r"chrI.*0 to 60"):
        Fasta(toy_fasta).fetch("chrI", start, end)


def test_unknown_chromosome_names_the_near_spelling(toy_fasta):
    with pytest.raises(ValueError, match="Did you mean 'chrII'"):
        Fasta(toy_fasta).fetch("chrIIl", 0, 1)


def test_reverse_complement_knows_iupac_letters():
    assert reverse_complement("ACGTNRYSWKMBDHV") == "BDHVKMWSRYNACGT"
    assert reverse_complement(reverse_complement("acgtRYKM")) == "acgtRYKM"


@pytest.mark.parametrize("suffix", [".gz", ".bgz"])
def test_compressed_files_read_the_same(toy_fasta, tmp_path, helpers, suffix, cache_folder):
    pack = helpers.gzip if suffix == ".gz" else helpers.bgzip
    packed = tmp_path / f"packed.fa{suffix}"
    packed.write_bytes(pack(toy_fasta.read_bytes()))
    first = Fasta(packed)
    assert first.fetch("chrI", 0, 60) == CHR_I
    made = sorted(path.name for path in (cache_folder / "fasta").iterdir())
    assert len(made) == 2
    assert Fasta(packed).lengths == first.lengths
    assert sorted(path.name for path in (cache_folder / "fasta").iterdir()) == made


def test_a_changed_file_is_unpacked_again(toy_fasta, tmp_path, helpers):
    packed = tmp_path / "packed.fa.gz"
    packed.write_bytes(helpers.gzip(toy_fasta.read_bytes()))
    assert Fasta(packed).fetch("chrI", 0, 4) == "ACGT"
    packed.write_bytes(helpers.gzip(b">chrI\nTTTTT\n"))
    assert Fasta(packed).fetch("chrI", 0, 4) == "TTTT"


def test_a_plain_file_may_be_called_gz(toy_fasta, tmp_path):
    named = toy_fasta.rename(tmp_path / "plain.fa.gz")
    assert Fasta(named).fetch("chrI", 0, 60) == CHR_I


def test_windows_line_ends(tmp_path):
    path = tmp_path / "dos.fa"
    path.write_bytes(b">chr1\r\nACGT\r\nacgt\r\nAC\r\n")
    assert Fasta(path).fetch("chr1", 2, 10) == "GTACGTAC"


def test_no_line_end_at_the_end(tmp_path):
    path = tmp_path / "short.fa"
    path.write_text(">a\nACGT\nAC")
    assert Fasta(path).fetch("a", 3, 6) == "TAC"


def test_the_index_lies_beside_the_file(toy_fasta):
    Fasta(toy_fasta)
    assert toy_fasta.with_name("toy.fa.fai").read_text().splitlines()[0] == "chrI\t60\t12\t20\t21"


def test_the_index_goes_to_the_cache_where_the_folder_is_read_only(toy_fasta, cache_folder, monkeypatch):
    monkeypatch.setattr(cache, "writable", lambda folder: False)
    assert Fasta(toy_fasta).fetch("chrII", 20, 25) == "RACGT"
    assert not toy_fasta.with_name("toy.fa.fai").exists()
    assert [path.suffix for path in (cache_folder / "fasta").iterdir()] == [".fai"]
    assert Fasta(toy_fasta).lengths["chrII"] == 25


def test_a_stale_index_is_made_again(toy_fasta):
    Fasta(toy_fasta)
    toy_fasta.write_text(">other\nACGTT\n")
    # Even one that claims to be newer.
    index = toy_fasta.with_name("toy.fa.fai")
    os.utime(index, (time.time() + 60, time.time() + 60))
    assert Fasta(toy_fasta).lengths == {"other": 5}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<html>not found</html>", "is not a FASTA file: it starts with '<html>not found</htm'"),
        (b"chr1\t0\t100\n", "is not a FASTA file"),
        (b"PK\x03\x04 zip", "is not a FASTA file"),
        (b">chr1\n", "holds no sequence"),
        (b">chr1\nACGT\nACGTACGT\nACGT\n", "Line length"),
        (b">chr1\nACGT\n>chr1\nACGT\n", "uplicate"),
    ],
)
def test_bad_files_are_refused_by_name(tmp_path, content, words, helpers):
    for name, packed in (("bad.fa", content), ("bad.fa.gz", helpers.gzip(content) if content else b"")):
        path = tmp_path / name
        path.write_bytes(packed)
        with pytest.raises(ValueError, match=words) as caught:
            Fasta(path)
        assert name in str(caught.value)


@pytest.mark.parametrize("pack", ["gzip", "bgzip"])
def test_truncated_and_corrupt_files_are_refused(toy_fasta, tmp_path, helpers, pack, cache_folder):
    random.seed(0)
    letters = "\n".join("".join(random.choices("ACGT", k=50)) for _ in range(100))
    data = f">chr1\n{letters}\n".encode()
    whole = helpers.gzip(data) if pack == "gzip" else helpers.bgzip(data, block=50_000)
    broken = whole[:200] + bytes([whole[200] ^ 255]) + whole[201:]
    for content in (whole[:-40], whole[: len(whole) // 2], broken):
        path = tmp_path / "broken.fa.gz"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"broken\.fa\.gz is truncated"):
            Fasta(path)
    # Nothing half-made stays behind.
    assert list((cache_folder / "fasta").iterdir()) == []


def test_bgzip_cut_between_blocks_is_truncated(tmp_path, helpers):
    whole = helpers.bgzip(b">chr1\n" + b"ACGTACGTA\n" * 20)
    path = tmp_path / "cut.fa.bgz"
    path.write_bytes(whole[:-28])
    with pytest.raises(ValueError, match="end mark of bgzip is missing"):
        Fasta(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No FASTA file at .*none\.fa"):
        Fasta(tmp_path / "none.fa")


def test_no_space_to_unpack(toy_fasta, tmp_path, helpers, monkeypatch):
    packed = tmp_path / "packed.fa.gz"
    packed.write_bytes(helpers.gzip(toy_fasta.read_bytes()))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("genomekit.genome.fasta._unpack", full)
    with pytest.raises(OSError, match=r"disk is full.*GENOMEKIT_CACHE"):
        Fasta(packed)


def test_it_can_be_pickled(toy_fasta):
    toy = Fasta(toy_fasta)
    toy.fetch("chrI", 0, 5)
    assert pickle.loads(pickle.dumps(toy)).fetch("chrI", 0, 60) == CHR_I


def _read(toy, start, queue):
    queue.put(all(toy.fetch("chrI", start, start + 9) == CHR_I[start : start + 9] for _ in range(300)))


def test_forked_processes_and_threads_read_correctly(toy_fasta):
    toy = Fasta(toy_fasta)
    toy.fetch("chrI", 0, 1)
    with ThreadPoolExecutor(4) as pool:
        starts = list(range(50)) * 20
        assert list(pool.map(lambda s: toy.fetch("chrI", s, s + 9), starts)) == [CHR_I[s : s + 9] for s in starts]
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no fork on this platform")
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=_read, args=(toy, start, queue)) for start in (0, 20, 40)]
    for worker in workers:
        worker.start()
    assert [queue.get(timeout=30) for _ in workers] == [True] * 3
    for worker in workers:
        worker.join()


def test_real_worm_and_yeast(worm, shared):
    assert worm.chroms["chrI"] == 15_072_423
    assert sum(worm.chroms.values()) == 100_286_070
    assert worm.fasta.fetch("chrI", 0, 12) == "GCCTAAGCCTAA"
    yeast = Fasta(shared / "data/yeast/sacCer3.fa.gz")
    assert sum(yeast.lengths.values()) == 12_157_105
    assert yeast.fetch("chrI", 0, 10) == "CCACACCACA"


def test_a_thousand_windows_take_under_a_second(worm):
    random.seed(1)
    starts = [random.randrange(15_000_000) for _ in range(1000)]
    begin = time.perf_counter()
    total = sum(len(worm.fasta.fetch("chrI", start, start + 16_384)) for start in starts)
    assert total == 1000 * 16_384
    assert time.perf_counter() - begin < 1


def test_a_file_changed_while_open_is_refused(tmp_path):
    path = tmp_path / "toy.fa"
    path.write_text(">chr1\n" + "ACGT" * 5000 + "\n")
    toy = Fasta(path)
    assert toy.fetch("chr1", 0, 4) == "ACGT"
    path.write_text(">chr1\nACGT\n")
    with pytest.raises(ValueError, match="changed after it was opened"):
        toy.fetch("chr1", 19_000, 19_004)
