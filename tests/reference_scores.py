"""Our scorers on the reference's own predictions, and its stored scores beside ours.

The reference ran its scorers on made-up tracks of one window (`parity/variant_scorers.npz`, described in the README of
that folder). Tests and `benchmarks/` read this module.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import genomekit as gk
from genomekit.align import align
from genomekit.genome.edit import Edit, Event
from genomekit.genome.interval import Interval
from genomekit.scoring import RECOMMENDED, CenterMaskScorer, Place, Rule, Scorer, Values
from genomekit.splicing import introns, pair_values, pool_sites, unstack
from genomekit.tracks import MODALITIES

WINDOW = Interval("chr1", 100_000, 104_096)
LENGTH = WINDOW.width
VARIANTS = ("snv", "ins", "del", "edge", "mnv_del", "mnv_ins")
_GENE_KEYS = {
    "rna_seq": "GENE_MASK_LFC",
    "rna_seq_active": "GENE_MASK_ACTIVE",
    "splice_sites": "GENE_MASK_SPLICING",
    "splice_site_usage": "GENE_MASK_SPLICING",
}


@dataclass(frozen=True)
class Compared:
    """Our numbers and the reference's for one scorer, or one step of scoring."""

    name: str
    got: np.ndarray
    expected: np.ndarray

    @property
    def absolute(self) -> float:
        """Largest absolute difference."""
        return float(np.abs(np.asarray(self.got, np.float64) - np.asarray(self.expected, np.float64)).max())

    @property
    def relative(self) -> float:
        """Largest absolute difference over the largest absolute value."""
        return self.absolute / float(np.abs(np.asarray(self.expected, np.float64)).max())


def joined(found: list[Compared]) -> Compared:
    """Put the parts of one scorer together."""
    got, expected = (np.concatenate([np.ravel(getattr(one, side)) for one in found]) for side in ("got", "expected"))
    return Compared(found[0].name, got, expected)


