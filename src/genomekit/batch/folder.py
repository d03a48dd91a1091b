"""The folder of a job: one writer at a time, shards that are there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from genomekit.disk import require_zarr
from genomekit.genome.cache import explained
from genomekit.labels import plain_attrs
from genomekit.scores import store
from genomekit.scores.records import AnyRecord, same_as
from genomekit.scores.score_set import ScoreSet
from genomekit.scores.sharded import JOB, SHARDS, read_job, shard_paths

SCHEMA = "genomekit-job-1"
_FILES = {".h5": "scores.save", ".hdf5": "scores.save", **store.WRITERS}
"""Endings that a folder would be misread by, and what writes such a file from a result."""
_PARTIAL = ".partial"
_LOCK = ".lock"
_ROOM = "Choose another folder, or make room there"


class Folder:
    """Where a job puts its shards.

    Args:
        path: The folder; the ending `.zarr` makes it one Zarr store, any other name holds HDF5 files.
        identity: All but the records that decides the numbers: scorers, weights, genome, options; plain strings and
            numbers.
        shard_size: Records of a shard.
        overwrite: Replace shards of other records or another identity; those that fit are kept in any case.
    """

    def __init__(
        self, path: str | os.PathLike[str], identity: Mapping[str, object], shard_size: int, overwrite: bool
    ) -> None:
        self.path = check_folder(path)
        self.identity = plain_attrs(identity)
        self.shard_size = shard_size
        self.overwrite = overwrite
        self.ending = "zarr" if self.path.suffix == ".zarr" else "h5"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder while the job runs; made where it is missing.

        Raises:
            ValueError: It holds another job or something else, and `overwrite` is False.
            RuntimeError: Another process is writing into it.
        """
        if self.path.exists() and not (self.path / JOB).is_file() and any(self._strange()):
            raise ValueError(f"{self.path} holds something else; choose a folder that is empty or not there yet.")
        with explained(self.path, _ROOM):
            (self.path / SHARDS).mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(self.path / _LOCK, timeout=0)
            lock.acquire()
        except Timeout as error:
            raise RuntimeError(
                f"Another process is writing into {self.path}; wait for it, or choose another folder."
            ) from error
        try:
            shutil.rmtree(self.path / _PARTIAL, ignore_errors=True)  # of a process that was killed
            (self.path / _PARTIAL).mkdir()
            self._begin()
            yield
        finally:
            shutil.rmtree(self.path / _PARTIAL, ignore_errors=True)
            lock.release()

    def target(self, number: int, records: Sequence[AnyRecord]) -> Path:
        """Name the shard of these records: a change of anything that decides its content is another name."""
        parts = [(r.number, r.chrom, r.position, r.ref, r.alt, r.id, r.reason, same_as(r)) for r in records]
        text = json.dumps([SCHEMA, self.identity, parts], sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:20]
        return self.path / SHARDS / f"{number:07d}-{key}.{self.ending}"

    def has(self, target: Path) -> bool:
        """Whether a shard is there; makes way for it where another one stands in its place.

        Raises:
            ValueError: Other records or options were scored into its place, and `overwrite` is False.
        """
        if target.exists():
            return True
        for other in (self.path / SHARDS).glob(f"{target.name.split('-')[0]}-*"):
            self._give_way(other)
        return False

    def finish(self, shards: int, records: int, notes: Mapping[str, object]) -> None:
        """Note that the job is complete, and what was noticed of all its records."""
        for path in shard_paths(self.path)[shards:]:
            self._give_way(path)
        self._write_job({"complete": True, "shards": shards, "records": records, "notes": dict(notes)})

    def _begin(self) -> None:
        if (self.path / JOB).is_file():
            before = read_job(self.path)
            old = {**before["identity"], "shard_size": before.get("shard_size")}
            new = {**self.identity, "shard_size": self.shard_size}
            differ = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
            if differ and not self.overwrite:
                name = differ[0]
                raise ValueError(
                    f"{self.path} holds another job, with another {', '.join(differ)} ({name} was {old.get(name)!r}, "
                    f"is {new.get(name)!r}). Choose another folder, or pass overwrite=True."
                )
        self._write_job({"complete": False})
        if self.ending == "zarr":
            import zarr

            zarr.open_group(self.path, mode="a", zarr_format=3).require_group(SHARDS)

    def _write_job(self, state: Mapping[str, object]) -> None:
        job = {"schema": SCHEMA, "identity": self.identity, "shard_size": self.shard_size, **state}
        temporary = self.path / _PARTIAL / JOB  # where nothing stays of a process that is killed
        with explained(self.path, _ROOM):
            temporary.write_text(json.dumps(job, indent=1, sort_keys=True))
            _to_disk(temporary)
            os.replace(temporary, self.path / JOB)

    def _give_way(self, path: Path) -> None:
        if not self.overwrite:
            raise ValueError(
                f"{self.path} holds scores of other records or options ({path.name}). Choose another folder, or pass "
                "overwrite=True, which keeps what still fits."
            )
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _strange(self) -> Iterator[Path]:
        return (path for path in self.path.iterdir() if path.name not in (SHARDS, _LOCK, _PARTIAL, "zarr.json"))


def check_folder(path: str | os.PathLike[str]) -> Path:
    """Check the name of a folder of scores, before anything is computed for it.

    Raises:
        ValueError: It ends like a file of another kind, or is a file.
        ImportError: A Zarr store, and Zarr is not installed.
    """
    folder = Path(path).expanduser()
    ending = folder.suffix.casefold()
    if ending in (".vcf", ".bcf") or folder.name.casefold().endswith(".vcf.gz"):
        raise ValueError(
            f"out={str(path)!r} came: scores go into a folder. An annotated VCF file is named by vcf_out=."
        )
    if ending in _FILES:
        raise ValueError(
            f"out={str(path)!r} is named like a file, and scores go into a folder, shard by shard. Give a folder, such "
            f"as out={str(path)[: -len(ending)]!r}, and make the file of the result: {_FILES[ending]}({str(path)!r})."
        )
    if folder.is_file():
        raise ValueError(f"out={str(path)!r} is a file, and scores go into a folder, shard by shard. Give a folder.")
    if folder.suffix == ".zarr":
        require_zarr()
    return folder


def write_shard(scores: ScoreSet, target: Path) -> None:
    """Write a shard beside its place and move it there; two workers that write the same one do no harm."""
    partial = target.parent.parent / _PARTIAL
    partial.mkdir(exist_ok=True)
    temporary = partial / f"{os.getpid()}-{secrets.token_hex(4)}{target.suffix}"
    with explained(target.parent, _ROOM):
        store.write(temporary, scores.records, scores, scores.attrs)
        if temporary.is_file():
            _to_disk(temporary)
        try:
            os.replace(temporary, target)
        except OSError:
            if not target.is_dir():
                raise
            shutil.rmtree(temporary)  # another worker was first


def _to_disk(file: Path) -> None:
    """Wait until a file is written: a name that outlives a power cut must not stand for an empty one."""
    with file.open("rb") as written:
        os.fsync(written.fileno())
