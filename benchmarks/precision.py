"""How far bfloat16 is from float32: predictions of the same window, modality by modality.

    python benchmarks/precision.py [--checkpoint FOLDER] [--length 16384] [--out docs/precision_table.md]

Without a checkpoint that is `mini`, on its designed gene; FOLDER may hold weights of any size, which then read one
random sequence. Pearson's r is over all positions and tracks of a modality; the difference is the root mean square over
the standard deviation of the float32 prediction.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np

import genomekit as gk


def predictions(checkpoint: str, precision: str, length: int) -> dict[str, np.ndarray]:
    """Predict every modality of every organism, junctions left out: their sites differ with the probabilities."""
    model = gk.Model.from_pretrained(checkpoint, precision=precision, device="cpu")
    if checkpoint == "mini":
        sequence = gk.testing.designed_gene(seed=0).sequence
    else:
        sequence = "".join(np.random.default_rng(0).choice(list("ACGT"), length))
    found = {}
    for organism in model.organisms:
        names = [name for name in model.tracks.select(organism=organism).modalities if "junction" not in name]
        tree = model.predict_sequence(sequence, organism=organism, modalities=names)
        found |= {f"{name} ({organism})": node["signal"].values for name, node in tree.children.items()}
    return found


def table(checkpoint: str, length: int) -> str:
    """Compare both."""
    narrow, wide = (predictions(checkpoint, precision, length) for precision in ("bfloat16", "float32"))
    lines = ["| modality | Pearson's r | RMS difference / std |", "|---|---|---|"]
    for name, values in wide.items():
        a, b = values.astype(np.float64).ravel(), narrow[name].astype(np.float64).ravel()
        rms = np.sqrt(np.mean((a - b) ** 2)) / a.std()
        lines.append(f"| {name} | {np.corrcoef(a, b)[0, 1]:.5f} | {rms:.4f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", nargs="+", default=["mini"], help="one or more")
    parser.add_argument("--length", type=int, default=16_384)
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    parts = ["# bfloat16 against float32\n"]
    for checkpoint in arguments.checkpoint:
        title = "mini, its designed gene" if checkpoint == "mini" else f"random weights, {arguments.length:,} random bp"
        parts.append(f"## {title}\n\n{table(checkpoint, arguments.length)}")
    text = "\n".join(parts)
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
