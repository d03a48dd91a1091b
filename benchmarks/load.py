"""Measure how long a full-size checkpoint takes to load, and how much memory, in each layout.

    python benchmarks/load.py --shared FOLDER

FOLDER (or the environment variable GENOMEKIT_SHARED) holds the rule that fills the parameters. Each layout is written
once to a temporary folder (1.8 GB each) and loaded in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

# Peak memory is read from /proc (Linux): getrusage would carry over the peak of the process that starts this one.
# Touching every parameter makes a memory map read the file, as the first prediction does.
PROBE = """
import json, re, sys, time, warnings
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import torch
from genomekit.weights.load import load
warnings.simplefilter("ignore")
megabytes = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
before, start, used = megabytes(), time.perf_counter(), time.process_time()
checkpoint = load(sys.argv[1])
loaded, used, peak = time.perf_counter() - start, time.process_time() - used, megabytes()
total = sum(float(tensor.sum(dtype=torch.float64)) for tensor in checkpoint.network.state_dict().values())
print(json.dumps({"import": before, "seconds": loaded, "cpu": used, "peak": peak, "all": time.perf_counter() - start,
                  "peak_all": megabytes(), "sum": total}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("GENOMEKIT_SHARED"), help="folder with parity/")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "load_table.md")
    parser.add_argument("--folder", type=Path, default=None, help="where to write the checkpoints, 6 GB")
    arguments = parser.parse_args()
    if arguments.shared is None:
        parser.error("give --shared FOLDER, or set GENOMEKIT_SHARED")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        measured = {name: measure(path) for name, path in write_all(Path(arguments.shared), Path(folder)).items()}
    sums = {round(row["sum"], 3) for row in measured.values()}
    assert len(sums) == 1, f"the layouts do not hold the same numbers: {sums}"
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(table(measured))
    print(arguments.output.read_text())


def write_all(shared: Path, folder: Path) -> dict[str, Path]:
    """Write the three layouts."""
    from checkpoint_writers import filled_arrays, write_filled_port, write_official

    from genomekit.weights import native, ports

    port = write_filled_port(shared, folder / "port.safetensors")
    checkpoint = ports.load(port)
    return {
        "genomekit (safetensors + JSON)": native.save(folder / "native", checkpoint.network, checkpoint.tracks),
        "genomicsxai (safetensors)": port,
        "official (Orbax, zstd)": write_official(folder / "orbax", filled_arrays(shared)),
    }


def measure(path: Path) -> dict[str, float]:
    """Load in a process of its own; the first time warms the page cache, the second counts."""
    command = [sys.executable, "-c", PROBE, str(path), str(ROOT / "src")]
    for _ in range(2):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def table(measured: dict[str, dict[str, float]]) -> str:
    """Write Markdown."""
    import torch

    lines = [
        "# Loading a full-size checkpoint\n",
        f"450,452,613 parameters in float32 (1.8 GB), files in the page cache, {os.cpu_count()} CPU cores "
        f"({platform.machine()}), PyTorch {torch.__version__.split('+')[0]}. Ready: `load` has returned. All read: "
        "every parameter was touched once, which is when a memory-mapped file is really read. Peak memory is that of "
        f"the whole process, of which the imports take {max(row['import'] for row in measured.values()):.0f} MB; "
        "memory-mapped pages count, though the system can drop them at any time. Load average while measuring: "
        f"{os.getloadavg()[0]:.0f}; with other work on the machine, CPU seconds are the steadier number.\n",
        "| layout | ready, s | CPU, s | peak, MB | all read, s | peak, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, row in measured.items():
        ready = f"{row['seconds']:.1f} | {row['cpu']:.1f} | {row['peak']:,.0f}"
        lines.append(f"| {name} | {ready} | {row['all']:.1f} | {row['peak_all']:,.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
