import numpy as np
import pandas as pd
import pytest

from genomekit.demo import demo
from genomekit.genome.assembly import Genome
from genomekit.testing import toy_genome


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_genome(tmp_path_factory.mktemp("toy"))


def test_the_designed_gene_is_compared_and_drawn(tiny_model, tmp_path):
    result = demo(tiny_model, out=tmp_path / "figure.png")
    assert result.figure.stat().st_size > 10_000
    assert result.sites.columns.tolist() == ["position", "kind", "strand", "probability", "rank", "found"]
    assert len(result.sites) == 12
    assert len(result.introns) == 6
    signal = result.tree["splice_sites"]["signal"]
    row = result.sites.iloc[0]
    track = f"{row['kind']} {row['strand']}"
    values = signal.sel(track=track)
    assert row["probability"] == float(values.sel(position=row["position"]))
    assert row["rank"] == 1 + int((values > row["probability"]).sum())
    text = str(result)
    assert "tiny read a designed gene (worm, a window of 8,192 bp) on cpu" in text
    assert "of 12 found" in text


def test_a_perfect_prediction_finds_everything(tiny_model, tmp_path, monkeypatch):
    from genomekit.testing import designed_gene

    gene = designed_gene(0)
    run = tiny_model.predict_sequence

    def perfect(*args, **options):
        tree = run(*args, **options)
        values = np.zeros(tree["splice_sites"]["signal"].shape, dtype=np.float32)
        values[list(gene.donors), 0] = values[list(gene.acceptors), 1] = 1
        tree["splice_sites"]["signal"] = tree["splice_sites"]["signal"].copy(data=values)
        return tree

    monkeypatch.setattr(tiny_model, "predict_sequence", perfect)
    result = demo(tiny_model, out=tmp_path / "figure.svg")
    assert result.sites["found"].all()
    assert "Splice sites: 12 of 12 found" in str(result)


def test_real_dna_is_compared_with_its_annotation(tiny_model, toy, tmp_path):
    genome = Genome(toy.fasta, toy.gtf, organism="worm")
    result = demo(tiny_model, genome=genome, interval="chrI:0-5,000", out=tmp_path / "figure.pdf")
    assert result.known
    assert sorted(result.sites["position"]) == sorted([*toy.genes[0].donors, *toy.genes[0].acceptors])
    expected = pd.DataFrame(
        [(i.start, i.end, i.strand) for i in toy.genes[0].introns], columns=["start", "end", "strand"]
    )
    pd.testing.assert_frame_equal(result.introns[["start", "end", "strand"]], expected, check_dtype=False)


def test_real_dna_without_annotation_lists_confident_sites(tiny_model, toy, tmp_path):
    result = demo(tiny_model, genome=toy.fasta, organism="worm", interval="chrI:0-2,048", out=tmp_path / "figure.png")
    assert not result.known
    assert (result.sites["probability"] >= 0.5).all()
    assert str(result).count("Figure:") == 1


def test_half_of_the_arguments_and_an_absent_folder_are_refused(tiny_model, toy, tmp_path):
    with pytest.raises(ValueError, match="together"):
        demo(tiny_model, genome=toy.fasta)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        demo(tiny_model, out=tmp_path / "none" / "figure.png")
