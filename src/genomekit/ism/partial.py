"""Finished parts of a long job on disk, under a key of all that decides its numbers."""

from __future__ import annotations

import hashlib
import shutil
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from genomekit.errors import GenomekitWarning
from genomekit.genome import cache

EVERY = 20.0
"""Seconds of work after which it is written down."""


def content_key(*parts: Any) -> str:
    """Hash texts, numbers and arrays into a key."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


class Partial:
    """Rows of a table of results that are done; a later call with the same key goes on from there.

    Args:
        key: See `content_key`.
        rows: How many there will be.
        enabled: False keeps nothing on disk.
    """

    def __init__(self, key: str, rows: int, enabled: bool = True) -> None:
        self.path: Path | None = None
        self.rows = rows
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._last = time.monotonic()
        if enabled:
            self.path = cache.location() / "ism" / key

    def load(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what is there: (row numbers, values) of each part; damaged parts are left out."""
        found = []
        for path in sorted(self.path.glob("*.npz")) if self.path is not None and self.path.is_dir() else []:
            try:
                # Opened here: a damaged file would else be left open.
                with path.open("rb") as file, np.load(file, allow_pickle=False) as part:
                    rows, values = part["rows"], part["values"]
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                path.unlink(missing_ok=True)
                continue
            if len(rows) == len(values) and (len(rows) == 0 or rows.max() < self.rows):
                found.append((rows, values))
        return found

    def add(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Take finished rows, and write them down when enough work has come together."""
        self._waiting.append((rows, values))
        if time.monotonic() - self._last > EVERY:
            self.flush()

    def flush(self) -> None:
        """Write down what waits; a part appears whole or not at all."""
        self._last = time.monotonic()
        if self.path is None or not self._waiting:
            return
        rows, values = (np.concatenate(column) for column in zip(*self._waiting, strict=True))
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with cache.atomic(self.path / f"{time.time_ns():020d}.npz") as temporary, temporary.open("wb") as file:
                np.savez(file, rows=rows, values=values)
        except OSError as error:
            text = f"Finished parts cannot be kept in {self.path} ({error}); the job goes on without."
            warnings.warn(text, GenomekitWarning, stacklevel=4)
            self.path = None
            return
        self._waiting = []

    def finish(self) -> None:
        """Forget the parts: the result is complete and in the caller's hands."""
        self._waiting = []
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)
