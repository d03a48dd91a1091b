"""The `.gk` accessor of scores: of a `ScoreSet`, its AnnData and its tidy table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import pandas as pd

from genomekit.scores import ScoreSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ScoresAccessor:
    """`.gk` of scores of variants.

    Example:
        >>> table = pd.DataFrame({"variant": ["chr1:5:A>G", "chr1:9:C>T"], "raw_score": [0.5, -2.0]})
        >>> [axes.get_ylabel() for axes in table.gk.plot().axes]
        ['raw score']
    """

    def __init__(self, scores: Any) -> None:
        self._scores = scores

    def plot(self, **options: Any) -> Figure:
        """Draw the scores: along the genome, and as heat maps by modality or track.

        Scores of different units have axes of their own. The options are those of `genomekit.plot.figure`.

        Raises:
            ValueError: A table without scores.
        """
        from genomekit.plot import figure  # matplotlib loads only for those who draw

        return figure(self._scores, **options)


class AnnDataAccessor(ScoresAccessor):
    """`.gk` of the scores of one scorer."""

    def __init__(self, adata: anndata.AnnData) -> None:
        super().__init__(adata)


# ScoreSet lies below what draws it, as AnnData and DataFrame do.
ScoreSet.gk = property(ScoresAccessor)  # type: ignore[attr-defined]
pd.api.extensions.register_dataframe_accessor("gk")(ScoresAccessor)
if hasattr(anndata, "register_anndata_namespace"):  # since anndata 0.12
    anndata.register_anndata_namespace("gk")(AnnDataAccessor)