class Stored:
    """The stored scores of a shared folder, and ours on the same predictions.

    Args:
        shared: Folder with `parity/`.
        folder: Where the made-up genome may be written.
        dtype: In which type ours are computed; the reference's are float32.
    """

    def __init__(self, shared: Path, folder: Path, dtype: torch.dtype = torch.float32) -> None:
        with np.load(shared / "parity" / "variant_scorers.npz") as stored:
            self.data = dict(stored)
        self.folder, self.dtype = folder, dtype

    def recommended(self) -> Iterator[Compared]:
        """Compare every recommended scorer."""
        for name, scorer in RECOMMENDED.items():
            if isinstance(scorer, CenterMaskScorer):
                parts = [self.center_mask(scorer, variant) for variant in ("snv", "edge")]
            elif name in _GENE_KEYS:
                parts = [self.genes(name, variant) for variant in ("snv", "ins", "del")]
            elif name == "polyadenylation":
                parts = [self.polyadenylation(variant) for variant in ("snv", "del")]
            elif name == "splice_junctions":
                parts = [self.junctions()]
            else:
                parts = [self.contact_maps()]
            yield replace(joined(parts), name=name)

    def center_masks(self) -> Iterator[Compared]:
        """Compare every width and aggregation of the centre mask, at both resolutions."""
        keys = [key.split("|")[2:] for key in self.data if key.startswith("center|snv|")]
        for width, output, aggregation in keys:
            scorer = CenterMaskScorer(output.lower(), None if width == "None" else int(width), aggregation)
            yield joined([self.center_mask(scorer, variant) for variant in ("snv", "edge")])

    def steps(self) -> Iterator[Compared]:
        """Compare what scorers are made of: masks, alignment, splice sites and introns."""
        masks = [self._mask(key) for key in self.data if key.startswith("center_mask_range|")]
        yield replace(joined(masks), name="bins of the centre masks")
        yield Compared("bin of the contact map", np.array([self._contact_bin()]), self.data["contact_bin"][None])
        for variant in VARIANTS:
            yield joined([self.aligned(variant, strand) for strand in ("plus", "minus")])
        yield joined(list(self.sites()))
        table, values = unstack(self.data["junction_ref"], self.data["junction_positions"], offset=WINDOW.start)
        ends, signs = table[["start", "end"]].to_numpy(), np.where(table["strand"] == "+", 1, -1)
        stored = [self.data[f"junction_unstack_{side}"] for side in ("start", "end")]
        strand = np.where(self.data["junction_unstack_strand"] == "+", 1, -1)
        yield Compared("introns of pairs of sites", np.c_[ends, signs], np.c_[(*stored, strand)])
        yield Compared("counts of introns", values, self.data["junction_unstack_values"])

    # --- scorers ----------------------------------------------------------------------------------------------------

    def center_mask(self, scorer: CenterMaskScorer, variant: str) -> Compared:
        """Score around a variant: (track,)."""
        resolution = MODALITIES[scorer.modality].resolution
        name, output = ("tracks", "DNASE") if resolution == 1 else ("tracks128", "CHIP_TF")
        start = np.array([self._position(variant) - WINDOW.start])
        ref, alt = (self._read(scorer, self.data[f"{name}_{allele}"], start, resolution) for allele in ("ref", "alt"))
        key = f"center|{variant}|{scorer.width}|{output}|{scorer.aggregation.upper()}"
        mask = "the whole window" if scorer.width is None else f"{scorer.width:,} bp"
        name = f"{scorer.aggregation} over {mask}, {resolution} bp bins"
        return Compared(name, self._score(scorer, ref, alt), self.data[key])

    def genes(self, name: str, variant: str) -> Compared:
        """Score genes by a recommended scorer: (gene, track)."""
        spans = [_spans(column) for column in self.data["gene_mask"].T]
        whole = name.startswith("splice")  # bodies that the variant touches, which the stored masks are not
        genes = [_gene(f"G{number}", [(0, 4000)] if whole else own) for number, own in enumerate(spans)]
        rules = self._rules(RECOMMENDED[name], variant, genes)
        if whole:
            rules = [replace(rule, spans=own) for rule, own in zip(rules, spans, strict=True)]
        return Compared(name, self._aligned_scores(rules, variant), self.data[f"gene|{variant}|{_GENE_KEYS[name]}"])

    def polyadenylation(self, variant: str) -> Compared:
        """Score the genes that have polyadenylation sites: (gene, track)."""
        ends = {int(gene): sites for gene, sites in json.loads(str(self.data["pas_ends"])).items()}
        table = [{"chrom": "chr1", "position": WINDOW.start + end - 1, "strand": "+", "gene_id": f"G{gene}"}
                 for gene, sites in ends.items() for end in sites]  # fmt: skip
        genes = [_gene(f"G{gene}", [(0, 4000)]) for gene in ends]
        rules = self._rules(RECOMMENDED["polyadenylation"], variant, genes, polya=pd.DataFrame(table))
        return Compared("polyadenylation", self._aligned_scores(rules, variant),
                        self.data[f"polya|{variant}"][list(ends)])  # fmt: skip

    def contact_maps(self) -> Compared:
        """Score the bin of a variant: (track,)."""
        column, inside = self._contact_bin(), torch.ones(1, 1, dtype=torch.bool)
        whole = [self._tensor(self.data[f"contact_{allele}"]) for allele in ("ref", "alt")]
        ref, alt = ([Values(one[None, :, column : column + 1], inside)] for one in whole)
        return Compared("contact_maps", self._score(RECOMMENDED["contact_maps"], ref, alt), self.data["contact|score"])

    def junctions(self) -> Compared:
        """Score introns with `parity=True`: (intron, tissue), in the reference's order."""
        genes = []
        for gene in json.loads(str(self.data["junction_genes"])):
            body = gene["Start"] - WINDOW.start, gene["End"] - WINDOW.start
            genes.append(_gene(gene["gene_id"], [body], gene["Strand"], gene["gene_type"]))
        found = introns(self.data["junction_positions"])
        strand = np.where(found.forward, "+", "-").astype(object)
        table = pd.DataFrame({"start": found.start + WINDOW.start, "end": found.end + WINDOW.start, "strand": strand})
        counts = (
            pair_values(self._tensor(self.data[f"junction_{allele}"]).numpy(), found) for allele in ("ref", "alt")
        )
        scorer, place = RECOMMENDED["splice_junctions"], self._place("snv", self._genome(genes))
        rows, raw, _, _ = scorer.choose(place, table, *counts)
        got = [(r["gene_id"], r["junction_start"], r["junction_end"], r["junction_strand"]) for r in rows]
        wanted = [(r["gene_id"], int(r["junction_Start"]), int(r["junction_End"]), r["strand"])
                  for r in json.loads(str(self.data["junction|obs"]))]  # fmt: skip
        assert sorted(got) == sorted(wanted), (got, wanted)
        return Compared("splice_junctions", raw[[got.index(row) for row in wanted]], self.data["junction|X"])

    # --- steps ------------------------------------------------------------------------------------------------------

    def aligned(self, variant: str, strand: str) -> Compared:
        """Put ALT on the coordinates of REF, as read on either strand."""
        alt, rows = torch.from_numpy(self.data["tracks_alt"]), slice(*self.data["align_slice"])
        turned = (lambda x: x.flip(0)) if strand == "minus" else (lambda x: x)
        got = turned(align(turned(alt), self._events(variant), LENGTH))[rows].numpy()
        return Compared(f"alignment of ALT, {variant}", got, self.data[f"align|{variant}|{strand}"])

    def sites(self) -> Iterator[Compared]:
        """Choose the splice sites of one allele, and of two."""
        ref, alt = (self.data[f"topk_{allele}"][0, :, :4] for allele in ("ref", "alt"))
        for key in (key for key in self.data if key.startswith("topk|")):
            _, count, threshold, alleles = key.split("|")
            count, other = int(count[1:]), ref if alleles == "single" else alt
            found = pool_sites(ref, other, count=count, threshold=float(threshold[1:]))
            expected = self.data[key][0]
            padded = np.pad(found, ((0, 0), (0, expected.shape[1] - count)), constant_values=-1)
            yield Compared("choice of splice sites", padded, expected)

    def _mask(self, key: str) -> Compared:
        _, variant, width, output = key.split("|")
        scorer = CenterMaskScorer(output.lower(), None if width == "None" else int(width))
        resolution = MODALITIES[scorer.modality].resolution
        (bins,) = scorer.bins(np.array([self._position(variant) - WINDOW.start]), LENGTH, resolution)
        first = int(bins.starts[0])
        return Compared("", np.clip([first, first + bins.width], 0, LENGTH // resolution), self.data[key])

    def _contact_bin(self) -> int:
        start = int(self.data["contact_variant_position_1based"]) - 1 - int(self.data["contact_interval"][0])
        bins = RECOMMENDED["contact_maps"].bins(np.array([start]), len(self.data["contact_ref"]) * 2048, 2048)
        return int(bins[0].starts[0])

    # --- places and values ------------------------------------------------------------------------------------------

    def _variant(self, name: str) -> gk.Variant:
        return gk.Variant(*json.loads(str(self.data["variants"]))[name])

    def _position(self, name: str) -> int:
        return self._variant(name).start

    def _events(self, name: str) -> list[Event]:
        """What a variant inserts and deletes, as spelled."""
        read = lambda chrom, start, end: "A" * (end - start)  # noqa: E731
        return Edit.of(self._variant(name), WINDOW, read, ref_check="ignore", parity=True).events

    def _place(self, variant: str, genome: gk.Genome) -> Place:
        one = self._variant(variant)
        touched = Interval("chr1", one.start, one.start + max(len(one.ref), len(one.alt)))
        return Place("chr1", WINDOW.start, LENGTH, touched, genome, parity=True)

    def _genome(self, genes: list[Mapping[str, Any]], **options: Any) -> gk.Genome:
        """A genome that has these genes and no letters worth reading."""
        (self.folder / "genome.fa").write_text(f">chr1\n{'A' * (WINDOW.end + 104)}\n")
        (self.folder / "genes.gtf").write_text("".join(_gtf(**gene) for gene in genes))
        return gk.Genome(self.folder / "genome.fa", self.folder / "genes.gtf", organism="worm", **options)

    def _rules(self, scorer: Scorer, variant: str, genes: list[Mapping[str, Any]], **options: Any) -> list[Any]:
        found = scorer.targets(self._place(variant, self._genome(genes, **options)))
        by_gene = {target.row["gene_id"]: target.rule for target in found}
        return [by_gene[gene["gene_id"]] for gene in genes]

    def _aligned_scores(self, rules: list[Rule], variant: str) -> np.ndarray:
        alt = align(torch.from_numpy(self.data["tracks_alt"]), self._events(variant), LENGTH).numpy()
        first = np.array([0])
        return np.stack([
            self._score(rule, self._read(rule, self.data["tracks_ref"], first), self._read(rule, alt, first))
            for rule in rules
        ])  # fmt: skip

    def _read(self, rule: Rule, array: np.ndarray, starts: np.ndarray, resolution: int = 1) -> list[Values]:
        """Cut what a rule reads out of a whole window (bin, track)."""
        whole, found = self._tensor(array), []
        for first, width in rule.bins(starts, LENGTH, resolution):
            low, high = max(int(first[0]), 0), min(int(first[0]) + width, len(whole))
            found.append(Values(whole[None, low:high], torch.ones(1, high - low, dtype=torch.bool)))
        return found

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(array)).to(self.dtype)

    def _score(self, rule: Rule, ref: list[Values], alt: list[Values]) -> np.ndarray:
        return rule.score(ref, alt)[0].numpy()


def _spans(mask: np.ndarray) -> tuple[tuple[int, int], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return tuple((int(a), int(b)) for a, b in edges.reshape(-1, 2))


def _gene(gene_id: str, exons: Any, strand: str = "+", gene_type: str = "protein_coding") -> dict[str, Any]:
    """A gene by its exons in the window."""
    return {"gene_id": gene_id, "exons": exons, "strand": strand, "gene_type": gene_type}


def _gtf(gene_id: str, exons: Any, strand: str, gene_type: str) -> str:
    names = f'gene_id "{gene_id}"; gene_name "{gene_id}"; gene_type "{gene_type}";'
    own = f'{names} transcript_id "{gene_id}.t"; transcript_type "{gene_type}";'
    whole = exons[0][0], exons[-1][1]
    rows = [("gene", whole, names), ("transcript", whole, own), *(("exon", exon, own) for exon in exons)]
    return "".join(
        f"chr1\tmade\t{kind}\t{WINDOW.start + a + 1}\t{WINDOW.start + b}\t.\t{strand}\t.\t{text}\n"
        for kind, (a, b), text in rows
    )
