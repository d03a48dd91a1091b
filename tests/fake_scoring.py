"""A cheap scoring function whose numbers follow from the position; importable by other processes."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd

from genomekit.scores import Record, ScorePart, build

IDENTITY = {"scorers": "Mask(dnase); Gene(rna_seq)", "weights_sha256": "a" * 64, "genome": "toy"}


def records(count, *, lost=()):
    """Records at rising positions, of which some came with a reason."""
    rows = [(n, "I", 10 * n + 1, "A", "C") for n in range(count)]
    return [Record(*row, id=f"v{row[0]}", reason="symbolic allele" if row[0] in lost else "") for row in rows]


def score(group):
    """Two scorers: a row per variant, and two genes for every third one."""
    table = pd.DataFrame({"label": ["egg", "gut"], "name": ["egg", "gut"]})
    numbers = np.array([record.number for record in group])
    position = np.array([record.position for record in group])
    raw = np.sin(position[:, None] * [1.0, 0.1])
    genes = pd.DataFrame({"record": np.repeat(numbers[numbers % 3 == 0], 2)})
    genes = genes.assign(gene_id=["g1", "g2"] * (len(genes) // 2), gene_strand=["+", "-"] * (len(genes) // 2))
    parts = [
        ScorePart("Mask(dnase)", "dnase", True, pd.DataFrame({"record": numbers}), table, raw, ref=raw, alt=2 * raw),
        ScorePart("Gene(rna_seq)", "rna_seq", True, genes, table, np.ones((len(genes), 2))),
    ]
    return build(group, parts, {"model": "fake", "weights_sha256": "a" * 64})


def contents(folder):
    """Every file of a job and its bytes; the lock is empty and of no account."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def slow(group):
    """The same, at 20 groups per second."""
    time.sleep(0.05)
    return score(group)


def picky(group):
    """Fails on any group with a record whose number ends in 7, as a scorer with a bug would."""
    for record in group:
        if record.number % 10 == 7:
            raise KeyError(f"gene of record {record.number}")
    return score(group)


class DiesOnce:
    """Kills its own process at the first group it sees, in whatever process that is."""

    def __init__(self, note):
        self.note = str(note)

    def __call__(self, group):
        try:
            Path(self.note).touch(exist_ok=False)
        except FileExistsError:
            return slow(group)
        os.kill(os.getpid(), signal.SIGKILL)


def make_scoring(note):
    """Count how often a process makes its scoring function: one line in a file for each."""
    with open(note, "a") as file:
        file.write(f"{os.getpid()}\n")
    return slow


def without_device():
    """Fail as where there is no such device."""
    raise ValueError("no such device")
