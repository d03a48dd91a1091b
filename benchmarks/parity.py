"""Write the parity table: how far every stored output of the published code is from ours.

    python benchmarks/parity.py --shared FOLDER

FOLDER (or the environment variable GENOMEKIT_SHARED) holds `parity/` and `spec/`. Parameters are filled by its rule
at full size, in float32, on the CPU: about 6 GB of memory, one to two minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from reference_fill import (  # noqa: E402
    Difference,
    difference,
    filled_network,
    forward_differences,
    gradient_differences,
    write_filled,
)

GROUPS = {"mid": "Intermediates", "emb": "Embeddings", "head": "Heads"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("GENOMEKIT_SHARED"), help="folder with parity/")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "parity_table.md")
    arguments = parser.parse_args()
    if arguments.shared is None:
        parser.error("give --shared FOLDER, or set GENOMEKIT_SHARED")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(table(Path(arguments.shared)))
    print(arguments.output)


def table(shared: Path) -> str:
    """Measure everything and write it as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        network = filled_network(shared, write_filled(shared, Path(folder) / "filled.safetensors"))
        forward = list(forward_differences(shared, network))
        by_gradient = list(gradient_differences(shared, network))
        junction = junction_difference(shared, network)
        count = network.num_parameters()
    parts = [
        "# Parity with the published network\n",
        f"Parameters: {count:,}, filled by a fixed rule from their official names (no released weights). Input: two "
        "sequences of 4,096 bp, one human, one mouse. Reference: google-deepmind/alphagenome_research 0.2.0 in full "
        f"float32 on a CPU; here: PyTorch {torch.__version__.split('+')[0]}, float32, CPU. A difference is the largest "
        "absolute difference over the largest absolute value, over the sampled values that the reference keeps.\n",
    ]
    for kind, title in GROUPS.items():
        rows = [one for one in forward if one.name.startswith(f"{kind}:")]
        parts.append(section(title, rows, kind))
    parts.append(section("Junction head at fixed positions", [junction], "head"))
    parts.append(section("Gradients", by_gradient, "grad"))
    parts.append(
        "The reference rounds usage probabilities to float16, which is the whole of that row's difference; the logits "
        "are compared in float32. Gradients are taken with the reference's side of the max pools whose two inputs are "
        "equal to float32 rounding (three pairs differ; a gradient jumps there).\n"
    )
    return "\n".join(parts)


def junction_difference(shared: Path, network: torch.nn.Module) -> Difference:
    """Run the junction head alone on the embeddings of the recipe."""
    with np.load(shared / "parity" / "junction_head.npz") as stored:
        reference = dict(stored)
    embedding = np.random.default_rng(23).standard_normal((2, 2048, 1536)).astype(np.float32)
    organism, sites = (torch.from_numpy(reference[key]).long() for key in ("organism_index", "positions"))
    with torch.inference_mode():
        counts = network.heads["splice_junctions"](torch.from_numpy(embedding), organism, sites)["predictions"]
    name = "head:splice_sites_junction/predictions"
    return difference(shared, name, counts, reference["predictions_f32"], "junction")


def section(title: str, rows: Iterable[Difference], prefix: str) -> str:
    """One table."""
    lines = [
        f"## {title}\n",
        "| module (official name) | values compared | max relative difference |",
        "|---|---:|---:|",
    ]
    for one in rows:
        name = one.name.removeprefix(f"{prefix}:").replace("norm:", "norm of ").replace("alphagenome/", "")
        lines.append(
            f"| `{name}` | {one.values:,} | {one.relative:.1e} |"
            if one.relative
            else f"| `{name}` | {one.values:,} | 0 |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
