"""The one folder where genomekit keeps what it downloads or derives, and clear words when it cannot write there."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pooch

VARIABLE = "GENOMEKIT_CACHE"
_ADVICE = f"Free some space or set the environment variable {VARIABLE} to a folder you may write in"
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EEXIST: "a file stands where the folder should be",
    errno.ENOENT: "the folder cannot be made",
}


def location() -> Path:
    """Return the cache folder, whether it exists yet or not.

    The environment variable GENOMEKIT_CACHE names it; otherwise it is the usual place of the platform
    (Linux: ~/.cache/genomekit).
    """
    given = os.environ.get(VARIABLE, "").strip()
    return Path(given).expanduser().absolute() if given else Path(pooch.os_cache("genomekit"))


def folder(*parts: str) -> Path:
    """Return a folder inside the cache and make it where it is missing.

    Raises:
        OSError: It cannot be made; the text names the folder and the environment variable.
    """
    path = location().joinpath(*parts)
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def explained(path: Path | str, advice: str = _ADVICE) -> Iterator[None]:
    """Turn an OSError of the kinds "full" or "not writable" into one that says what to do.

    The class and `errno` stay what they were, so PermissionError remains PermissionError.

    Args:
        path: What is written.
        advice: What to do.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        # A file that is missing while it is read is the business of the reader, not of the folder.
        elsewhere = error.errno == errno.ENOENT and not str(path).startswith(str(error.filename))
        if reason is None or elsewhere:
            raise
        raise OSError(
            error.errno,
            f"Cannot write in {path}: {reason}. {advice}",
        ) from error


def require_space(folder: Path, needed: int) -> None:
    """Refuse a write that may not fit on the disk, before a library that crashes on a full disk starts it.

    Args:
        folder: Where it is to be written; its nearest existing parent is looked at.
        needed: Bytes, at most.

    Raises:
        OSError: ENOSPC, with the bytes there are and the bytes needed.
    """
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"Up to {needed / 1e6:,.1f} MB are to be written in {folder}, where {free / 1e6:,.1f} MB are free. Free "
            "some space, choose another folder, or write less (a region, some tracks)",
        )


@contextmanager
def atomic(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`, not there yet, which takes its name only if the block succeeds.

    Readers never see half a file, two processes that write the same file do not disturb each other, and an
    interrupted write leaves nothing behind.

    Raises:
        OSError: The folder cannot be written (explained).

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "note.txt"
        >>> with atomic(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    with explained(target.parent):
        temporary = temporary_name(target)
        try:
            yield temporary
            os.replace(temporary, target)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()


def temporary_name(target: Path) -> Path:
    """Return a name beside `target` that nobody else uses (tempfile would make the file private to this user)."""
    return target.with_name(f".{target.name[:80]}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def fingerprint(path: Path, *salt: object) -> str:
    """Return 16 hex digits that change with the file (resolved path, time of change, size) or the salt."""
    facts = path.stat()
    text = "\n".join(map(str, (path.resolve(), facts.st_mtime_ns, facts.st_size, *salt)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def writable(path: Path) -> bool:
    """Whether files can be made in a folder, found out by making one.

    Permission bits are no answer on read-only mounts, network disks or for the superuser.
    """
    try:
        with tempfile.TemporaryFile(dir=path):
            return True
    except OSError:
        return False
