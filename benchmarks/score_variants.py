"""Variants scored per second by `Model.score_variants`, beside two whole passes for each of them.

    python benchmarks/score_variants.py mini --fasta ce10.fa --gtf ce10.gtf [--count 10000] --out docs/score_variants
    python benchmarks/score_variants.py full --fasta ce10.fa --gtf ce10.gtf [--peer PYTHON] --out docs/score_variants

Random substitutions at real positions of chrV, read from a VCF. "mini" scores them with every recommended scorer
into a folder, once with each window centered on its variant and once with windows that neighbours share (`step=8192`).
"full" is the network of the published size, random weights, human heads, windows of 131,072 bp: every scorer, all but
introns, centre masks alone; windows of their own, or one window that all variants share. Worm genes are many times as
dense as human ones, so more of a window is read than of a human one; random weights find 512 splice sites of each kind
wherever they look, the most there can be. Whole passes are two of REF and ALT with all heads, which is what a loop runs
before it scores anything, ours (`Engine.predict`) and those of `alphagenome-pytorch` (PYTHON has 0.2.8; it has no
junctions). Each row is a process of its own, one after the other.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path

import forward
import numpy as np

MINI, FULL = 16_384, 131_072
SETS = ("every scorer", "all but introns", "centre masks")


def write_vcf(genome, path: Path, count: int, chrom: str | None = None, start: int = 0, end: int | None = None) -> None:
    """Write substitutions at random positions, sorted; of one stretch of a chromosome where one is named."""
    rng = np.random.default_rng(0)
    chroms = [chrom] if chrom else [name for name, length in genome.chroms.items() if length > 1_000_000]
    share = np.array([genome.chroms[name] for name in chroms], dtype=float)
    lines = []
    for name, own in zip(chroms, rng.multinomial(count, share / share.sum()), strict=True):
        for position in np.sort(rng.choice(np.arange(start, end or genome.chroms[name]), own, replace=False)).tolist():
            ref = genome.sequence(f"{name}:{position}-{position + 1}").upper()
            alt = rng.choice([base for base in "ACGT" if base != ref])
            lines.append(f"{name}\t{position + 1}\t.\t{ref}\t{alt}\t.\t.\t.\n")
    header = "".join(f"##contig=<ID={name},length={genome.chroms[name]}>\n" for name in chroms)
    path.write_text(
        "##fileformat=VCFv4.2\n" + header + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + "".join(lines)
    )


def measured(call, count: int) -> dict[str, float]:
    """Time a call for so many variants."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"per_s": count / wall, "cpu_s": cpu / count, "peak_gib": peak, "variants": count}


def mini(genome, what: str, count: int) -> dict[str, float]:
    """Score a VCF with the bundled model, or run whole passes of it."""
    import genomekit as gk

    model = gk.Model.from_pretrained(genome=genome)
    with tempfile.TemporaryDirectory() as folder:
        vcf = Path(folder, "variants.vcf")
        if what == "whole passes":
            write_vcf(genome, vcf, 1, "chrV", 10_000_000, 10_100_000)
            return passes(model, "worm", MINI, 100)
        write_vcf(genome, vcf, 20, "chrV")
        model.score_variants(vcf, progress=False)
        write_vcf(genome, vcf, count, "chrV")
        out = Path(folder, "scores")
        step = int(what.split("=")[1])
        found = measured(lambda: model.score_variants(vcf, out=out, step=step, progress=False), count)
        scores = gk.open(out)
        size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
        return found | {"ok": int((scores.records["status"] == "ok").sum()), "mb": size / 1e6}


def full(genome, what: str, checkpoint: str, precision: str, count: int) -> dict[str, float]:
    """Score variants around one gene with a network of the published size."""
    import genomekit as gk
    from genomekit.scoring import JunctionScorer, recommended_scorers

    model = gk.Model.from_pretrained(checkpoint, genome=genome, precision=precision)
    if what == "whole passes":
        return passes(model, "human", FULL, 1)
    which, where = what.split(", ")
    known = recommended_scorers(model.tracks.select(organism="human").modalities)
    known.pop("polyadenylation")  # there is no table of sites
    scorers = [
        scorer
        for scorer in known.values()
        if which == SETS[0]
        or (which == SETS[1] and not isinstance(scorer, JunctionScorer))
        or type(scorer).__name__ == "CenterMaskScorer"
    ]
    gene = genome.genes("chrV:10,000,000-10,100,000").iloc[0]
    with tempfile.TemporaryDirectory() as folder:
        vcf = Path(folder, "variants.vcf")
        write_vcf(genome, vcf, count, "chrV", int(gene["start"]), int(gene["end"]))
        step = 1 if where == "own window" else FULL
        options = {"scorers": scorers, "organism": "human", "window": FULL, "step": step, "progress": False}
        return measured(lambda: model.score_variants(vcf, **options), count)


