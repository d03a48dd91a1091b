"""One forward pass of the full-size network, ours beside others: seconds, CPU seconds, peak memory.

    python benchmarks/forward.py --peer PYTHON [--lengths 16384 131072] [--out docs/forward]
    python benchmarks/forward.py --peer PYTHON --device cuda --lengths 131072 1048576 --precisions bfloat16

PYTHON is the interpreter of an environment with `alphagenome-pytorch==0.2.8`. "plain" is our own network run module by
module, as for training. Every row is measured in processes of their own, one after the other, on random weights of the
published size and one random sequence; the second of two passes counts, the first warms up. The peer has no junctions
in "all": it leaves them out, so "all but junctions" compares like with like; random weights find 512 sites of each kind
wherever they look, the most there can be. "100 tracks" are of ATAC. On a GPU the peak is that of the device.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIGNALS = ["atac", "dnase", "procap", "cage", "rna_seq", "chip_tf", "chip_histone", "contact_maps"]
HEADS = {
    "all": None,
    "all but junctions": [*SIGNALS, "splice_sites", "splice_site_usage"],
    "atac": ["atac"],
    "chip_tf": ["chip_tf"],
    "100 tracks": ["atac"],
}


def sequence(length: int):
    """Return letters as integers, the same for everybody."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 4, length)


def ours(checkpoint: str, length: int, heads: str, precision: str, device: str):
    """Return a call that predicts with genomekit, arrays on the host."""
    import numpy as np

    import genomekit as gk

    engine = gk.Model.from_pretrained(checkpoint, precision=precision, device=device).engine
    names = HEADS[heads] or list(engine.tracks.modalities)
    channels = {name: engine.tracks.channels(name, "human") for name in names}
    if heads == "100 tracks":
        channels = {name: kept[:100] for name, kept in channels.items()}
    if "splice_junctions" in channels:
        channels["splice_junctions"] = np.unique(channels["splice_junctions"] % 367)
    encoded = np.eye(4, dtype=np.float32)[sequence(length)]
    return lambda: engine.predict(encoded, "human", channels)


def plain(checkpoint: str, length: int, heads: str, precision: str, device: str):
    """Return a call that runs our network as it is trained, every module as PyTorch has it."""
    import torch

    from genomekit.weights.load import load

    network = load(checkpoint).network.to(device).eval()
    dna = torch.nn.functional.one_hot(torch.from_numpy(sequence(length)), 4)[None].float().to(device)
    organism = torch.zeros(1, dtype=torch.long, device=device)

    def call():
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            return network(dna, organism, HEADS[heads])

    return call


def peer(checkpoint: str, length: int, heads: str, precision: str, device: str):
    """Return a call that runs the peer's forward on the same heads."""
    import torch
    from alphagenome_pytorch import AlphaGenome

    torch.manual_seed(0)
    model = AlphaGenome().eval()
    model.add_reference_heads("human")
    if not heads.startswith("all"):
        for name in set(model.heads["human"]) - set(HEADS[heads]):
            del model.heads["human"][name]
    model.eval().to(device)
    letters = torch.from_numpy(sequence(length))[None].to(device)
    wide = precision == "float32"

    def call():
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=not wide):
            return model(letters, organism_index=0)

    return call


def measure(who: str, checkpoint: str, length: int, heads: str, precision: str, device: str) -> dict[str, float]:
    """Run twice in this process."""
    import torch

    gpu = device.startswith("cuda")
    call = {"ours": ours, "plain": plain, "peer": peer}[who](checkpoint, length, heads, precision, device)
    times = []
    for _ in range(3 if gpu else 2):
        if gpu:
            torch.cuda.synchronize()
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        if gpu:
            torch.cuda.synchronize()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
        del result
    peak = torch.cuda.max_memory_allocated() if gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (first, _), (wall, cpu) = times[0], times[-1]
    return {"wall_s": wall, "cpu_s": cpu, "first_wall_s": first, "peak_gib": peak / 2**30}


def make(checkpoint: str) -> None:
    """Save random weights, in a process of its own."""
    subprocess.run([sys.executable, Path(__file__).with_name("full_size.py"), "--make", checkpoint], check=True)


def run(command: list) -> dict | None:
    """Run one case; None where it failed, with the reason said."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        print(f"{' '.join(map(str, command[3:]))}: {reason}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def heading(title: str, text: str, device: str) -> str:
    """Write what was measured on what."""
    import torch

    where = torch.cuda.get_device_name() if device.startswith("cuda") else f"{_processor()}, {os.cpu_count()} cores"
    about = text.split("\n\n")[-1].strip().replace("\n", " ")
    return f"# {title}\n\n{where}, PyTorch {torch.__version__}. {about}\n\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "CPU"
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "CPU")
    flags = next((line for line in lines if line.startswith("flags")), "")
    return name + (" with AMX" if "amx_bf16" in flags else " with AVX512-BF16" if "avx512_bf16" in flags else "")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=None, help="interpreter with alphagenome-pytorch; without it only ours runs")
    parser.add_argument("--checkpoint", default=None, help="default: random weights of the published size")
    parser.add_argument("--lengths", type=int, nargs="+", default=[16_384, 131_072])
    parser.add_argument("--heads", nargs="+", default=list(HEADS), choices=list(HEADS))
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--who", nargs="+", default=["ours", "peer"], choices=["ours", "plain", "peer"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=None, help="write OUT.json and OUT_table.md")
    parser.add_argument("--one", nargs=5, metavar=("WHO", "CHECKPOINT", "LENGTH", "HEADS", "PRECISION"))
    arguments = parser.parse_args()
    if arguments.one:
        who, checkpoint, length, heads, precision = arguments.one
        print(json.dumps(measure(who, checkpoint, int(length), heads, precision, arguments.device)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = arguments.checkpoint or f"{scratch}/random"
        if arguments.checkpoint is None:
            make(checkpoint)
        rows = []
        for length in arguments.lengths:
            for heads in arguments.heads:
                for precision in arguments.precisions:
                    row: dict = {"length": length, "heads": heads, "precision": precision}
                    for who in arguments.who:
                        python = arguments.peer if who == "peer" else sys.executable
                        if python is None or (who != "ours" and heads == "100 tracks"):
                            continue
                        case = [who, checkpoint, str(length), heads, precision]
                        command = [python, __file__, "--device", arguments.device, "--one", *case]
                        if (found := run(command)) is not None:
                            row[who] = found
                    rows.append(row)
                    print(json.dumps(row), flush=True)
    if arguments.out:
        arguments.out.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
        text = heading("One forward pass", __doc__, arguments.device) + table(rows, arguments.who)
        arguments.out.with_name(arguments.out.name + "_table.md").write_text(text)


def table(rows: list[dict], contestants: list[str]) -> str:
    """Write the rows as Markdown."""
    columns = [f"{who}: wall s | CPU s | peak GiB" for who in contestants]
    ratios = [f"CPU s, ours to {who}" for who in contestants if who != "ours"]
    header = ["bp", "heads", "type", *columns, *ratios]
    lines = ["| " + " | ".join(header) + " |", "|---" * (3 + 3 * len(columns) + len(ratios)) + "|"]
    for row in rows:
        cells = [f"{row['length']:,}", row["heads"], row["precision"]]
        for who in contestants:
            got = row.get(who)
            cells += [f"{got[key]:.1f}" for key in ("wall_s", "cpu_s", "peak_gib")] if got else ["", "", ""]
        for who in contestants:
            if who != "ours":
                both = "ours" in row and who in row
                cells.append(f"{row['ours']['cpu_s'] / row[who]['cpu_s']:.2f}" if both else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
