"""Windows of real DNA with their targets, as batches of tensors."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from genomekit.genome.interval import Interval
from genomekit.genome.letters import COMPLEMENT_CODES, UNKNOWN
from genomekit.training.isoforms import SpliceAnnotation

OTHER = 4
"""Class of a base that is no splice site."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OrganismData:
    """Everything known of one organism, whole chromosomes in memory."""

    organism: int
    """Index in the network."""
    codes: Mapping[str, np.ndarray]
    """Chromosome to `genomekit.genome.letters.base_codes`."""
    coverage: Mapping[str, Mapping[str, np.ndarray]] = dataclasses.field(default_factory=dict)
    """Modality to chromosome to float32 (channel, position): signal per base."""
    partners: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Modality to the channel order of the other strand, as `TrackTable.partners` gives it."""
    splicing: Mapping[str, SpliceAnnotation] = dataclasses.field(default_factory=dict)
    """Chromosome to its annotated splicing."""

    def __post_init__(self) -> None:
        if missing := sorted(set(self.coverage) - set(self.partners)):
            raise ValueError(
                f"Coverage of {', '.join(missing)} came without `partners`; the other strand of a window needs to know "
                "which channels swap. Give `TrackTable.partners(modality, organism)` for each modality."
            )


class Junctions(NamedTuple):
    """Introns of one window: donor and acceptor positions in it, strand (0 +, 1 -) and count."""

    donor: np.ndarray
    acceptor: np.ndarray
    strand: np.ndarray
    count: np.ndarray


class Batch(NamedTuple):
    """One step's input and targets; every element is of the same organism."""

    dna: Float[Tensor, "batch position 4"]
    organism: Int[Tensor, " batch"]
    coverage: dict[str, Tensor]
    """Modality to float (batch, bin, channel) at the head's finest resolution, summed over each bin."""
    classes: Int[Tensor, "batch position"] | None
    """0 donor+, 1 acceptor+, 2 donor-, 3 acceptor-, 4 other; -1 where nothing is known (past the sequence)."""
    usage: Float[Tensor, "batch position 2"] | None
    junctions: list[Junctions]
    known: Bool[Tensor, "batch position"]
    """False where the window was blanked to N."""


class Window(NamedTuple):
    """A place to read: chromosome, start, and whether it is read as its reverse complement."""

    chrom: str
    start: int
    reverse: bool
    blank: tuple[int, int] = (0, 0)
    """Bases at the start and the end of the (turned) window replaced by N."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is varied when a window is drawn. Random starts (shift) are part of sampling."""

    reverse_complement: float = 0.5
    """Chance that a window is read as its reverse complement."""
    blank: float = 0.0
    """Chance that both flanks become N, as around a short sequence given by a user."""
    least_kept: int = 2048
    """Bases that are never blanked, bp."""


class Sampler:
    """Draws random windows inside regions, uniform over all starts that fit.

    Args:
        regions: Where windows may lie.
        length: Window length, bp.
        augmentation: What is varied.
        seed: Seed of the generator; `state` and `restore` make a run resumable.
    """

    def __init__(self, regions: Sequence[Interval], length: int, augmentation: Augmentation, seed: int) -> None:
        self.regions = [region for region in regions if region.width >= length]
        if not self.regions:
            widest = max((region.width for region in regions), default=0)
            raise ValueError(
                f"No region holds a window of {length:,} bp; the widest has {widest:,}. Use shorter windows."
            )
        starts = np.array([region.width - length + 1 for region in self.regions], float)
        self.chances = starts / starts.sum()
        self.length, self.augmentation = length, augmentation
        self.generator = np.random.default_rng(seed)

    def draw(self) -> Window:
        """Draw one window."""
        rng, rule = self.generator, self.augmentation
        region = self.regions[rng.choice(len(self.regions), p=self.chances)]
        start = int(rng.integers(region.start, region.end - self.length + 1))
        reverse = bool(rng.random() < rule.reverse_complement)
        blank = (0, 0)
        if rng.random() < rule.blank and self.length > rule.least_kept:
            kept = int(np.exp(rng.uniform(np.log(rule.least_kept), np.log(self.length))))
            left = int(rng.integers(0, self.length - kept + 1))
            blank = (left, self.length - kept - left)
        return Window(region.chrom, start, reverse, blank)


def tile(regions: Sequence[Interval], length: int) -> list[Window]:
    """Cover regions with windows that do not overlap; the remainder at a region's end is left out.

    Example:
        >>> [window.start for window in tile([Interval("chrI", 0, 10)], 4)]
        [0, 4]
    """
    return [
        Window(region.chrom, start, False)
        for region in regions
        for start in range(region.start, region.end - length + 1, length)
    ]


