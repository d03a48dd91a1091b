"""One full-size prediction on real human DNA: time, peak memory, and the labels of all 11 modalities.

    python benchmarks/full_size.py --fasta chr22.fa.gz --interval CHROM:START-END [--window BP] [--modalities NAME ...]
        [--precision bfloat16] [--memory-budget "4 GB"] [--checkpoint FOLDER] [--out FILE]

Without a checkpoint the network has random weights, drawn once and saved in our own layout: the numbers mean nothing
then, but shapes, labels, time and memory are those of the published network.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import genomekit as gk
from genomekit.nn import ALPHAGENOME, AlphaGenome
from genomekit.weights.native import save


def random_checkpoint(folder: Path) -> Path:
    """Save a network of the published size with random weights."""
    torch.manual_seed(0)
    return save(folder, AlphaGenome(ALPHAGENOME), gk.tracks.published(), name="random full-size weights")


def report(checkpoint: Path, fasta: Path, interval: str, arguments: argparse.Namespace) -> str:
    """Load, predict, and write down what came."""
    begin = time.perf_counter()
    budget, precision = arguments.memory_budget, arguments.precision
    model = gk.Model.from_pretrained(checkpoint, genome=gk.Genome(fasta), precision=precision, memory_budget=budget)
    loaded = time.perf_counter()
    options = {"organism": "human", "window": arguments.window, "modalities": arguments.modalities}
    plan = model.plan(model.predict_interval, interval, **options)
    print(plan, flush=True)
    start, cpu = time.perf_counter(), time.process_time()
    tree = model.predict_interval(interval, **options)
    done, cpu = time.perf_counter(), time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = []
    for name, node in tree.children.items():
        signal = node["signal"]
        shape = " x ".join(f"{size:,} {dim}" for dim, size in signal.sizes.items())
        rows.append(f"| {name} | {shape} | {node.attrs['units']} | {signal.track.values[0]} |")
    asked = "all 11 modalities" if arguments.modalities is None else ", ".join(arguments.modalities)
    return "\n".join(
        [
            f"{model.num_parameters:,} parameters; {interval} in a window of {arguments.window:,} bp; "
            f"{torch.get_num_threads()} CPU threads, {str(model.engine.dtype).removeprefix('torch.')}.",
            "",
            f"Load {loaded - begin:.1f} s, predict {done - start:.1f} s ({cpu:.1f} CPU s; {asked}), peak resident "
            f"memory {peak:.1f} GiB, weights and result included.",
            "",
            f"The plan said: {plan}",
            "",
            "| node | signal | units | first track |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fasta", type=Path)
    parser.add_argument("--interval")
    parser.add_argument("--window", type=int, default=16_384)
    parser.add_argument("--modalities", nargs="+", default=None)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--memory-budget", default=None)
    parser.add_argument("--title", default="A full-size prediction on human DNA")
    parser.add_argument("--make", type=Path, default=None, help="only save a random checkpoint there")
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    if arguments.make:
        random_checkpoint(arguments.make)
        return
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = arguments.checkpoint or Path(scratch) / "random"
        if arguments.checkpoint is None:
            # In a process of its own, so that making the weights is not in the peak memory of using them.
            subprocess.run([sys.executable, __file__, "--make", str(checkpoint)], check=True)
        text = f"# {arguments.title}\n\n" + report(checkpoint, arguments.fasta, arguments.interval, arguments)
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
