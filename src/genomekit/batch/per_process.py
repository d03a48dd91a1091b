"""A scoring function that travels light: workers get its recipe, and each process makes its own."""

from __future__ import annotations

import hashlib
import importlib
import pickle
import platform
import threading
from collections.abc import Callable
from typing import Any

from genomekit.batch.isolate import NotReady, Score
from genomekit.scores.records import AnyRecord
from genomekit.scores.score_set import ScoreSet

_MADE: dict[str, Score] = {}
_ONE_AT_A_TIME = threading.Lock()


class PerProcess:
    """Make a scoring function once in each process, when it is first needed; only the recipe travels.

    Threads of one process share it and take turns. Functions and classes of a notebook or script travel along with the
    recipe; those of a module must be there for other processes to import.

    Args:
        factory: Makes the scoring function.
        arguments: What `factory` is called with; small, such as names and paths.
        options: The same, by keyword.

    Raises:
        ValueError: Something among them cannot be sent to another process.

    Example:
        >>> from genomekit.scores import Record, build
        >>> def toy(model):
        ...     return lambda records: build(records, [], {"model": model})
        >>> PerProcess(toy, "mini")([Record(0, "I", 5, "A", "C")]).attrs
        {'model': 'mini'}
    """

    def __init__(self, factory: Callable[..., Score], *arguments: Any, **options: Any) -> None:
        try:
            # Pickled once, here: a worker could not pickle the classes of a notebook again, to know them as the same.
            self.recipe: bytes = _pickler().dumps((factory, arguments, sorted(options.items())))
        except Exception as error:  # any that an object's own way of being pickled may raise
            raise ValueError(
                f"A recipe of a scoring function cannot be sent to other processes ({type(error).__name__}: {error}). "
                "Give it names, paths and plain values, and open files and devices in the function that it calls."
            ) from error
        self._key = hashlib.sha256(self.recipe).hexdigest()

    def __call__(self, records: list[AnyRecord]) -> ScoreSet:
        """Score records with the function of this process.

        Raises:
            NotReady: It cannot be made here.
        """
        with _ONE_AT_A_TIME:
            if self._key not in _MADE:
                _MADE.clear()  # two models at once may not fit
                try:
                    factory, arguments, options = pickle.loads(self.recipe)
                    _MADE[self._key] = factory(*arguments, **dict(options))
                except Exception as error:  # whatever a factory of the user's own may raise
                    raise NotReady(
                        f"The scoring function cannot be made on {platform.node()}: {type(error).__name__}: "
                        f"{str(error).rstrip('.')}. Files, modules and devices have to be the same for all workers."
                    ) from error
            return _MADE[self._key](records)


def _pickler() -> Any:
    """What pickles classes of a notebook too, and comes with Dask; without Dask there is no other process."""
    try:
        return importlib.import_module("cloudpickle")
    except ImportError:
        return pickle
