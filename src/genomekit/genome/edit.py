"""Edit: REF and ALT letters of one window, and the map between their coordinates."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

import numpy as np

from genomekit import errors
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.changes import Change, Letters, Read, check_apart, clip, merge, place
from genomekit.genome.interval import Interval
from genomekit.genome.reference_check import explain
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window

Place: TypeAlias = Window | Interval
REF_CHECKS = ("error", "warn", "ignore")


class Event(NamedTuple):
    """One net change: `ref_length` bases from `start` on become `alt_length` bases.

    The first bases of both, as many as the shorter has, stand for each other; those left over are deleted or inserted.
    """

    start: int
    """0-based offset in the REF window."""
    ref_length: int
    """bp; may reach past the end of the window."""
    alt_length: int
    """bp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What variants do to one window: REF and ALT letters of its length, and the map between their coordinates.

    Both alleles start at the same base. What an insertion pushes past the right end is cut off; a deletion pulls in
    the bases that follow the window. Letters are those of the plus strand. Edits are equal where letters and events
    are, however the variants were spelled.

    Source:
        google-deepmind/alphagenome_research, extraction of REF and ALT sequences.
    """

    chrom: str
    start: int
    """First base of the window, 0-based."""
    ref: str
    alt: str
    events: tuple[Event, ...]
    """Net changes in order; none overlaps another."""
    variants: tuple[Variant, ...] = field(compare=False)
    """What was applied, in order: shifted left and trimmed as in a VCF file, or as spelled with `parity`."""

    @classmethod
    def of(
        cls,
        variants: Variant | str | Iterable[Variant | str],
        window: Place,
        read: Genome | Read,
        *,
        ref_check: str = "error",
        parity: bool = False,
    ) -> Edit:
        """Lay a variant, or those of one haplotype, over a window.

        A variant is shifted as far left as it goes inside the window and trimmed, so that every spelling of one change
        gives the same edit. One that is partly outside is cut at the edge.

        Args:
            variants: Variants on the window's chromosome; several are phased (one haplotype) and do not overlap.
            window: What is read, 0-based half-open; may run past the ends of the chromosome.
            read: A Genome, or `read(chrom, start, end)` that gives letters, 0-based half-open, N past the ends.
            ref_check: What to do where REF differs from the genome: "error", "warn", or "ignore". With the last two
                the REF letters given replace the genome's.
            parity: Take variants as spelled, as upstream does.

        Raises:
            ReferenceMismatch: REF letters differ from the genome's.
            ValueError: Variants that overlap each other, lie outside the window or on another chromosome.

        Example:
            >>> genome = "GGCACACATTTT"
            >>> window = Interval("chr1", 0, 8)
            >>> edit = Edit.of("chr1:7:CA>", window, lambda chrom, start, end: genome[start:end])
            >>> edit.ref, edit.alt, str(edit.variants[0]), edit.alt_offsets.tolist()
            ('GGCACACA', 'GGCACATT', 'chr1:2:GCA>G', [0, 1, -1, -1, 2, 3, 4, 5])
        """
        given = [variants] if isinstance(variants, Variant | str) else list(variants)
        source = _Source.of(read)
        chrom = source.resolve(window.chrom)
        checked = [_checked(Variant.parse(one), chrom, source, ref_check) for one in given]
        changes = [Change(one.start, one.ref, one.alt, one) for one in checked]
        changes = sorted(changes if parity else [c.trimmed() for c in changes], key=lambda c: (c.start, c.end))
        check_apart(changes)
        pulled = sum(max(0, len(c.ref) - len(c.alt)) for c in changes)
        # A change past the window may still be the same as one inside, in a repeat that reaches out of it.
        kept = max([window.end + pulled, *(c.start for c in changes)])
        letters = Letters(source.letters(chrom, window.start, kept), window.start, checked)
        if parity:
            placed = merged = [clip(change, window.start, window.end) for change in changes]
        else:
            placed = place(changes, window.start, window.end, letters, source.letters)
            merged = merge(placed, max(0, window.start), letters)
        ref = letters.text[: window.end - window.start]
        return cls(
            chrom=chrom,
            start=window.start,
            ref=ref,
            alt=_apply(merged, letters)[: len(ref)],
            events=tuple(Event(c.start - window.start, len(c.ref), len(c.alt)) for c in merged),
            variants=tuple(c.variant if parity else _spelled(c, letters, source) for c in placed),
        )

    @property
    def end(self) -> int:
        """One past the last base of the window, 0-based."""
        return self.start + len(self.ref)

    @property
    def alt_offsets(self) -> np.ndarray:
        """ALT offset of the base at every REF offset; -1 where it is deleted or pushed past the end."""
        return alt_offsets(self.events, 0, len(self.ref), len(self.ref))


def alt_offsets(events: Iterable[Event], start: int, stop: int, length: int) -> np.ndarray:
    """Return the ALT offset of the bases at REF offsets [start, stop), int64 (offset,).

    Args:
        events: Changes in order.
        start: First REF offset wanted.
        stop: One past the last.
        length: bp of the window.

    Returns:
        -1 where the base is deleted or pushed past the end of the window.

    Example:
        >>> alt_offsets([Event(1, 0, 2), Event(3, 1, 0)], 0, 6, 6).tolist()
        [0, 3, 4, -1, 5, -1]
    """
    size = stop - start
    shift, deleted = np.zeros(size + 1, dtype=np.int64), np.zeros(size, dtype=bool)
    for event in events:
        first, after = (
            min(max(event.start + length_ - start, 0), size)
            for length_ in (min(event.ref_length, event.alt_length), event.ref_length)
        )
        deleted[first:after] = True
        shift[after] += event.alt_length - event.ref_length
    out = np.arange(start, stop) + np.cumsum(shift[:-1])
    out[deleted | (out >= length)] = -1
    return out


def insertions(events: Iterable[Event], length: int) -> Iterator[tuple[int, int, int]]:
    """Give for each insertion the REF offset it is shown at, and its first ALT offset and the one past the last.

    It is shown at the base before it, or at the first base of the window where there is none. Insertions that lie
    past the end are left out.

    Example:
        >>> list(insertions([Event(4, 1, 3), Event(8, 0, 2)], 12))
        [(4, 5, 7), (7, 10, 12)]
    """
    shift = 0
    for event in events:
        more = event.alt_length - event.ref_length
        first = event.start + shift + event.ref_length
        if more > 0 and first < length:
            yield max(event.start + event.ref_length - 1, 0), first, min(first + more, length)
        shift += more


class _Source(NamedTuple):
    """Where letters come from."""

    read: Read
    name: str
    genome: Genome | None

    @classmethod
    def of(cls, read: Genome | Read) -> _Source:
        if isinstance(read, Genome):
            return cls(read.fasta.fetch, read.assembly or read.fasta.path.name, read)
        return cls(read, "the sequence", None)

    def resolve(self, chrom: str) -> str:
        return chrom if self.genome is None else self.genome.resolve(chrom)

    def letters(self, chrom: str, start: int, end: int) -> str:
        found = self.read(chrom, start, end).upper() if end > start else ""
        if len(found) != end - start:
            raise ValueError(
                f"Reading {chrom}:{start}-{end} gave {len(found)} letters instead of {end - start}; "
                "read(chrom, start, end) takes 0-based half-open ends and gives N past the ends of the chromosome."
            )
        return found


def _checked(variant: Variant, chrom: str, source: _Source, ref_check: str) -> Variant:
    """Name the chromosome as the genome does, and compare the REF letters with it."""
    if ref_check not in REF_CHECKS:
        raise errors.unknown("ref_check", ref_check, REF_CHECKS)
    there = source.resolve(variant.chrom)
    if there != chrom:
        raise ValueError(
            f"Variant {errors.shorten(variant)} is on {there} and the window on {chrom}; give one of there."
        )
    variant = replace(variant, chrom=there)
    here = source.letters(chrom, variant.start, variant.end)
    if here != variant.ref and ref_check != "ignore":
        text = explain(variant, here, source.read, source.name)
        if ref_check == "error":
            raise ReferenceMismatch(text)
        warnings.warn(f"{text} The letters given replace those of the genome.", GenomekitWarning, stacklevel=4)
    return variant


def _apply(changes: Iterable[Change], letters: Letters) -> str:
    pieces, done = [], letters.start
    for change in changes:
        pieces += [letters.between(done, change.start), change.alt]
        done = change.end
    return "".join(pieces) + letters.text[done - letters.start :]


def _spelled(change: Change, letters: Letters, source: _Source) -> Variant:
    """Write a change as a VCF record does: with the base before it where an allele would be empty."""
    start, ref, alt = change.start, change.ref, change.alt
    if ref == alt:
        return change.variant
    if not (ref and alt):
        if start > 0:
            start -= 1
            letter = letters.between(start, start + 1) if start >= letters.start else ""
            letter = letter or source.letters(change.variant.chrom, start, start + 1)
            ref, alt = letter + ref, letter + alt
        else:
            letter = letters.between(change.end, change.end + 1)
            ref, alt = ref + letter, alt + letter
    return replace(change.variant, position=start + 1, ref=ref, alt=alt)
