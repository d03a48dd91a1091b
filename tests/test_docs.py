"""The code of README.md and of the pages runs as it stands there, on made-up data under the names that it uses.

The gallery and the notebooks have tests of their own.
"""

import ast
import gzip
import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyBigWig
import pytest
from made_results import rows
from matplotlib.figure import Figure

import genomekit as gk
from genomekit import plot
from genomekit.labels import junction_dataset, prediction_tree, track_dataset
from genomekit.tracks.modality import MODALITIES

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
BLOCKS = {page: re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL) for page in PAGES}
ELSEWHERE = {
    "alphagenome-all-folds": "needs the published weights",
    "SLURMCluster(": "needs a queue; tests/batch looks at the script it submits",
    "from scoring import make_scoring": "needs a module of the reader's own",
}
ACCEPTOR, OTHER = (
    10_001_339,
    10_007_999,
)  # from 0: the G at the end of an intron that README changes, the A of docs/scorers.md
PLACE = gk.Interval("chr22", 36_150_000, 36_166_384)  # what docs/plots.md draws


def runnable(page):
    return [code for code in BLOCKS[page] if not any(mark in code for mark in ELSEWHERE)]


def run(page, names, blocks=slice(None)):
    """Run blocks one after another, as a reader would; draw what a line gives, as a notebook would."""
    for number, code in list(enumerate(runnable(page), 1))[blocks]:
        place = f"{page}, block {number}"
        for step in ast.parse(code).body:
            if not isinstance(step, ast.Expr):
                exec(compile(ast.Module([step], []), place, "exec"), names)
                continue
            given = eval(compile(ast.Expression(step.value), place, "eval"), names)
            if isinstance(given, plot.Panel):
                given = plot.figure(given, region=PLACE)
            if isinstance(given, Figure):
                given.canvas.draw()
    return names


def test_these_pages_have_code_to_run():
    pages = {f"docs/{name}.md" for name in ("add_a_panel", "batch", "index", "plots", "scorers")}
    assert {page for page in PAGES if runnable(page)} == pages | {"README.md"}
    code = "".join(code for blocks in BLOCKS.values() for code in blocks)
    assert [mark for mark in ELSEWHERE if mark not in code] == []


def moved(gtf, old, new, by):
    """Put the genes of one chromosome elsewhere, on another."""
    rows = [line.split("\t") for line in gtf.read_text().splitlines() if line.startswith(f"{old}\t")]
    return "".join(
        "\t".join([new, *row[1:3], *(str(int(at) + by) for at in row[3:5]), *row[5:]]) + "\n" for row in rows
    )


@pytest.fixture(scope="module")
def worm(tmp_path_factory):
    """A folder with genome.fa and genes.gtf: a designed gene on a chrV as long as that of ce10."""
    folder = tmp_path_factory.mktemp("worm")
    toy = gk.testing.toy_genome(folder, seed=36, genes=2, length=40_000)
    before = ACCEPTOR + 1 - toy.genes[0].introns[1].end
    letters = bytearray((b"N" * before + toy.genes[0].sequence.encode()).ljust(20_924_149, b"N"))
    letters[OTHER : OTHER + 1] = b"A"
    (folder / "genome.fa").write_bytes(b">chrV\n" + letters + b"\n")
    (folder / "genes.gtf").write_text(moved(toy.gtf, "chrI", "chrV", before))
    return folder


@pytest.fixture
def here(worm, tmp_path, monkeypatch):
    """A folder to run in, with the genome and variants that the pages name; the preset ce10 is the same genome."""
    for name in ("genome.fa", "genes.gtf"):
        (tmp_path / name).symlink_to(worm / name)
        monkeypatch.setenv(f"GENOMEKIT_CE10_{'FASTA' if name.endswith('fa') else 'GTF'}", str(worm / name))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_readme(here):
    names = run("README.md", {})
    assert set(names["effects"].sizes) == {"position", "base", "track"}
    strongest = names["scores"].to_frame().query("modality == 'splice_sites'")["raw_score"].max()
    assert strongest > 0.5  # README breaks an acceptor


@pytest.mark.slow
def test_the_first_page(here):
    assert set(run("docs/index.md", {})["tree"].children) == {"splice_sites"}


@pytest.mark.slow
def test_a_scorer_of_ones_own(here):
    frame = run("docs/scorers.md", {})["scores"].to_frame()
    assert len(frame) == 4
    assert frame["raw_score"].between(0, 1).all()


