"""Print the largest resident memory of this process after each of several equal calls, in bytes."""

import sys
import tempfile
from pathlib import Path

import numpy as np

import genomekit as gk
from genomekit.scoring import CenterMaskScorer

CALLS = 3
WINDOW = 32_768


def largest() -> int:
    """Largest resident memory of this process so far, bytes."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Measure one of three verbs of the bundled model."""
    with tempfile.TemporaryDirectory() as folder:
        letters = "".join(np.random.default_rng(0).choice(list("ACGT"), 2 * WINDOW))
        Path(folder, "genome.fa").write_text(f">chrA\n{letters}\n")
        model = gk.Model.from_pretrained(genome=gk.Genome(f"{folder}/genome.fa", organism="worm"), device="cpu")
        at = WINDOW + 1
        variant = f"chrA:{at}:{letters[at - 1]}>{letters[at - 1]}ACGTACG"
        scorer = CenterMaskScorer("splice_sites", 501, "max_abs_diff")
        verbs = {
            "predict": lambda: model.predict_interval(f"chrA:{at}-{at + 1000}", window=WINDOW),
            "score": lambda: model.score_variant(variant, scorers=scorer, window=WINDOW),
            "ism": lambda: model.ism(f"chrA:{at}-{at + 4}", scorer=scorer, window=WINDOW, resume=False),
        }
        for _ in range(CALLS):
            verbs[sys.argv[1]]()
            print(largest())


if __name__ == "__main__":
    main()
