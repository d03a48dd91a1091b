"""Splice junctions from few rows: candidates are kept while a window is read, pairs are counted for real sites only."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.engine.constants import GELU
from genomekit.nn.rotary import rotation
from genomekit.nn.splice import SITE_TABLES

_VALUES = 1 << 21
"""Numbers of rotated site vectors held at a time."""


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
    ) -> Float[Tensor, "donor acceptor both"]:
        """Count every pair of a donor and an acceptor of one strand.

        Args:
            hidden: Vectors of the sites of each kind: donor+, acceptor+, donor-, acceptor-.
            sites: Their 0-based positions in the window.

        Returns:
            Counts, tissues on + then the same on -; 0 where one strand has fewer sites than the other.
        """
        tissues = self.tables[0].shape[1]
        donors, acceptors = (max(len(sites[k]), len(sites[k + 2])) for k in (0, 1))
        out = hidden[0].new_empty(donors, acceptors, 2 * tissues)
        for strand in (0, 1):
            kinds = (2 * strand, 2 * strand + 1)
            most = max(1, *(len(sites[kind]) for kind in kinds))
            step = max(1, _VALUES // (most * hidden[0].shape[-1]))
            for start in range(0, tissues, step):
                kept = slice(start, start + step)
                one, two = (self._vectors(hidden[kind], sites[kind], kind, kept) for kind in kinds)
                found = F.softplus(one @ two.transpose(-1, -2)).permute(1, 2, 0)
                first = strand * tissues + start
                of_strand = out[..., first : first + found.shape[2]]
                of_strand[: found.shape[0], : found.shape[1]] = found
                of_strand[found.shape[0] :] = 0
                of_strand[: found.shape[0], found.shape[1] :] = 0
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


class SiteKeeper:
    """The most probable sites of each kind seen so far, with their vectors.

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
        reader: JunctionReader,
    ) -> None:
        """Look at the rows from position `first` on."""
        for kind in range(4):
            p = probabilities[:, kind]
            rows = (p >= self.threshold).nonzero()[:, 0]
            if len(rows) > self.count:
                rows = rows[p[rows].topk(self.count).indices.sort().values]
            found = (p[rows], rows + first, reader.hidden(embedding[rows]))
            if kind == len(self.best):
                self.best.append(found)
                continue
            probable, positions, vectors = (torch.cat(two) for two in zip(self.best[kind], found, strict=True))
            if len(probable) > self.count:
                kept = probable.topk(self.count).indices.sort().values
                probable, positions, vectors = probable[kept], positions[kept], vectors[kept]
            self.best[kind] = probable, positions, vectors

    @property
    def sites(self) -> list[Int[Tensor, " _"]]:
        """Positions of each kind, ascending."""
        return [positions for _, positions, _ in self.best]

    @property
    def hidden(self) -> list[Float[Tensor, "_ hidden"]]:
        """Vectors of each kind, in the same order."""
        return [vectors for _, _, vectors in self.best]
