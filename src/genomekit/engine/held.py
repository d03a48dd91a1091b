"""Windows after the transformer, held for a second reading of them."""

from collections.abc import Hashable
from typing import NamedTuple

from torch import Tensor

from genomekit.engine.ladder import Encoding


class Window(NamedTuple):
    """What a window is read from at 1 bp and 128 bp."""

    encoding: Encoding
    tokens: Tensor

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        skips = (rows for _, rows in self.encoding.levels.values())
        return sum(one.nbytes for one in (self.encoding.dna, self.encoding.tokens, self.tokens, *skips))


class Held:
    """Windows by name, as many as there is room for; those that are not there are computed again.

    Attributes:
        bytes: Memory that they take.
    """

    def __init__(self) -> None:
        self._windows: dict[Hashable, Window] = {}
        self.bytes = 0

    def __contains__(self, name: Hashable) -> bool:
        return name in self._windows

    def get(self, name: Hashable) -> Window | None:
        """Return a window, or None."""
        return self._windows.get(name)

    def drop(self) -> None:
        """Let go of all of them."""
        self._windows.clear()
        self.bytes = 0

    def offer(self, name: Hashable, window: Window, room: int | float) -> None:
        """Hold a window where it takes no more than `room` bytes."""
        if window.bytes <= room:
            self._windows[name] = window
            self.bytes += window.bytes