def passes(model, organism: str, length: int, count: int) -> dict[str, float]:
    """Run two whole passes for each variant, all heads, arrays on the host."""
    engine = model.engine
    modalities = engine.tracks.select(organism=organism).modalities
    channels = {name: engine.tracks.channels(name, organism) for name in modalities}
    for head in engine.config.heads:
        if head.kind == "splice_junction" and head.modality in channels:
            channels[head.modality] = np.unique(channels[head.modality] % (head.channels // 2))
    encoded = np.eye(4, dtype=np.float32)[forward.sequence(length)]
    engine.predict(encoded, organism, channels)
    return measured(lambda: [engine.predict(encoded, organism, channels) for _ in range(2 * count)], count)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=["mini", "full"])
    parser.add_argument("--fasta", required=True)
    parser.add_argument("--gtf", required=True)
    parser.add_argument("--count", type=int, default=None, help="variants; default 10,000 for mini, 4 for full")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--checkpoint", default=None, help="for full; default: random weights of the published size")
    parser.add_argument("--peer", default=None, help="interpreter with alphagenome-pytorch, for full")
    parser.add_argument("--out", type=Path, default=None, help="write OUT_MODEL.json, and OUT.md of both models")
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "PRECISION"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    count = arguments.count or (10_000 if arguments.model == "mini" else 4)
    if arguments.one:
        one(arguments, count)
        return
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.model == "full" and arguments.checkpoint is None:
            arguments.checkpoint = f"{scratch}/random"
            forward.make(arguments.checkpoint)
        rows = [row for case in cases(arguments) if (row := run(case, arguments, count)) is not None]
    if arguments.out:
        of_model(arguments.out, arguments.model).write_text(json.dumps(rows, indent=1) + "\n")
        write_page(arguments.out)


def of_model(out: Path, name: str) -> Path:
    """Return the file of a model's rows."""
    return out.with_name(f"{out.name}_{name}.json")


def write_page(out: Path) -> None:
    """Write the tables of the models that were measured."""
    text = forward.heading("Variants per second", __doc__, "cpu")
    for name, title in (("mini", "The bundled model"), ("full", "The published size")):
        if (file := of_model(out, name)).exists():
            text += f"## {title}\n\n" + table(json.loads(file.read_text())) + "\n"
    out.with_suffix(".md").write_text(text.rstrip() + "\n")


def one(arguments, count: int) -> None:
    """Measure one row, in this process."""
    import genomekit as gk

    warnings.simplefilter("ignore")
    what, precision = arguments.one
    if arguments.model == "mini":
        found = mini(gk.Genome(arguments.fasta, arguments.gtf, organism="worm"), what, count)
    else:
        found = full(gk.Genome(arguments.fasta, arguments.gtf), what, arguments.checkpoint, precision, count)
    print(json.dumps(found))


def cases(arguments) -> list[tuple[str, str]]:
    """Name the rows: what is run, in which type; the last of a type is what the others are compared with."""
    if arguments.model == "mini":
        return [("step=1", "float32"), ("step=8192", "float32"), ("whole passes", "float32")]
    scored = [f"{name}, {where}" for name in SETS for where in ("own window", "shared window")]
    peer = ["peer's whole passes"] if arguments.peer else []
    return [(what, precision) for precision in arguments.precisions for what in (*scored, *peer, "whole passes")]


def run(case: tuple[str, str], arguments, count: int) -> dict | None:
    """Run one row in a process of its own."""
    what, precision = case
    if what.startswith("peer"):
        command = [arguments.peer, forward.__file__, "--one", "peer", arguments.checkpoint, str(FULL), "all", precision]
        found = forward.run(command)
        found = found and {"per_s": 0.5 / found["wall_s"], "cpu_s": 2 * found["cpu_s"], "peak_gib": found["peak_gib"]}
    else:
        given = ["--fasta", arguments.fasta, "--gtf", arguments.gtf, "--count", str(count)]
        given += ["--checkpoint", arguments.checkpoint] if arguments.checkpoint else []
        found = forward.run([sys.executable, __file__, arguments.model, *given, "--one", what, precision])
    row = found and {"what": what, "precision": precision, **found}
    print(json.dumps(row), flush=True)
    return row


def table(rows: list[dict]) -> str:
    """Write the rows as Markdown."""
    lines = [
        "| what | type | variants | variants per minute | CPU s per variant | cheaper than whole passes | peak GiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        whole = next(one for one in rows if one["what"] == "whole passes" and one["precision"] == row["precision"])
        minute = 60 * row["per_s"]
        cells = [row["what"], row["precision"], f"{row.get('variants', 1):,}", f"{minute:,.{0 if minute > 99 else 2}f}"]
        cells += [f"{row['cpu_s']:.3g}", f"{whole['cpu_s'] / row['cpu_s']:.1f}x", f"{row['peak_gib']:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
