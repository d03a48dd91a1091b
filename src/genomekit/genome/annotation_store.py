"""Keep a parsed annotation in the cache as Parquet, so that only the first opening reads the text."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import pandas as pd
import pyarrow as pa

from genomekit.errors import GenomekitWarning
from genomekit.genome import cache
from genomekit.genome.gene_tables import GeneTables
from genomekit.genome.gtf import read_annotation

_FORMAT = 1  # raise it when the columns of GeneTables change: older stores are then parsed anew


def load(path: str | Path) -> GeneTables:
    """Return the tables of a GTF or GFF3 file, from the cache where it has been parsed before.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is malformed or truncated.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"No annotation file at {path}. Check the path.")
    name = f"{path.name.split('.gtf')[0].split('.gff')[0][:60]}-{cache.fingerprint(path, _FORMAT)}"
    stored = cache.location() / "annotation" / name
    tables = _read(stored)
    if tables is None:
        tables = read_annotation(path)
        try:
            _write(tables, stored)
        except OSError as error:
            # Parsing again next time is slow, not wrong.
            warnings.warn(f"The parsed {path.name} is not kept for next time. {error}", GenomekitWarning, stacklevel=3)
    return tables


def _read(folder: Path) -> GeneTables | None:
    if not folder.is_dir():
        return None
    try:
        return GeneTables(**{name: pd.read_parquet(folder / f"{name}.parquet") for name in GeneTables._fields})
    except (OSError, pa.ArrowInvalid, TypeError):
        return None


def _write(tables: GeneTables, folder: Path) -> None:
    """Write all tables or none: a folder appears under its name only when it is whole."""
    parent = cache.folder(folder.parent.name)
    with cache.explained(parent):
        temporary = cache.temporary_name(folder)
        temporary.mkdir()
        try:
            for name, table in tables._asdict().items():
                table.to_parquet(temporary / f"{name}.parquet", index=False)
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
