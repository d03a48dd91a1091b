"""Do splice scores tell variants that break a splice site from those that do not?

    python -m genomekit.evaluation.splice_variants --genome ce10.fa.gz --gtf ce10.genes.gtf.gz [--out FILE]

Half of the variants change the G of an annotated intron's GT (a donor) or of its AG (an acceptor); each has a control
in the same gene, the same letter changed to the same, at least 30 bp from every annotated site. All are scored as any
variant is, by the merged splicing score. Intervals resample pairs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from genomekit.engine import Engine
from genomekit.evaluation.metrics import auroc
from genomekit.genome.assembly import Genome
from genomekit.genome.fasta import reverse_complement
from genomekit.scores import Record, merged_splicing
from genomekit.scoring.job import prepare
from genomekit.scoring.verbs import score_records
from genomekit.weights.load import load

SCORERS = ("splice_sites", "splice_site_usage", "splice_junctions")
FAR = 30
"""Least distance of a control from an annotated site, bp."""

_RESAMPLED = 1000


class Pair(NamedTuple):
    """A variant that breaks a site, and its control; positions are 0-based."""

    kind: str
    chrom: str
    position: int
    control: int
    ref: str
    alt: str


def choose_pairs(genome: Genome, chrom: str, count: int, seed: int = 0) -> list[Pair]:
    """Draw annotated sites, donors and acceptors by turns, and a control for each.

    Args:
        genome: Letters and annotation.
        chrom: Chromosome.
        count: Pairs.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    introns = genome.introns(chrom, unique=True)
    introns = introns[introns["strand"].isin(["+", "-"])]
    sites = np.unique(np.concatenate([introns["start"], introns["end"]]))
    genes = genome.genes(chrom).drop_duplicates("gene_id").set_index("gene_id")
    found: list[Pair] = []
    for row in rng.permutation(len(introns)):
        intron = introns.iloc[row]
        kind = ("donor", "acceptor")[len(found) % 2]
        pair = _pair(genome, chrom, intron, genes.loc[intron["gene_id"]], kind, sites, rng)
        if pair is not None:
            found.append(pair)
        if len(found) == count:
            break
    return found


def _pair(
    genome: Genome,
    chrom: str,
    intron: pd.Series,
    gene: pd.Series,
    kind: str,
    sites: np.ndarray,
    rng: np.random.Generator,
) -> Pair | None:
    minus = intron["strand"] == "-"
    # The G of GT is the first base of the intron, that of AG its last one, in the direction of transcription.
    first = (kind == "donor") != minus
    position = int(intron["start"]) if first else int(intron["end"]) - 1
    letters = genome.fasta.fetch(chrom, int(gene["start"]), int(gene["end"]))
    ref = letters[position - int(gene["start"])]
    if (reverse_complement(ref) if minus else ref) != "G":
        return None
    there = np.flatnonzero(np.frombuffer(letters.encode(), np.uint8) == ord(ref)) + int(gene["start"])
    after = np.searchsorted(sites, there)
    nearest = np.minimum(
        np.abs(there - sites[np.minimum(after, len(sites) - 1)]), np.abs(there - sites[np.maximum(after - 1, 0)])
    )
    far = there[nearest >= FAR]
    if not len(far):
        return None
    alt = str(rng.choice([letter for letter in "ACGT" if letter != ref]))
    return Pair(kind, chrom, position, int(rng.choice(far)), ref, alt)


def score_pairs(engine: Engine, genome: Genome, pairs: list[Pair]) -> pd.DataFrame:
    """Score both variants of every pair.

    Returns:
        kind, broken (whether it breaks a site) and merged_splicing, a row for each variant.
    """
    job = prepare(engine, genome, list(SCORERS), options={})
    records = []
    for pair in pairs:
        for position in (pair.position, pair.control):
            records.append(Record(len(records), pair.chrom, position + 1, pair.ref, pair.alt))
    merged = merged_splicing(score_records(job, records, on_error="raise"))["merged_splicing"].to_numpy()
    kinds = np.repeat([pair.kind for pair in pairs], 2)
    return pd.DataFrame({"kind": kinds, "broken": np.tile([True, False], len(pairs)), "merged_splicing": merged})


def with_interval(scores: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Return the AUROC of scores (pair, 2) and its 95 % interval, pairs resampled.

    Example:
        >>> with_interval(np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]))
        (1.0, 1.0, 1.0)
    """
    labels = np.tile([True, False], len(scores))
    rng = np.random.default_rng(seed)
    drawn = [auroc(scores[rng.integers(0, len(scores), len(scores))].ravel(), labels) for _ in range(_RESAMPLED)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return auroc(scores.ravel(), labels), float(low), float(high)


def table(scored: pd.DataFrame, chrom: str) -> str:
    """Write AUROC and medians as Markdown."""
    lines = [
        "| held out | variants | AUROC (95 %) | median score, broken | median score, control |",
        "|---|---|---|---|---|",
    ]
    for name, rows in [*scored.groupby("kind", sort=False), ("all", scored)]:
        value, low, high = with_interval(rows["merged_splicing"].to_numpy().reshape(-1, 2))
        medians = rows.groupby("broken")["merged_splicing"].median()
        lines.append(
            f"| {chrom} | {name}, {len(rows) // 2} pairs | {value:.3f} ({low:.3f}-{high:.3f}) | {medians[True]:.3f} "
            f"| {medians[False]:.3f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genome", type=Path, required=True)
    parser.add_argument("--gtf", type=Path, required=True)
    parser.add_argument("--organism", default="worm")
    parser.add_argument("--chrom", default="chrV", help="a chromosome that the model was not trained on")
    parser.add_argument("--count", type=int, default=100, help="pairs")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    genome = Genome(arguments.genome, arguments.gtf, organism=arguments.organism)
    pairs = choose_pairs(genome, arguments.chrom, arguments.count)
    scored = score_pairs(Engine(load(arguments.model)), genome, pairs)
    about = " ".join((__doc__ or "").strip().split("\n\n")[-1].split())
    text = f"# Variants that break splice sites\n\n{about}\n\n{table(scored, arguments.chrom)}"
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
