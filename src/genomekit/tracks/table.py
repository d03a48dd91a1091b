"""`TrackTable`: what each channel of each head means, and selection by that meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genomekit.errors import unknown
from genomekit.tracks.modality import Modality
from genomekit.tracks.schema import COLUMNS, complete, from_columns, to_columns
from genomekit.tracks.select import find_modality, find_organism, select
from genomekit.tracks.show import as_html, as_text


class TrackTable:
    """One row per real track of a model, padding never among them.

    Organisms and widths describe the head tensors, so a selection keeps them: an organism's place in `organisms` is
    its index in the network whichever tracks are selected.

    Args:
        frame: Rows with at least organism, modality, channel (index in the head tensor, 0-based, padding counted)
            and name. The other columns of `COLUMNS` are completed: strand ".", label, partner (the channel to swap
            with on reverse complement), missing text "" and missing numbers NaN. `genetically_modified` is the text
            "True", "False" or "". Splice junctions have one row per channel, + strand first.
        modalities: Name to `Modality`, in the order to keep.
        organisms: All organisms of the model, in network order.
        widths: Modality name to number of channels of its head, padding included.

    Raises:
        ValueError: Rows, names, channels or partners do not fit together.

    Example:
        >>> from genomekit.tracks import MODALITIES
        >>> rows = pd.DataFrame({"organism": ["worm"], "modality": ["atac"], "channel": [0], "name": ["embryo ATAC"]})
        >>> table = TrackTable(rows, modalities=MODALITIES, organisms=["worm", "yeast"], widths={"atac": 4})
        >>> len(table), list(table.modalities), table.frame["label"].tolist()
        (1, ['atac'], ['embryo ATAC'])
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        modalities: Mapping[str, Modality],
        organisms: Sequence[str],
        widths: Mapping[str, int],
    ) -> None:
        if not organisms or len(set(organisms)) != len(organisms) or isinstance(organisms, str):
            raise ValueError(f"Organisms are {organisms!r}; give a list of distinct names in network order.")
        for name, modality in modalities.items():
            if name != modality.name:
                raise ValueError(f"Modality {modality.name!r} is listed under {name!r}; list it under its own name.")
        rows = complete(frame, modalities=list(modalities), organisms=organisms, widths=widths)
        self._set(rows, modalities, tuple(organisms), widths)

    def _set(
        self,
        rows: pd.DataFrame,
        modalities: Mapping[str, Modality],
        organisms: tuple[str, ...],
        widths: Mapping[str, int],
    ) -> None:
        present = set(rows["modality"])
        self._rows = rows
        self._modalities = {name: modality for name, modality in modalities.items() if name in present}
        self._organisms = organisms
        self._widths = {name: int(widths[name]) for name in self._modalities}

    @property
    def frame(self) -> pd.DataFrame:
        """The rows, as a copy: columns `COLUMNS`, ordered by organism, modality and channel."""
        return self._rows.copy()

    @property
    def modalities(self) -> dict[str, Modality]:
        """Name to `Modality` of those with at least one track here."""
        return dict(self._modalities)

    @property
    def organisms(self) -> tuple[str, ...]:
        """The organisms of the model, in network order, whether or not they have tracks here."""
        return self._organisms

    @property
    def widths(self) -> dict[str, int]:
        """Modality name to number of channels of its head, padding included."""
        return dict(self._widths)

    def select(
        self,
        *,
        organism: str | Sequence[str] | None = None,
        modalities: str | Modality | Sequence[str | Modality] | None = None,
        tracks: TrackTable | pd.DataFrame | str | Iterable[str] | None = None,
        ontology: str | Sequence[str] | None = None,
        biosample: str | Sequence[str] | None = None,
        transcription_factor: str | Sequence[str] | None = None,
        histone_mark: str | Sequence[str] | None = None,
        assay: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        strand: str | Sequence[str] | None = None,
        search: str | Sequence[str] | None = None,
    ) -> TrackTable:
        """Keep the tracks that satisfy every criterion given; of a list of values, any one is enough.

        Case never matters. `ontology` and `biosample` both take a CURIE (zero padding optional) or a whole biosample
        name. They do not apply to splice-site classes, which belong to no biosample and are kept (as in the
        published model's own client); leave that modality out of `modalities` to be without them.

        Args:
            organism: Name of an organism.
            modalities: Modality names, e.g. "rna_seq".
            tracks: Another table's tracks, or labels or names; text that is neither is searched for.
            ontology: CURIE such as "UBERON:0002107", or a biosample name.
            biosample: Biosample name such as "liver", or a CURIE.
            transcription_factor: Target of TF ChIP-seq, e.g. "CTCF".
            histone_mark: Target of histone ChIP-seq, e.g. "H3K27ac".
            assay: Assay title, e.g. "polyA plus RNA-seq".
            name: Track name or label, whole.
            strand: "+", "-" or "." (unstranded).
            search: Words, as in `search`.

        Returns:
            The selected tracks in table order; never empty.

        Raises:
            ValueError: A value is unknown (near matches are listed), or nothing is left (the criterion that emptied
                the selection is named).

        Example:
            >>> from genomekit.tracks import published
            >>> chosen = published().select(organism="human", modalities=["dnase", "cage"], biosample="liver")
            >>> chosen.frame["label"].tolist()
            ['UBERON:0002107 DNase-seq', 'hCAGE UBERON:0002107 +', 'hCAGE UBERON:0002107 -']
        """
        criteria = {
            "organism": organism,
            "modalities": modalities,
            "tracks": tracks,
            "ontology": ontology,
            "biosample": biosample,
            "transcription_factor": transcription_factor,
            "histone_mark": histone_mark,
            "assay": assay,
            "name": name,
            "strand": strand,
            "search": search,
        }
        rows = select(self._rows, criteria, modalities=self._modalities, organisms=self._organisms)
        chosen = object.__new__(TrackTable)
        chosen._set(rows, self._modalities, self._organisms, self._widths)
        return chosen

    def search(self, text: str) -> TrackTable:
        """Keep the tracks in which every word of the text occurs, in any case.

        Looked through are name, modality, biosample name, CURIE, assay, transcription factor, histone mark, GTEx
        tissue and data source.

        Raises:
            ValueError: A word occurs nowhere (near matches are listed), or no track has all of them.

        Example:
            >>> from genomekit.tracks import published
            >>> published().search("k562 h3k27ac").frame["label"].tolist()
            ['EFO:0002067 Histone ChIP-seq H3K27ac']
        """
        return self.select(search=text)

    def coverage(self, by: str = "biosample_name") -> pd.DataFrame:
        """Count the tracks of each modality per biosample: which assays exist for it.

        Args:
            by: Column whose values are the rows, e.g. "ontology_curie" or "transcription_factor".

        Returns:
            Counts, one column per modality; the values with most tracks first. Tracks without a value are left out.

        Raises:
            ValueError: There is no such column.

        Example:
            >>> from genomekit.tracks import published
            >>> published("human").coverage().loc["liver", ["dnase", "cage", "procap"]].tolist()
            [1, 2, 0]
        """
        if by not in COLUMNS:
            raise unknown("track column", by, COLUMNS)
        rows = self._rows[self._rows[by] != ""]
        counts = pd.crosstab(rows[by], rows["modality"])
        counts = counts.reindex(columns=list(self._modalities), fill_value=0)
        order = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
        counts = counts.loc[order]
        counts.columns.name = None
        return counts

    def rows(self, modality: str, organism: str) -> pd.DataFrame:
        """Give the tracks of one modality and organism in channel order; no rows where there are none.

        Raises:
            ValueError: The modality or organism is unknown.
        """
        modality, organism = find_modality(modality, self._modalities), find_organism(organism, self._organisms)
        chosen = (self._rows["modality"] == modality) & (self._rows["organism"] == organism)
        return self._rows[chosen].reset_index(drop=True)

    def channels(self, modality: str, organism: str) -> np.ndarray:
        """Give the indices of the tracks in the head tensor, int64, ascending, in the order of `rows`."""
        return self.rows(modality, organism)["channel"].to_numpy(dtype=np.int64, copy=True)

    def means(self, modality: str) -> np.ndarray:
        """Give the scaling constants of a head, float32 of shape (organisms, width).

        NaN at channels without a track here; 1 where a track has none, and throughout for an organism that has no
        track of this modality, as in the published model (mouse PRO-cap).

        Raises:
            ValueError: The modality is unknown.
        """
        modality = find_modality(modality, self._modalities)
        means = np.ones((len(self._organisms), self._widths[modality]), dtype=np.float32)
        for row, organism in zip(means, self._organisms, strict=True):
            tracks = self.rows(modality, organism)
            if len(tracks):
                row[:] = np.nan
                row[tracks["channel"]] = tracks["nonzero_mean"].fillna(1.0)
        return means

    def partners(self, modality: str, organism: str) -> np.ndarray:
        """Give the order of channels that undoes a reverse complement, int64 of shape (width,).

        `reversed_prediction[..., partners]` has + and - tracks swapped. Padding stays in place, except that the two
        strand halves of a junction head swap whole, as in the published model.

        Raises:
            ValueError: The modality or organism is unknown.
        """
        tracks = self.rows(modality, organism)
        modality = find_modality(modality, self._modalities)
        width = self._widths[modality]
        order = np.arange(width, dtype=np.int64)
        if self._modalities[modality].head_kind == "splice_junction":
            order = np.roll(order, width // 2)
        # Both ways, because a selection may hold one strand only.
        order[tracks["channel"]] = tracks["partner"]
        order[tracks["partner"]] = tracks["channel"]
        return order

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON-able values, column by column, for a checkpoint.

        Example:
            >>> from genomekit.tracks import published
            >>> liver = published().search("liver")
            >>> TrackTable.from_dict(liver.to_dict()) == liver
            True
        """
        return {
            "organisms": list(self._organisms),
            "modalities": [modality.to_dict() for modality in self._modalities.values()],
            "widths": self.widths,
            "length": len(self),
            "columns": to_columns(self._rows),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> TrackTable:
        """Rebuild a table from `to_dict`.

        Raises:
            ValueError: A part is missing or does not fit.
        """
        try:
            modalities = [Modality.from_dict(entry) for entry in fields["modalities"]]
            organisms, widths = fields["organisms"], fields["widths"]
            columns, length = fields["columns"], fields["length"]
        except KeyError as error:
            raise ValueError(f"The track table lacks {error}; it needs what TrackTable.to_dict gives.") from error
        named = {modality.name: modality for modality in modalities}
        return cls(from_columns(columns, length), modalities=named, organisms=organisms, widths=widths)

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TrackTable):
            return NotImplemented
        mine = (self._organisms, list(self._modalities.items()), self._widths)
        theirs = (other._organisms, list(other._modalities.items()), other._widths)
        return mine == theirs and self._rows.equals(other._rows)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return as_text(self._rows, list(self._modalities), self._organisms)

    def _repr_html_(self) -> str:
        return as_html(self._rows, list(self._modalities), self._organisms)
