"""A scorer that fails, and the others that go on without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from genomekit.engine.memory import is_out_of_memory
from genomekit.errors import MACHINE_FAULTS
from genomekit.scoring.scorer import Scorer


@contextmanager
def apart(scorer: Scorer, failed: dict[Scorer, Exception] | None) -> Iterator[None]:
    """Note what goes wrong in the code of a scorer instead of raising it.

    Args:
        scorer: Whose code runs.
        failed: Where it is noted; None raises it.
    """
    try:
        yield
    except Exception as error:  # whatever a scorer of the user's own may raise
        if failed is None or isinstance(error, MACHINE_FAULTS) or is_out_of_memory(error):
            raise
        failed[scorer] = error


def failure(scorer: Scorer, error: Exception) -> str:
    """Say that a scorer failed, and how, for the reason of a record."""
    text = " ".join(str(error).split())
    if text.startswith(f"{scorer} failed"):
        return text
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return f"{scorer} failed: {kind}{text}"
