"""What is asked of a prediction, checked at the door: tracks, genome, organism."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, TypeAlias, TypedDict

from genomekit.engine import Engine
from genomekit.engine.strands import Part, parts
from genomekit.errors import GenomekitWarning
from genomekit.genome.assembly import Genome
from genomekit.tracks.select import find_organism

Names: TypeAlias = str | Iterable[str] | None
AnyGenome: TypeAlias = Genome | str | PathLike[str] | Mapping[str, Any] | None


class Options(TypedDict, total=False):
    """What every verb can be asked for; `Model.predict_sequence` says what each means."""

    modalities: Any
    tracks: Any
    ontology: Names
    biosample: Names
    strand: Names
    transcription_factor: Names
    histone_mark: Names
    organism: str | None
    window: int | None
    average_strands: bool
    min_count: float


def shared_options(arguments: Mapping[str, Any]) -> Options:
    """Take the options that all verbs share from the arguments of one."""
    return Options(**{name: arguments[name] for name in Options.__annotations__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to predict, whatever the sequence: checked once, used for every window."""

    organism: str
    """Whose heads are read."""
    wanted: Mapping[str, Part]
    """Channels by modality."""
    average_strands: bool
    """Whether both strands are read and averaged."""
    min_count: float
    """Junctions need this count in one biosample or more."""


def make_request(engine: Engine, organism: str, options: Options) -> Request:
    """Choose the tracks of an organism by the criteria of `TrackTable.select`.

    Raises:
        ValueError: An unknown value (near matches are listed), or a selection that leaves nothing.
    """
    criteria: dict[str, Any] = dict(options)
    for settled in ("organism", "window"):
        criteria.pop(settled, None)
    modalities, average_strands = criteria.pop("modalities", None), criteria.pop("average_strands", False)
    min_count = criteria.pop("min_count", 0.0)
    if not min_count >= 0:
        raise ValueError(f"min_count={min_count} came; give 0 (every pair of splice sites) or more.")
    chosen = engine.tracks.select(organism=organism, modalities=modalities, **criteria)
    if modalities is not None:
        asked = engine.tracks.select(modalities=modalities).modalities
        if absent := [name for name in asked if name not in chosen.modalities]:
            text = f"No {organism} track of {', '.join(absent)} fits the selection; the result is without it."
            warnings.warn(text, GenomekitWarning, stacklevel=4)
    wanted = parts(chosen, organism, engine.tracks)
    return Request(organism=organism, wanted=wanted, average_strands=average_strands, min_count=min_count)


def find_genome(genome: AnyGenome, organism: str | None) -> Genome:
    """Open the genome that was given, the organism's own where there is one per organism.

    Raises:
        ValueError: None was given, or several and no organism.
    """
    if genome is None:
        raise ValueError(
            "No genome came, and an interval needs one: give genome= as a Genome, the path of a FASTA or a preset such "
            "as 'ce10', here or once at from_pretrained. predict_sequence takes letters instead."
        )
    if isinstance(genome, Mapping):
        if organism is None and len(genome) > 1:
            raise ValueError(f"There are genomes of {', '.join(genome)}; say which with organism=.")
        return open_genome(genome[find_organism(organism, genome) if organism is not None else next(iter(genome))])
    return open_genome(genome)


def open_genome(genome: Genome | str | PathLike[str]) -> Genome:
    """Open a preset or a FASTA; a Genome comes back unchanged."""
    return Genome.open(genome if isinstance(genome, Genome) else str(genome))


def find_own_organism(engine: Engine, organism: str | None, genome: Genome | None) -> str:
    """Settle whose heads are read: what was said, else what the genome is, else the only one there is.

    Raises:
        ValueError: It is unknown, contradicts the genome, or cannot be settled.
    """
    names, of_genome = engine.organisms, genome.organism if genome is not None else None
    listed = " and ".join(names)
    if organism is None:
        if of_genome in names:
            return of_genome
        if of_genome is not None:
            raise ValueError(
                f"The genome is {of_genome} and {engine.checkpoint.name!r} has heads of {listed}. Choose a checkpoint "
                f"for {of_genome}, or say whose heads to read all the same with organism={names[0]!r}."
            )
        if len(names) == 1:
            return names[0]
        raise ValueError(f"{engine.checkpoint.name!r} has heads of {listed}; say whose to read with organism=.")
    own = find_organism(organism, names)
    if of_genome in names and of_genome != own:
        raise ValueError(
            f"organism={own!r} does not fit the genome, which is {of_genome}. Give the genome of {own}, or leave "
            "organism= out."
        )
    if of_genome is not None and of_genome != own:
        text = f"Heads of {own} read the genome of {of_genome}: nobody has measured how good that is."
        warnings.warn(text, GenomekitWarning, stacklevel=3)
    return own
