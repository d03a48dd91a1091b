import errno
import os

import pytest

from genomekit.genome import cache


def test_the_variable_names_the_folder(cache_folder):
    assert cache.location() == cache_folder
    assert cache.folder("a", "b") == cache_folder / "a" / "b"
    assert (cache_folder / "a" / "b").is_dir()


def test_without_the_variable_it_is_the_folder_of_the_platform(monkeypatch):
    monkeypatch.delenv("GENOMEKIT_CACHE")
    assert cache.location().name == "genomekit"
    monkeypatch.setenv("GENOMEKIT_CACHE", "~/kept")
    assert cache.location() == cache.Path.home() / "kept"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "may not write"),
        (errno.EDQUOT, "quota"),
    ],
)
def test_full_and_read_only_folders_are_explained(tmp_path, code, words):
    with pytest.raises(OSError, match=words) as caught, cache.explained(tmp_path):
        raise OSError(code, os.strerror(code))
    assert caught.value.errno == code
    assert str(tmp_path) in str(caught.value)
    assert "GENOMEKIT_CACHE" in str(caught.value)


def test_a_permission_error_stays_one(tmp_path):
    with pytest.raises(PermissionError, match="GENOMEKIT_CACHE"), cache.explained(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_other_errors_pass_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, cache.explained(tmp_path):
        (tmp_path / "missing").read_text()
    assert "GENOMEKIT_CACHE" not in str(caught.value)


def test_a_file_in_the_way_is_explained(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENOMEKIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match="GENOMEKIT_CACHE"):
        cache.folder("fasta")


def test_atomic_leaves_nothing_when_it_fails(tmp_path):
    target = tmp_path / "table.txt"
    target.write_text("old")

    def fail():
        with cache.atomic(target) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="disk is full"):
        fail()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table.txt"]


def test_atomic_files_have_ordinary_permissions(tmp_path):
    (tmp_path / "plain").write_text("")
    with cache.atomic(tmp_path / "kept") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "kept").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_fingerprint_changes_with_the_file(tmp_path):
    path = tmp_path / "a"
    path.write_text("1")
    first = cache.fingerprint(path)
    assert first == cache.fingerprint(path)
    assert first != cache.fingerprint(path, "salt")
    path.write_text("12")
    assert first != cache.fingerprint(path)


def test_writable(tmp_path):
    assert cache.writable(tmp_path)
    assert not cache.writable(tmp_path / "missing")
