"""First-order effects: one gradient of the score instead of a pass for every edit.

`taylor` takes the gradient at the letters. `hybrid` takes it at the tokens and skips, and multiplies it with their
exact change: what the encoder does with an edit, the strongly non-linear part, is then exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from genomekit.engine.incremental import Patched, Reference
from genomekit.engine.ladder import Encoding
from genomekit.engine.rows import Span
from genomekit.ism.reads import Read
from genomekit.nn.config import BIN
from genomekit.scoring import Values
from genomekit.scoring.alleles import Orientation

_MARGIN = 16
"""Tokens on each side of an interval whose letters' gradient is taken: more than an edit's reach."""


class Leaves:
    """The encoder's side of a window with a gradient: rows that the decoder reads become leaves of its graph."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.tokens = encoding.tokens.detach().clone().requires_grad_()
        self.read: list[tuple[int, Span, Tensor]] = []

    def rows(self, level: int, span: Span) -> Tensor:
        """Return rows of a level, and remember them."""
        leaf = self.encoding.rows(level, span).detach().clone().requires_grad_()
        self.read.append((level, span, leaf))
        return leaf


class Sensitivity:
    """Gradient of every track's score with respect to tokens and skips.

    Args:
        reference: The window, as it is read.
        orientation: Strand that is read.
        reads: Scorers with their tracks.
        mask_at: Position of the mask, on the plus strand.
    """

    def __init__(self, reference: Reference, orientation: Orientation, reads: Sequence[Read], mask_at: int) -> None:
        self.reference = reference
        leaves = Leaves(reference.encoding)
        with torch.enable_grad():
            scores = self._scores(leaves, orientation, reads, np.array([mask_at]))
            inputs = [leaves.tokens, *(leaf for _, _, leaf in leaves.read)]
            found = []
            for number in range(len(scores)):
                last = number == len(scores) - 1
                gradients = torch.autograd.grad(scores[number], inputs, retain_graph=not last, allow_unused=True)
                found.append([torch.zeros_like(x) if g is None else g for g, x in zip(gradients, inputs, strict=True)])
        self.tokens = torch.cat([track[0] for track in found])
        """(track, token, channel)."""
        self.skips = [
            (level, span, torch.cat([track[1 + i] for track in found]))
            for i, (level, span, _) in enumerate(leaves.read)
        ]
        """Level, rows, and gradients (track, row, channel)."""

    def _scores(self, leaves: Leaves, orientation: Orientation, reads: Sequence[Read], mask_at: np.ndarray) -> Tensor:
        """Score the window against itself: 0, with the gradient of the first allele stopped."""
        asked = [read.asks(mask_at, orientation.length) for read in reads]
        flat = [ask for asks in asked for ask in asks]
        stretches = [orientation.stretch(ask.part, ask.bins) for ask in flat]
        signals = iter(self.reference.read_through(leaves, leaves.tokens, stretches))
        scores = []
        for read, asks in zip(reads, asked, strict=True):
            alt = []
            for ask in asks:
                signal = orientation.forward(ask.part, next(signals))
                inside = torch.from_numpy(orientation.inside(ask.part, ask.bins)).to(signal.device)
                alt.append(Values(signal, inside))
            ref = [value._replace(signal=value.signal.detach()) for value in alt]
            scores.append(read.rule.score(ref, alt))
        return torch.cat(scores, dim=-1)[0]

    def effects(self, method: str, orientation: Orientation, offsets: np.ndarray, bases: np.ndarray) -> Tensor:
        """Return the first-order effects (edit, track) of single-base edits, by "hybrid" or "taylor"."""
        if method == "hybrid":
            with torch.no_grad():
                return self.hybrid(orientation, offsets, bases)
        edits = [orientation.change(int(o), int(b)) for o, b in zip(offsets, bases, strict=True)]
        starts = np.array([edit.start for edit in edits])
        first, stop = int(starts.min()), int(starts.max()) + 1
        gradient = self.taylor(first, stop)
        change = torch.from_numpy(np.concatenate([edit.bases for edit in edits])).to(gradient)
        there = torch.from_numpy(starts).to(gradient.device)
        change = change - self.reference.encoding.dna[0, there].to(gradient)
        return torch.einsum("eb,teb->et", change, gradient[:, there - first])

    def hybrid(self, orientation: Orientation, offsets: np.ndarray, bases: np.ndarray) -> Tensor:
        """Return the effects (edit, track) of single-base edits."""
        edits = [orientation.change(int(o), int(b)) for o, b in zip(offsets, bases, strict=True)]
        encoding, tokens = self.reference.encoding, self.tokens
        letters = torch.from_numpy(np.stack([edit.bases for edit in edits])).to(encoding.dna)
        patched = Patched(encoding, np.array([edit.start for edit in edits]), letters)
        span, change = patched.token_change
        total = _dot(change, Span.one(0, span.total, span.total), span, tokens)
        for level, kept, gradient in self.skips:
            span, change = patched.change(level)
            total = total + _dot(change, kept, span, gradient)
        return total

    def taylor(self, start: int, stop: int) -> Tensor:
        """Return the gradient (track, base position, 4) at the letters `[start, stop)` of what is read."""
        encoding = self.reference.encoding
        first = max(0, start // BIN - _MARGIN) * BIN
        last = min(-(-stop // BIN) + _MARGIN, encoding.length // BIN) * BIN
        with torch.enable_grad():
            dna = encoding.dna[:, first:last].detach().clone().requires_grad_()
            near = Encoding(encoding.ladder, dna)
            outputs, gradients = [near.tokens], [self.tokens[:, first // BIN : last // BIN]]
            for level, span, gradient in self.skips:
                total, low = near.length >> level, first >> level
                a, b = max(int(span.starts[0]) - low, 0), min(int(span.starts[0]) + span.width - low, total)
                if a < b:
                    shift = a + low - int(span.starts[0])
                    outputs.append(near.rows(level, Span.one(a, b, total)))
                    gradients.append(gradient[:, shift : shift + b - a])
            tracks = []
            for number in range(len(self.tokens)):
                given = [gradient[number : number + 1] for gradient in gradients]
                keep = number < len(self.tokens) - 1
                tracks.append(torch.autograd.grad(outputs, dna, given, retain_graph=keep)[0])
        return torch.cat(tracks)[:, start - first : stop - first]


def _dot(change: Tensor, kept: Span, changed: Span, gradient: Tensor) -> Tensor:
    """Multiply changed rows (edit, row, channel) with the gradients (track, row, channel) of the rows kept."""
    rows = changed.starts[:, None] + np.arange(changed.width) - int(kept.starts[0])
    absolute = rows + int(kept.starts[0])
    inside = (rows >= 0) & (rows < kept.width) & (absolute >= 0) & (absolute < changed.total)
    index = torch.from_numpy(np.where(inside, rows, 0)).to(gradient.device)
    change = torch.where(torch.from_numpy(inside).to(change.device)[..., None], change, 0.0)
    wide = torch.promote_types(change.dtype, torch.float32)
    tracks = [torch.einsum("erc,erc->e", change.to(wide), track[index].to(wide)) for track in gradient]
    return torch.stack(tracks, dim=-1)
