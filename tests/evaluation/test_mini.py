"""The table of mini: the README's marks, the gene bodies, and the whole command on small stretches of real DNA."""

import gzip
import json

import numpy as np
import pytest
from made_organisms import exon_table, tiny_network

from genomekit.evaluation import mini as command
from genomekit.genome.interval import Interval
from genomekit.training import mini
from genomekit.weights.native import save

README = "# Title\n\n<!-- mini-table -->\nold\n<!-- /mini-table -->\n\nThe end.\n"


def test_the_table_goes_between_the_marks(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(README)
    for text in ("| a |\n|---|\n", "| b |\n|---|\n"):
        command.fill_readme(readme, text)
        assert readme.read_text() == README.replace("old\n", text)


@pytest.mark.parametrize("mark", ["<!-- mini-table -->", "<!-- /mini-table -->"])
def test_a_readme_without_marks_is_left_alone(tmp_path, mark):
    readme = tmp_path / "README.md"
    readme.write_text(README.replace(mark, ""))
    before = readme.read_text()
    with pytest.raises(ValueError, match="lacks the marks"):
        command.fill_readme(readme, "| a |\n")
    assert readme.read_text() == before


def write_gtf(folder, exons):
    path = folder / "celegans/ce10.genes.gtf.gz"
    path.parent.mkdir()
    with gzip.open(path, "wt") as file:
        for row in exons.itertuples():
            names = f'gene_id "{row.gene_id}"; transcript_id "{row.transcript_id}";'
            file.write(f"{row.chrom}\tmade\texon\t{row.start + 1}\t{row.end}\t.\t{row.strand}\t.\t{names}\n")


def test_gene_bodies_reach_from_the_first_to_the_last_exon(tmp_path):
    genes = [("g", "+", [[(5, 10), (20, 30)]]), ("h", "-", [[(25, 40)]]), ("i", "+", [[(90, 120)]])]
    write_gtf(tmp_path, exon_table(genes, "chrV"))
    plus, minus = command.gene_bodies(tmp_path, Interval("chrV", 8, 100))
    assert np.flatnonzero(plus).tolist() == [*range(22), *range(82, 92)]
    assert np.flatnonzero(minus).tolist() == list(range(17, 32))


@pytest.fixture
def small_splits(monkeypatch):
    """Real chromosomes, short stretches of them; the yeast region is no whole number of bins."""
    splits = {
        "worm": {"train": ("chrI:0-15072423",), "tune": (), "test": ("chrV:6000000-6030000",)},
        "yeast": {"train": ("chrIV:0-100000",), "tune": ("chrIV:100000-150000",), "test": ("chrII:100000-130050",)},
    }
    monkeypatch.setattr(mini, "SPLITS", splits)


def test_the_command_writes_table_numbers_and_readme(shared, small_splits, tmp_path, monkeypatch, capsys):
    network = tiny_network()
    means = {(name, channel): 0.5 for name in ("atac", "rna_seq", "chip_tf", "mnase") for channel in range(2)}
    save(tmp_path / "tiny", network, mini.track_table(means))
    readme, out = tmp_path / "README.md", tmp_path / "table.md"
    readme.write_text(README)
    where = ["--data", str(shared / "data"), "--model", str(tmp_path / "tiny"), "--length", "8192"]
    monkeypatch.setattr("sys.argv", ["mini", *where, "--out", str(out), "--readme", str(readme)])
    command.main()
    text = out.read_text()
    assert text in capsys.readouterr().out
    assert text in readme.read_text()
    rows = [line.split("|")[1:-1] for line in text.splitlines()]
    assert {len(row) for row in rows} == {4}
    assert len(rows) == 2 + 6 + 2 + 6
    plain = json.loads(out.with_suffix(".json").read_text())
    assert set(plain) == {"worm", "weight_matrix", "yeast", "ridge"}
    labels = {"ATAC-seq SRR1822137", "RNA-seq SRR2045244 +", "RNA-seq SRR2045244 -"}
    assert labels <= set(plain["yeast"]) == set(plain["ridge"])
    assert plain["worm"]["introns"] > 10
    # A random network knows nothing; the weight matrix does.
    assert plain["weight_matrix"]["donor"] > 0.2 > plain["worm"]["donor"]
    assert all(row["low"] <= row["value"] <= row["high"] for row in plain["ridge"].values())
