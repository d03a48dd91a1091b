"""Draw mini's splice sites on real worm DNA under the annotated exons, for the README and the docs.

python tools/worm_figure.py --genome ce10.fa.gz --gtf ce10.genes.gtf.gz [--interval chrV:...] [--out worm.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import genomekit as gk


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genome", type=Path, required=True)
    parser.add_argument("--gtf", type=Path, required=True)
    parser.add_argument("--interval", default="chrV:9,000,000-9,008,192")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--out", type=Path, default=Path("docs/images/worm.png"))
    arguments = parser.parse_args()
    genome = gk.Genome(arguments.genome, arguments.gtf, organism="worm")
    model = gk.Model.from_pretrained(arguments.model, genome=genome)
    tree = model.predict_interval(
        arguments.interval, modalities=["splice_sites", "splice_site_usage", "splice_junctions"]
    )
    figure = gk.plot.figure(
        tree, genes=genome.exons(arguments.interval), title=f"mini on {arguments.interval} (held out)"
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
