"""Exact effects of edits for a fraction of a pass: only what an edit can change is computed again.

The encoder is local at inference, so an edit of one base changes at most 19 rows of every level and 11 tokens. These
are computed from cached neighbours; the transformer runs in full, its last layer for the tokens that are read; the
decoder runs on the stretches that are read. An insertion or deletion shifts everything after it: the part before is
reused.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from genomekit.engine.ladder import LEVELS, REACH, Encoding, Skips
from genomekit.engine.prepared import Prepared
from genomekit.engine.reading import Reading, Stretch, tokens_of
from genomekit.engine.rows import Span, pool
from genomekit.nn.config import BIN, PAIR_BIN

LONGEST_PATCH = 128
"""Edits of more bases are encoded as another sequence."""

ROWS = 8192
"""Tokens of a batch of edits that keep the matrix products busy."""


class Change(NamedTuple):
    """Letters that replace as many of a window's, from an offset on; a shift replaces all up to its end."""

    start: int
    """0-based in the window."""
    bases: Float[np.ndarray, "base 4"]
    """One-hot."""

    @property
    def stop(self) -> int:
        """Offset after the last base replaced."""
        return self.start + len(self.bases)


def difference(reference: Float[np.ndarray, "base 4"], changed: Float[np.ndarray, "base 4"]) -> Change:
    """Return the shortest edit that turns one window into another; an empty one where they are equal."""
    rows = np.flatnonzero((reference != changed).any(axis=1))
    first, last = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    return Change(first, changed[first:last])


class Patched:
    """A batch of edits of one encoding, each as many bases wide: the changed rows laid over the cached ones.

    Args:
        base: Encoding of the unedited window.
        starts: First base of each edit.
        bases: Their letters, one-hot.
    """

    def __init__(self, base: Encoding, starts: np.ndarray, bases: Float[Tensor, "batch width 4"]) -> None:
        self.base = base
        self._dna = Span(starts, bases.shape[1], base.length), bases
        self._patches: list[tuple[Span, Tensor]] = []
        for level in range(LEVELS):
            span = self._changed(level)
            self._patches.append((span, self._compute(level, span)))
        span = self._changed(LEVELS)
        self._tokens = span, pool(self.rows(LEVELS - 1, span.doubled()))

    @property
    def tokens(self) -> Float[Tensor, "batch token channel"]:
        """All tokens of every edit."""
        span, patch = self._tokens
        whole = self.base.tokens.expand(len(patch), -1, -1).clone()
        return _overlay(whole, Span(np.zeros_like(span.starts), whole.shape[1], whole.shape[1]), span, patch)

    @property
    def token_change(self) -> tuple[Span, Float[Tensor, "batch some channel"]]:
        """Changed tokens and by how much."""
        span, patch = self._tokens
        return span, patch - span.take(self.base.tokens)

    def change(self, level: int) -> tuple[Span, Float[Tensor, "batch some channel"]]:
        """Changed rows of a level and by how much."""
        span, patch = self._patches[level]
        return span, patch - self.base.rows(level, span)

    def rows(self, level: int, span: Span) -> Float[Tensor, "batch row channel"]:
        """Return rows of a level, for each edit its own."""
        known = self.base.rows(level, span)
        own = known.expand(len(span.starts), -1, -1) if len(known) == 1 else known
        return _overlay(own.clone(), span, *self._patches[level])

    def _changed(self, level: int) -> Span:
        """Rows of a level that the edits can change; as many for each, so some more than need be."""
        dna, _ = self._dna
        halo = REACH if level < LEVELS else (REACH + 1) // 2
        wider = (dna.width - 1 + (1 << level) - 1) >> level
        return Span((dna.starts >> level) - halo, 2 * halo + 1 + wider, dna.total >> level)

    def _compute(self, level: int, span: Span) -> Float[Tensor, "batch row channel"]:
        ladder = self.base.ladder
        if level == 0:
            wide = span.widened(ladder.stem.halo)
            dna = wide.clear(wide.take(self.base.dna).clone())
            return ladder.stem(_overlay(dna, wide, *self._dna), span)
        down = ladder.downs[level - 1]
        return down(pool(self.rows(level - 1, span.widened(down.halo).doubled())), span)


def _overlay(
    x: Float[Tensor, "batch row channel"], span: Span, changed: Span, patch: Float[Tensor, "batch some channel"]
) -> Float[Tensor, "batch row channel"]:
    """Write the rows of `patch` that lie in the span into `x`, in place; rows past the sequence are left out."""
    rows = changed.starts[:, None] + np.arange(changed.width)
    there = rows - span.starts[:, None]
    inside = (there >= 0) & (there < span.width) & (rows >= 0) & (rows < span.total)
    element, row = np.nonzero(inside)
    index = [torch.from_numpy(i).to(x.device) for i in (element, row, there[inside])]
    x[index[0], index[2]] = patch[index[0], index[1]]
    return x


