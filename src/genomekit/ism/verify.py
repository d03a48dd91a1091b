"""A spot check: the incremental engine against full passes."""

from __future__ import annotations

import numpy as np
import torch

from genomekit.engine.incremental import Reference
from genomekit.engine.passes import Ask, run
from genomekit.ism.job import Job

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Largest difference of predictions, relative to the largest prediction read; 16-bit types may differ by 5 %."""


def largest_error(job: Job, reference: Reference, edits: np.ndarray, count: int) -> float:
    """Compare predictions of some edits, spread over the interval, with those of full passes.

    Returns:
        The largest difference, relative to the largest prediction that was read.

    Raises:
        RuntimeError: They differ by more than rounding.
    """
    chosen = edits[np.linspace(0, len(edits) - 1, min(count, len(edits))).round().astype(int)]
    worst = 0.0
    for _, offset, base in chosen.tolist():
        worst = max(worst, _error(job, reference, offset, base))
    allowed = TOLERANCE.get(job.engine.dtype, 5e-2)
    if worst > allowed:
        raise RuntimeError(
            f"Incremental and full passes differ by {worst:.2g} of the largest prediction, more than {allowed:.2g} in "
            f"{str(job.engine.dtype).removeprefix('torch.')}. Please report this; window= and precision='float32' "
            "change how it is computed."
        )
    return worst


def _error(job: Job, reference: Reference, offset: int, base: int) -> float:
    orientation = job.orientation
    edit = orientation.change(offset, base)
    center = np.array([offset if job.mask_at is None else job.mask_at])
    changed = job.encoded.copy()
    changed[edit.start : edit.stop] = edit.bases
    worst = 0.0
    with torch.no_grad():
        for read in job.reads:
            for ask in read.asks(center, orientation.length):
                stretch = orientation.stretch(ask.part, ask.bins)
                low = max(int(stretch.starts[0]), 0)
                high = min(int(stretch.starts[0]) + stretch.width, len(changed) // stretch.resolution)
                kind = read.part.modality.head_kind
                bins = slice(low, high) if kind != "contact" else slice(None)
                asked = {stretch.modality: Ask(kind, stretch.channels, stretch.resolution, bins)}
                whole = dict(run(reference.prepared, job.engine.dna(changed), job.organism, asked))
                expected = whole[stretch.modality]
                assert isinstance(expected, torch.Tensor)
                if kind == "contact":
                    expected = expected[:, low:high]
                shift = low - int(stretch.starts[0])
                got = reference.read([edit], [stretch])[0][0][..., shift : shift + high - low, :].cpu()
                largest = float(expected.abs().max())
                worst = max(worst, float((got - expected).abs().max()) / max(largest, 1e-30))
    return worst
