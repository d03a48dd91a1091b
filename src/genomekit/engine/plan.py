"""A plan: what a call will do and cost, said before it runs."""

import html
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call will do and cost. It prints as a sentence."""

    call: str
    """Name of the verb."""
    device: str
    dtype: str
    window: int
    """bp that the network reads."""
    tracks: Mapping[str, int]
    """Tracks of each modality that will be computed; nothing else is."""
    passes: int
    """Windows, substitutions or variants that will be computed."""
    unit: str
    """What a pass is."""
    bytes: int
    """Most memory in use at once, above the idle process."""
    result_bytes: int
    """Size of what is returned: of arrays, and of the numbers in tables of scores. Of a job that writes a folder, the
    room on disk."""
    budget: int | None
    """Memory that may be used; None where it is not known."""
    seconds: float
    """Estimated from the speed of this device."""
    recomputed: int
    """Levels of the encoder (from 1 bp on) that are computed twice, to fit the budget."""
    mixed: bool = False
    """Whether windows differ in length; `window` is that of the longest."""

    @property
    def fits(self) -> bool:
        """Whether the memory suffices."""
        return self.budget is None or self.bytes <= self.budget

    def __str__(self) -> str:
        listed = ", ".join(f"{name} ({count:,})" for name, count in self.tracks.items())
        place = "of" if self.unit == "window" else "in a window of" if self.passes == 1 else "in windows of"
        place += " up to" if self.mixed else ""
        text = (
            f"{self.call}: {self.passes:,} {self.unit}{'s' if self.passes != 1 else ''} {place} {self.window:,} bp on "
            f"{self.device} in {self.dtype}; tracks: {listed}; about {spell_seconds(self.seconds)}, "
            f"{spell_bytes(self.bytes)} of memory"
        )
        if self.budget is not None:
            text += f" of {spell_bytes(self.budget)}" if self.fits else f", but only {spell_bytes(self.budget)} allowed"
        text += f"; the result has {spell_bytes(self.result_bytes)}."
        if self.recomputed:
            text += f" {self.recomputed} of the encoder's levels are computed twice, to save memory."
        return text

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(str(self))}</p>"


def spell_bytes(count: int | float) -> str:
    """Write bytes for a reader.

    Example:
        >>> spell_bytes(1.3e9)
        '1.3 GB'
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def spell_seconds(seconds: float) -> str:
    """Write a time for a reader.

    Example:
        >>> spell_seconds(0.4), spell_seconds(90.0), spell_seconds(9000.0)
        ('0.4 s', '1.5 min', '2.5 h')
    """
    if seconds < 60:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.2g} min" if seconds < 3600 else f"{seconds / 3600:.3g} h"


def parse_bytes(amount: int | float | str | None) -> int | None:
    """Read an amount of memory: a number of bytes, or text such as "8 GB" or "512MiB".

    Raises:
        ValueError: It is no amount, or below 1 byte.

    Example:
        >>> parse_bytes("8 GB"), parse_bytes("1.5GiB"), parse_bytes(None)
        (8000000000, 1610612736, None)
    """
    if amount is None:
        return None
    if isinstance(amount, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", amount.casefold())
        value = float(found[1]) * _UNITS.get(found[2], 0) if found else 0.0
    else:
        value = 0.0 if isinstance(amount, bool) else float(amount)
    if not value >= 1:
        raise ValueError(
            f"memory_budget={amount!r} came; give bytes, or text such as '8 GB', or None for all there is."
        )
    return int(value)


class Speed:
    """How fast a device is at the network's work: measured once on a matrix product, then by what was run.

    Args:
        device: The device.
        dtype: Type of the activations.
        width: Channels of the network.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, width: int) -> None:
        self._device, self._dtype, self._width = device, dtype, width
        self._seen: float | None = None

    @property
    def flops_per_second(self) -> float:
        """Floating-point operations in a second."""
        if self._seen is None:
            self._seen = _SHARE * self._measure()
        return self._seen

    def saw(self, flops: float, seconds: float) -> None:
        """Learn from a call that was run."""
        if seconds > _SHORTEST:
            self._seen = flops / seconds

    def _measure(self) -> float:
        x = torch.ones(2048, self._width, device=self._device, dtype=self._dtype)
        weight = torch.ones(self._width, self._width, device=self._device, dtype=self._dtype)
        flops, begin = 0.0, time.perf_counter()
        with torch.no_grad():
            float((x @ weight)[0, 0])  # the first product sets things up
            begin = time.perf_counter()
            while time.perf_counter() - begin < 0.05:
                for _ in range(4):
                    out = x @ weight
                float(out[0, 0])  # waits for the device
                flops += 4 * 2.0 * len(x) * self._width**2
        return flops / (time.perf_counter() - begin)


_SHARE = 0.7
"""Of a bare product's speed, what whole passes reach."""

_SHORTEST = 0.2
"""Seconds below which a call says little about speed."""
