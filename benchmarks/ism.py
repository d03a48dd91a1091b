"""Mutagenesis of the full-size network: substitutions per second, ours exact beside loops of whole passes.

    python benchmarks/ism.py --peer PYTHON [--lengths 16384 131072] [--out docs/ism]

A 501 bp centre mask around each mutated base reads one ATAC track. Columns: genomekit's exact incremental engine; our
own whole pass with the scored head alone and with all heads, once for each substitution; the loop of
`alphagenome-pytorch` (PYTHON has 0.2.8): one whole forward for each substitution. Random weights of the published size,
one random sequence; everything in processes of its own, one after the other.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import forward
import numpy as np


def exact(checkpoint: str, length: int, precision: str, positions: int, device: str) -> dict[str, float]:
    """Measure `Model.ism` below its labels: the reference once, then batches of substitutions."""
    import torch

    import genomekit as gk
    from genomekit.ism.exact import Exact
    from genomekit.ism.reads import Orientation, Read
    from genomekit.predict.request import make_request
    from genomekit.scoring import CenterMaskScorer

    engine = gk.Model.from_pretrained(checkpoint, precision=precision, device=device).engine
    request = make_request(engine, "human", {"modalities": "atac"})
    part = request.wanted["atac"]
    one = type(part)(part.modality, part.rows.iloc[:1], part.channels[:1], part.partners[:1])
    reads = [Read(CenterMaskScorer("atac", 501, "diff_log2_sum"), one)]
    letters = forward.sequence(length)
    encoded = np.eye(4, dtype=np.float32)[letters]
    first = length // 2 - positions // 2
    offsets = np.repeat(np.arange(first, first + positions), 3)
    bases = (letters[offsets] + np.tile([1, 2, 3], positions)) % 4
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None

    begin, cpu = time.perf_counter(), time.process_time()
    reference = engine.reference(encoded, "human", (first - 600, first + positions + 600))
    scorer = Exact(reference, Orientation(length, False), reads, offsets)
    wait()
    once = time.perf_counter() - begin, time.process_time() - cpu
    batch = reference.batch
    scorer.effects(offsets[:batch], bases[:batch])
    wait()
    begin, cpu, done = time.perf_counter(), time.process_time(), 0
    while done < len(offsets):
        scorer.effects(offsets[done : done + batch], bases[done : done + batch])
        done += batch
    wait()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {
        "per_s": len(offsets) / seconds,
        "cpu_s": cpu / len(offsets),
        "prepare_s": once[0],
        "prepare_cpu_s": once[1],
        "substitutions": len(offsets),
    }


def loop(who: str, checkpoint: str, length: int, heads: str, precision: str, device: str) -> dict[str, float]:
    """Measure one whole pass: what a loop pays for each substitution."""
    got = forward.measure(who, checkpoint, length, heads, precision, device)
    return {"per_s": 1 / got["wall_s"], "cpu_s": got["cpu_s"]}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=None, help="interpreter with alphagenome-pytorch; without it only ours runs")
    parser.add_argument("--checkpoint", default=None, help="default: random weights of the published size")
    parser.add_argument("--lengths", type=int, nargs="+", default=[16_384, 131_072])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--positions", type=int, default=32, help="mutated positions, three substitutions each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=None, help="write OUT.json and OUT_table.md")
    parser.add_argument("--one", nargs=5, metavar=("WHAT", "CHECKPOINT", "LENGTH", "PRECISION", "POSITIONS"))
    arguments = parser.parse_args()
    if arguments.one:
        what, checkpoint, length, precision, positions = arguments.one
        if what == "exact":
            found = exact(checkpoint, int(length), precision, int(positions), arguments.device)
        else:
            who, heads = what.split(":")
            found = loop(who, checkpoint, int(length), heads, precision, arguments.device)
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = arguments.checkpoint or f"{scratch}/random"
        if arguments.checkpoint is None:
            forward.make(checkpoint)
        rows = []
        for length in arguments.lengths:
            for precision in arguments.precisions:
                row: dict = {"length": length, "precision": precision}
                for what in ("exact", "ours:atac", "ours:all", "peer:atac"):
                    python = arguments.peer if what.startswith("peer") else sys.executable
                    if python is None:
                        continue
                    case = [what, checkpoint, str(length), precision, str(arguments.positions)]
                    command = [python, __file__, "--device", arguments.device, "--one", *case]
                    if (found := forward.run(command)) is not None:
                        row[what] = found
                rows.append(row)
                print(json.dumps(row), flush=True)
    if arguments.out:
        arguments.out.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
        text = forward.heading("Mutagenesis", __doc__, arguments.device) + table(rows)
        arguments.out.with_name(arguments.out.name + "_table.md").write_text(text)


def table(rows: list[dict]) -> str:
    """Write the rows as Markdown; ratios are of CPU seconds on a CPU, of seconds on a GPU."""
    lines = [
        "| bp | type | SNVs per s | CPU s per SNV | whole pass, scored head: CPU s | all heads | peer's loop "
        "| cheaper than it with the scored head | all heads | peer |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours = row["exact"]
        cells = [f"{row['length']:,}", row["precision"], f"{ours['per_s']:.2f}", f"{ours['cpu_s']:.2f}"]
        loops = [row.get(name) for name in ("ours:atac", "ours:all", "peer:atac")]
        cells += [f"{one['cpu_s']:.1f}" if one else "" for one in loops]
        cells += [f"{one['cpu_s'] / ours['cpu_s']:.1f}x" if one else "" for one in loops]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