def make_batch(data: OrganismData, windows: Sequence[Window], length: int, resolutions: Mapping[str, int]) -> Batch:
    """Read windows and their targets.

    Args:
        data: The organism.
        windows: Where to read.
        length: Window length, bp.
        resolutions: Modality to finest resolution of its head, bp; those without coverage here are left out.
    """
    parts = [_read(data, window, length, resolutions) for window in windows]
    eye = np.concatenate([np.eye(4, dtype=np.float32), np.zeros((1, 4), np.float32)])
    splicing = bool(data.splicing)
    return Batch(
        dna=torch.from_numpy(eye[np.stack([part["codes"] for part in parts])]),
        organism=torch.full((len(windows),), data.organism, dtype=torch.long),
        coverage={
            name: torch.from_numpy(np.stack([p[name] for p in parts])) for name in resolutions if name in data.coverage
        },
        classes=torch.from_numpy(np.stack([part["classes"] for part in parts])) if splicing else None,
        usage=torch.from_numpy(np.stack([part["usage"] for part in parts])) if splicing else None,
        junctions=[part["junctions"] for part in parts] if splicing else [],
        known=torch.from_numpy(np.stack([part["known"] for part in parts])),
    )


def _read(data: OrganismData, window: Window, length: int, resolutions: Mapping[str, int]) -> dict:
    """Read one window, turned and blanked as it says."""
    here = slice(window.start, window.start + length)
    codes = data.codes[window.chrom][here]
    if window.reverse:
        codes = COMPLEMENT_CODES[codes[::-1]]
    known = np.zeros(length, bool)
    known[window.blank[0] : length - window.blank[1]] = True
    part: dict = {"codes": np.where(known, codes, UNKNOWN), "known": known}
    for name, resolution in resolutions.items():
        if name not in data.coverage:
            continue
        signal = data.coverage[name][window.chrom][:, here]
        if window.reverse:
            signal = signal[data.partners[name], ::-1]
        signal = np.where(known, signal, 0)
        part[name] = np.ascontiguousarray(signal.reshape(len(signal), -1, resolution).sum(-1, dtype=np.float32).T)
    if data.splicing:
        part |= _read_splicing(data.splicing[window.chrom], window, length, known)
    return part


def _read_splicing(splicing: SpliceAnnotation, window: Window, length: int, known: np.ndarray) -> dict:
    """Return classes, usage and junctions of one window, turned as it says."""
    first, last = np.searchsorted(splicing.site_position, [window.start, window.start + length])
    position = splicing.site_position[first:last] - window.start
    kind, share = splicing.site_kind[first:last], splicing.site_usage[first:last]
    inside = np.minimum(splicing.junction_donor, splicing.junction_acceptor) >= window.start
    inside &= np.maximum(splicing.junction_donor, splicing.junction_acceptor) < window.start + length
    donor, acceptor = (ends[inside] - window.start for ends in (splicing.junction_donor, splicing.junction_acceptor))
    strand, count = splicing.junction_strand[inside], splicing.junction_count[inside]
    if window.reverse:
        position, kind = length - 1 - position, (kind + 2) % 4
        donor, acceptor, strand = length - 1 - donor, length - 1 - acceptor, 1 - strand
    classes = np.full(length, OTHER, np.int64)
    # A base that is two kinds at once keeps the one written last; there are a handful in a genome.
    classes[position] = kind
    classes[~known] = -1
    usage = np.zeros((length, 2), np.float32)
    np.maximum.at(usage, (position, kind // 2), share)
    usage[~known] = 0
    kept = known[donor] & known[acceptor]
    return {
        "classes": classes,
        "usage": usage,
        "junctions": Junctions(donor[kept], acceptor[kept], strand[kept], count[kept]),
    }


def junction_targets(
    junctions: Sequence[Junctions], sites: Int[Tensor, "batch 4 site"]
) -> Float[Tensor, "batch donor acceptor 2"]:
    """Lay out counts on chosen sites: entry [d, a, strand] is the count of the intron between them, else 0.

    Args:
        junctions: Introns of each batch element.
        sites: Positions as `select_sites` gives them: ascending, -1 past the last.
    """
    count = sites.shape[-1]
    out = torch.zeros(len(sites), count, count, 2)
    for index, introns in enumerate(junctions):
        for strand in (0, 1):
            chosen = introns.strand == strand
            donor, found_donor = _place(introns.donor[chosen], sites[index, 2 * strand].numpy())
            acceptor, found_acceptor = _place(introns.acceptor[chosen], sites[index, 2 * strand + 1].numpy())
            both = found_donor & found_acceptor
            out[index, donor[both], acceptor[both], strand] = torch.from_numpy(introns.count[chosen][both])
    return out


def _place(positions: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each position's place in a row of sites, and whether it is there."""
    filled = row[row >= 0]
    if not len(filled):
        return np.zeros(len(positions), np.int64), np.zeros(len(positions), bool)
    place = np.searchsorted(filled, positions).clip(max=len(filled) - 1)
    return place, filled[place] == positions
