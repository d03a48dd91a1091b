"""What a scorer, the user's own too, must be and give back; a breach names the scorer and what came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np
from torch import Tensor

from genomekit.engine.memory import is_out_of_memory
from genomekit.scoring.junction import JunctionRows, JunctionScorer
from genomekit.scoring.junction_read import Introns
from genomekit.scoring.scorer import Bins, Place, Rule, Scorer, Target, Values

_FROZEN = "write @dataclass(frozen=True) above the class"


def check_scorer(one: Any, instead: str) -> None:
    """Check that what came can be a scorer, and the key of its scores.

    Args:
        one: What came.
        instead: What else can be given, for the text of the error.

    Raises:
        TypeError: It is none, or a class, or no frozen dataclass.
        ValueError: It reads what is no modality.
    """
    if isinstance(one, type) and issubclass(one, Scorer):
        raise TypeError(f"The class {one.__name__} came; make a scorer of it: {one.__name__}(...).")
    if not isinstance(one, Scorer):
        raise TypeError(f"{one!r} is no scorer; derive from genomekit.scoring.Scorer, {instead}.")
    kind = type(one).__name__
    if not is_dataclass(one):
        raise TypeError(f"{kind} is no dataclass, and the fields of a scorer are its name in results; {_FROZEN}.")
    try:
        hash(one)
    except TypeError as error:
        raise TypeError(
            f"{kind} cannot be the key of its scores ({error}); {_FROZEN}, and give its fields tuples instead of lists."
        ) from None
    Scorer.__post_init__(one)  # one with a __post_init__ of its own may have left it out


def targets_of(scorer: Scorer, place: Place) -> list[Target]:
    """Ask a scorer for its rows at a place; their rules are checked from then on.

    Raises:
        TypeError: It gives something else.
        RuntimeError: It fails; the error of its code is the cause.
    """
    with _named(scorer, "targets"):
        found = scorer.targets(place)
        if not isinstance(found, list | tuple) or not all(isinstance(one, Target) for one in found):
            raise _Breach(f"gave {_shown(found)} as targets; it must be a list of genomekit.scoring.Target")
    return [target._replace(rule=CheckedRule(scorer, target.rule)) for target in found]


@dataclass(frozen=True)
class CheckedRule:
    """The rule of a scorer, with what it gives back checked."""

    scorer: Scorer
    rule: Rule

    def __str__(self) -> str:
        return str(self.rule)

    def bins(self, starts: np.ndarray, length: int, resolution: int) -> list[Bins]:
        """Give what the rule gives, if it is bins."""
        with _named(self.scorer, "bins"):
            found = self.rule.bins(starts, length, resolution)
            if not isinstance(found, list | tuple) or isinstance(found, Bins) or not found:
                raise _Breach(f"gave {_shown(found)} as bins; it must be a list of genomekit.scoring.Bins")
            for one in found:
                if not _are_bins(one, len(starts)):
                    raise _Breach(
                        f"gave {_shown(one)} among its bins; it must be Bins(starts, width): whole numbers, a first "
                        f"bin for each of {len(starts)} variants (or one for all), and a width of at least 1 bin"
                    )
        return list(found)

    def score(self, ref: list[Values], alt: list[Values]) -> Tensor:
        """Give what the rule gives, if it is one number per variant and track."""
        with _named(self.scorer, "score"):
            return _one_per_track(self.rule.score(ref, alt), ref, "score")

    def level(self, ref: list[Values]) -> Tensor:
        """Give what the rule gives, if it is one number per variant and track."""
        with _named(self.scorer, "level"):
            return _one_per_track(self.rule.level(ref), ref, "level")


def choose_introns(scorer: JunctionScorer, place: Place, introns: Introns, tissues: int) -> JunctionRows:
    """Ask a scorer of introns for its rows.

    Raises:
        TypeError: It gives something else.
        RuntimeError: It fails; the error of its code is the cause.
    """
    with _named(scorer, "choose"):
        found = scorer.choose(place, *introns)
        if not isinstance(found, JunctionRows):
            raise _Breach(f"chose {_shown(found)}; it must be genomekit.scoring.junction.JunctionRows")
        expected = len(found.rows), tissues
        for name in ("raw", "ref", "alt"):
            if np.shape(getattr(found, name)) != expected:
                raise _Breach(f"gave {_shown(getattr(found, name))} as {name}; (rows, biosamples) are {expected}")
        return found


def not_finite(values: np.ndarray, scorer: Scorer, what: str) -> FloatingPointError:
    """Build the error for numbers that a scorer made of finite predictions and that are none."""
    bad = int((~np.isfinite(values)).sum())
    return FloatingPointError(
        f"{scorer} gave NaN or infinity as the {what} of {bad} of {values.size} tracks, from finite predictions. "
        "Look at its divisions and logarithms, and at masks that hold no bin of the window."
    )


class _Breach(TypeError):
    """What came back is not what a scorer gives; the text goes on from the scorer's name."""


@contextmanager
def _named(scorer: Scorer, method: str) -> Iterator[None]:
    """Name the scorer in what goes wrong; errors that speak to the user already pass, as does a device that is full."""
    try:
        yield
    except _Breach as error:
        raise TypeError(f"{scorer} {error}.") from None
    except (ValueError, NotImplementedError, FloatingPointError, OSError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise RuntimeError(f"{scorer} failed in {method}(): {type(error).__name__}: {error}") from error


def _are_bins(one: Any, variants: int) -> bool:
    if not isinstance(one, Bins) or isinstance(one.width, bool) or not isinstance(one.width, int | np.integer):
        return False
    starts = np.asarray(one.starts)
    return one.width >= 1 and starts.dtype.kind in "iu" and starts.shape in ((1,), (variants,))


def _one_per_track(values: Any, read: list[Values], what: str) -> Tensor:
    expected = read[0].signal.shape[0], read[0].signal.shape[-1]
    if not isinstance(values, Tensor) or values.shape != expected:
        raise _Breach(f"gave {_shown(values)} as {what}; it must be a tensor (variant, track), here {expected}")
    return values


def _shown(value: Any) -> str:
    """Say what came: the shape of arrays, else the value itself, cut."""
    if isinstance(value, Tensor | np.ndarray):
        kind = "a tensor" if isinstance(value, Tensor) else "a NumPy array"
        return f"{kind} of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
