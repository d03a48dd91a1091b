"""How much the scores of a variant change when its window is not centered on it.

    python benchmarks/window_shift.py --genome worm ce10.fa ce10.gtf chrV --genome yeast sacCer3.fa none chrII \
        [--count 1000] --out docs/window_shift

Random substitutions at real positions of chromosomes that were held out, every recommended scorer of the bundled model
(without a GTF, those that need no genes), windows of 16,384 bp.
Windows centered on each variant (`step=1`) are compared with windows on a grid of so many bp. Raw scores are paired by
record, gene or junction, and track. "strongest tenth" are the scores of the scorer that are largest, by absolute value,
with centered windows: of these the median of |difference| / |score|. "in both" is the share of scores with centered
windows that the other windows give too: of a gene only the introns that change most are scored, and in another window
it may be another one.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import forward
import pandas as pd
import score_variants

STEPS = (128, 1024, 8192)
KEYS = [
    "scorer",
    "record",
    "gene_id",
    "junction_start",
    "junction_end",
    "junction_strand",
    "track_name",
    "track_strand",
]


def raw_scores(model, vcf: Path, step: int) -> pd.Series:
    """Return the raw scores at one step, by all that tells them apart."""
    table = model.score_variants(vcf, step=step, progress=False).to_frame()
    return table.fillna({key: "" for key in KEYS if table[key].dtype == object}).set_index(KEYS)["raw_score"].dropna()


def compared(centered: pd.Series, moved: pd.Series) -> pd.DataFrame:
    """Return one row per scorer: how alike the scores are that both have."""
    both = pd.concat({"centered": centered, "moved": moved}, axis=1, join="inner")
    counts = centered.groupby("scorer").size()
    rows = []
    for scorer, pair in both.groupby("scorer"):
        size = pair["centered"].abs()
        strong = pair[(size >= size.quantile(0.9)) & (size > 0)]
        change = (strong["moved"] - strong["centered"]).abs() / strong["centered"].abs()
        rows.append(
            {
                "scorer": scorer,
                "scores": int(counts[scorer]),
                "in both": len(pair) / counts[scorer],
                "pearson": pair["centered"].corr(pair["moved"]),
                "spearman": pair["centered"].corr(pair["moved"], method="spearman"),
                "strongest tenth": change.median(),
            }
        )
    return pd.DataFrame(rows)


def measured(organism: str, fasta: str, gtf: str, chrom: str, count: int) -> pd.DataFrame:
    """Return one row per step and scorer, for variants of one chromosome."""
    import genomekit as gk

    genome = gk.Genome(fasta, None if gtf == "none" else gtf, organism=organism)
    model = gk.Model.from_pretrained(genome=genome)
    with tempfile.TemporaryDirectory() as folder:
        vcf = Path(folder, "variants.vcf")
        score_variants.write_vcf(genome, vcf, count, chrom)
        centered = raw_scores(model, vcf, 1)
        parts = [compared(centered, raw_scores(model, vcf, step)).assign(step=step) for step in STEPS]
    return pd.concat(parts).assign(chromosome=f"{organism} {chrom}")


def table(found: pd.DataFrame) -> str:
    """Write the rows as Markdown."""
    lines = [
        "| chromosome | step | scorer | scores | in both | Pearson r | Spearman r | change of the strongest tenth |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for _, row in found.iterrows():
        cells = [row["chromosome"], f"{row['step']:,}", f"`{row['scorer']}`", f"{row['scores']:,}"]
        cells += [f"{row['in both']:.1%}", f"{row['pearson']:.3f}", f"{row['spearman']:.3f}"]
        lines.append("| " + " | ".join([*cells, f"{row['strongest tenth']:.1%}"]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("ORGANISM", "FASTA", "GTF", "CHROM")
    parser.add_argument("--genome", nargs=4, metavar=names, action="append", required=True)
    parser.add_argument("--count", type=int, default=1000, help="variants of each chromosome")
    parser.add_argument("--out", type=Path, default=None, help="write OUT.md")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    text = table(pd.concat([measured(*genome, arguments.count) for genome in arguments.genome]))
    print(text)
    if arguments.out:
        heading = forward.heading("Windows that are not centered", __doc__, "cpu")
        counted = f"{arguments.count:,} variants of each chromosome."
        arguments.out.with_suffix(".md").write_text(f"{heading}{counted}\n\n{text}")


if __name__ == "__main__":
    main()