class Reference:
    """One window, read once; then any edits of it, exactly and cheaply.

    Args:
        prepared: The network.
        dna: One-hot of the window, (1, base, 4), on the device.
        organism: Index of the organism.
        region: First and last base of what will be edited or read at 1 bp; rows elsewhere are not kept in memory and
            cost more to read. None keeps the whole window.
        kept: Finest level that is kept while the whole window is encoded.
        batch: Edits that are read together; None is as many as keep the matrix products busy.
    """

    def __init__(
        self,
        prepared: Prepared,
        dna: Float[Tensor, "1 base 4"],
        organism: int,
        region: tuple[int, int] | None = None,
        kept: int = 0,
        batch: int | None = None,
    ) -> None:
        self.prepared, self.organism, self.region, self.kept = prepared, organism, region, kept
        self.encoding = Encoding(prepared.ladder, dna.to(prepared.dtype), kept, region=region)
        self.batch = batch_size(self.length) if batch is None else batch

    @property
    def length(self) -> int:
        """Bases of the window."""
        return self.encoding.length

    def edited(self, edits: Sequence[Change], stretches: Sequence[Stretch] | None = None) -> Reading:
        """Run a batch of edits.

        Args:
            edits: Narrow ones (up to `LONGEST_PATCH` bases) of one width, or a single one of any.
            stretches: All that will be read of it: the last layer runs for that alone. None reads anything.
        """
        widths = {len(edit.bases) for edit in edits}
        if len(widths) > 1 or (len(edits) > 1 and max(widths) > LONGEST_PATCH):
            raise ValueError(
                f"Edits of {sorted(widths)} bases came in one batch; give edits of one width, and one at a time those "
                f"of more than {LONGEST_PATCH}."
            )
        changed = self._encode(edits)
        return self._run(changed, changed.tokens, stretches)

    def unedited(self, stretches: Sequence[Stretch] | None = None) -> Reading:
        """Run the window itself, by the same steps as its edits, so that no change is exactly 0.

        Args:
            stretches: All that will be read of it; see `edited`.
        """
        # As many copies as a batch has edits: products of other shapes may round otherwise.
        tokens = self.encoding.tokens.expand(self.batch, -1, -1)
        reading = self._run(self.encoding, tokens.clone(), stretches)
        one = None if reading.tokens is None else reading.tokens[:1]
        return reading._replace(tokens=one, pair=reading.pair[:1])

    def read(self, edits: Sequence[Change], stretches: Sequence[Stretch]) -> list[Float[Tensor, "batch *bin track"]]:
        """Read stretches of every edit of a batch; see `edited` and `Reading.stretches`."""
        return self.edited(edits, stretches).stretches(stretches, len(edits))

    def read_through(
        self, skips: Skips, tokens: Float[Tensor, "1 token channel"], stretches: Sequence[Stretch]
    ) -> list[Float[Tensor, "1 *bin track"]]:
        """Read stretches from given tokens and skips, such as leaves of a graph of gradients."""
        return self._run(skips, tokens, stretches).stretches(stretches, 1)

    def _encode(self, edits: Sequence[Change]) -> "Encoding | Patched":
        first, width = edits[0].start, len(edits[0].bases)
        dna = self.encoding.dna
        bases = torch.from_numpy(np.stack([edit.bases for edit in edits])).to(dna.device, dna.dtype)
        if width <= LONGEST_PATCH:
            return Patched(self.encoding, np.array([edit.start for edit in edits]), bases)
        changed = dna.clone()
        changed[:, first : first + width] = bases
        ladder, kept, region = self.prepared.ladder, self.kept, self.region
        return Encoding(ladder, changed, kept, region=region, base=self.encoding, first=first)

    def _run(self, encoding: Skips, tokens: Tensor, stretches: Sequence[Stretch] | None) -> Reading:
        """Run the transformer, its last layer for what the stretches read; None reads anything."""
        needed, fine = None, True
        if stretches is not None:
            read = [stretch for stretch in stretches if stretch.resolution < PAIR_BIN]
            fine = bool(read)
            index = [tokens_of(stretch, self.prepared, self.length, len(tokens)) for stretch in read]
            if fine and sum(rows.shape[1] for rows in index) < tokens.shape[1] // 2:
                needed = torch.from_numpy(np.concatenate(index, axis=1)).to(tokens.device)
        found, pair = self.prepared.trunk(tokens, self.organism, needed=needed, tokens_needed=fine)
        return Reading(self.prepared, self.organism, self.length, encoding, found, pair)


def batch_size(length: int) -> int:
    """Edits of a window of `length` bp that are read together."""
    return int(np.clip(ROWS * BIN // length, 1, 32))


def batches(edits: Sequence[Change], size: int) -> Iterator[list[int]]:
    """Group edits into batches that can be read together; give the numbers of each, in order of position."""
    by_width: dict[int, list[int]] = {}
    for number in sorted(range(len(edits)), key=lambda number: edits[number].start):
        by_width.setdefault(len(edits[number].bases), []).append(number)
    for width, numbers in by_width.items():
        step = size if width <= LONGEST_PATCH else 1
        for start in range(0, len(numbers), step):
            yield numbers[start : start + step]
