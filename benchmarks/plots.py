"""Measure how long figures take to make and to save, and how large they are, beside alphagenome and logomaker.

    python benchmarks/plots.py [--peer PYTHON]... [--write]

Each PYTHON is the interpreter of an environment of its own with `alphagenome` or `logomaker` in it. Every case runs in
a fresh process, on the same numbers, and CPU seconds are those from data to saved file. With --write the table goes to
docs/plots_table.md: do that on a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 3  # the least of them counts: what else the machine does can only add

# Data, the same in every environment: NumPy's generator gives the same numbers everywhere.
DATA = """
import io, json, sys, time
import numpy as np
random = np.random.default_rng(0)
def tracks():
    values = random.gamma(0.4, 0.2, (1 << 20, 10)).astype(np.float32)
    for column in range(10):
        values[random.integers(0, 1 << 20, 60), column] += random.gamma(2, 5, 60).astype(np.float32)
    return values
def letters():
    return random.normal(0, 0.3, (2000, 4))
def measured(build):
    used = time.process_time()
    figure, save = build()
    built = time.process_time() - used
    sizes, seconds = {}, {}
    for kind in json.loads(sys.argv[1]):
        buffer = io.BytesIO()
        used = time.process_time()
        save(figure, buffer, kind)
        seconds[kind], sizes[kind] = time.process_time() - used, buffer.tell()
    print(json.dumps({"build": built, "save": seconds, "bytes": sizes}))
def plain(figure, buffer, kind):
    figure.savefig(buffer, format=kind, dpi=100)
"""

OURS = {
    "tracks": """
import pandas as pd
from genomekit.labels import track_dataset
from genomekit.plot import Tracks, figure
from genomekit.tracks.modality import MODALITIES
rows = pd.DataFrame({"name": [f"t{n}" for n in range(10)], "strand": ".", "channel": range(10)})
node = track_dataset(tracks(), modality=MODALITIES["atac"], rows=rows.assign(label=rows["name"]), start=0,
                     attrs={"chrom": "chr1"})
figure([Tracks(node.isel(position=slice(0, 100)))]).savefig(io.BytesIO())  # fonts are found and read once
measured(lambda: (figure([Tracks(node, height=10.0)], width=20), plain))
""",
    "logo": """
import pandas as pd
from genomekit.plot import Logo, figure
table = pd.DataFrame(letters(), columns=list("ACGT"))
figure([Logo(table.iloc[:20])]).savefig(io.BytesIO())
measured(lambda: (figure([Logo(table, height=2.0)], width=20), plain))
""",
}
PEERS = {
    ("alphagenome", "tracks"): """
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from alphagenome.data import genome, track_data
from alphagenome.visualization import plot_components
where = genome.Interval("chr1", 0, 1 << 20)
meta = pd.DataFrame({"name": [f"t{n}" for n in range(10)], "strand": "."})
data = track_data.TrackData(tracks(), meta, resolution=1, interval=where)
plt.figure().savefig(io.BytesIO())
panels = [plot_components.Tracks(data, filled=True)]
measured(lambda: (plot_components.plot(panels, interval=where, fig_width=20), plain))
""",
    ("alphagenome", "logo"): """
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
from alphagenome.data import genome
from alphagenome.visualization import plot_components
where = genome.Interval("chr1", 0, 2000)
plt.figure().savefig(io.BytesIO())
panel = lambda: plot_components.SeqLogo(letters(), scores_interval=where, max_width=2000)
measured(lambda: (plot_components.plot([panel()], interval=where, fig_width=20), plain))
""",
    ("logomaker", "logo"): """
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd, logomaker
table = pd.DataFrame(letters(), columns=list("ACGT"))
plt.figure().savefig(io.BytesIO())
def build():
    figure, ax = plt.subplots(figsize=(20, 2.5))
    logomaker.Logo(table, ax=ax)
    return figure, plain
measured(build)
""",
}
TITLES = {"tracks": "10 tracks x 1,048,576 bp, filled, 20 inches", "logo": "logo of 2,000 bp x 4 letters, 20 inches"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--peer", action="append", default=[], metavar="PYTHON", help="an interpreter with a peer in it"
    )
    parser.add_argument("--write", action="store_true", help="write docs/plots_table.md")
    arguments = parser.parse_args()
    rows = []
    for case, code in OURS.items():
        rows.append((case, "genomekit", run(sys.executable, code, ["png", "svg", "pdf"], repeats=REPEATS)))
        for python in arguments.peer:
            for (peer, what), script in PEERS.items():
                if what == case and (version := installed(python, peer)):
                    # Minutes for some of these: once, and the one format that everybody uses.
                    rows.append((case, f"{peer} {version}", run(python, script, ["png"], repeats=1)))
    text = table(rows)
    print(text)
    if arguments.write:
        (ROOT / "docs" / "plots_table.md").write_text(text)


def installed(python: str, package: str) -> str:
    """Give the version of a package in an environment, "" where it has none."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def run(python: str, code: str, kinds: list[str], *, repeats: int) -> dict:
    """Measure one case in fresh processes; keep the quickest."""
    path = str(ROOT / "src") if python == sys.executable else ""
    environment = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"}
    command = [python, "-W", "ignore", "-c", DATA + code, json.dumps(kinds)]
    results = []
    for _ in range(repeats):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{python} failed:\n{done.stderr}")
        results.append(json.loads(done.stdout.splitlines()[-1]))
    return min(results, key=lambda result: result["build"] + result["save"]["png"])


def table(rows: list[tuple[str, str, dict]]) -> str:
    """Write Markdown."""
    lines = [
        "# Making and saving figures\n",
        f"CPU seconds from numbers in memory to a saved file; {os.cpu_count()} cores ({platform.machine()}), "
        f"load average {os.getloadavg()[0]:.1f}. All drew the same numbers in one run, PNG at 100 dots per inch; the "
        "ratio is to genomekit's PNG. Peers ran once, in environments of their own. Made by `benchmarks/plots.py`.\n",
    ]
    for case, title in TITLES.items():
        mine = [row for row in rows if row[0] == case]
        own = next(total(result) for _, who, result in mine if who == "genomekit")
        lines += [f"## {title}\n", "| | build, s | save PNG, s | in all, s | ratio | SVG | PDF |"]
        lines.append("|---|---:|---:|---:|---:|---:|---:|")
        for _, who, result in mine:
            sizes = [megabytes(result, kind) for kind in ("svg", "pdf")]
            lines.append(
                f"| {who} | {result['build']:.2f} | {result['save']['png']:.2f} | {total(result):.2f} | "
                f"{total(result) / own:.1f} | {' | '.join(sizes)} |"
            )
        lines.append("")
    return "\n".join(lines)


def total(result: dict) -> float:
    return result["build"] + result["save"]["png"]


def megabytes(result: dict, kind: str) -> str:
    if kind not in result["bytes"]:
        return ""
    return f"{result['bytes'][kind] / 1e6:.2f} MB, {result['save'][kind]:.2f} s"


if __name__ == "__main__":
    main()
