"""ScoreSet: the scores of variants by all scorers, and what became of every record."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from anndata import AnnData

from genomekit import errors
from genomekit.errors import GenomekitWarning
from genomekit.labels import plain_attrs
from genomekit.scores import merge, show, store, summary, tidy
from genomekit.scores.layout import ScorePart, common, join, renumbered, table_of, together
from genomekit.scores.records import AnyRecord, record_table

if TYPE_CHECKING:
    from genomekit.accessors.scores import ScoresAccessor


class UnknownScorer(KeyError):
    """There are no scores of that name; unlike that of a plain KeyError the text is shown as it is."""

    def __str__(self) -> str:
        return str(self.args[0])


class ScoreSet(Mapping[str, AnnData]):
    """Scores of variants: for each scorer a table of (variant, gene or junction) by track.

    A mapping of scorer names to AnnData: `X` is the raw score, NaN where a track does not apply; layers `ref` and `alt`
    are the level of each allele, `quantile` is there after `Calibrator.apply`; `obs` says which record, variant, gene
    and junction a row is about, `var` describes the tracks, `uns` holds plain strings and numbers. A scorer object
    serves as the key as well as its name, and so does what stands for one scorer alone: the short name by which it was
    asked for ("rna_seq_active"), its modality, or its class. `.gk.plot()` draws them, as it does any result.

    Args:
        records: One row per record; see `genomekit.scores.record_table`.
        tables: AnnData by scorer.
        attrs: With what the scores were made.

    Attributes:
        records: Exactly one row per record that came in: record, variant, chrom, position (1-based), ref, alt, id,
            window, status ("ok", "skipped", "failed") and reason.
        attrs: With what the scores were made: plain strings and numbers.

    Example:
        >>> import numpy as np
        >>> from genomekit.scores import Record, ScorePart, build
        >>> part = ScorePart(
        ...     "Mean(dnase)",
        ...     "dnase",
        ...     True,
        ...     obs=pd.DataFrame({"record": [0]}),
        ...     var=pd.DataFrame({"label": ["egg", "gut"]}),
        ...     raw=np.array([[0.5, -2.0]]),
        ... )
        >>> scores = build([Record(0, "chrV", 123, "A", "G")], [part], {"model": "toy"})
        >>> scores["Mean(dnase)"].X.tolist()
        [[0.5, -2.0]]
        >>> scores.to_frame()[["variant", "track_name", "raw_score"]].values.tolist()
        [['chrV:123:A>G', 'egg', 0.5], ['chrV:123:A>G', 'gut', -2.0]]
    """

    if TYPE_CHECKING:
        gk: ScoresAccessor  # set by genomekit.accessors, which lies above

    def __init__(
        self, records: pd.DataFrame, tables: Mapping[str, AnnData], attrs: Mapping[str, object] | None = None
    ) -> None:
        self.records = records
        self._tables = tables
        self.attrs = plain_attrs(attrs or {})

    def __getitem__(self, scorer: object) -> AnnData:
        return self._tables[self._key(scorer)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __contains__(self, scorer: object) -> bool:
        try:
            self._key(scorer)
        except UnknownScorer:
            return False
        return True

    def _key(self, scorer: object) -> str:
        """Return the name of the one scorer that is meant.

        Raises:
            UnknownScorer: There is none, or several.
        """
        name = str(scorer)
        if name in self._tables:
            return name
        facts = show.facts_of(self._tables)
        for stands_for in (
            [one["scorer"] for one in facts if one.get("name") == name],
            [one["scorer"] for one in facts if one["modality"] == name],
            [one["scorer"] for one in facts if one["scorer"].partition("(")[0] == name],
        ):
            if len(stands_for) == 1:
                return stands_for[0]
            if stands_for:
                listed = "; ".join(stands_for)
                raise UnknownScorer(f"{name!r} stands for {len(stands_for)} scorers. Give the name of one: {listed}.")
        raise UnknownScorer(str(errors.unknown("scorer", name, self._tables)))

    def __repr__(self) -> str:
        return show.as_text(self.records, self._tables)

    def _repr_html_(self) -> str:
        return show.as_html(self.records, self._tables)

    @property
    def scorers(self) -> pd.DataFrame:
        """One row per scorer: modality, signed, rows, tracks, what a row is about, layers and scorer."""
        return show.table_of_tables(self._tables)

    @classmethod
    def concat(cls, sets: Sequence[ScoreSet]) -> ScoreSet:
        """Put sets of different records together, in their order.

        Where they are of several calls, which number records from 0 each, the records are numbered anew, with a
        warning.

        Raises:
            ValueError: Nothing came, a record is in two sets, or one scorer has different tracks.
        """
        if not sets:
            raise ValueError("No set of scores came; give at least one.")
        sets = _numbered_apart(sets)
        # Sets without records have columns of no type.
        full = [one.records for one in sets if len(one.records)] or [sets[0].records]
        records = record_table(pd.concat(full, ignore_index=True))
        names = dict.fromkeys(name for one in sets for name in one)
        tables = {name: join([one[name] for one in sets if name in one]) for name in names}
        return cls(records, tables, common([one.attrs for one in sets]))

    def to_frame(self) -> pd.DataFrame:
        """Write all scores as one tidy table, one row per (variant, gene, junction or mask, track, scorer).

        Rows whose gene and track lie on different strands are left out; tracks without a strand stay. Records without
        scores have no row here; `records` says why.

        Returns:
            Columns record, variant, chrom, position (1-based), ref, alt, id; gene_id, gene_name, gene_type,
            gene_strand, junction_start, junction_end (0-based half-open), junction_strand ("" or missing where they
            do not apply); columns of single scorers (mask, mask_start, mask_end, num_polya_sites, those of your own)
            where there are any; modality, scorer; track_name, track_strand and what is known of the track; raw_score,
            ref_score, alt_score (level of each allele) and quantile_score, NaN where there is none.
        """
        return tidy.to_frame(self.records, self)

    def merge_stranded(self) -> ScoreSet:
        """Merge the + and - tracks of a name: each gene keeps the one of its strand.

        Tables whose rows have no gene stay as they are. A track without a strand that has the name of a stranded
        one is left out.
        """
        tables = {name: merge.merge_stranded(table) for name, table in self.items()}
        return ScoreSet(self.records, tables, self.attrs)

    def summarize(self, n: Any = 3) -> pd.DataFrame:
        """List the strongest tracks of each variant, by modality, scorer and gene (or mask).

        Args:
            n: Tracks of each, a whole number.

        Returns:
            Rows by record and rank, ordered by quantile where there is one, else by raw score, both without sign:
            record, variant, modality, gene_id, gene_name, junction, track_name, track_strand, biosample_name,
            raw_score, quantile_score, scorer and rank; before the tracks what else names rows, such as mask.

        Raises:
            ValueError: `n` is no whole number, or below 1.
        """
        return summary.summarize(self, n)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save as `.h5` (one HDF5 file) or `.zarr` (one folder), for `gk.open`.

        Each scorer's table lies in the file as AnnData writes it. The target appears only when it is complete.

        Args:
            path: Where; the ending chooses the format.
            overwrite: Replace a result that is already there.

        Raises:
            ValueError: An unknown ending.
            FileExistsError: The target exists and `overwrite` is False.
            ImportError: Zarr is asked for and not installed.
        """
        return store.save(self.records, self, self.attrs, path, overwrite=overwrite)


