"""A job of mutagenesis: everything that decides its numbers, checked before anything runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genomekit.engine import Engine
from genomekit.engine.incremental import Reference
from genomekit.errors import GenomekitWarning, unknown
from genomekit.genome.interval import Interval
from genomekit.genome.spelling import read_variants
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window
from genomekit.ism.background import Background, background
from genomekit.ism.partial import content_key
from genomekit.ism.reads import Read
from genomekit.predict.request import AnyGenome, Options, Request, find_genome, find_own_organism, make_request
from genomekit.predict.verbs import choose_window, place_of
from genomekit.scoring import Scorer, recommended_scorer
from genomekit.scoring.alleles import Orientation
from genomekit.scoring.contract import check_scorer
from genomekit.scoring.job import annotation_attrs
from genomekit.scoring.scorer import Place

Scorers = Scorer | Iterable[Scorer] | None
Variants = Variant | str | Iterable[Variant | str] | None

DEFAULT_WINDOW = 131_072
"""bp, where the checkpoint's own default is longer: local scores need no more, and each costs 17 times less."""

_FLANK = 600
"""bp around the interval whose rows stay in memory: a mask of 501 bp and what decoding it reads."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is mutated, how it is scored, and on which letters."""

    engine: Engine
    request: Request
    reads: list[Read]
    window: Window
    place: Mapping[str, Any]
    letters: Background
    mask_at: int | None
    """Offset in the window that masks are centred on; None is each edit's own."""

    @property
    def orientation(self) -> Orientation:
        """The strand that is read."""
        return Orientation(self.window.length, self.window.interval.strand == "-")

    @property
    def encoded(self) -> np.ndarray:
        """One-hot of the window as it is read."""
        return self.orientation.encoded(self.letters.encoded)

    @property
    def organism(self) -> int:
        """Index of the organism."""
        return self.engine.organism_index(self.request.organism)

    @property
    def tracks(self) -> int:
        """Scored tracks, of all modalities."""
        return sum(len(read.part.rows) for read in self.reads)

    @property
    def center(self) -> int:
        """Offset in the window of the middle of the interval."""
        return self.window.interval.start - self.window.start + self.window.interval.width // 2

    def reference(self) -> Reference:
        """Read the window once."""
        offsets = self.letters.offsets[self.letters.offsets >= 0]
        low, high = int(offsets.min()) - _FLANK, int(offsets.max()) + 1 + _FLANK
        for read in self.reads:
            for part, bins, _ in read.asks(offsets, self.window.length):
                if part.modality.resolution == 1:
                    low = min(low, int(bins.starts.min()))
                    high = max(high, int(bins.starts.max()) + bins.width)
        if self.orientation.minus:
            low, high = self.window.length - high, self.window.length - low
        region = max(low, 0), min(high, self.window.length)
        return self.engine.reference(self.encoded, self.request.organism, region)

    def key(self, method: str) -> str:
        """Hash everything that decides the numbers."""
        engine = self.engine
        scored = [
            (str(read.scorer), str(read.rule), read.part.channels.tolist(), read.part.partners.tolist())
            for read in self.reads
        ]
        where = (self.orientation, self.letters.offsets, self.mask_at, self.request.organism)
        return content_key(
            "genomekit-ism-2", engine.checkpoint.weight_hash, str(engine.dtype), engine.device.type, method, scored,
            *where, self.letters.encoded,
        )  # fmt: skip


def prepare(
    engine: Engine,
    interval: Interval | str,
    genome: AnyGenome,
    scorer: Scorers,
    variant: Variants,
    mask: str,
    options: Options,
) -> Job:
    """Check everything, and read the letters."""
    if mask not in ("variant", "interval"):
        raise unknown("mask", mask, ("variant", "interval"))
    given: Any = [scorer] if isinstance(scorer, Scorer | str) else scorer
    scorers: list[Scorer] | None = None if given is None else [*given]
    for one in scorers or []:
        check_scorer(one, "or take one of genomekit.scoring, such as CenterMaskScorer('dnase', 501)")
    found = find_genome(genome, options.get("organism"))
    organism = find_own_organism(engine, options.get("organism"), found)
    request = make_request(engine, organism, _of_scorers(engine, organism, scorers, options))
    default = min(DEFAULT_WINDOW, engine.config.default_length)
    window = choose_window(engine, interval, found, options.get("window"), default)
    place = Place(window.chrom, window.start, window.length, window.interval, found)
    reads = [Read.of(one, request.wanted[one.modality], place) for one in _scorers(request, scorers)]
    letters = background(found, window, [] if variant is None else read_variants(variant, found))
    annotation = annotation_attrs(found, [read.scorer for read in reads])
    where = place_of(window, found) | {name: text for name, text in annotation.items() if text}
    job = Job(engine, request, reads, window, where, letters, None)
    if mask == "interval":
        return Job(engine, request, reads, window, job.place, letters, job.center)
    return job


def _of_scorers(engine: Engine, organism: str, scorers: list[Scorer] | None, options: Options) -> Options:
    """Leave out what cannot be scored, where no modality is named."""
    if options.get("modalities") is not None:
        return options
    if scorers is not None:
        return Options(**{**options, "modalities": list(dict.fromkeys(one.modality for one in scorers))})
    known = engine.tracks.select(organism=organism).modalities
    kept = [name for name, modality in known.items() if modality.head_kind not in ("contact", "splice_junction")]
    if options.get("tracks") is None and len(kept) < len(known):
        left = ", ".join(name for name in known if name not in kept)
        text = f"Mutagenesis scores {', '.join(kept)}; there is no centre-mask scorer for {left}, left out."
        warnings.warn(text, GenomekitWarning, stacklevel=5)
    return Options(**{**options, "modalities": kept})


def _scorers(request: Request, scorers: list[Scorer] | None) -> list[Scorer]:
    """Check the scorers against what was chosen; the recommended ones where none came."""
    if scorers is None:
        return [recommended_scorer(part.modality) for part in request.wanted.values()]
    if len({str(one) for one in scorers}) < len(scorers):
        raise ValueError(f"A scorer came twice among {', '.join(map(str, scorers))}; give each once.")
    for one in scorers:
        if one.modality not in request.wanted:
            raise ValueError(
                f"{one} reads {one.modality!r}, which is not among what was chosen: {', '.join(request.wanted)}. "
                "Name its modality, or leave modalities= out."
            )
        one.check_kind(request.wanted[one.modality].modality)
    scored = {one.modality for one in scorers}
    if unscored := [name for name in request.wanted if name not in scored]:
        raise ValueError(f"{', '.join(unscored)} came without a scorer; give one for each modality, or none at all.")
    return scorers
