"""The notebooks as they are committed, and what their text says of the gene they show."""

import ast
import re
import tomllib
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from genomekit import Genome, Interval, Model, Variant
from genomekit.scores import merged_splicing
from genomekit.testing import toy_genome

ROOT = Path(__file__).parents[1]
NAMES = ("01_quickstart", "02_plots", "03_variants_and_ism")
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|tmp|Users|var|work|mnt)/")
LIMIT = 1_500_000  # bytes


def read(name):
    return nbformat.read(ROOT / "tutorials" / f"{name}.ipynb", as_version=4)


def shown(output):
    """Everything a reader can read in an output."""
    data = output.get("data", {})
    return "".join([output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")])


def test_these_are_all_of_them():
    assert sorted(path.stem for path in (ROOT / "tutorials").glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_with_what_a_reader_must_know(name):
    cells = read(name).cells
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    badge = repository.replace("https://github.com/", "https://colab.research.google.com/github/")
    badge = f"({badge}/blob/main/tutorials/{name}.ipynb)"
    assert re.match(r"# \d\. ", cells[0].source)
    assert badge in cells[0].source
    assert badge in (ROOT / "README.md").read_text()
    assert all(f"**{word}" in cells[0].source for word in ("For", "You will", "Time"))
    assert "pip install -q genomekit-torch" in cells[1].source
    assert f"tutorials/{name}.ipynb" in (ROOT / "mkdocs.yml").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_committed_and_clean(name):
    notebook = read(name)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))  # one run, from top to bottom
    for cell in code:
        assert not cell.metadata
        last = None if "%pip" in cell.source else ast.parse(cell.source).body[-1]
        speaks = "print(" in cell.source or isinstance(last, ast.Expr)
        assert bool(cell.outputs) == (speaks and last is not None), cell.source
        for output in cell.outputs:
            assert output.output_type in ("display_data", "execute_result", "stream"), cell.source
            assert output.get("name") != "stderr", cell.source
            assert not MACHINE.search(shown(output)), cell.source
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
    assert "C. elegans is open" in "".join(shown(output) for cell in code for output in cell.outputs)
    assert (ROOT / "tutorials" / f"{name}.ipynb").stat().st_size < LIMIT


def test_all_open_the_genome_in_the_same_way():
    cells = [cell.source for name in NAMES for cell in read(name).cells if "toy_genome(" in cell.source]
    assert len(cells) == len(NAMES)
    assert all(cell.startswith(cells[0]) for cell in cells)
    assert "seed=36, genes=2, length=20_000" in cells[0]  # the one that is looked at below


@pytest.fixture(params=["designed", "worm"])
def gene(request, tmp_path):
    """The genome, gene and model of the notebooks, by either way they take."""
    if request.param == "worm":
        folder = request.getfixturevalue("shared") / "data" / "celegans"
        genome, name = Genome(folder / "ce10.fa.gz", folder / "ce10.genes.gtf.gz"), "cat-4"
    else:
        toy = toy_genome(tmp_path, seed=36, genes=2, length=20_000)
        genome, name = Genome(toy.fasta, toy.gtf, name="designed", organism="worm"), "toy-1"
    return genome, name, Model.from_pretrained(genome=genome)


@pytest.mark.slow
def test_what_the_text_says_is_so(gene):
    genome, name, model = gene
    place = genome.gene_interval(name)
    assert place.strand == "+"
    introns = genome.introns(gene=name).drop_duplicates(["start", "end"])
    starts, ends = introns["start"].to_numpy(), introns["end"].to_numpy()
    assert len(introns) == 3
    where = place.as_unstranded().pad(200, 100)
    start, end = int(starts[1]), int(ends[1])

    def letters(first, last):
        return genome.sequence(Interval(place.chrom, first, last))

    assert (letters(start, start + 2), letters(end - 7, end)) == ("GT", "TTTTCAG")

    # Each intron of the annotation has a donor and an acceptor.
    sites = model.predict_interval(where, modalities="splice_sites")["splice_sites"].signal
    assert sites.sel(track="donor +", position=starts - 1).min() > 0.5
    assert sites.sel(track="acceptor +", position=ends).min() > 0.5

    # Without its donor the second intron is lost, and the exon before it is skipped.
    broken = Variant(place.chrom, start + 1, "G", "A")
    alleles = model.predict_variant(broken, interval=where)
    donor = alleles["splice_sites"].signal.sel(track="donor +", position=start - 1)
    upstream = alleles["splice_sites"].signal.sel(track="acceptor +", position=int(ends[0]))
    assert donor.sel(allele="alt") < 0.1 < 0.9 < donor.sel(allele="ref")
    assert upstream.sel(allele="alt") < 0.8 * upstream.sel(allele="ref")
    # It is the exon that is recognised: the acceptor of the broken intron stays.
    own = alleles["splice_sites"].signal.sel(track="acceptor +", position=end)
    assert own.sel(allele="alt") > 0.9 * own.sel(allele="ref")
    arcs = alleles["splice_junctions"].signal.isel(track=0)
    lost, longer = (arcs.sel(junction=f"{place.chrom}:{first}-{end}:+") for first in (start, starts[0]))
    assert lost.sel(allele="alt") < 0.3 * lost.sel(allele="ref")
    assert longer.sel(allele="alt") > 3 * longer.sel(allele="ref")

    # The logos show GT for both ends, AG and letters of TTTTC for the acceptor.
    parts = [
        model.ism(Interval(place.chrom, *part), modalities="splice_sites").gk.contribution().sum("base").to_pandas()
        for part in ((start - 5, start + 6), (end - 10, end + 5))
    ]
    heights = pd.concat(parts)
    assert (heights.loc[start : start + 1, "donor +"] > 0.2).all()
    assert set(heights["donor +"].nlargest(2).index) == {start, start + 1}
    assert set(heights["acceptor +"].nlargest(2).index) & {end - 2, end - 1}
    assert (heights.loc[[start, start + 1], "acceptor +"] > 0.1).all()
    assert heights.loc[end - 7 : end - 3, "acceptor +"].max() > 0.05
    assert heights.loc[[*range(start - 5, start - 1), *range(end + 1, end + 5)]].max(axis=None) < 0.08

    # Broken ends stand far above the controls.
    in_intron = start + letters(start, end).index("G", (end - start) // 3)
    in_exon = start - 60 + letters(start - 60, start).index("G")
    changes = [(start, "G", "A"), (start + 1, "T", "C"), (end - 1, "G", "A"), (end - 2, "A", "T")]
    changes += [(in_intron, "G", "A"), (in_exon, "G", "A")]
    variants = [Variant(place.chrom, at + 1, ref, alt) for at, ref, alt in changes]
    merged = merged_splicing(model.score_variants(variants, progress=False))["merged_splicing"].to_numpy()
    assert (merged[:4] > 1).all()
    assert (merged[4:] < 0.15).all()
    assert merged[0] > merged[1]  # GC is the milder way to break a donor


@pytest.mark.slow
def test_the_gene_of_the_exercise_lies_on_the_minus_strand(gene):
    genome, name, model = gene
    other = {"cat-4": "unc-46", "toy-1": "toy-2"}[name]
    assert f'`"{other}"`' in read("01_quickstart").cells[-1].source
    place = genome.gene_interval(other)
    assert place.strand == "-"
    introns = genome.introns(gene=other, unique=True)
    sites = model.predict_interval(place.as_unstranded().pad(300, 300), modalities="splice_sites")[
        "splice_sites"
    ].signal
    assert sites.sel(track="donor -", position=introns["end"].to_numpy()).median() > 0.5