def test_a_panel_of_ones_own(worm):
    names = run("docs/add_a_panel.md", {})
    genome = gk.Genome(worm / "genome.fa", worm / "genes.gtf")
    region = gk.Interval("chrV", ACCEPTOR - 500, ACCEPTOR + 500)
    figure = plot.figure([names["GcContent"](genome), plot.Genes(genome)], region=region)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["GC content", "Genes"]
    drawn = figure.axes[0].lines[0].get_ydata()
    letters = genome.sequence(region)
    assert drawn[0] == pytest.approx(sum(letter in "GC" for letter in letters[:100]) / 100)
    assert len(drawn) == 10


@pytest.mark.slow
def test_many_variants(here):
    pysam = pytest.importorskip("pysam")
    pytest.importorskip("distributed")
    gt = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    columns = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "CB4856"])
    lines = [f"chrV\t{ACCEPTOR + 1}\t.\tG\tA\t.\t.\t.\tGT\t0|1\n", f"chrV\t{OTHER + 1}\t.\tA\tG\t.\t.\t.\tGT\t1|0\n"]
    for name in ("variants", "phased"):
        (here / f"{name}.vcf").write_text(f"##fileformat=VCFv4.2\n{gt}{columns}\n{''.join(lines)}")
        pysam.tabix_index(str(here / f"{name}.vcf"), preset="vcf", force=True)
    names = run("docs/batch.md", {"__name__": "a notebook"})
    assert names["scores"].records["status"].tolist() == ["ok"]  # the last haplotype
    assert gk.open("scores").records["status"].tolist() == ["ok", "ok"]
    assert (here / "scored.vcf.gz").is_file()


def bigwig(path, sign=1):
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([(PLACE.chrom, PLACE.end)])
        starts = np.arange(PLACE.start, PLACE.end, 128)
        values = sign * np.random.default_rng(0).random(len(starts))
        file.addEntries([PLACE.chrom] * len(starts), starts, ends=starts + 128, values=values)


def mcool(path):
    cooler = pytest.importorskip("cooler")
    for step in (2_048, 10_000):
        starts = np.arange(0, PLACE.end + 80_000, step)
        bins = pd.DataFrame({"chrom": PLACE.chrom, "start": starts, "end": starts + step})
        first, second = np.triu_indices(8)
        here = PLACE.start // step - 1
        pixels = pd.DataFrame({"bin1_id": here + first, "bin2_id": here + second, "count": 9 - second + first})
        cooler.create_cooler(f"{path}::/resolutions/{step}", bins, pixels, mode="a")
    with h5py.File(path, "a") as file:
        file.attrs.update({"format": "HDF5::MCOOL", "format-version": 2})


def predicted():
    """What a human model would give."""
    random, where = np.random.default_rng(0), {"chrom": PLACE.chrom, "start": PLACE.start, "end": PLACE.end}
    liver = {"biosample_name": "liver"}

    def node(name, shape, table):
        values = random.random((*shape, len(table)), dtype=np.float32)
        start = PLACE.start // 2_048 * 2_048 if name == "contact_maps" else PLACE.start
        return track_dataset(values, modality=MODALITIES[name], rows=table, start=start, attrs=where)

    introns = pd.DataFrame({"chrom": PLACE.chrom, "start": [36_151_000], "end": [36_154_000], "strand": ["+"]})
    junctions = junction_dataset(
        np.ones((1, 1)),
        modality=MODALITIES["splice_junctions"],
        rows=rows("liver", **liver),
        junctions=introns,
        attrs=where,
    )
    nodes = {
        "rna_seq": node("rna_seq", (PLACE.width,), rows("RNA", strands="+-", **liver)),
        "chip_tf": node("chip_tf", (PLACE.width // 128,), rows("CTCF", **liver)),
        "contact_maps": node("contact_maps", (PLACE.width // 2_048,) * 2, rows("Hi-C", **liver)),
        "splice_junctions": junctions,
    }
    return prediction_tree(nodes, where | {"organism": "human", "model": "made up"})


@pytest.mark.slow
def test_plots(here, worm):
    for name in ("coverage", "treated", "control", "chip", "plus", "minus"):
        bigwig(here / f"{name}.bw", sign=-1 if name == "minus" else 1)
    for name in ("a.mcool", "b.mcool"):
        mcool(here / name)
    (here / "peaks.bed").write_text(f"chr22\t{PLACE.start}\t{PLACE.start + 500}\n")
    with gzip.open(here / "genes.gtf.gz", "wt") as file:
        file.write(moved(worm / "genes.gtf", "chrV", "chr22", PLACE.start + 8_192 - ACCEPTOR))
    genome = gk.Genome(here / "genome.fa", here / "genes.gtf", name="ce10", organism="worm")
    tree = predicted()
    run("docs/plots.md", {"model": gk.Model.from_pretrained(), "genome": genome}, slice(1))
    run("docs/plots.md", {"tree": tree, "one": tree, "other": tree}, slice(1, None))
