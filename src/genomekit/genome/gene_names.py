"""GeneNames: find genes by symbol or id, whatever the case of the symbol and the version of the id."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from genomekit.errors import unknown

# Only accessions carry versions: in worm names such as Y74C9A.3 the number after the dot counts genes.
_VERSION = re.compile(r"^(ENS[A-Z]*\d+|[A-Z]+_?\d{5,})\.\d+", re.IGNORECASE)


class GeneNames:
    """Symbols and ids of a table of genes.

    Args:
        genes: chrom, start, end, gene_id, gene_name.
        source: Where they come from, for texts.
    """

    def __init__(self, genes: pd.DataFrame, source: str) -> None:
        self._genes, self._source = genes, source
        self._by_id: dict[str, list[int]] = {}
        self._by_bare_id: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        for row, (gene_id, name) in enumerate(zip(genes["gene_id"], genes["gene_name"], strict=True)):
            self._by_id.setdefault(gene_id.casefold(), []).append(row)
            self._by_bare_id.setdefault(_bare(gene_id), []).append(row)
            self._by_name.setdefault(name.casefold(), []).append(row)

    def find(self, names: Iterable[str], *, among: np.ndarray | None = None) -> np.ndarray:
        """Return one row number per name, in the order of the names.

        Args:
            names: Symbols or ids.
            among: Rows to choose from where several genes share a name; None for all.

        Raises:
            ValueError: No such gene (near matches are listed), or several (they are named).
        """
        allowed = None if among is None else set(among.tolist())
        return np.array([self._one(name, allowed) for name in names], np.int64)

    def _one(self, name: str, allowed: set[int] | None) -> int:
        text = str(name).casefold()
        rows = self._by_id.get(text) or self._by_name.get(text) or self._by_bare_id.get(_bare(text))
        if not rows:
            names = self._genes["gene_name"]
            pool = names if not _VERSION.match(f"{name}.1") else self._genes["gene_id"]
            error = unknown("gene", name, pool)
            raise ValueError(f"{error} They are those of {self._source}.")
        inside = rows if allowed is None else [row for row in rows if row in allowed]
        # Outside the interval a unique gene stays found: what overlaps is then simply nothing.
        chosen = inside or rows
        if len(chosen) > 1:
            places = (self._genes.iloc[row] for row in chosen)
            shown = ", ".join(f"{gene.gene_id} at {gene.chrom}:{gene.start}-{gene.end}" for gene in places)
            raise ValueError(
                f"Gene {name!r} stands for {len(chosen)} genes: {shown}. Give one of these ids, or an interval as well."
            )
        return chosen[0]


def _bare(gene_id: str) -> str:
    return _VERSION.sub(r"\1", gene_id).casefold()
