"""The recipe of a scoring function: what workers need to score as the caller asks, each with a model of its own."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from genomekit.batch.isolate import Score
from genomekit.batch.per_process import PerProcess
from genomekit.engine import Engine
from genomekit.engine.device import choose_device, choose_precision
from genomekit.scoring.job import Job, prepare
from genomekit.scoring.verbs import score_records
from genomekit.weights.load import load

if TYPE_CHECKING:
    from distributed import Client


def recipe(job: Job, client: Client | Any, **settings: Any) -> tuple[PerProcess, dict[str, str]]:
    """Write the recipe of a job.

    Args:
        job: What workers do.
        client: Whose workers; one of them says what "auto" is there: the caller may be on a node without GPU.
        **settings: Of `prepare`.

    Returns:
        The recipe, and the device and dtype that workers compute with.

    Raises:
        ValueError: Workers do not have the device that was asked for.
    """
    engine, checkpoint = job.engine, job.engine.checkpoint
    device, dtype = client.submit(_choose, *engine.asked, pure=False).result()
    given = {"device": device, "dtype": dtype, "memory_budget": engine.memory_budget}
    path = str(checkpoint.path)  # type: ignore[attr-defined]
    made = PerProcess(make_score, path, job.genome, list(job.reads), job.apart, **given, **settings)
    return made, {"device": device, "dtype": dtype}


def _choose(device: str, precision: str) -> tuple[str, str]:
    """Choose device and precision on a worker; which of its GPUs is a matter of the worker."""
    found = choose_device(device.split(":")[0])
    return found.type, str(choose_precision(precision, found)).removeprefix("torch.")


def make_score(
    checkpoint: str,
    genome: Any,
    scorers: list[Any],
    apart: bool,
    *,
    device: str,
    dtype: str,
    memory_budget: int | None,
    **settings: Any,
) -> Score:
    """Make the scoring function of a worker: its own model, from where the checkpoint lies."""
    job = prepare(Engine(load(checkpoint), device, dtype, memory_budget), genome, scorers, **settings)
    return functools.partial(score_records, replace(job, apart=apart))
