"""One forward pass of the full-size network, ours beside `alphagenome-pytorch`: seconds, CPU seconds, peak memory.

    python benchmarks/forward.py --peer PYTHON [--lengths 16384 131072] [--out docs/forward]

PYTHON is the interpreter of an environment with `alphagenome-pytorch==0.2.8`. Every row is measured in processes of
their own, ours and the peer's in turn, on random weights of the published size and one random sequence; the second of
two passes counts, the first warms up (its time is given too). The peer has no junctions in "all": it leaves them out.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADS = {"all": None, "atac": ["atac"], "chip_tf": ["chip_tf"], "100 tracks": ["atac"]}


def sequence(length: int):
    """Return letters as integers, the same for everybody."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 4, length)


def ours(checkpoint: str, length: int, heads: str, precision: str):
    """Return a call that predicts with genomekit, arrays on the host."""
    import numpy as np

    import genomekit as gk

    engine = gk.Model.from_pretrained(checkpoint, precision=precision).engine
    names = HEADS[heads] or list(engine.tracks.modalities)
    channels = {name: engine.tracks.channels(name, "human") for name in names}
    if heads == "100 tracks":
        channels = {name: kept[:100] for name, kept in channels.items()}
    if "splice_junctions" in channels:
        channels["splice_junctions"] = np.unique(channels["splice_junctions"] % 367)
    encoded = np.eye(4, dtype=np.float32)[sequence(length)]
    return lambda: engine.predict(encoded, "human", channels)


def peer(checkpoint: str, length: int, heads: str, precision: str):
    """Return a call that runs the peer's forward on the same heads."""
    import torch
    from alphagenome_pytorch import AlphaGenome

    torch.manual_seed(0)
    model = AlphaGenome().eval()
    model.add_reference_heads("human")
    if HEADS[heads] is not None:
        for name in set(model.heads["human"]) - set(HEADS[heads]):
            del model.heads["human"][name]
    model.eval()
    letters = torch.from_numpy(sequence(length))[None]
    wide = precision == "float32"

    def call():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=not wide):
            return model(letters, organism_index=0)

    return call


def measure(who: str, checkpoint: str, length: int, heads: str, precision: str) -> dict[str, float]:
    """Run twice in this process."""
    call = {"ours": ours, "peer": peer}[who](checkpoint, length, heads, precision)
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    times = []
    for _ in range(2):
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
        del result
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    (first, _), (wall, cpu) = times
    return {"wall_s": wall, "cpu_s": cpu, "first_wall_s": first, "peak_gib": peak, "loaded_gib": idle}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=None, help="interpreter with alphagenome-pytorch; without it only ours runs")
    parser.add_argument("--checkpoint", default=None, help="default: random weights of the published size")
    parser.add_argument("--lengths", type=int, nargs="+", default=[16_384, 131_072])
    parser.add_argument("--heads", nargs="+", default=["all", "atac", "chip_tf"], choices=list(HEADS))
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--out", type=Path, default=None, help="write OUT.json and OUT_table.md")
    parser.add_argument("--one", nargs=5, metavar=("WHO", "CHECKPOINT", "LENGTH", "HEADS", "PRECISION"))
    arguments = parser.parse_args()
    if arguments.one:
        who, checkpoint, length, heads, precision = arguments.one
        print(json.dumps(measure(who, checkpoint, int(length), heads, precision)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = arguments.checkpoint
        if checkpoint is None:
            checkpoint = f"{scratch}/random"
            subprocess.run([sys.executable, Path(__file__).with_name("full_size.py"), "--make", checkpoint], check=True)
        rows = []
        for length in arguments.lengths:
            for heads in arguments.heads:
                for precision in arguments.precisions:
                    row = {"length": length, "heads": heads, "precision": precision}
                    for who, python in (("ours", sys.executable), ("peer", arguments.peer)):
                        if python and not (who == "peer" and heads == "100 tracks"):
                            case = [who, checkpoint, str(length), heads, precision]
                            done = subprocess.run([python, __file__, "--one", *case], capture_output=True, text=True)
                            if done.returncode:
                                print(f"{case}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                                continue
                            row[who] = json.loads(done.stdout.splitlines()[-1])
                    rows.append(row)
                    print(json.dumps(row), flush=True)
    if arguments.out:
        arguments.out.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
        arguments.out.with_name(arguments.out.name + "_table.md").write_text(table(rows))


def table(rows: list[dict]) -> str:
    """Write the rows as Markdown."""
    lines = [
        "| bp | heads | type | ours: wall s | CPU s | peak GiB | peer: wall s | CPU s | peak GiB | CPU ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [f"{row['length']:,}", row["heads"], row["precision"]]
        for who in ("ours", "peer"):
            got = row.get(who)
            cells += [f"{got[key]:.1f}" for key in ("wall_s", "cpu_s", "peak_gib")] if got else ["", "", ""]
        both = "ours" in row and "peer" in row
        cells.append(f"{row['ours']['cpu_s'] / row['peer']['cpu_s']:.2f}" if both else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
