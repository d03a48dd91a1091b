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
    assert all(cell.replace("oig-3", "cat-4").startswith(cells[0]) for cell in cells)
    assert "seed=252, genes=2, length=20_000" in cells[0]  # the one that is looked at below


class Gene:
    """A gene of the notebooks and the model that reads it, by either way they take."""

    def __init__(self, genome, name):
        self.genome, self.name, self.model = genome, name, Model.from_pretrained(genome=genome)
        self.place = genome.gene_interval(name)
        self.chrom, self.where = self.place.chrom, self.place.as_unstranded().pad(200, 100)
        introns = genome.introns(gene=name, unique=True)
        self.starts, self.ends = introns["start"].to_numpy(), introns["end"].to_numpy()

    def letters(self, first, last):
        return self.genome.sequence(Interval(self.chrom, int(first), int(last)))

    def substitution(self, position, alt):
        return Variant(self.chrom, int(position) + 1, self.letters(position, position + 1), alt)

    def alleles(self, variant):
        """Splice sites of both alleles (allele, position, track) and the counts of introns (allele, junction)."""
        tree = self.model.predict_variant(variant, interval=self.where)
        return tree["splice_sites"].signal, tree["splice_junctions"].signal.isel(track=0)

    def junction(self, first, last):
        return f"{self.chrom}:{first}-{last}:+"


@pytest.fixture(scope="module")
def designed(tmp_path_factory):
    toy = toy_genome(tmp_path_factory.mktemp("toy"), seed=252, genes=2, length=20_000)
    return Genome(toy.fasta, toy.gtf, name="designed", organism="worm")


def opened(request, name):
    if request.param == "designed":
        return Gene(request.getfixturevalue("designed"), "toy-1")
    folder = request.getfixturevalue("shared") / "data" / "celegans"
    return Gene(Genome(folder / "ce10.fa.gz", folder / "ce10.genes.gtf.gz"), name)


@pytest.fixture(scope="module", params=["designed", "worm"])
def first(request):
    """The gene of the first two notebooks."""
    return opened(request, "cat-4")


@pytest.fixture(scope="module", params=["designed", "worm"])
def third(request):
    """The gene of the third notebook."""
    return opened(request, "oig-3")


def lost_and_skipped(gene, donor, junctions):
    """Without its donor the second intron is lost, and the exon before it is skipped."""
    starts, ends = gene.starts, gene.ends
    site = donor.sel(track="donor +", position=starts[1] - 1)
    near = donor.sel(track="acceptor +", position=ends[0])
    assert site.sel(allele="alt") < 0.1 < 0.9 < site.sel(allele="ref")
    assert near.sel(allele="alt") < 0.6 * near.sel(allele="ref")
    lost, longer = (junctions.sel(junction=gene.junction(first, ends[1])) for first in (starts[1], starts[0]))
    assert lost.sel(allele="alt") < 0.3 * lost.sel(allele="ref")
    assert longer.sel(allele="alt") > 3 * longer.sel(allele="ref")
    assert longer.sel(allele="alt") > lost.sel(allele="alt")


@pytest.mark.slow
def test_the_first_notebook_says_what_is_so(first):
    assert first.place.strand == "+"
    assert len(first.starts) == 3
    assert first.letters(first.starts[1], first.starts[1] + 2) == "GT"
    assert first.letters(first.ends[1] - 7, first.ends[1]) == "TTTTCAG"
    # Each intron of the annotation has a donor and an acceptor, and there are no other donors.
    sites = first.model.predict_interval(first.where, modalities="splice_sites")["splice_sites"].signal
    assert sites.sel(track="donor +", position=first.starts - 1).min() > 0.5
    assert sites.sel(track="acceptor +", position=first.ends).min() > 0.5
    assert (sites.sel(track="donor +") > 0.5).sum() == 3
    lost_and_skipped(first, *first.alleles(first.substitution(first.starts[1], "A")))
    # Exercise 2: a G inside an intron does little.
    middle = (first.starts[1] + first.ends[1]) // 2
    inside = middle + first.letters(middle, first.ends[1] - 12).index("G")
    _, junctions = first.alleles(first.substitution(inside, "A"))
    change = abs(junctions.sel(allele="alt") - junctions.sel(allele="ref"))
    assert (change < 0.3 * junctions.max()).all()


@pytest.mark.slow
def test_the_third_notebook_says_what_is_so(third):
    starts, ends = third.starts, third.ends
    assert third.place.strand == "+"
    assert len(starts) == 3
    assert third.letters(ends[0] - 7, ends[0]) == "TTTTCAG"
    sites, junctions = third.alleles(third.substitution(starts[1], "A"))
    reference = sites.sel(allele="ref")
    donors, acceptors = reference.sel(track="donor +"), reference.sel(track="acceptor +")
    assert acceptors.sel(position=ends).min() > 0.5
    right = donors.sel(position=starts - 1) > 0.5
    if third.name == "oig-3":  # the text says that it is not right about the third
        assert right.values.tolist() == [True, True, False]
        behind = donors.sel(position=slice(starts[2], ends[2]))
        assert donors.sel(position=starts[2] - 1) < 0.5 * behind.max() < behind.max() < 0.5
    else:
        assert right.all()
    lost_and_skipped(third, sites, junctions)


