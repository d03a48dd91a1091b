"""The command `genomekit score`: a VCF in, a folder of scores out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genomekit.scores import ScoreSet

_MOST = 5


def add_score(commands: Any, score_file: Callable[[argparse.Namespace], ScoreSet]) -> argparse.ArgumentParser:
    """Add the command to a command line.

    Args:
        commands: What `add_subparsers` gave.
        score_file: Does the work: takes the arguments, gives the scores.
    """
    parser = commands.add_parser("score", help="score the variants of a VCF; the same command goes on after a stop")
    parser.add_argument("vcf", metavar="VCF", help="variants: VCF or BCF, compressed or not")
    parser.add_argument("--genome", metavar="FASTA", required=True, help="FASTA file, or a preset such as hg38")
    parser.add_argument("--out", metavar="FOLDER", required=True, help="folder of scores; a .zarr ending makes it Zarr")
    parser.add_argument("--gtf", metavar="GTF", help="annotation of that genome (GTF or GFF3), for scores of genes")
    parser.add_argument("--model", default="mini", help="name, folder or file of a checkpoint (default: %(default)s)")
    parser.add_argument("--organism", help="whose heads to read, such as worm; default: that of the genome")
    parser.add_argument("--modalities", nargs="+", metavar="NAME", help="only the scorers of these, such as rna_seq")
    parser.add_argument("--window", type=int, metavar="BP", help="length of the window; default: the checkpoint's")
    parser.add_argument(
        "--on-error",
        choices=("row", "raise"),
        default="row",
        help="a record that cannot be scored gets a row with the reason, or stops the job (default: %(default)s)",
    )
    parser.add_argument("--shard-size", type=int, default=256, metavar="N", help="records of a shard (default: 256)")
    parser.add_argument("--overwrite", action="store_true", help="replace what another job left in the folder")
    parser.add_argument("--vcf-out", metavar="VCF", help="also write the VCF with the strongest scores in INFO")
    parser.add_argument("--quiet", action="store_true", help="no preview and no bar")
    parser.set_defaults(run=lambda arguments: _run(arguments, score_file))
    return parser


def _run(arguments: argparse.Namespace, score_file: Callable[[argparse.Namespace], ScoreSet]) -> int:
    scores = score_file(arguments)
    print(f"{scores}\nin {arguments.out}; read it with genomekit.open({arguments.out!r})")
    lost = scores.records.loc[scores.records["status"] != "ok", "reason"]
    for reason, count in lost.value_counts().head(_MOST).items():
        print(f"{count:,} without scores: {reason}")
    return 0
