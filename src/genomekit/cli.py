"""The command `genomekit`: demo, score and doctor."""

from __future__ import annotations

import argparse
import functools
import re
import sys
import warnings
from collections.abc import Iterable, Sequence

from genomekit import __version__
from genomekit.cli_score import add_score
from genomekit.errors import GenomekitWarning


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit code: 0 when done, 1 when it could not be, 2 for arguments that cannot be read.

    Example:
        >>> main(["--help"])
        Traceback (most recent call last):
        SystemExit: 0
    """
    arguments = _parser().parse_args(argv)
    options = [name for name in vars(arguments) if name not in ("run", "debug")]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = functools.partial(_show, options)
            return arguments.run(arguments)
    except (ValueError, OSError, RuntimeError, ArithmeticError, ImportError) as error:
        # What a user can put right is said in one line; --debug shows where it came from.
        if arguments.debug:
            raise
        print(f"genomekit: {as_options(str(error), options)}", file=sys.stderr)
        return 1


def as_options(text: str, names: Iterable[str]) -> str:
    """Name options as they are typed: errors are written for those who call from Python.

    Example:
        >>> as_options("shard_size=0 came; pass overwrite=True, or give gtf=.", ["shard_size", "overwrite", "gtf"])
        '--shard-size 0 came; pass --overwrite, or give --gtf.'
    """

    def spelled(found: re.Match[str]) -> str:
        return f"--{found[1].replace('_', '-')}{' ' if found[3] and not found[2] else ''}"

    # A value follows, unless the sentence ends or goes on.
    return re.sub(rf"(?<![\w-])({'|'.join(names)})=(True\b)?(?=([\w'\"<\[{{/~-]?))", spelled, text)


def _show(options: Sequence[str], message: Warning | str, category: type[Warning], *_: object) -> None:
    """Print a warning as an error is printed: where in the library it came from says nothing to who runs a command."""
    said = f"{'' if issubclass(category, GenomekitWarning) else 'warning: '}{as_options(str(message), options)}"
    print(f"genomekit: {said}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genomekit", description="AlphaGenome in PyTorch: DNA in, labelled tracks out."
    )
    parser.add_argument("--version", action="version", version=f"genomekit {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the full trace of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="predict a designed gene, or an interval of your genome, and draw it")
    demo.add_argument(
        "--genome", metavar="FASTA", help="FASTA file, or a preset such as ce10; default: a designed gene"
    )
    demo.add_argument(
        "--gtf", metavar="GTF", help="annotation of that genome (GTF or GFF3), to compare with and to draw"
    )
    demo.add_argument("--interval", metavar="CHROM:START-END", help="where in that genome, 0-based half-open")
    demo.add_argument("--organism", help="whose heads to read, such as worm; default: that of the genome")
    demo.add_argument(
        "--out", metavar="FILE", default="genomekit-demo.png", help="figure to write (default: %(default)s)"
    )
    demo.add_argument("--model", default="mini", help="name, folder or file of a checkpoint (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="which designed gene (default: %(default)s)")
    _add_machine(demo)
    demo.set_defaults(run=_demo)

    _add_machine(add_score(commands))

    doctor = commands.add_parser(
        "doctor", help="print versions, device, cache and memory, and run the numeric self-test"
    )
    _add_machine(doctor)
    doctor.set_defaults(run=_doctor)
    return parser


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 (default: %(default)s)")


def _demo(arguments: argparse.Namespace) -> int:
    from genomekit.demo import demo  # torch is loaded only for commands that compute
    from genomekit.model import Model

    model = Model.from_pretrained(arguments.model, device=arguments.device, precision=arguments.precision)
    print(
        demo(
            model,
            genome=arguments.genome,
            gtf=arguments.gtf,
            interval=arguments.interval,
            organism=arguments.organism,
            out=arguments.out,
            seed=arguments.seed,
        )
    )
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from genomekit.checkup import doctor

    report = doctor(arguments.device, arguments.precision)
    print(report)
    return 0 if report.selftest is not None and report.selftest.passed else 1


if __name__ == "__main__":
    sys.exit(main())
