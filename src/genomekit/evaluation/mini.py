"""Measure mini on its held-out chromosomes and write the table that README and docs show.

python -m genomekit.evaluation.mini --data DATA --out docs/mini_table.md --readme README.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from genomekit.evaluation import held_out
from genomekit.evaluation.along import predict_along
from genomekit.evaluation.metrics import Estimate
from genomekit.genome.annotation import Annotation
from genomekit.genome.interval import Interval
from genomekit.nn import AlphaGenome
from genomekit.nn.config import BIN
from genomekit.training import mini
from genomekit.training.data import OrganismData

MARGIN = 2_048
"""Context dropped at each window end, bp."""


def worm_numbers(
    network: AlphaGenome, data: OrganismData, genes: list[np.ndarray], region: Interval, *, length: int
) -> dict[str, float]:
    """Return top-k accuracies and junction ranks on one worm region."""
    scores = predict_along(network, data, region, ["splice_sites"], length=length, margin=MARGIN)["splice_sites"][:, :4]
    labels = held_out.site_labels(data, region)
    numbers = dict(held_out.splice_site_accuracy(scores, labels, genes))
    ranks = held_out.junction_ranks(network, data, region, "splice_junctions", length=length)
    numbers["junction"] = ranks["strict"][0] / ranks["strict"][1]
    numbers["junction, other annotated acceptors aside"] = ranks["false"][0] / ranks["false"][1]
    numbers["introns"] = ranks["strict"][1]
    return numbers


def gene_bodies(folder: Path, region: Interval) -> list[np.ndarray]:
    """Return bool (position,) masks of the gene bodies on + and on -."""
    genes = Annotation.open(folder / "celegans/ce10.genes.gtf.gz").genes(region)
    masks = []
    for strand in "+-":
        mask = np.zeros(region.width, bool)
        for start, end in genes.loc[genes["strand"] == strand, ["start", "end"]].to_numpy():
            mask[max(start - region.start, 0) : max(end - region.start, 0)] = True
        masks.append(mask)
    return masks


def table(folder: Path, network: AlphaGenome, split: str, *, length: int) -> tuple[str, dict]:
    """Return the Markdown table and the plain numbers."""
    worm_region, yeast_region = mini.regions("worm", split)[0], mini.regions("yeast", split)[0]
    # A region's last window must end on a whole bin, or its bins would not be those of the targets.
    yeast_region = Interval(
        yeast_region.chrom, yeast_region.start, yeast_region.start + yeast_region.width // BIN * BIN
    )
    worm = mini.load_worm(folder, ("train", split))
    bodies = gene_bodies(folder, worm_region)
    numbers = worm_numbers(network, worm, bodies, worm_region, length=length)
    train_chroms = {region.chrom for region in mini.regions("worm", "train")}
    fitted_on = OrganismData(
        organism=worm.organism, codes=worm.codes, splicing={c: s for c, s in worm.splicing.items() if c in train_chroms}
    )
    letters = worm.codes[worm_region.chrom][worm_region.start : worm_region.end]
    matrix = held_out.splice_site_accuracy(
        held_out.weight_matrix_scores(fitted_on, letters), held_out.site_labels(worm, worm_region), bodies
    )
    yeast = mini.load_yeast(folder, ("train", "tune", split))
    tracks = held_out.coverage_accuracy(
        network, yeast, yeast_region, list(yeast.coverage), length=length, margin=MARGIN
    )
    ridge = held_out.ridge_accuracy(yeast, mini.regions("yeast", "train"), mini.regions("yeast", "tune"), yeast_region)
    rows = [
        f"| worm {worm_region.chrom} | top-k accuracy, {kind} | {numbers[kind]:.3f} "
        f"| {matrix[kind]:.3f} (weight matrix) |"
        for kind in ("donor", "acceptor", *held_out.KINDS)
    ]
    rows += [
        f"| worm {worm_region.chrom} | annotated introns ranked first for their donor ({numbers['introns']:,}) "
        f"| {numbers['junction']:.3f} | |",
        f"| worm {worm_region.chrom} | the same, its donor's other annotated introns set aside "
        f"| {numbers['junction, other annotated acceptors aside']:.3f} | |",
    ]
    names = {(row["modality"], row["channel"]): row["label"] for _, row in mini.track_table().frame.iterrows()}
    for key, estimate in tracks.items():
        rows.append(
            f"| yeast {yeast_region.chrom} | r of log1p coverage, {names[key]} | {_with_interval(estimate)} "
            f"| {_with_interval(ridge[key])} (k-mer ridge) |"
        )
    head = "| held out | measure | mini | baseline |\n|---|---|---|---|\n"
    plain = {
        "worm": numbers,
        "weight_matrix": matrix,
        "yeast": {names[key]: estimate._asdict() for key, estimate in tracks.items()},
        "ridge": {names[key]: estimate._asdict() for key, estimate in ridge.items()},
    }
    return head + "\n".join(rows) + "\n", plain


def _with_interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def fill_readme(readme: Path, text: str) -> None:
    """Put the table between the marks of the README."""
    first, last = "<!-- mini-table -->", "<!-- /mini-table -->"
    whole = readme.read_text()
    if first not in whole or last not in whole:
        raise ValueError(f"{readme} lacks the marks {first} and {last}, between which the table goes.")
    before, rest = whole.split(first, 1)
    readme.write_text(f"{before}{first}\n{text}{last}{rest.split(last, 1)[1]}")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the files that docs/mini.md lists")
    parser.add_argument("--model", default="mini", help="a checkpoint folder (default: the bundled one)")
    parser.add_argument("--split", choices=("test", "tune"), default="test")
    parser.add_argument("--length", type=int, default=None, help="window length in bp (default: the model's)")
    parser.add_argument("--out", type=Path, default=None, help="Markdown file; its .json twin is written beside it")
    parser.add_argument("--readme", type=Path, default=None, help="README whose table is replaced")
    arguments = parser.parse_args()
    from genomekit.weights.load import load

    network = load(arguments.model).network
    text, plain = table(
        arguments.data, network, arguments.split, length=arguments.length or network.config.default_length
    )
    print(text)
    if arguments.out:
        arguments.out.write_text(text)
        arguments.out.with_suffix(".json").write_text(json.dumps(plain, indent=1) + "\n")
    if arguments.readme:
        fill_readme(arguments.readme, text)


if __name__ == "__main__":
    main()
