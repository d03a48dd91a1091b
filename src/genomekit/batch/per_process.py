"""A scoring function that travels light: workers get its recipe, and each process makes its own."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Callable
from typing import Any

from genomekit.batch.isolate import Score
from genomekit.scores.records import AnyRecord
from genomekit.scores.score_set import ScoreSet

_MADE: dict[str, Score] = {}
_ONE_AT_A_TIME = threading.Lock()


class PerProcess:
    """Make a scoring function once in each process, when it is first needed; only the recipe is pickled.

    Threads of one process share it and take turns.

    Args:
        factory: Makes the scoring function; importable by name, so that another process finds it.
        arguments: What `factory` is called with; picklable and small, such as names and paths.
        options: The same, by keyword.

    Example:
        >>> from genomekit.scores import Record, build
        >>> def toy(model):
        ...     return lambda records: build(records, [], {"model": model})
        >>> PerProcess(toy, "mini")([Record(0, "I", 5, "A", "C")]).attrs
        {'model': 'mini'}
    """

    def __init__(self, factory: Callable[..., Score], *arguments: Any, **options: Any) -> None:
        self.factory = factory
        self.arguments = arguments
        self.options = options

    def __call__(self, records: list[AnyRecord]) -> ScoreSet:
        """Score records with the function of this process."""
        with _ONE_AT_A_TIME:
            key = self._key()
            if key not in _MADE:
                _MADE.clear()  # two models at once may not fit
                _MADE[key] = self.factory(*self.arguments, **self.options)
            return _MADE[key](records)

    def _key(self) -> str:
        name = f"{self.factory.__module__}.{self.factory.__qualname__}"
        return hashlib.sha256(pickle.dumps((name, self.arguments, sorted(self.options.items())))).hexdigest()
