"""Embedded positions that stay in memory, for whatever reads them a second time."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from genomekit.engine.rows import Span

LIMIT = 1 << 29
"""Bytes that are kept of one allele. What is past them is computed again: results do not depend on it."""

BLOCK = 2048
"""Positions that are computed together where a whole window may be read, piece by piece."""


class Embedded:
    """Embedded positions of one sequence.

    Args:
        compute: Embeds a span.
        whole: Compute whole blocks of the window, whatever was asked for: what is read then depends on nothing that was
            read before, and neighbours are there already.
    """

    def __init__(self, compute: Callable[[Span], Float[Tensor, "one row channel"]], *, whole: bool) -> None:
        self._compute, self._whole = compute, whole
        self._parts: list[tuple[int, Tensor]] = []
        self._bytes = 0

    def rows(self, span: Span) -> Float[Tensor, "one row channel"]:
        """Return the rows of a span, from memory where they are there."""
        first, stop = int(span.starts[0]), int(span.starts[0]) + span.width
        if len(span.starts) > 1 or first < 0 or stop > span.total:
            return self._compute(span)
        found = self._joined(first, stop)
        if found is None and self._whole:
            blocks = range(first // BLOCK * BLOCK, stop, BLOCK)
            pieces = [self._block(Span.one(a, min(a + BLOCK, span.total), span.total)) for a in blocks]
            found = torch.cat(pieces, dim=1)[:, first - blocks.start : stop - blocks.start]
        return self._kept(span) if found is None else found

    def _block(self, span: Span) -> Tensor:
        found = self._joined(int(span.starts[0]), int(span.starts[0]) + span.width)
        return self._kept(span) if found is None else found

    def _kept(self, span: Span) -> Tensor:
        rows = self._compute(span)
        if self._bytes + rows.nbytes <= LIMIT:
            self._bytes += rows.nbytes
            self._parts.append((int(span.starts[0]), rows))
        return rows

    def _joined(self, first: int, stop: int) -> Tensor | None:
        """Put the rows together from parts that touch or overlap; None where some are missing."""
        found, at = [], first
        for start, rows in sorted(self._parts, key=lambda part: part[0]):
            if start <= at < start + rows.shape[1]:
                found.append(rows[:, at - start : stop - start])
                at += found[-1].shape[1]
            if at == stop:
                return found[0] if len(found) == 1 else torch.cat(found, dim=1)
        return None
