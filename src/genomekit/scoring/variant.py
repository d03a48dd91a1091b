"""One variant scored by every scorer of a job: the window once for REF, what the variant can change for ALT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from genomekit.engine import one_hot
from genomekit.engine.incremental import Reference, difference
from genomekit.engine.reading import Reading
from genomekit.engine.strands import Part
from genomekit.genome.edit import Edit, Event
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window
from genomekit.predict.variant import check_span, hull
from genomekit.scores import ScorePart
from genomekit.scores.records import AnyRecord
from genomekit.scoring.alleles import Ask, Orientation, read, spans_of
from genomekit.scoring.apart import apart
from genomekit.scoring.contract import choose_introns, not_finite, targets_of
from genomekit.scoring.job import Job
from genomekit.scoring.junction import JunctionScorer
from genomekit.scoring.junction_read import Introns, body_asks, choose_sites, no_introns, read_introns
from genomekit.scoring.recommended import short_name
from genomekit.scoring.scorer import Place, Scorer, Target, Values


class SharedReference:
    """The window that was last read, whole: neighbours whose window is the same need not read it again."""

    def __init__(self) -> None:
        self._letters: np.ndarray | None = None
        self._kept: tuple[Reference, Reading] | None = None

    def of(self, job: Job, encoded: np.ndarray) -> tuple[Reference, Reading]:
        """Return the reference of a window and what the transformer made of it."""
        if self._kept is None or self._letters is None or not np.array_equal(self._letters, encoded):
            self._kept = None  # two windows at once may not fit
            reference = job.engine.reference(encoded, job.organism, batch=1)
            self._letters, self._kept = encoded, (reference, reference.unedited().remembering(whole=True))
        return self._kept


class Row(NamedTuple):
    """A row to score, and where what it reads lies among everything that is read."""

    target: Target
    asks: slice


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One window, its edit, and what is read of both alleles."""

    job: Job
    record: int
    window: Window
    place: Place
    edit: Edit | None
    """None where an interval is scored: there is one allele."""
    rows: dict[Scorer, list[Row]]
    asks: list[Ask]
    bodies: list[Ask]
    """Where splice sites are looked for, for the scorers of introns; the last of the asks."""
    failed: dict[Scorer, Exception] | None = None
    """The scorers that failed here, and how; None where the first one that does stops the scene."""

    @classmethod
    def of(cls, job: Job, record: int, variants: Sequence[Variant], interval: Interval | None = None) -> Scene:
        """Lay a variant (or those of a haplotype) over its window, and ask every scorer for its rows."""
        if interval is None:
            interval = hull(variants, job.genome, parity=job.parity)
            check_span(variants, interval, job.engine.config.lengths, job.length)
        window = job.window(interval)
        edit = Edit.of(variants, window, job.genome, ref_check=job.ref_check, parity=job.parity)
        placed = edit.variants or tuple(variants)
        start = min(one.start for one in placed)
        end = max(max(one.end, one.start + len(one.alt), one.start + 1) for one in placed)
        touched = Interval(window.chrom, start, end)
        return cls.at(job, record, window, touched, start - window.start, edit)

    @classmethod
    def of_record(cls, job: Job, record: AnyRecord) -> Scene:
        """Lay a record over its window.

        Raises:
            ValueError: It cannot be scored.
        """
        variant = Variant(record.chrom, record.position, record.ref, record.alt)
        return cls.of(job, record.number, [job.resolved(variant)])

    @classmethod
    def of_interval(cls, job: Job, interval: Interval | str) -> Scene:
        """Lay an interval of the reference over its window; there is one allele."""
        window = job.window(job.genome.locate(interval))
        shown = window.interval
        return cls.at(job, 0, window, shown, shown.start + shown.width // 2 - window.start, None)

    @classmethod
    def at(cls, job: Job, record: int, window: Window, touched: Interval, offset: int, edit: Edit | None) -> Scene:
        """Ask every scorer for its rows."""
        place = Place(window.chrom, window.start, window.length, touched, job.genome, job.parity)
        rows: dict[Scorer, list[Row]] = {}
        asks: list[Ask] = []
        failed: dict[Scorer, Exception] | None = {} if job.apart else None
        for scorer, part in job.reads.items():
            if isinstance(scorer, JunctionScorer):
                continue
            own: list[Row] = []
            with apart(scorer, failed):
                for target in targets_of(scorer, place):
                    first, resolution = len(asks), part.modality.resolution
                    for bins in target.rule.bins(np.array([offset]), window.length, resolution):
                        asks.append(Ask(part, bins, scorer.aligned))
                    own.append(Row(target, slice(first, len(asks))))
                rows[scorer] = own
        bodies = [] if job.classes is None or edit is None else body_asks(place, job.classes)
        return cls(job, record, window, place, edit, rows, asks + bodies, bodies, failed)

    @property
    def orientation(self) -> Orientation:
        """The strand that is read."""
        return Orientation(self.window.length, self.window.interval.strand == "-")

    @property
    def events(self) -> tuple[Event, ...]:
        """What ALT inserts and deletes."""
        changes = () if self.edit is None else self.edit.events
        return tuple(event for event in changes if event.ref_length != event.alt_length)

    def parts(self, shared: SharedReference | None = None) -> list[ScorePart]:
        """Read the alleles, and score every row.

        Args:
            shared: Where the reference of a window is kept for the next variant in it.
        """
        junctions = self._of_junctions
        if not self.asks:
            # Away from genes a scorer of genes has nothing to read, and the network need not run.
            introns, before, after = {scorer: no_introns(part) for scorer, part in junctions.items()}, [], []
        else:
            with torch.no_grad():
                ref, alt = self._readings(shared)
                before = read(ref, self.orientation, self.asks)
                after = before if alt is ref else read(alt, self.orientation, self.asks, events=self.events)
                introns = self._introns(ref, alt, before, after)
        found = []
        for scorer, rows in self.rows.items():
            with apart(scorer, self.failed):
                found.append(self._part(scorer, rows, before, after))
        for scorer, part in junctions.items():
            with apart(scorer, self.failed):
                found.append(self._junctions(scorer, part, introns[scorer]))
        if self.failed and not found:
            raise next(iter(self.failed.values()))
        return found

    def _readings(self, shared: SharedReference | None) -> tuple[Reading, Reading]:
        """Run the transformer on REF, then on ALT from what it shares with REF."""
        letters = self._letters()
        encoded = [self.orientation.encoded(one_hot(text)) for text in letters]
        needed = None if self._of_junctions else spans_of(self.asks, self.orientation)
        if shared is None:
            reference = self.job.engine.reference(encoded[0], self.job.organism, self._region(), batch=1)
            ref = reference.unedited(needed)
            if self._of_junctions:
                ref = ref.remembering()  # bodies of genes, then the sites that were found there
        else:
            reference, ref = shared.of(self.job, encoded[0])
        change = difference(encoded[0], encoded[-1])
        if not len(change.bases):
            return ref, ref
        # A shifted ALT is read elsewhere than REF, so its last layer runs for everything.
        alt = reference.edited([change], None if self.events else needed)
        return ref, alt.remembering() if self._of_junctions else alt

    def _letters(self) -> list[str]:
        if self.edit is not None:
            return [self.edit.ref, self.edit.alt]
        return [self.job.genome.sequence(Interval(self.window.chrom, self.window.start, self.window.end))]

    def _region(self) -> tuple[int, int]:
        """Return the bases around which rows stay in memory: all that is read at 1 bp."""
        length = self.window.length
        if self._of_junctions:
            return 0, length
        spans = [
            (int(ask.bins.starts[0]), int(ask.bins.starts[0]) + ask.bins.width)
            for ask in self.asks
            if ask.part.modality.resolution == 1
        ]
        if not spans:
            return 0, 1
        low, high = max(min(low for low, _ in spans), 0), min(max(high for _, high in spans), length)
        return (length - high, length - low) if self.orientation.minus else (low, high)

    @property
    def _of_junctions(self) -> dict[JunctionScorer, Part]:
        """Scorers of introns, which two alleles are read for."""
        found = {scorer: part for scorer, part in self.job.reads.items() if isinstance(scorer, JunctionScorer)}
        return {} if self.edit is None else found

    def _introns(
        self, ref: Reading, alt: Reading, before: list[Values], after: list[Values]
    ) -> dict[JunctionScorer, Introns]:
        """Count introns for every scorer of them, at sites chosen from what was read of both alleles."""
        if not self._of_junctions:
            return {}
        read_last = slice(len(self.asks) - len(self.bodies), None)
        config = self.job.engine.config
        bodies = before[read_last], after[read_last]
        checked = self.job.engine.checked  # of probabilities that are no numbers no site would be chosen, in silence
        for ask, *alleles in zip(self.bodies, *bodies, strict=True):
            for one in alleles:
                checked(one.signal, ask.part.modality.name)
        sites = choose_sites(*bodies, self.bodies, self.place, config)
        found = {
            scorer: read_introns(ref, alt, sites, self.orientation, self.place, part, self.events)
            for scorer, part in self._of_junctions.items()
        }
        for scorer, introns in found.items():
            checked(torch.from_numpy(np.stack([introns.ref, introns.alt])), scorer.modality)
        return found

    def _part(self, scorer: Scorer, rows: list[Row], ref: list[Values], alt: list[Values]) -> ScorePart:
        part = self.job.reads[scorer]
        shape = (len(rows), len(part.rows))
        raw, before, after = (np.full(shape, np.nan, dtype=np.float32) for _ in range(3))
        for number, (target, asks) in enumerate(rows):
            rule, kept = target.rule, _on_strand(part, target.strand)
            one, other = ref[asks], alt[asks]
            made = [] if self.edit is None else [(raw, "score", rule.score(one, other))]
            made += [(before, "level", rule.level(one)), (after, "level", rule.level(other))]
            for out, what, values in made:
                out[number, kept] = self._checked(values[0].float().cpu().numpy()[kept], scorer, what, one + other)
        obs = self._obs([dict(target.row) for target, _ in rows])
        levels = (None, None) if np.isnan(before).all() and len(rows) else (before, after)
        return self._score_part(scorer, obs, part.rows, raw, *levels)

    def _junctions(self, scorer: JunctionScorer, part: Part, introns: Introns) -> ScorePart:
        # One row of the table for each biosample: the strand belongs to the junction.
        tissues = part.rows.drop_duplicates("name").assign(strand=".", label=lambda rows: rows["name"])
        rows = choose_introns(scorer, self.place, introns, len(tissues))
        obs = self._obs([dict(row) for row in rows.rows])
        return self._score_part(scorer, obs, tissues, rows.raw, rows.ref, rows.alt)

    def _score_part(self, scorer: Scorer, obs: pd.DataFrame, var: pd.DataFrame, *values: Any) -> ScorePart:
        name = short_name(scorer, self.job.reads[scorer].modality)
        return ScorePart(str(scorer), scorer.modality, scorer.signed, obs, var, *values, name=name)

    def _obs(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        frame = pd.DataFrame(rows, index=range(len(rows)))
        frame.insert(0, "record", self.record)
        return frame

    def _checked(self, values: np.ndarray, scorer: Scorer, what: str, read: list[Values]) -> np.ndarray:
        """Give numbers back; where one is not finite, say whether predictions or the scorer are to blame."""
        # A scorer that has no measure of one allele says so with NaN.
        if not np.isfinite(values).all() and not (what == "level" and np.isnan(values).all()):
            for one in read:
                self.job.engine.checked(one.signal, scorer.modality)
            raise not_finite(values, scorer, what)
        return values


def _on_strand(part: Part, strand: str) -> np.ndarray:
    """Say which tracks a row of this strand has a score for."""
    strands = part.rows["strand"].to_numpy()
    return np.ones(len(strands), dtype=bool) if strand == "." else (strands == strand) | (strands == ".")
