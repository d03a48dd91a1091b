"""A job of scoring: everything that decides its numbers, checked before anything runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomekit.engine import Engine
from genomekit.engine.strands import Part, parts
from genomekit.errors import GenomekitWarning, unknown
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import REF_CHECKS
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.genome.window import Window
from genomekit.predict.request import AnyGenome, Options, find_genome, find_own_organism, make_request
from genomekit.predict.result import provenance
from genomekit.predict.verbs import choose_window
from genomekit.scoring.center_mask import CenterMaskScorer
from genomekit.scoring.contract import check_scorer
from genomekit.scoring.junction import JunctionScorer
from genomekit.scoring.recommended import RECOMMENDED, recommended_scorers
from genomekit.scoring.scorer import Scorer

Scorers = Scorer | str | Iterable[Scorer | str] | None

LOCAL_WINDOW = 131_072
"""bp, where every scorer reads a place around the variant and the checkpoint's own default is longer."""
_HASH = 16
"""Digits of a hash that are kept, of 64."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is scored, with what, on which genome."""

    engine: Engine
    genome: Genome
    organism: str
    reads: Mapping[Scorer, Part]
    """The tracks of each scorer."""
    classes: Part | None
    """The tracks of splice sites, where junctions are read."""
    length: int | None
    """bp of the window, where it was said."""
    parity: bool
    ref_check: str
    step: int
    """bp between the centres of windows; 1 centres each on its variant."""
    apart: bool = False
    """Whether a scorer that fails leaves the others their scores."""

    @property
    def modalities(self) -> list[str]:
        """What the scorers read."""
        return list(dict.fromkeys(scorer.modality for scorer in self.reads))

    def resolved(self, variant: Variant) -> Variant:
        """Return a variant with its chromosome named as in the genome."""
        return replace(variant, chrom=self.genome.resolve(variant.chrom))

    @property
    def default_length(self) -> int:
        """Bp of the window where none was said."""
        default = self.engine.config.default_length
        local = all(isinstance(scorer, CenterMaskScorer) for scorer in self.reads)
        return min(default, LOCAL_WINDOW) if local else default

    def window(self, interval: Interval) -> Window:
        """Choose the window of a variant or interval."""
        if self.step > 1:
            # Where a window lies depends on the variant alone, not on what else is scored.
            middle = (interval.start + interval.width // 2) // self.step * self.step + self.step // 2
            middle = min(middle, self.genome.chroms[interval.chrom] - 1)
            reach = max(middle - interval.start, interval.end - middle, 1)
            interval = Interval(interval.chrom, max(middle - reach, 0), middle + reach, interval.strand)
        return choose_window(self.engine, interval, self.genome, self.length, self.default_length)

    @property
    def attrs(self) -> dict[str, Any]:
        """With what the scores are made."""
        return {
            "organism": self.organism,
            "assembly": self.genome.assembly or "",
            **annotation_attrs(self.genome, self.reads),
            "parity": int(self.parity),
            "window_length": self.length or self.default_length,
            "window_step": self.step,
            **provenance(self.engine),
        }


def prepare(
    engine: Engine,
    genome: AnyGenome,
    scorers: Scorers = None,
    *,
    parity: bool = False,
    ref_check: str = "error",
    step: int = 1,
    options: Options,
) -> Job:
    """Check everything, and match scorers with tracks.

    Args:
        engine: The network on a device.
        genome: See `Model.score_variant`.
        scorers: See there.
        parity: See there.
        ref_check: See there.
        step: See `Model.score_variants`.
        options: Tracks, organism and window.

    Raises:
        ValueError: An unknown scorer or `ref_check`, a scorer whose modality the model does not have, or an empty
            selection.
    """
    if step < 1:
        raise ValueError(f"step={step} came; give 1 (each window is centered on its variant) or more bp.")
    if ref_check not in REF_CHECKS:
        raise unknown("ref_check", ref_check, REF_CHECKS)
    found = find_genome(genome, options.get("organism"))
    organism = find_own_organism(engine, options.get("organism"), found)
    chosen = choose_scorers(engine, organism, found, scorers, options.get("modalities"))
    asked = list(dict.fromkeys(scorer.modality for scorer in chosen))
    request = make_request(engine, organism, Options(**{**options, "modalities": asked}))
    reads = {scorer: request.wanted[scorer.modality] for scorer in chosen if scorer.modality in request.wanted}
    classes = None
    if any(isinstance(scorer, JunctionScorer) for scorer in reads):
        name = next(head.modality for head in engine.config.heads if head.kind == "splice_class")
        classes = parts(engine.tracks.select(organism=organism, modalities=[name]), organism, engine.tracks)[name]
    return Job(engine, found, organism, reads, classes, options.get("window"), parity, ref_check, step)


def choose_scorers(
    engine: Engine, organism: str, genome: Genome, scorers: Scorers, modalities: Any = None
) -> list[Scorer]:
    """Take scorers by name or as they are; None is every recommended one that can run here."""
    known = recommended_scorers(engine.tracks.select(organism=organism).modalities)
    if scorers is None:
        return _possible(known, engine, organism, genome, modalities)
    given = list(scorers) if isinstance(scorers, Iterable) and not isinstance(scorers, str) else [scorers]
    named = {**RECOMMENDED, **known}  # of a modality that is not here it is said which, below
    chosen = []
    for one in given:
        if isinstance(one, str) and one not in named:
            raise unknown("scorer", one, known)
        chosen.append(named[one] if isinstance(one, str) else one)
    if not chosen:
        raise ValueError("No scorer came; give at least one, or None for the recommended ones.")
    for one in chosen:
        check_scorer(one, f"or name one of: {', '.join(known)}")
    names = [str(one) for one in chosen]
    if len(set(names)) < len(names):
        raise ValueError(f"A scorer came twice among {', '.join(names)}; give each once.")
    have = engine.tracks.select(organism=organism).modalities
    for one in chosen:
        if one.modality not in have:
            raise ValueError(
                f"{one} reads {one.modality!r}, which {engine.checkpoint.name!r} does not predict for {organism}; it "
                f"has {', '.join(have)}."
            )
        one.check_kind(have[one.modality])
    if modalities is not None:
        _check_agree(chosen, engine.tracks.select(organism=organism, modalities=modalities).modalities)
    return chosen


def _check_agree(chosen: Iterable[Scorer], asked: Iterable[str]) -> None:
    """Refuse scorers of modalities that were left out."""
    for one in chosen:
        if one.modality not in asked:
            raise ValueError(
                f"modalities= leaves {one.modality!r} out, which {one} reads; it names {', '.join(asked)}. Scorers say "
                "what is read: leave modalities= out, or give scorers= of these modalities."
            )


def annotation_attrs(genome: Genome, scorers: Iterable[Scorer]) -> dict[str, str]:
    """Say which annotation scorers read: the name of its file, the release that it declares, and a hash of its content.

    All are "" where no scorer reads one: that of a preset would be downloaded for its name alone.
    """
    name = release = content = ""
    if genome.has_annotation and not all(map(_is_place, scorers)):
        annotation = genome.annotation
        name, release, content = Path(annotation.source).name, annotation.release, annotation.content_hash[:_HASH]
    return {"annotation": name, "annotation_release": release, "annotation_hash": content}


def _without_sites(genome: Genome) -> str:
    """Say which table of polyadenylation sites is missing, "" where there is one; a preset's may be out of reach."""
    if not genome.has_polya_sites:
        return "a table of polyadenylation sites"
    try:
        genome.polya_sites()
    except ConnectionError as error:
        return f"its polyadenylation sites here ({error})"
    return ""


def _possible(
    known: Mapping[str, Scorer], engine: Engine, organism: str, genome: Genome, modalities: Any
) -> list[Scorer]:
    """Leave out what needs an annotation or a table that the genome does not have, and say so."""
    if modalities is not None:
        asked = engine.tracks.select(organism=organism, modalities=modalities).modalities
        known = {name: one for name, one in known.items() if one.modality in asked}
    left: dict[str, Sequence[str]] = {}
    if not genome.has_annotation:
        left["an annotation"] = [name for name, one in known.items() if not _is_place(one)]
    if "polyadenylation" in known and (missing := _without_sites(genome)):
        # Upstream has it for human alone; elsewhere nobody misses it.
        if organism == "human" and genome.has_annotation:
            left[missing] = ["polyadenylation"]
        known = {name: one for name, one in known.items() if name != "polyadenylation"}
    for what, names in left.items():
        if names:
            text = f"{genome!r} has not got {what}; left out: {', '.join(names)}."
            warnings.warn(text, GenomekitWarning, stacklevel=5)
    without = {name for names in left.values() for name in names}
    kept = [one for name, one in known.items() if name not in without]
    if not kept:
        raise ValueError(
            "No recommended scorer can run here: those of the chosen modalities need an annotation. Open the genome "
            "with gtf=, or name other modalities."
        )
    return kept


def _is_place(scorer: Scorer) -> bool:
    """Whether a scorer reads a place around the variant, and no gene."""
    return type(scorer).targets is Scorer.targets and not isinstance(scorer, JunctionScorer)
