"""Quantile scores: how a raw score compares with those of a background set of variants."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData

from genomekit import __version__
from genomekit.errors import GenomekitWarning, unknown
from genomekit.genome.cache import atomic
from genomekit.labels import plain_attrs
from genomekit.scores import ecdf
from genomekit.scores.layout import QUANTILE
from genomekit.scores.made_with import compare, made_with
from genomekit.scores.score_set import ScoreSet

_SCHEMA = "genomekit-quantiles-1"


@dataclass(frozen=True)
class Table:
    """The background of one scorer."""

    signed: bool
    curves: Mapping[str, ecdf.Curve]
    """By track label."""


@dataclass(frozen=True)
class Calibrator:
    """Turns raw scores into quantiles of a background, for each scorer and track by itself.

    Unsigned scores get the quantile q in [0, 1], signed ones 2 q - 1 in [-1, 1]. Quantiles never fall as scores grow,
    equal scores share one, and the ends are those the sample can show: 0.5 / (n + 1) from 0 and 1.

    A background is for scores that were made as its own were: `apply` compares what both say of it.

    Args:
        tables: Backgrounds by scorer name.
        about: What made it: model, weights_sha256, organism, parity, window_length, window_step, annotation and its
            release and hash, background, records, genomekit.

    Example:
        >>> import pandas as pd
        >>> from genomekit.scores import Record, ScorePart, build
        >>> def scored(*values):
        ...     rows, track = pd.DataFrame({"record": range(len(values))}), pd.DataFrame({"label": ["gut"]})
        ...     part = ScorePart("S", "atac", False, rows, track, np.array(values)[:, None])
        ...     return build([Record(number, "I", 9, "A", "C") for number in range(len(values))], [part])
        >>> calibrator = Calibrator.fit(scored(0.0, 1.0, 1.0, 2.0), name="four variants")
        >>> calibrator.apply(scored(1.0, 7.0))["S"].layers["quantile"].ravel().tolist()
        [0.5, 0.9]

    Source:
        The convention is that of google-deepmind/alphagenome's quantile scores, whose tables are not published.
    """

    tables: Mapping[str, Table]
    about: Mapping[str, str | int | float] = field(default_factory=dict)

    @classmethod
    def fit(cls, background: Any, *, name: str, points: Any = 1024) -> Calibrator:
        """Learn the distributions of a background: common variants, or any set that scores are to be compared with.

        Args:
            background: Scores of the background, of one scorer (AnnData) or of several (ScoreSet).
            name: What the background is, for the record.
            points: Knots kept for each track; up to so many different scores are kept exactly.

        Raises:
            TypeError: The background is neither.
            ValueError: `points` is below 2, there is no score at all, or the background mixes models or windows.
        """
        if not isinstance(points, int | np.integer) or points < 2:
            raise ValueError(f"points={points!r} came; a distribution needs a whole number of at least 2.")
        given, facts = _parts_of(background)
        made, tables = made_with(facts), {}
        for scorer, table in given.items():
            values = np.asarray(table.X, dtype=np.float64)
            curves = {str(label): ecdf.fit(values[:, at], int(points)) for at, label in enumerate(table.var_names)}
            tables[scorer] = Table(bool(table.uns["signed"]), curves)
        if not any(curve.count for table in tables.values() for curve in table.curves.values()):
            raise ValueError("The background has no score; a calibrator needs at least one.")
        scored = {number for table in given.values() for number in table.obs["record"]}
        about = {**made, "background": name, "records": len(scored), "genomekit": __version__}
        return cls(tables, plain_attrs(about))

    def __repr__(self) -> str:
        facts = ", ".join(f"{key} {value}" for key, value in self.about.items() if value != "")
        lines = [f"Calibrator: {len(self.tables)} scorers ({facts})"]
        for scorer, table in self.tables.items():
            counts = [curve.count for curve in table.curves.values()]
            lines.append(f"{scorer}: {len(counts)} tracks, {min(counts):,} to {max(counts):,} scores each")
        return "\n".join(lines)

    def apply(self, scores: Any) -> ScoreSet:
        """Add the layer `quantile` to every table that has a background.

        Where there is none (another scorer or track) the quantile is NaN; `uns["quantile_reason"]` says why, and one
        warning is given. Another `step` or annotation is a warning too, and `attrs["quantile_note"]`.

        Args:
            scores: Scores of any variants; not changed.

        Raises:
            TypeError: Something else came.
            ValueError: The scores are on another scale than the background: another checkpoint, organism or window, or
                with `parity` and without.
        """
        if not isinstance(scores, ScoreSet):
            raise TypeError(
                f"{type(scores).__name__} came; apply takes a ScoreSet, as Model.score_variants gives. For numbers of "
                "one track there is quantile(scorer, track, numbers)."
            )
        note = compare(self.about, scores.attrs) if any(name in self.tables for name in scores) else ""
        tables = {name: self._applied(name, table) for name, table in scores.items()}
        missing = [f"{n}: {t.uns['quantile_reason']}" for n, t in tables.items() if t.uns.get("quantile_reason")]
        if missing:
            text = f"Some scores have no quantile. {'; '.join(missing)}."
            warnings.warn(text, GenomekitWarning, stacklevel=2)
        attrs = {**scores.attrs, "quantile_background": self.about["background"]}
        attrs.pop("quantile_note", None)
        if note:
            attrs["quantile_note"] = note
            warnings.warn(f"{note}.", GenomekitWarning, stacklevel=2)
        return ScoreSet(scores.records, tables, attrs)

    def quantile(self, scorer: object, track: str, scores: Any) -> np.ndarray:
        """Give the quantiles of raw scores of one track.

        Raises:
            ValueError: The scorer or track has no background.
        """
        if str(scorer) not in self.tables:
            raise unknown("scorer of the background", scorer, self.tables)
        table = self.tables[str(scorer)]
        if track not in table.curves:
            raise unknown("track of the background", track, table.curves)
        quantile = ecdf.evaluate(table.curves[track], np.asarray(scores, dtype=np.float64))
        return 2 * quantile - 1 if table.signed else quantile

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as one `.npz` file, for `Calibrator.open`; a file that is there is replaced.

        Raises:
            FileNotFoundError: The folder does not exist.
            IsADirectoryError: A folder has that name.
        """
        target = Path(path)
        if not target.parent.is_dir():
            raise FileNotFoundError(f"The folder {target.parent} does not exist; create it first.")
        if target.is_dir():
            raise IsADirectoryError(f"{target} is a folder; name a file in it, such as {target / 'background.npz'}.")
        arrays: dict[str, np.ndarray] = {}
        scorers = []
        for number, (name, table) in enumerate(self.tables.items()):
            curves = list(table.curves.values())
            arrays[f"values_{number}"] = np.concatenate([curve.values for curve in curves]).astype(np.float32)
            arrays[f"quantiles_{number}"] = np.concatenate([curve.quantiles for curve in curves])
            scorers.append(
                {
                    "scorer": name,
                    "signed": table.signed,
                    "tracks": list(table.curves),
                    "knots": [len(curve.values) for curve in curves],
                    "counts": [curve.count for curve in curves],
                }
            )
        meta = json.dumps({"schema": _SCHEMA, "about": dict(self.about), "scorers": scorers})
        with atomic(target) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, meta=np.array(meta), **arrays)  # type: ignore[arg-type]
        return target

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Calibrator:
        """Read a saved calibrator.

        Raises:
            FileNotFoundError: Nothing is there.
            ValueError: The file is damaged, or of another kind or version.
        """
        _check_kind(Path(path))
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                meta = json.loads(str(arrays["meta"]))
                if meta["schema"] != _SCHEMA:
                    raise ValueError(f"its schema is {meta['schema']!r}, expected {_SCHEMA!r}")
                tables = {}
                for number, facts in enumerate(meta["scorers"]):
                    ends = np.cumsum(facts["knots"])[:-1]
                    columns = [np.split(arrays[f"{name}_{number}"], ends) for name in ("values", "quantiles")]
                    values = columns[0], columns[1], facts["counts"]
                    curves = [ecdf.Curve(v.astype(np.float64), q, n) for v, q, n in zip(*values, strict=True)]
                    tables[facts["scorer"]] = Table(facts["signed"], dict(zip(facts["tracks"], curves, strict=True)))
        except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            why = error.args[0] if isinstance(error, KeyError) else error
            raise ValueError(
                f"{path} cannot be read as a calibrator ({why}); it is damaged, or another file or version. Make it "
                "again with Calibrator.fit(...).save(path)."
            ) from error
        return cls(tables, meta["about"])

    def _applied(self, name: str, table: AnnData) -> AnnData:
        done = table.copy()
        done.layers.pop(QUANTILE, None)
        done.uns.pop("quantile_reason", None)
        reason = "" if name in self.tables else "no background for this scorer"
        if not reason:
            known = self.tables[name].curves
            quantile = np.full(table.shape, np.nan, dtype=np.float32)
            absent = []
            for at, label in enumerate(table.var_names):
                if label in known and known[label].count:
                    quantile[:, at] = self.quantile(name, label, np.asarray(table.X)[:, at])
                else:
                    absent.append(label)
            done.layers[QUANTILE] = quantile
            done.uns["quantile_background"] = self.about["background"]
            if absent:
                first = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
                reason = f"no background for {len(absent)} of {table.n_vars} tracks ({first})"
        if reason:
            done.uns["quantile_reason"] = reason
        return done


def _parts_of(background: Any) -> tuple[Mapping[str, AnnData], Mapping[str, Any]]:
    """Return the tables of a background, and what it says of itself."""
    if isinstance(background, ScoreSet):
        return background, background.attrs
    if isinstance(background, AnnData) and {"scorer", "signed"} <= set(background.uns):
        return {str(background.uns["scorer"]): background}, background.uns
    raise TypeError(
        f"{type(background).__name__} came as a background; give a ScoreSet, as Model.score_variants gives, or one of "
        "its tables."
    )


def _check_kind(path: Path) -> None:
    """Refuse what was never a calibrator; NumPy would speak of something else."""
    if not path.exists():
        raise FileNotFoundError(f"There is no calibrator at {path}.")
    what = "a folder"
    if path.is_file():
        with path.open("rb") as file:
            what = "" if file.read(2) == b"PK" else "a file of another kind"
    if what:
        raise ValueError(
            f"{path} is not a calibrator but {what}; a calibrator is an .npz file that Calibrator.save wrote. (Saved "
            "scores are opened with genomekit.open.)"
        )
