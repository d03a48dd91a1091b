"""The command `genomekit score`: a VCF in, a folder of scores out."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genomekit.scores import ScoreSet

_MOST = 5


def add_score(commands: Any) -> argparse.ArgumentParser:
    """Add the command to what `add_subparsers` gave."""
    parser = commands.add_parser(
        "score",
        help="score the variants of a VCF; after a stop the same command goes on",
        description="Score the variants of a VCF. Every record gets a row, with the reason where it has no scores. "
        "Whatever stops the job, the same command goes on where it was.",
        epilog="Example: genomekit score in.vcf.gz --genome ce10 --out scores.zarr --vcf-out scored.vcf.gz",
    )
    parser.add_argument("vcf", metavar="VCF", help="variants: VCF or BCF, compressed or not")
    parser.add_argument("--genome", metavar="FASTA", required=True, help="FASTA file, or a preset such as ce10")
    parser.add_argument("--out", metavar="FOLDER", required=True, help="folder of scores; Zarr where it ends in .zarr")
    parser.add_argument("--region", metavar="CHROM:START-END", help="only records of it; the VCF needs an index")
    parser.add_argument("--gtf", metavar="GTF", help="annotation of that genome (GTF or GFF3), for scores of genes")
    parser.add_argument(
        "--polya", metavar="TABLE", help="polyadenylation sites of that genome (BED, TSV, Parquet), for their scorer"
    )
    parser.add_argument("--model", default="mini", help="name, folder or file of a checkpoint (default: %(default)s)")
    parser.add_argument("--organism", help="whose heads to read, such as worm; default: that of the genome")
    parser.add_argument(
        "--scorers", nargs="+", metavar="NAME", help="recommended scorers by name, such as rna_seq; default: all"
    )
    parser.add_argument("--modalities", nargs="+", metavar="NAME", help="only scorers of these, such as rna_seq atac")
    parser.add_argument("--window", type=int, metavar="BP", help="length of the window; default: the checkpoint's")
    parser.add_argument(
        "--step",
        type=int,
        default=1,
        metavar="BP",
        help="share windows, centered on multiples of so many bp, between neighbours: faster (default: %(default)s)",
    )
    parser.add_argument(
        "--ref-check",
        choices=("error", "warn", "ignore"),
        default="error",
        help="where REF differs from the genome: a row with the reason, or the REF of the file (default: %(default)s)",
    )
    parser.add_argument(
        "--parity", action="store_true", help="variants as spelled, with the peculiarities of the published code"
    )
    parser.add_argument(
        "--on-error",
        choices=("row", "raise"),
        default="row",
        help="a record that cannot be scored gets a row with the reason, or stops the job (default: %(default)s)",
    )
    parser.add_argument(
        "--shard-size", type=int, default=256, metavar="N", help="records of a shard (default: %(default)s)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what another job left in the folder")
    parser.add_argument(
        "--vcf-out",
        metavar="VCF",
        help="write the VCF again (.vcf or .vcf.gz, with an index), with the strongest scores in INFO",
    )
    parser.add_argument("--quiet", action="store_true", help="no preview and no bar")
    parser.set_defaults(run=_score)
    return parser


def _score(arguments: argparse.Namespace) -> int:
    from genomekit.batch.source import check_paths  # torch is loaded only for commands that compute
    from genomekit.genome.assembly import Genome
    from genomekit.model import Model

    check_paths(arguments.vcf, arguments.out, arguments.vcf_out, arguments.region)  # a genome may be downloaded first
    given = {"gtf": arguments.gtf, "polya": arguments.polya, "organism": arguments.organism}
    genome = Genome.open(arguments.genome, **{name: value for name, value in given.items() if value})
    model = Model.from_pretrained(
        arguments.model, device=arguments.device, precision=arguments.precision, genome=genome
    )
    scores = model.score_variants(
        arguments.vcf,
        scorers=arguments.scorers,
        region=arguments.region,
        out=arguments.out,
        vcf_out=arguments.vcf_out,
        on_error=arguments.on_error,
        parity=arguments.parity,
        ref_check=arguments.ref_check,
        step=arguments.step,
        shard_size=arguments.shard_size,
        progress=not arguments.quiet,
        overwrite=arguments.overwrite,
        modalities=arguments.modalities,
        organism=arguments.organism,
        window=arguments.window,
    )
    print(report(scores, arguments.out))
    return 0


def report(scores: ScoreSet, out: str) -> str:
    """Say what was scored, where it is, and why some was not: the commonest reasons, each with its first record."""
    from genomekit.errors import shorten
    from genomekit.scores.show import summary

    lost = scores.records[scores.records["status"] != "ok"]
    lines = [summary(scores.records, scores)]
    counts = lost["reason"].value_counts()
    for reason, count in counts.head(_MOST).items():
        first = lost[lost["reason"] == reason].iloc[0]
        name = shorten(first["id"] or first["variant"])
        more = f" and {count - 1:,} more" if count > 1 else ""
        lines.append(f"No scores for record {first['record']}{name and f' ({name})'}{more}: {reason}")
    if len(counts) > _MOST:
        lines.append(f"No scores for {counts.iloc[_MOST:].sum():,} more; .records has the reason of each.")
    return "\n".join([*lines, f"Scores are in {out}; read them with genomekit.open({out!r})."])
