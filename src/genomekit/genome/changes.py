"""The normal form of changes inside one window: trimmed, shifted left, joined where they touch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from genomekit.errors import shorten
from genomekit.genome.variant import Variant

Read: TypeAlias = Callable[[str, int, int], str]


class Letters:
    """Letters of a window and of what deletions pull in on its right; REF letters as the variants give them.

    Args:
        text: Letters of the genome.
        start: Place of the first one, 0-based.
        variants: Variants whose REF letters replace the genome's.
    """

    def __init__(self, text: str, start: int, variants: Iterable[Variant]) -> None:
        self.start = start
        for variant in variants:
            first, last = max(variant.start - start, 0), min(variant.end - start, len(text))
            if first < last:
                cut = start + first - variant.start
                text = text[:first] + variant.ref[cut : cut + last - first] + text[last:]
        self.text = text

    def between(self, first: int, last: int) -> str:
        """Return those of a stretch of the chromosome."""
        return self.text[first - self.start : last - self.start]


@dataclass(frozen=True, slots=True)
class Change:
    """Letters that replace others, at a place of the chromosome."""

    start: int
    """0-based."""
    ref: str
    alt: str
    variant: Variant
    """Where it comes from."""

    @property
    def end(self) -> int:
        """One past the last base replaced."""
        return self.start + len(self.ref)

    @property
    def is_shift(self) -> bool:
        """Whether it only inserts or only deletes, and so can stand at several places of a repeat."""
        return bool(self.ref) != bool(self.alt)

    def trimmed(self) -> Change:
        """Drop what both alleles begin or end with; the base a VCF record begins with goes first."""
        ref, alt = self.ref, self.alt
        if ref == alt:
            return self
        before = _shared(zip(ref, alt, strict=False))
        ref, alt = ref[before:], alt[before:]
        after = _shared(zip(reversed(ref), reversed(alt), strict=False))
        return replace(self, start=self.start + before, ref=ref[: len(ref) - after], alt=alt[: len(alt) - after])

    def moved(self, steps: int) -> Change:
        """Shift an insertion or deletion along a repeat; its letters turn."""
        unit = self.ref or self.alt
        by = steps % len(unit)
        unit = unit[by:] + unit[:by]
        return replace(self, start=self.start + steps, ref=unit if self.ref else "", alt=unit if self.alt else "")


def check_apart(changes: Sequence[Change]) -> None:
    """Refuse a base that is changed twice, and two insertions at one place, whose order nobody knows.

    Args:
        changes: In order of (start, end).

    Raises:
        ValueError: Two overlap; both are named.
    """
    for one, two in itertools.pairwise(c for c in changes if c.ref != c.alt):
        if two.start < one.end or (two.start == one.start and not two.ref):
            raise ValueError(
                f"Variants {shorten(one.variant)} and {shorten(two.variant)} overlap: both change the same place. "
                "Give those of one haplotype, each base changed once; predict alternatives one by one."
            )


def clip(change: Change, start: int, end: int) -> Change:
    """Cut off what lies before the stretch [start, end).

    Raises:
        ValueError: The change lies wholly outside.
    """
    cut = max(start - change.start, 0)
    if change.start >= end or (cut and cut >= len(change.ref)):
        raise ValueError(
            f"Variant {shorten(change.variant)} changes nothing in the window "
            f"{change.variant.chrom}:{start:,}-{end:,}. Give an interval that holds it, or leave the interval out."
        )
    return replace(change, start=change.start + cut, ref=change.ref[cut:], alt=change.alt[cut:])


def place(changes: Sequence[Change], start: int, end: int, letters: Letters, read: Read) -> list[Change]:
    """Shift every change as far left as it goes, inside the stretch [start, end) and not past its neighbours.

    Args:
        changes: Trimmed, in order.
        start: First base of the window, 0-based.
        end: One past its last base.
        letters: Of the window.
        read: For letters before it.
    """
    placed: list[Change] = []
    floor = max(0, start)
    for index, change in enumerate(changes):
        if change.start < start:
            room = (c.start - change.end for c in changes[index + 1 :] if c.ref != c.alt)
            change = _right(change, min([start - change.start, *room]), read)
        placed.append(clip(_left(change, floor, letters), start, end))
        if change.ref != change.alt:
            floor = max(floor, placed[-1].end)
    return placed


def merge(changes: Iterable[Change], floor: int, letters: Letters) -> list[Change]:
    """Join changes that touch, and give each its normal form; changes that cancel are gone.

    Args:
        changes: Placed, in order.
        floor: What no change is shifted past, 0-based.
        letters: Of the window.
    """
    merged: list[Change] = []
    for change in changes:
        while (change := change.trimmed()).ref != change.alt:
            change = _left(change, max([floor, *(c.end for c in merged[-1:])]), letters)
            if not (merged and merged[-1].end == change.start):
                merged.append(change)
                break
            last = merged.pop()
            change = replace(last, ref=last.ref + change.ref, alt=last.alt + change.alt)
    return [part for change in merged for part in _runs(change)]


def _runs(change: Change) -> Iterable[Change]:
    """Cut a substitution into runs of bases that differ: one of two bases is the same as two of one."""
    if len(change.ref) != len(change.alt):
        yield change
        return
    differs = [one != two for one, two in zip(change.ref, change.alt, strict=True)]
    first = 0
    for changed, run in itertools.groupby(differs):
        last = first + len(list(run))
        if changed:
            yield replace(change, start=change.start + first, ref=change.ref[first:last], alt=change.alt[first:last])
        first = last


def _right(change: Change, most: int, read: Read) -> Change:
    """Shift an insertion or deletion to the right, by `most` bp at most."""
    unit, steps = change.ref or change.alt, 0
    while change.is_shift and steps < most:
        here = change.end + steps
        if read(change.variant.chrom, here, here + 1) != unit[steps % len(unit)]:
            break
        steps += 1
    return change.moved(steps) if steps else change


def _left(change: Change, floor: int, letters: Letters) -> Change:
    """Shift an insertion or deletion to the left, as far as the same letters come out and not past `floor`."""
    if not change.is_shift or change.start <= floor:
        return change
    before = reversed(letters.between(floor, change.start))
    return change.moved(-_shared(zip(before, itertools.cycle(reversed(change.ref or change.alt)), strict=False)))


def _shared(pairs: Iterable[tuple[str, str]]) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
