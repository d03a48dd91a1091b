"""A scorer with a fault of its own among others that have none."""

from dataclasses import dataclass

import numpy as np
import pytest

import genomekit as gk
from genomekit.errors import GenomekitWarning
from genomekit.model import Model
from genomekit.scoring.scorer import Bins, Scorer

LETTERS = "".join(np.random.default_rng(4).choice(list("ACGT"), 6000))


@dataclass(frozen=True)
class Level(Scorer):
    """The change in one bin; fails where it is told to."""

    modality: str = "atac"
    fails_in: str = ""

    def bins(self, starts, length, resolution):
        if self.fails_in == "bins":
            raise KeyError("no such bin")
        return [Bins(starts // resolution, 1)]

    def score(self, ref, alt):
        if self.fails_in == "score":
            raise AttributeError("no such attribute")
        return (alt[0].signal - ref[0].signal)[:, 0]


@pytest.fixture
def model(tiny_checkpoint, tmp_path):
    (tmp_path / "genome.fa").write_text(f">chrA\n{LETTERS}\n")
    return Model(tiny_checkpoint, device="cpu", genome=gk.Genome(tmp_path / "genome.fa", organism="worm"))


def snv(position):
    ref = LETTERS[position - 1]
    return f"chrA:{position}:{ref}>{'A' if ref != 'A' else 'C'}"


@pytest.mark.parametrize(
    ("place", "told"), [("bins", "KeyError: 'no such bin'"), ("score", "AttributeError: no such attribute")]
)
@pytest.mark.parametrize("out", [None, "scores"])
def test_the_others_keep_their_scores(model, tmp_path, place, told, out):
    good, bad = Level(), Level(fails_in=place)
    call = {"out": None if out is None else tmp_path / out, "progress": False}
    source = [snv(3000), "chrA:nowhere", snv(3100)]
    with pytest.warns(GenomekitWarning) as warned:
        scores = model.score_variants(source, scorers=[good, bad], **call)
    text = str(warned[0].message)
    assert len(warned) == 1
    assert text.startswith(f"{bad} has no scores of 2 of 3 records, where it failed; the other scorers have theirs")
    assert told in text
    assert scores.records["status"].tolist() == ["ok", "skipped", "ok"]
    assert all(f"{bad} failed" in reason and told in reason for reason in scores.records["reason"][[0, 2]])
    assert list(scores) == [str(good)]
    alone = model.score_variants(source, scorers=[good], progress=False)
    np.testing.assert_array_equal(scores[good].X, alone[good].X)


def test_stopping_at_a_failure_names_the_record(model):
    with pytest.raises(ValueError, match=r"Record 0 .* cannot be scored: .*no such attribute"):
        model.score_variants([snv(3000)], scorers=[Level(), Level(fails_in="score")], on_error="raise", progress=False)
    with pytest.raises(Exception, match="no such attribute"):  # the one that is asked for is not left out silently
        model.score_variant(snv(3000), scorers=[Level(), Level(fails_in="score")])


def test_where_no_scorer_is_left_nothing_was_scored(model):
    with pytest.raises(RuntimeError, match="None of 2 records can be scored"):
        model.score_variants([snv(3000), snv(3100)], scorers=Level(fails_in="score"), progress=False)
