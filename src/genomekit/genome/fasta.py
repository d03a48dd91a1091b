"""Fasta: letters of any FASTA file (plain, gzip or bgzip) by position, quickly and from many processes."""

from __future__ import annotations

import gzip
import mmap
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyfaidx
from tqdm import tqdm

from genomekit import errors
from genomekit.genome import cache

_CHUNK = 1 << 22
_SHOW_PROGRESS = 100 << 20  # bytes of a compressed file that take more than a few seconds to unpack
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_UPPER = bytes.maketrans(b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_COMPLEMENT = str.maketrans("ACGTUNRYSWKMBDHVacgtunryswkmbdhv", "TGCAANYRSWMKVHDBtgcaanyrswmkvhdb")


def reverse_complement(sequence: str) -> str:
    """Return the other strand, 5' to 3'; IUPAC letters are complemented and the case is kept.

    Example:
        >>> reverse_complement("AACGRn")
        'nYCGTT'
    """
    return sequence.translate(_COMPLEMENT)[::-1]


class _Record(NamedTuple):
    """One line of a .fai index: bases, byte offset of the first base, bases and bytes per line."""

    length: int
    offset: int
    bases: int
    width: int


class Fasta:
    r"""Letters of a FASTA file by chromosome and position.

    A compressed file is unpacked once into the cache; the index (.fai, made by pyfaidx) is written beside a plain
    file, or into the cache where that folder is read-only. The file is memory-mapped: reading is safe in threads and
    forked processes, and the object can be sent to others.

    Args:
        path: A FASTA file, plain or compressed by gzip or bgzip.

    Raises:
        FileNotFoundError: No such file.
        ValueError: An empty, truncated or corrupt file, or no FASTA; the text names it.
        OSError: Nowhere to write the unpacked file or the index.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "toy.fa"
        >>> _ = path.write_text(">chr1 a toy\nacgtA\nCC\n")
        >>> toy = Fasta(path)
        >>> toy.lengths, toy.fetch("chr1", 3, 7)
        ({'chr1': 7}, 'TACC')
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()
        if not self.path.is_file():
            raise FileNotFoundError(f"No FASTA file at {self.path}. Check the path, or give the name of a preset.")
        self._plain = _as_plain(self.path)
        self._records = _index(self._plain, self.path)
        self.lengths = {name: record.length for name, record in self._records.items()}
        self._bytes: mmap.mmap | None = None
        self._stamp = _stamp(self._plain)

    def __repr__(self) -> str:
        return f"Fasta({str(self.path)!r}: {len(self.lengths)} sequences, {sum(self.lengths.values()):,} bp)"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_bytes": None}

    def fetch(self, chrom: str, start: int, end: int) -> str:
        """Return upper-case letters of [start, end), 0-based, with N past the ends of the chromosome.

        Raises:
            ValueError: An unknown chromosome (near spellings are listed) or a stretch that lies wholly outside.
        """
        if chrom not in self._records:
            raise errors.unknown("chromosome", chrom, self._records)
        length = self.lengths[chrom]
        if end <= start or end <= 0 or start >= length:
            raise ValueError(
                f"{chrom}:{start:,}-{end:,} holds no base of {chrom}, which runs from 0 to {length:,} in "
                f"{self.path.name}. Give an interval that overlaps it."
            )
        inside = self._letters(chrom, max(start, 0), min(end, length))
        return "N" * max(-start, 0) + inside + "N" * max(end - length, 0)

    def _letters(self, chrom: str, start: int, end: int) -> str:
        record = self._records[chrom]
        first, last = (
            record.offset + position // record.bases * record.width + position % record.bases
            for position in (start, end - 1)
        )
        # One pass: upper case, line ends out.
        return self._map()[first : last + 1].translate(_UPPER, b"\r\n").decode("ascii")

    def _map(self) -> mmap.mmap:
        # Reading past the end of a mapped file that was cut kills the process.
        if _stamp(self._plain) != self._stamp:
            raise ValueError(f"{self.path} was changed after it was opened; open the genome again.")
        if self._bytes is None:
            with self._plain.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._bytes


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _as_plain(path: Path) -> Path:
    """Return an uncompressed file with the same content, made in the cache where need be."""
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise ValueError(f"FASTA file {path} is empty. Fetch or copy it again.")
    packed = head.startswith(b"\x1f\x8b")
    # pyfaidx goes by the suffix, so a plain file that is called .gz is copied under another name.
    if not packed and path.suffix.lower() not in (".gz", ".bgz"):
        _check_start(head, path)
        return path
    target = cache.folder("fasta") / f"{path.name.split('.')[0][:60]}-{cache.fingerprint(path)}.fa"
    if not target.exists():
        _check_end(path, head)
        with cache.atomic(target) as temporary:
            _unpack(path, temporary, packed)
    return target


def _unpack(path: Path, target: Path, packed: bool) -> None:
    size = path.stat().st_size
    bar = tqdm(total=size, unit="B", unit_scale=True, desc=f"Unpacking {path.name}", disable=size < _SHOW_PROGRESS)
    with path.open("rb") as raw, target.open("wb") as output, bar:
        stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # pyright: ignore[reportAssignmentType]
        try:
            chunk = stream.read(_CHUNK)
            _check_start(chunk, path)
            while chunk:
                output.write(chunk)
                bar.update(raw.tell() - bar.n)
                chunk = stream.read(_CHUNK)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"FASTA file {path} is truncated or corrupt: {error}. Fetch or copy it again.") from error


def _check_start(head: bytes, path: Path) -> None:
    text = head.lstrip()
    if not text.startswith((b">", b";")):
        shown = text[:20].decode("ascii", "replace")
        raise ValueError(
            f"{path} is not a FASTA file: it starts with {shown!r}, a FASTA file with '>'. "
            "Give a plain, gzip or bgzip FASTA."
        )


def _check_end(path: Path, head: bytes) -> None:
    """A bgzip file that is cut between two of its blocks unpacks without complaint: look for the end mark."""
    if head[12:14] == b"BC" and head[3:4] == b"\x04":
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - len(_BGZF_END), 0))
            if file.read() != _BGZF_END:
                raise ValueError(f"FASTA file {path} is truncated: the end mark of bgzip is missing. Fetch it again.")


def _index(plain: Path, given: Path) -> dict[str, _Record]:
    beside = plain.with_name(plain.name + ".fai")
    records = _read_index(beside, plain)
    if records is None and not cache.writable(plain.parent):
        beside = cache.folder("fasta") / f"{plain.name[:60]}-{cache.fingerprint(plain)}.fai"
        records = _read_index(beside, plain)
    if records is None:
        with cache.atomic(beside) as temporary:
            try:
                pyfaidx.Faidx(str(plain), indexname=str(temporary)).close()
            except (pyfaidx.FastaIndexingError, ValueError, UnicodeDecodeError) as error:
                raise ValueError(f"FASTA file {given} cannot be read: {error} Mend it or fetch it again.") from error
        records = _read_index(beside, plain)
    if not records or not any(record.length for record in records.values()):
        raise ValueError(f"FASTA file {given} holds no sequence. Fetch or copy it again.")
    return records


def _read_index(path: Path, plain: Path) -> dict[str, _Record] | None:
    """Read a .fai index, or return None where there is none that fits the file."""
    try:
        if path.stat().st_mtime_ns < plain.stat().st_mtime_ns:
            return None
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        records = {name: _Record(*map(int, numbers)) for name, *numbers in rows}
    except (OSError, TypeError, ValueError):
        return None
    # An index that is newer may still belong to other content: the last base must end the file.
    size, end = plain.stat().st_size, max((_end(record) for record in records.values()), default=0)
    return records if end <= size <= end + 64 else None


def _end(record: _Record) -> int:
    if not record.length:
        return record.offset
    lines, rest = divmod(record.length, record.bases)
    return record.offset + lines * record.width + (rest if rest else record.bases - record.width)
