"""Files and folders that stand under their name whole or not at all."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def require_zarr() -> None:
    """Say what to install where Zarr is absent.

    Raises:
        ImportError: Zarr is not installed.
    """
    if importlib.util.find_spec("zarr") is None:
        raise ImportError(
            "Zarr is not installed; run `pip install 'genomekit-torch[batch]'`, or choose a path of another ending."
        )


@contextlib.contextmanager
def beside(target: Path, ending: str) -> Iterator[Path]:
    """Give a temporary path on the target's own disk, so that the final rename is atomic; always cleaned up."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except PermissionError as error:
        raise PermissionError(f"The folder {target.parent} cannot be written; choose another one.") from error
    try:
        yield folder / f"part.{ending}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move(temporary: Path, target: Path) -> None:
    """Put a finished file or folder under its name, in place of what is there."""
    if target.is_dir():  # a folder cannot be replaced in one step: the old one steps aside first
        aside = temporary.parent / "replaced"
        target.rename(aside)
        try:
            temporary.rename(target)
        except OSError:
            aside.rename(target)
            raise
    else:
        os.replace(temporary, target)


def sizes(store: Path) -> dict[str, int]:
    """Give the size of every file of a Zarr store but the root's metadata, which holds this list.

    Without it a lost chunk looks like one that was left out as empty.
    """
    files = {path.relative_to(store).as_posix(): path for path in store.rglob("*") if path.is_file()}
    return {name: files[name].stat().st_size for name in sorted(files) if name != "zarr.json"}


def check_sizes(store: Path, expected: dict[str, int]) -> None:
    """Compare the files of a store with the list it was written with.

    Raises:
        ValueError: A file is missing or has another size.
    """
    found = sizes(store)
    wrong = [name for name, size in expected.items() if found.get(name) != size]
    if wrong:
        raise ValueError(
            f"{store} is damaged: {len(wrong)} of {len(expected)} files are missing or have another size, first "
            f"{wrong[0]}. Copy the whole folder again."
        )
