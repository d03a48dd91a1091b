"""Write the parity table of the scorers: how far every stored score of the published code is from ours.

    python benchmarks/scorer_parity.py --shared FOLDER

FOLDER (or the environment variable GENOMEKIT_SHARED) holds `parity/`. It takes a few seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from reference_scores import Compared, Stored  # noqa: E402

from genomekit.scoring import RECOMMENDED  # noqa: E402
from genomekit.tracks import published  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("GENOMEKIT_SHARED"), help="folder with parity/")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "scorer_parity.md")
    arguments = parser.parse_args()
    if arguments.shared is None:
        parser.error("give --shared FOLDER, or set GENOMEKIT_SHARED")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        types = (torch.float32, torch.float64)
        arguments.output.write_text(table(*(Stored(Path(arguments.shared), Path(folder), dtype) for dtype in types)))
    print(arguments.output)


def table(single: Stored, double: Stored) -> str:
    """Measure everything and write it as Markdown."""
    return "\n".join(
        [
            "# Parity with the published scorers\n",
            "The reference, google-deepmind/alphagenome_research 0.2.0, scored a substitution, an insertion and a "
            "deletion on made-up tracks of one window of 4,096 bp (contact maps: 16,384 bp) in float32; our scorers "
            "got the same tracks. A relative difference is the largest absolute difference over the largest absolute "
            "value. The first two columns of differences are ours in float32; the last is ours in float64 against the "
            "same float32 reference, and so shows how much is the reference's own rounding. Scores that subtract two "
            "large sums keep fewer digits than their sums.\n",
            "Numbers are those of `parity=True`. [What upstream does differently from its definitions]"
            "(scorers.md#where-upstream-and-genomekit-differ), and `parity=True` alone reproduces, is a table of "
            "its own; of these peculiarities the rounding of junction scores to float16 is in the numbers below.\n",
            "## Recommended scorers\n",
            "What each reads and computes is on [Scorers](scorers.md#those-there-are). Coverage at 1 bp was stored "
            "once, as DNase, and at 128 bp as ChIP of transcription factors: scorers of one formula and resolution "
            "are compared with the same numbers. A mouse has no PRO-cap tracks, and upstream no table of its "
            "polyadenylation sites.\n",
            *rows(single.recommended(), double.recommended(), "name | organisms", recommended),
            "\n## Centre masks of every width and aggregation\n",
            "A substitution in the middle of the window and one near its start, three tracks.\n",
            *rows(single.center_masks(), double.center_masks(), "aggregation and mask", str),
            "\n## What scorers are made of\n",
            "ALT is put on the coordinates of REF for both strands; `mnv_del` and `mnv_ins` replace more bases than "
            "one. Splice sites are chosen from one allele and from two, for four pairs of number and threshold.\n",
            *rows(single.steps(), double.steps(), "step", str),
            "",
        ]
    )


def recommended(name: str) -> str:
    """Name a scorer, and whose tracks it scores."""
    scorer = RECOMMENDED[name]
    organisms = [organism for organism in ("human", "mouse") if scorer.modality in published(organism).modalities]
    if name == "polyadenylation":
        organisms.remove("mouse")
    return f"`{name}` | {', '.join(organisms)}"


def rows(
    single: Iterable[Compared], double: Iterable[Compared], columns: str, label: Callable[[str], str]
) -> Iterator[str]:
    """Write one table."""
    yield f"| {columns} | values | absolute | relative | relative, float64 |"
    yield "|---" * len(columns.split("|")) + "|---:|---:|---:|---:|"
    for ours, wide in zip(single, double, strict=True):
        differences = " | ".join(f"{x:.1e}" if x else "0" for x in (ours.absolute, ours.relative, wide.relative))
        yield f"| {label(ours.name)} | {ours.expected.size:,} | {differences} |"


if __name__ == "__main__":
    main()