@pytest.mark.slow
def test_the_logo_shows_both_ends_of_the_exon_and_the_motif(third):
    begin, stop = third.ends[0], third.starts[1]
    parts = [
        third.model.ism(Interval(third.chrom, int(low), int(high)), modalities="splice_sites")
        for low, high in ((begin - 20, begin + 10), (stop - 12, stop + 12))
    ]
    heights = pd.concat([part.gk.contribution().sum("base").to_pandas() for part in parts])
    donor, acceptor = heights["donor +"], heights["acceptor +"]
    assert set(donor.nlargest(2).index) == {stop, stop + 1}  # GT
    assert (acceptor.loc[begin - 2 : begin - 1] > 0.5).all()  # AG
    motif = acceptor.loc[begin - 7 : begin - 3].to_numpy()  # TTTTC
    assert (motif > 0.1).all()
    assert motif[1:3].min() > max(motif[0], motif[3])  # the middle ones are taller, as they are where one counts
    assert motif[1:3].min() > 0.5
    assert (acceptor.loc[[stop, stop + 1]] > 0.3).all()  # the far end of the exon
    elsewhere = heights.drop(index=[*range(begin - 9, begin + 1), *range(stop - 2, stop + 6)])
    assert elsewhere.max(axis=None) < motif[1:3].min()
    assert elsewhere.max(axis=1).median() < 0.15  # most letters are low


@pytest.mark.slow
def test_scores_tell_broken_ends_from_controls(third):
    begin, start, end = third.ends[0], third.starts[1], third.ends[1]
    in_intron = start + third.letters(start, end).index("G", (end - start) // 3)
    in_exon = start - 60 + third.letters(start - 60, start).index("G")
    changes = [(start, "A"), (start + 1, "C"), (begin - 1, "A"), (begin - 5, "A"), (in_intron, "A"), (in_exon, "A")]
    variants = [third.substitution(*change) for change in changes]
    merged = merged_splicing(third.model.score_variants(variants, progress=False))["merged_splicing"].to_numpy()
    assert merged[:4].min() > 0.9 > 0.3 > merged[4:].max()
    assert merged[0] > merged[1]  # GC is the milder way to break a donor


@pytest.mark.slow
def test_the_exercises_come_out_as_their_hints_say(third):
    (first, start, _), (begin, end, _) = third.starts, third.ends

    # 1. The second acceptor: its own arc shrinks, and on the worm genome no longer one takes its place.
    _, junctions = third.alleles(third.substitution(end - 1, "T"))
    own = junctions.sel(junction=third.junction(start, end))
    assert own.sel(allele="alt") < 0.4 * own.sel(allele="ref")
    if third.name == "oig-3":
        over = junctions.sel(junction=[third.junction(one, third.ends[2]) for one in (first, start)])
        assert (over < 0.1).all()

    # 2. A T of TTTTCAG: the acceptor is lost, and in the worm two weak ones before it take over.
    sites, _ = third.alleles(third.substitution(begin - 5, "A"))
    acceptors = sites.sel(track="acceptor +")
    assert acceptors.sel(position=begin, allele="alt") < 0.3 * acceptors.sel(position=begin, allele="ref")
    risen = acceptors.sel(allele="alt").where(acceptors.sel(allele="ref") < 0.3) > 0.5
    assert int(risen.sum()) == (2 if third.name == "oig-3" else 0)
    assert (acceptors["position"].where(risen, drop=True) < begin).all()

    # 3. An intron of 25 letters.
    text = third.letters(start + 7, end - 17)
    _, junctions = third.alleles(Variant(third.chrom, int(start) + 8, text, text[0]))
    own = junctions.sel(junction=third.junction(start, end))
    assert own.sel(allele="alt") < 0.5 * own.sel(allele="ref")

    # 4. GT alone makes no donor.
    exon = third.letters(begin, start)
    for at in [at for at in range(20, len(exon) - 20) if exon[at : at + 2] == "GG"]:
        sites, _ = third.alleles(third.substitution(begin + at + 1, "T"))
        assert sites.sel(track="donor +", allele="alt", position=begin + at - 1) < 0.3


@pytest.mark.slow
def test_the_gene_of_the_exercise_lies_on_the_minus_strand(first):
    other = {"cat-4": "unc-46", "toy-1": "toy-2"}[first.name]
    assert f'`"{other}"`' in read("01_quickstart").cells[-1].source
    place = first.genome.gene_interval(other)
    assert place.strand == "-"
    ends = first.genome.introns(gene=other, unique=True)["end"].to_numpy()
    tree = first.model.predict_interval(place.as_unstranded().pad(300, 300), modalities="splice_sites")
    assert tree["splice_sites"].signal.sel(track="donor -", position=ends).median() > 0.5
