"""The interface of a scorer. Anything that has these members is one, a user's own class too."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Bins(NamedTuple):
    """As many bins for each variant, from a bin of its own on; they may run past the ends of the window."""

    starts: Int[np.ndarray, " variant"]
    """First bin for each variant, or one for all."""
    width: int
    """Bins."""


class Values(NamedTuple):
    """What was predicted in the bins of a scorer."""

    signal: Float[Tensor, "variant bin track"]
    """Predictions, on the device; of contact maps (variant, bin1, bin, track)."""
    inside: Bool[Tensor, "variant bin"]
    """Which bins lie in the window; the others hold nothing that counts."""


@runtime_checkable
class Scorer(Protocol):
    """How an edit is scored.

    The predictions of both alleles stay on the device; only scores leave it. `str(scorer)` is its name in results.
    """

    @property
    def modality(self) -> str:
        """The modality that is read."""
        ...

    @property
    def signed(self) -> bool:
        """Whether scores have a direction (ALT above or below REF)."""
        ...

    @property
    def differentiable(self) -> bool:
        """Whether the score has a useful gradient where ALT is REF."""
        ...

    def bins(self, starts: Int[np.ndarray, " variant"], length: int, resolution: int) -> list[Bins]:
        """Say which bins are read, in one stretch or several.

        Args:
            starts: 0-based offset in the window of each variant's first base.
            length: bp of the window.
            resolution: bp per bin.
        """
        ...

    def score(self, ref: list[Values], alt: list[Values]) -> Float[Tensor, "variant track"]:
        """Score ALT against REF, from the values of each stretch."""
        ...

    def level(self, ref: list[Values]) -> Float[Tensor, "variant track"]:
        """Give the score's own measure of one allele: what the effect is a change of."""
        ...
