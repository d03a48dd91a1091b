"""Splice junctions from few rows: candidates are kept while a window is read, pairs are counted for real sites only."""

import bisect
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.engine.constants import GELU
from genomekit.engine.device import empty
from genomekit.nn.rotary import rotation
from genomekit.nn.splice import SITE_TABLES

_VALUES = 1 << 21
"""Numbers of rotated site vectors held at a time."""

_DONORS = 64
"""Donors paired at a time: acceptors before all of them are left out."""


class JunctionReader:
    """The junction head of one organism and some tissues.

    Args:
        head: Head of the network.
        organism: Index of the organism.
        tissues: Tissues wanted; None is all.
        dtype: Type of the embedding.
    """

    def __init__(
        self, head: nn.Module, organism: int, tissues: Int[Tensor, " kept"] | None, dtype: torch.dtype
    ) -> None:
        source: Any = head
        self.weight = (source.hidden.weight[organism].T / GELU).to(dtype).contiguous()
        self.bias = source.hidden.bias[organism]
        tables = [source.tables[name][organism] for name in SITE_TABLES]
        self.tables = tables if tissues is None else [table[:, tissues] for table in tables]
        self.max_length = source.max_length

    def hidden(self, embedding: Float[Tensor, "*row double"]) -> Float[Tensor, "*row hidden"]:
        """Return the vectors of sites, in float32 or wider."""
        out = embedding @ self.weight
        return out.to(torch.promote_types(out.dtype, torch.float32)) + self.bias

    def counts(
        self, hidden: list[Float[Tensor, "_ hidden"]], sites: list[Int[Tensor, " _"]]
    ) -> Float[Tensor, "both donor acceptor"]:
        """Count every pair of a donor and an acceptor of one strand that can be an intron; the others mean nothing.

        Args:
            hidden: Vectors of the sites of each kind: donor+, acceptor+, donor-, acceptor-.
            sites: Their 0-based positions in the window, ascending.

        Returns:
            Counts, tissues on + then the same on -, first.
        """
        tissues = self.tables[0].shape[1]
        donors, acceptors = (max(len(sites[k]), len(sites[k + 2])) for k in (0, 1))
        out = empty((2 * tissues, donors, acceptors), hidden[0].dtype, hidden[0].device)
        step = max(1, _VALUES // (max(1, donors, acceptors) * hidden[0].shape[-1]))
        for strand in (0, 1):
            donor, acceptor = 2 * strand, 2 * strand + 1
            blocks = list(_ordered(sites[donor].tolist(), sites[acceptor].tolist(), forward=strand == 0))
            for first in range(0, tissues, step):
                kept = slice(first, min(first + step, tissues))
                one, two = (self._vectors(hidden[kind], sites[kind], kind, kept) for kind in (donor, acceptor))
                of_strand = out[strand * tissues + kept.start : strand * tissues + kept.stop].zero_()
                for rows, columns in blocks:
                    of_strand[:, rows, columns] = F.softplus(one[:, rows] @ two[:, columns].transpose(-1, -2))
        return out

    def _vectors(
        self, hidden: Float[Tensor, "site hidden"], sites: Int[Tensor, " site"], kind: int, tissues: slice
    ) -> Float[Tensor, "tissue site hidden"]:
        """Scale, offset and rotate the vectors of one kind of site, for some tissues."""
        table = self.tables[kind][:, tissues].to(hidden.dtype)
        scaled = torch.addcmul(table[1, :, None], table[0, :, None], hidden)
        # Neighbouring channels are one complex number: one product turns them all.
        turn = torch.complex(*(angle.to(hidden.dtype) for angle in rotation(sites, hidden.shape[-1], self.max_length)))
        turned = torch.view_as_complex(scaled.unflatten(-1, (-1, 2))).mul_(turn)
        return torch.view_as_real(turned).flatten(-2)


def _ordered(donors: list[int], acceptors: list[int], *, forward: bool) -> Iterator[tuple[slice, slice]]:
    """Give blocks of donors and the acceptors that lie past the first of them, in the direction of the strand."""
    for start in range(0, len(donors), _DONORS):
        rows = slice(start, min(start + _DONORS, len(donors)))
        if forward:
            columns = slice(bisect.bisect_right(acceptors, donors[rows.start]), len(acceptors))
        else:
            columns = slice(0, bisect.bisect_left(acceptors, donors[rows.stop - 1]))
        if columns.start < columns.stop:
            yield rows, columns


class SiteKeeper:
    """The most probable sites of each kind seen so far, with the embeddings there.

    Args:
        count: Most sites of a kind.
        threshold: Least probability of a site.
    """

    def __init__(self, count: int, threshold: float) -> None:
        self.count, self.threshold = count, threshold
        self.best: list[tuple[Tensor, Tensor, Tensor]] = []

    def see(
        self,
        probabilities: Float[Tensor, "row class_"],
        embedding: Float[Tensor, "row double"],
        first: int,
    ) -> None:
        """Look at the rows from position `first` on."""
        for kind in range(4):
            p = probabilities[:, kind]
            rows = (p >= self.threshold).nonzero()[:, 0]
            if len(rows) > self.count:
                rows = rows[p[rows].topk(self.count).indices.sort().values]
            found = (p[rows], rows + first, embedding[rows])
            if kind == len(self.best):
                self.best.append(found)
                continue
            probable, positions, there = (torch.cat(two) for two in zip(self.best[kind], found, strict=True))
            if len(probable) > self.count:
                kept = probable.topk(self.count).indices.sort().values
                probable, positions, there = probable[kept], positions[kept], there[kept]
            self.best[kind] = probable, positions, there

    @property
    def sites(self) -> list[Int[Tensor, " _"]]:
        """Positions of each kind, ascending."""
        return [positions for _, positions, _ in self.best]

    @property
    def embeddings(self) -> list[Float[Tensor, "_ double"]]:
        """The 1 bp embeddings there."""
        return [there for _, _, there in self.best]
