"""Draw every kind of panel, in easy and in hard cases, and write the gallery page with the code of each picture.

    python tools/gallery.py [--out docs/gallery] [--only NAME] && ruff format docs/gallery

Everything comes from the bundled model, a designed gene and made-up numbers, so no data is needed.
"""

from __future__ import annotations

import argparse
import inspect
import io
import itertools
import tempfile
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from PIL import Image

import genomekit as gk
from genomekit import accessors as accessors
from genomekit.labels import track_dataset
from genomekit.tracks.modality import MODALITIES

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES: list[tuple[str, str, Callable]] = []


def example(title: str, section: str = "") -> Callable:
    """Put a function into the gallery; its body is the code shown under the picture."""

    def keep(function: Callable) -> Callable:
        EXAMPLES.append((title, section, function))
        return function

    return keep


# --- data -------------------------------------------------------------------------------------------------------------
gene = gk.testing.designed_gene(seed=0).placed("chrV", 0, name="unc-1")
model = gk.Model.from_pretrained()
where = gene.gene.as_unstranded().pad(200, 200)
random = np.random.default_rng(0)


def made_tracks(width: int, names: list[str], modality: str = "atac", stranded: bool = False) -> xr.Dataset:
    """Peaks of all sizes on noise."""
    strands = "+-" if stranded else "."
    rows = [{"name": n, "strand": s, "label": n if s == "." else f"{n} {s}"} for n in names for s in strands]
    table = pd.DataFrame(rows).assign(channel=range(len(rows)), biosample_name=[r["name"].split()[0] for r in rows])
    kind = MODALITIES[modality]
    bins = width // kind.resolution
    values = random.gamma(0.4, 0.15, (bins, len(rows))).astype(np.float32)
    at = np.arange(bins)
    for column in range(len(rows)):
        for peak in random.integers(0, bins, max(6, width // 40_000)):
            size = random.gamma(1.5, 3)
            near = slice(max(peak - 600 // kind.resolution * 4, 0), peak + 600 // kind.resolution * 4 + 1)
            values[near, column] += size * np.exp(-(((at[near] - peak) * kind.resolution / 300) ** 2))
    attrs = {"chrom": "chr1", "start": 1_000_000, "end": 1_000_000 + width, "assembly": "hg38"}
    return track_dataset(values, modality=kind, rows=table, start=1_000_000, attrs=attrs)


def made_contacts(bins: int = 256, domains: tuple[int, ...] = (40, 95, 150, 210)) -> np.ndarray:
    """A map of domains, as log fold over what the distance lets expect."""
    domain = np.searchsorted(domains, np.arange(bins))
    grid = np.where(domain[:, None] == domain[None], 0.6, -0.4) + random.normal(0, 0.15, (bins, bins))
    for a, b in itertools.pairwise(domains):
        grid[a - 2 : a + 3, b - 3 : b + 2] += 1.2
    return ((grid + grid.T) / 2).astype(np.float32)


def contact_node(values: np.ndarray) -> xr.Dataset:
    """Label maps, (bin1, bin2) or (allele, bin1, bin2)."""
    rows = pd.DataFrame([{"name": "IMR-90 Hi-C", "strand": ".", "label": "IMR-90 Hi-C", "channel": 0}])
    start = 1_000_000 // 2048 * 2048
    attrs = {"chrom": "chr1", "start": start, "end": start + values.shape[-1] * 2048, "assembly": "hg38"}
    kind = MODALITIES["contact_maps"]
    return track_dataset(values[..., None], modality=kind, rows=rows, start=start, attrs=attrs)


def made_scores(count: int = 9) -> pd.DataFrame:
    """Scores of variants, as one tidy table."""
    modalities = ["atac", "rna_seq", "chip_tf", "splice_sites", "splice_site_usage"]
    positions = np.sort(random.choice(np.arange(where.start, where.end), count, replace=False)) + 1
    rows = [
        {"variant": f"chrV:{p}:{'ACGT'[i % 4]}>{'GTAC'[i % 4]}", "chrom": "chrV", "position": p, "modality": m,
         "track_name": m, "biosample_name": "gut", "raw_score": random.normal(0, 1) * (3 if i % 4 == 1 else 0.7)}
        for i, p in enumerate(positions)
        for m in modalities
    ]  # fmt: skip
    return pd.DataFrame(rows)


site = gene.introns[2].start  # the G of GT
variant = gk.Variant("chrV", site + 1, gene.sequence[site - gene.interval.start], "A")
tree = model.predict_sequence(gene.sequence, interval=gene.interval, organism="worm")
folder = tempfile.TemporaryDirectory()
fasta = Path(folder.name) / "designed.fa"
fasta.write_text(f">chrV\n{gene.sequence}\n")
genome = gk.Genome(fasta, organism="worm")
alleles = model.predict_variant(variant, genome=genome)
ism = model.ism(gk.Interval("chrV", site - 24, site + 40), genome=genome, modalities=["splice_sites"])
mega = made_tracks(1 << 20, [f"biosample {n} ATAC-seq" for n in range(1, 11)])
contacts = contact_node(made_contacts())
two_maps = contact_node(np.stack([made_contacts(), made_contacts(domains=(40, 95, 210))]))
scores = made_scores()


# --- pictures ---------------------------------------------------------------------------------------------------------
@example("A prediction, panels chosen by themselves", "Whole results")
def prediction() -> object:
    return tree.gk.plot(genes=gene.to_frame(), region=where)


@example("A variant's prediction, the same call")
def variant_prediction() -> object:
    return alleles.gk.plot(genes=gene.to_frame(), region=where)


@example("Mutagenesis, the same call")
def mutagenesis() -> object:
    return ism.gk.tracks("donor +").gk.plot()


@example("Scores of variants")
def score_table() -> object:
    return gk.plot.figure(scores)


@example("Panels by hand, with annotations", "The grammar")
def grammar() -> object:
    return gk.plot.figure(
        [
            gk.plot.Genes(gene.to_frame()),
            gk.plot.Intervals(gene.to_frame().assign(name="exon"), name="exons"),
            gk.plot.SpliceSites(tree["splice_sites"]),
            gk.plot.Tracks(tree["splice_site_usage"], label="usage", color="#009E73"),
            gk.plot.Sashimi(tree["splice_junctions"]),
        ],
        region=where,
        annotations=[
            gk.plot.Highlights(f"chrV:{gene.introns[2].start}-{gene.introns[2].end}", labels="intron 3"),
            gk.plot.Variants([variant, f"chrV:{site + 40}:A>T", f"chrV:{site + 60}:ACGTACGT>A"]),
            gk.plot.Labels({gene.tss: "transcription start", gene.polya_site: "polyA site"}),
        ],
        title="A designed gene",
    )


@example("A dark theme")
def dark() -> object:
    with gk.plot.theme("dark"):
        return gk.plot.figure(
            [
                gk.plot.Genes(gene.to_frame()),
                gk.plot.Overlay(alleles["splice_site_usage"], label="usage"),
                gk.plot.Difference(alleles["splice_site_usage"], label="usage"),
                gk.plot.Sashimi(alleles["splice_junctions"]),
            ],
            region=where,
            annotations=gk.plot.Variants(variant),
        )


@example("Ten tracks over 1 Mb", "Tracks")
def megabase() -> object:
    return gk.plot.figure(gk.plot.Tracks(mega, label="{biosample_name} {name}"))


@example("Line, fill and heat; log scale")
def styles() -> object:
    few = mega.isel(track=[0, 1])
    return gk.plot.figure(
        [
            gk.plot.Tracks(few, style="line", scale="shared", title="line, shared scale"),
            gk.plot.Tracks(few, transform="log1p", color_by="name", title="fill, log scale, coloured by a column"),
            gk.plot.Tracks(mega, style="heat", title="heat"),
        ],
        region="chr1:1,200,000-1,300,000",
    )


@example("Forty stranded tracks with long names")
def forty() -> object:
    names = [f"UBERON:{n:07} total RNA-seq of a tissue with a long name {n}" for n in range(20)]
    return gk.plot.figure(gk.plot.Tracks(made_tracks(200_000, names, "rna_seq", stranded=True)))


@example("A few bases")
def tiny() -> object:
    return gk.plot.figure(
        [gk.plot.Sequence(gene.sequence, complement=True), gk.plot.Tracks(tree["splice_sites"].gk.tracks(strand="+"))],
        region=f"chrV:{site - 20}-{site + 20}",
        annotations=gk.plot.Variants(variant),
    )


@example("Missing values and no values")
def missing() -> object:
    holes = mega.isel(track=[0, 1]).copy(deep=True)
    holes["signal"][300_000:420_000, 0] = np.nan
    holes["signal"][:, 1] = np.nan
    return gk.plot.figure([gk.plot.Tracks(holes), gk.plot.Genes(gene.to_frame().iloc[:0])])


@example("REF and ALT", "Comparisons")
def overlay() -> object:
    return gk.plot.figure(
        [
            gk.plot.Overlay(alleles["splice_site_usage"], label="usage"),
            gk.plot.Difference(alleles["splice_site_usage"], label="usage"),
            gk.plot.Difference(alleles["splice_site_usage"], kind="log2fc", pseudocount=0.01, label="usage"),
        ],
        region=where,
        annotations=gk.plot.Variants(variant),
    )


@example("Groups by a column, filled")
def groups() -> object:
    few = mega.isel(track=[0, 1, 2])
    region = "chr1:1,200,000-1,260,000"
    return gk.plot.figure([gk.plot.Overlay(few, by="name", style="fill"), gk.plot.Tracks(few)], region=region)


@example("Both strands of a gene-rich stretch", "Genes")
def many_genes() -> object:
    parts = []
    for number in range(14):
        strand = "+-"[number % 2]
        part = gk.testing.designed_gene(seed=number, strand=strand).placed("chr1", 1_000_000 + number * 5_200)
        parts.append(
            part.to_frame().assign(gene_id=f"g{number}", transcript_id=f"t{number}", gene_name=f"GENE{number}")
        )
    return gk.plot.figure(gk.plot.Genes(pd.concat(parts)), region="chr1:1,000,000-1,070,000")


@example("UTRs and coding parts, coloured by a column")
def coding() -> object:
    exons = gene.to_frame()
    parts = [{"chrom": c.chrom, "start": c.start, "end": c.end, "transcript_id": "unc-1.1"} for c in gene.coding]
    exons["transcript_id"] = "unc-1.1"
    panel = gk.plot.Genes(exons, cds=pd.DataFrame(parts), color_by="gene_type")
    return gk.plot.figure(panel, region=where)


@example("Junctions over coverage", "Splicing")
def sashimi() -> object:
    coverage = gene.to_frame().assign(value=random.uniform(20, 40, len(gene.exons)))
    return gk.plot.figure(
        [gk.plot.Sashimi(tree["splice_junctions"], coverage=coverage, min_count=0.01), gk.plot.Genes(gene.to_frame())],
        region=where,
    )


@example("REF above, ALT below")
def sashimi_alleles() -> object:
    return gk.plot.figure(
        [gk.plot.Sashimi(alleles["splice_junctions"]), gk.plot.Genes(gene.to_frame())],
        region=where,
        annotations=gk.plot.Variants(variant, labels=["the donor is lost"]),
    )


@example("Triangle and contacts of one place", "Contacts")
def triangle() -> object:
    return gk.plot.figure(
        [
            gk.plot.ContactMap(contacts),
            gk.plot.Virtual4C(contacts, "chr1:1,190,000-1,192,000"),
            gk.plot.Tracks(mega.isel(track=[0])),
        ],
        region="chr1:1,000,000-1,520,000",
    )


@example("Square, and ALT - REF of two alleles")
def square() -> object:
    return gk.plot.figure(
        [gk.plot.ContactMap(two_maps, shape="square", allele="ref"), gk.plot.ContactMap(two_maps, depth=300_000)],
        width=6,
    )


@example("Contributions of bases", "Letters")
def logo() -> object:
    return gk.plot.figure(
        [
            gk.plot.Logo(ism, track="donor +"),
            gk.plot.Logo(ism, track="donor +", convention="mean4", scheme="colorblind"),
            gk.plot.IsmHeatmap(ism, track="donor +"),
            gk.plot.Sequence(ism),
        ]
    )


@example("Two thousand positions, and a part of them")
def long_logo() -> object:
    letters = pd.DataFrame(random.normal(0, 0.3, (2_000, 4)), columns=list("TGCA"))
    return gk.plot.figure(gk.plot.Logo(letters))


@example("Any alphabet, colours of one's own")
def alphabet() -> object:
    protein = pd.DataFrame(random.gamma(0.2, 1, (40, 20)), columns=list("ACDEFGHIKLMNPQRSTVWY"))
    acid, base = dict.fromkeys("DE", "#D55E00"), dict.fromkeys("KRH", "#0072B2")
    return gk.plot.figure(gk.plot.Logo(protein, start=120, scheme=acid | base))


@example("Motif hits", "Intervals and scores")
def motifs() -> object:
    start = np.sort(random.integers(0, 380, 24))
    hits = pd.DataFrame({"chrom": "chr1", "start": start + 1_000_000})
    hits["end"] = hits["start"] + random.integers(7, 15, 24)
    hits["strand"] = random.choice(["+", "-"], 24)
    hits["name"] = random.choice(["GATA1", "CTCF", "SP1", "a long motif name"], 24)
    return gk.plot.figure(
        gk.plot.Intervals(hits, color_by="name", name="motif hits"), region="chr1:1,000,000-1,000,400"
    )


@example("Scores at their positions, and as a table")
def lollipop() -> object:
    return gk.plot.figure(
        [
            gk.plot.Genes(gene.to_frame()),
            gk.plot.Lollipop(scores, color_by="modality", label=3),
            gk.plot.ScoreHeatmap(scores),
        ],
        region=where,
    )


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "gallery")
    parser.add_argument("--only", default="", help="draw only what has this in its name, and no page")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    page = [
        "# Gallery\n",
        "Made by `python tools/gallery.py`. `tree` is a prediction of the bundled model, `alleles` one of a variant, "
        "`ism` mutagenesis around it; `mega`, `contacts` and `scores` are made-up numbers in the same form.\n",
    ]
    for title, section, function in EXAMPLES:
        name = function.__name__
        if section:
            page.append(f"## {section}\n")
        if arguments.only and arguments.only not in name:
            continue
        buffer = io.BytesIO()
        function().savefig(buffer, format="png", dpi=90)
        # 256 colours are enough for a page, and half of the bytes.
        Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            arguments.out / f"{name}.png", optimize=True
        )
        body = inspect.getsource(function).split(":\n", 1)[1].replace("return ", "")
        page += [f"### {title}\n", f"![{title}]({name}.png)\n", f"```python\n{textwrap.dedent(body).strip()}\n```\n"]
    if not arguments.only:
        (arguments.out / "index.md").write_text("\n".join(page))


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
    folder.cleanup()
