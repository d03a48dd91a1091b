"""The room that scores take on disk, measured on a shard that is written for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from genomekit.scores import store
from genomekit.scores.score_set import ScoreSet

_MOST = 256
"""Records of the shard; what comes once for all of them hardly counts beyond."""
_NUMBERS = 2**26
"""Bytes of numbers in it, at most; beside more of them nothing else counts."""


def bytes_each(scores: ScoreSet, shard_size: int, ending: str) -> float:
    """Measure what a record takes in shards of so many, from a sample of them.

    A shard of the sample alone would mostly be what comes once for all. So it is filled with repetitions, and as
    repeated numbers would compress too well, every one is changed.

    Args:
        scores: Of one record or more.
        shard_size: Records of a shard.
        ending: "h5" or "zarr".
    """
    numbers = sum(4 * table.n_obs * table.n_vars * (1 + len(table.layers)) for table in scores.values())
    copies = min(min(shard_size, _MOST) // len(scores.records), _NUMBERS // max(numbers, 1))
    filled = _repeated(scores, max(copies, 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"shard.{ending}"
        store.write(path, filled.records, filled, filled.attrs)
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        return sum(file.stat().st_size for file in files) / len(filled.records)


def _repeated(scores: ScoreSet, copies: int) -> ScoreSet:
    draw, step = np.random.default_rng(0), int(scores.records["record"].max()) + 1

    def frame(one: pd.DataFrame) -> pd.DataFrame:
        nth = np.repeat(np.arange(copies), len(one))
        many = one.iloc[np.tile(np.arange(len(one)), copies)]
        variants = [f"{text}{number}" for text, number in zip(many["variant"], nth, strict=True)]
        labels = pd.Index([f"{number} {text}" for text, number in zip(many.index, nth, strict=True)], dtype=object)
        return many.assign(record=many["record"] + step * nth, variant=variants).set_axis(labels)

    def values(one: np.ndarray) -> np.ndarray:
        shape = (copies * len(one), one.shape[1])
        return np.tile(one, (copies, 1)) * draw.uniform(0.5, 2, shape).astype(np.float32)

    tables = {}
    for name, table in scores.items():
        layers = {key: values(np.asarray(layer)) for key, layer in table.layers.items()}
        one = AnnData(
            values(np.asarray(table.X)), obs=frame(table.obs), var=table.var, uns=dict(table.uns), layers=layers
        )
        tables[name] = one
    return ScoreSet(frame(scores.records).reset_index(drop=True), tables, scores.attrs)
