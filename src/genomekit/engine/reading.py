"""Reading what the transformer made of a window, or of a batch of edits of one: stretches of bins, and junctions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.engine.embedded import Embedded
from genomekit.engine.ladder import Skips, decode, take_each
from genomekit.engine.prepared import Prepared, TokenShare
from genomekit.engine.rows import Span
from genomekit.nn.config import BIN, PAIR_BIN

_GAP, _WIDTH = 512, 4096
"""Splice sites this close are decoded as one stretch, up to so many bp: rows between cost less than two more ends."""


class Stretch(NamedTuple):
    """What to read of a modality for each edit of a batch: as many bins, from a bin of its own on.

    Of contact maps these are columns (`bin2`): every row of them is read.
    """

    modality: str
    channels: tuple[int, ...] | None
    resolution: int
    starts: np.ndarray
    """First bin for each edit, or one for all."""
    width: int

    def span(self, length: int, edits: int) -> Span:
        """Return the bins as a span of rows."""
        starts = np.broadcast_to(np.asarray(self.starts), (edits,))
        return Span(starts, self.width, length // self.resolution)


class Reading(NamedTuple):
    """A window after the transformer, or a batch of its edits."""

    prepared: Prepared
    organism: int
    length: int
    """bp of the window."""
    encoding: Skips
    tokens: Float[Tensor, "read token channel"] | None
    """None where nothing finer than contact maps is read; one element, or one for each edit."""
    pair: Float[Tensor, "read bin bin pair"]
    embedded: Embedded | None = None
    """What stays in memory of the 1 bp embedding; None is nothing."""

    def remembering(self, *, whole: bool = False) -> "Reading":
        """Return the reading of one sequence with a memory of what was embedded; see `Embedded`."""
        return self._replace(embedded=Embedded(self._embed, whole=whole))

    def stretches(self, asked: Sequence[Stretch], edits: int) -> list[Float[Tensor, "batch *bin track"]]:
        """Read stretches of every edit; stretches of the same rows share their embedding.

        Returns:
            For each stretch (edit, bin, track) on the device, or (edit, bin1, bin2, track) of contact maps.
        """
        out, embeddings = [], {}
        for stretch in asked:
            span = stretch.span(self.length, edits)
            read = self.prepared.reader(stretch.modality, self.organism, stretch.channels, stretch.resolution)
            if stretch.resolution == PAIR_BIN:
                out.append(read(self.prepared.embed_pair_columns(self.pair, span, self.organism)))
                continue
            key = (stretch.resolution, span.width, span.starts.tobytes())
            if key not in embeddings:
                embeddings[key] = self.embed(span) if stretch.resolution == 1 else self._embed_tokens(span)
            out.append(read(embeddings[key]))
        return out

    def embed(self, span: Span) -> Float[Tensor, "batch row channel"]:
        """Embed positions at 1 bp."""
        return self._embed(span) if self.embedded is None else self.embedded.rows(span)

    def _embed(self, span: Span) -> Float[Tensor, "batch row channel"]:
        prepared, tokens = self.prepared, self._tokens
        decoded = decode(prepared.ladder, self.encoding, tokens, span)
        bins = Span(span.starts // BIN, (span.width - 1 + BIN - 1) // BIN + 1, span.total // BIN)
        share: TokenShare = prepared.share(take_each(tokens, bins), self.organism)
        assert share.base is not None
        rows = (span.starts[:, None] + np.arange(span.width)) // BIN - bins.starts[:, None]
        index = torch.from_numpy(rows).to(tokens.device)
        if len(share.base) == 1:
            added = share.base[0][index]
        else:
            added = share.base[torch.arange(len(index), device=index.device)[:, None], index]
        return prepared.embed_base(decoded, added)

    def embed_sites(self, sites: Int[np.ndarray, " site"], edits: int) -> Float[Tensor, "batch site channel"]:
        """Embed single positions at 1 bp, the same of every edit.

        Args:
            sites: 0-based, ascending.
            edits: Elements of the batch.
        """
        found, done = [], 0
        while done < len(sites):
            first = int(sites[done])
            apart = np.flatnonzero((np.diff(sites[done:]) > _GAP) | (sites[done + 1 :] >= first + _WIDTH))
            stop = done + int(apart[0]) + 1 if len(apart) else len(sites)
            inside = torch.from_numpy(sites[done:stop] - first).to(self.pair.device)
            width = int(sites[stop - 1]) - first + 1
            found.append(self.embed(Span(np.full(edits, first), width, self.length))[:, inside])
            done = stop
        none = self._tokens.new_zeros(edits, 0, len(self.prepared.base.T))
        return torch.cat(found, dim=1) if found else none

    def junctions(
        self,
        modality: str,
        tissues: tuple[int, ...] | None,
        sites: Int[np.ndarray, "4 site"],
        edits: int,
        sources: Mapping[int, tuple[int, int]] | None = None,
    ) -> Float[Tensor, "batch both donor acceptor"]:
        """Count junctions of every edit between given splice sites.

        Args:
            modality: That of the junction head.
            tissues: Channels of the head; None is all.
            sites: Ascending positions of donor+, acceptor+, donor-, acceptor-; -1 past the last.
            edits: Elements of the batch.
            sources: Where the embedding of a site is read, by position: the largest values from a first position up to
                a last one, or zeros where there is none. None reads it at the site.

        Returns:
            The tissues on +, then the same on -; pairs that cannot be an intron mean nothing.
        """
        read = self.prepared.reader(modality, self.organism, tissues, 1)
        kinds = [row[row >= 0] for row in sites]
        if not any(map(len, kinds)):
            return self.pair.new_zeros(edits, 2 * read.tables[0].shape[1], 0, 0)
        ranges = [[(p, p + 1) if sources is None else sources[p] for p in kind.tolist()] for kind in kinds]
        known = np.array(sorted({p for kind in ranges for a, b in kind for p in range(a, b)}), dtype=np.int64)
        embedding = self.embed_sites(known, edits)
        hidden = [read.hidden(_largest(embedding, known, np.array(kind, int).reshape(-1, 2))) for kind in ranges]
        positions = [torch.from_numpy(kind).to(self.pair.device) for kind in kinds]
        return torch.stack([read.counts([kind[edit] for kind in hidden], positions) for edit in range(edits)])

    @property
    def _tokens(self) -> Float[Tensor, "read token channel"]:
        assert self.tokens is not None
        return self.tokens

    def _embed_tokens(self, span: Span) -> Float[Tensor, "batch row wide"]:
        return self.prepared.share(take_each(self._tokens, span), self.organism, base=False).embedding


def _largest(
    embedding: Float[Tensor, "batch known channel"],
    known: Int[np.ndarray, " known"],
    ranges: Int[np.ndarray, "site 2"],
) -> Float[Tensor, "batch site channel"]:
    """Give each site the largest values of its positions, zeros where it has none."""
    padded = F.pad(embedding, (0, 0, 0, 1))
    first, width = ranges[:, 0], ranges[:, 1] - ranges[:, 0]
    rows = np.where(width > 0, np.searchsorted(known, first), len(known))
    out = padded[:, torch.from_numpy(rows).to(embedding.device)]
    for site in np.flatnonzero(width > 1).tolist():
        out[:, site] = embedding[:, rows[site] : rows[site] + int(width[site])].amax(1)
    return out


def tokens_of(stretch: Stretch, prepared: Prepared, length: int, edits: int) -> Int[np.ndarray, "batch token"]:
    """Return the tokens that a stretch finer than contact maps reads, as many for each edit."""
    span = stretch.span(length, edits)
    if stretch.resolution == 1:
        for up in prepared.ladder.ups:
            span = up.coarse(span)
    return np.clip(span.starts[:, None] + np.arange(span.width), 0, span.total - 1)