def _numbered_apart(sets: Sequence[ScoreSet]) -> Sequence[ScoreSet]:
    """Number the records of each set on from those of the one before, where numbers came twice."""
    every = pd.concat([one.records[["record", "variant"]] for one in sets])
    if not every["record"].duplicated().any():
        return sets
    if len(twice := every[every.duplicated()]):
        number, variant = twice.iloc[0]
        raise ValueError(
            f"Record {number} ({variant}) is in two sets; each record may come once. Scores of one record by several "
            "scorers come of one call: scorers=[...]."
        )
    text = "The sets number their records alike; the records are numbered anew, in the order of the sets."
    warnings.warn(text, GenomekitWarning, stacklevel=3)
    apart, first = [], 0
    for one in sets:
        if len(one.records):
            shift = first - int(one.records["record"].min())
            records = one.records.assign(record=one.records["record"] + shift)
            tables = {name: renumbered(table, shift) for name, table in one.items()}
            one = ScoreSet(records, tables, one.attrs)
            first = int(records["record"].max()) + 1
        apart.append(one)
    return apart


def build(
    records: pd.DataFrame | Iterable[AnyRecord], parts: Iterable[ScorePart], attrs: Mapping[str, object] | None = None
) -> ScoreSet:
    """Make a set of scores from what scorers hand over.

    Args:
        records: Every record that came, scored or not: a table as from `record_table`, or records.
        parts: What scorers say; several parts of one scorer are put under one another.
        attrs: With what the scores were made: plain strings and numbers.

    Raises:
        ValueError: Shapes, records or tracks that do not fit.
    """
    table = record_table(records)
    variants = dict(zip(table["record"].tolist(), table["variant"], strict=True))
    by_scorer: dict[str, list[ScorePart]] = {}
    for part in parts:
        by_scorer.setdefault(part.scorer, []).append(part)
    tables = {name: table_of(together(same), variants, attrs or {}) for name, same in by_scorer.items()}
    return ScoreSet(table, tables, attrs)
