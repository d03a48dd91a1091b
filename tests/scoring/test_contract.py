"""Scorers of the user's own: what goes wrong is told with the scorer's name, and the documented one works."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import genomekit as gk
from genomekit.genome.interval import Interval
from genomekit.model import Model
from genomekit.scoring import Bins, JunctionScorer, Scorer, Target, Values
from genomekit.scoring.contract import check_scorer, choose_introns, targets_of
from genomekit.scoring.junction import JunctionRows
from genomekit.scoring.junction_read import Introns
from genomekit.scoring.scorer import Place

PLACE = Place("chrA", 0, 2048, Interval("chrA", 1000, 1001))
READ = [Values(torch.ones(1, 5, 3), torch.ones(1, 5, dtype=torch.bool))]


@dataclass(frozen=True)
class Own(Scorer):
    """Largest change, or what it is told to give back."""

    modality: str = "atac"
    gives: Any = None

    def bins(self, starts, length, resolution):
        return [Bins(starts // resolution, 5)]

    def score(self, ref, alt):
        change = (alt[0].signal - ref[0].signal).abs().amax(1)
        return change if self.gives is None else self.gives(change)


def rule_of(scorer):
    (target,) = targets_of(scorer, PLACE)
    return target.rule


def test_what_is_right_passes_unchanged():
    rule = rule_of(Own())
    assert rule.bins(np.array([1000]), 2048, 1) == [Bins(np.array([1000]), 5)]
    assert rule.score(READ, [Values(READ[0].signal * 3, READ[0].inside)]).tolist() == [[2.0, 2.0, 2.0]]
    assert torch.isnan(rule.level(READ)).all()
    assert str(rule) == str(Own())


@pytest.mark.parametrize(
    ("gives", "came"),
    [
        (lambda x: x[0], r"a tensor of shape \(3,\)"),
        (lambda x: x.sum(), r"a tensor of shape \(\)"),
        (lambda x: x.repeat(2, 1), r"a tensor of shape \(2, 3\)"),
        (lambda x: x.numpy(), r"a NumPy array of shape \(1, 3\)"),
        (lambda _: "text", "'text'"),
    ],
)
def test_a_score_is_one_number_per_track(gives, came):
    text = rf"^Own\(.*\) gave {came} as score; it must be a tensor \(variant, track\), here \(1, 3\)\.$"
    with pytest.raises(TypeError, match=text):
        rule_of(Own(gives=gives)).score(READ, READ)


def test_an_error_of_its_code_is_named_and_stays_the_cause():
    with pytest.raises(RuntimeError, match=r"^Own\(.*\) failed in score\(\): KeyError: 'x'$") as caught:
        rule_of(Own(gives=lambda _: {}["x"])).score(READ, READ)
    assert isinstance(caught.value.__cause__, KeyError)
    for error in (torch.OutOfMemoryError("full"), ValueError("No such gene.")):  # these have texts of their own

        def fails(_, error=error):
            raise error

        with pytest.raises(type(error), match=rf"^{error}$"):
            rule_of(Own(gives=fails)).score(READ, READ)


@pytest.mark.parametrize(
    ("bins", "text"),
    [
        (None, "gave None as bins; it must be a list"),
        ([], r"gave \[\] as bins"),
        (Bins(np.array([3]), 5), "as bins; it must be a list of genomekit.scoring.Bins"),
        ([(3, 5)], r"gave \(3, 5\) among its bins"),
        ([Bins(np.array([3]), 0)], "a width of at least 1 bin"),
        ([Bins(np.array([3.5]), 5)], "whole numbers"),
        ([Bins(np.array([3, 4, 5]), 5)], "for each of 1 variants"),
    ],
)
def test_bins_are_checked(bins, text):
    @dataclass(frozen=True)
    class Elsewhere(Own):
        def bins(self, starts, length, resolution):
            return bins

    with pytest.raises(TypeError, match=rf"^Elsewhere\(modality='atac'\) .*{text}"):
        rule_of(Elsewhere()).bins(np.array([3]), 2048, 1)


def test_targets_are_checked():
    @dataclass(frozen=True)
    class Rows(Own):
        def targets(self, place):
            return self.gives

    with pytest.raises(TypeError, match=r"gave None as targets; it must be a list of genomekit\.scoring\.Target"):
        targets_of(Rows(), PLACE)
    with pytest.raises(TypeError, match=r"gave \[1\] as targets"):
        targets_of(Rows(gives=[1]), PLACE)
    assert targets_of(Rows(gives=()), PLACE) == []
    assert targets_of(Rows(gives=[Target(Own(), {"peak": "a"})]), PLACE)[0].row == {"peak": "a"}


def test_a_scorer_without_a_method_says_which():
    @dataclass(frozen=True)
    class Nothing(Scorer):
        modality: str = "atac"

    with pytest.raises(NotImplementedError, match=r"Nothing\(modality='atac'\) has no bins\(\); one that reads"):
        rule_of(Nothing()).bins(np.array([3]), 2048, 1)
    with pytest.raises(NotImplementedError, match=r"has no score\(\)"):
        rule_of(Nothing()).score(READ, READ)


def test_what_is_no_scorer():
    class Plain(Own):
        pass

    class Bare(Scorer):
        modality = "atac"

    @dataclass
    class Loose(Scorer):
        modality: str = "atac"

    @dataclass(frozen=True)
    class Silent(Scorer):
        width: int = 3

    for one, text in (
        (3, "3 is no scorer; derive from genomekit.scoring.Scorer, or name one"),
        (Own, r"The class Own came; make a scorer of it: Own\(\.\.\.\)"),
        (Bare(), r"Bare is no dataclass, .* write @dataclass\(frozen=True\)"),
        (Loose(), r"Loose cannot be the key of its scores .* write @dataclass\(frozen=True\)"),
        (Own(gives=[1]), "Own cannot be the key of its scores .* tuples instead of lists"),
    ):
        with pytest.raises(TypeError, match=text):
            check_scorer(one, "or name one")
    check_scorer(Plain(), "or name one")  # a dataclass by its base
    with pytest.raises(TypeError, match="Silent does not say what it reads"):
        Silent()


def test_junctions_have_scorers_of_their_own():
    with pytest.raises(ValueError, match=r"Own cannot read 'splice_junctions'.* derived from JunctionScorer"):
        Own("splice_junctions")

    @dataclass(frozen=True)
    class Chooser(JunctionScorer):
        modality: str = "splice_junctions"
        gives: object = None

        def choose(self, place, introns, ref, alt):
            return self.gives

    found = pd.DataFrame({"start": [3, 5], "end": [9, 9], "strand": "+"})
    read = Introns(found, np.ones((2, 3), np.float32), np.ones((2, 3), np.float32))
    with pytest.raises(TypeError, match=r"chose None; it must be genomekit\.scoring\.junction\.JunctionRows"):
        choose_introns(Chooser(), PLACE, read, 3)
    wrong = JunctionRows([{}], np.ones((1, 3)), np.ones((1, 2)), np.ones((1, 3)))
    with pytest.raises(TypeError, match=r"gave a NumPy array of shape \(1, 2\) as ref; .* are \(1, 3\)"):
        choose_introns(Chooser(gives=wrong), PLACE, read, 3)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A model and its genome of one chromosome."""
    letters = "".join(np.random.default_rng(3).choice(list("ACGT"), 4096))
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(f">chrA\n{letters}\n")
    return gk.Genome(path, organism="worm"), f"chrA:2001:{letters[2000]}>{'A' if letters[2000] != 'A' else 'C'}"


def test_a_score_that_is_no_number_is_no_score(tiny_checkpoint, small):
    genome, variant = small
    model = Model(tiny_checkpoint, device="cpu", genome=genome)

    def broken(change):
        change[:, 0] = torch.nan
        return change

    for gives, count in ((broken, 1), (lambda x: x / 0 - x / 0, 2)):
        scorer = Own(gives=gives)
        with pytest.raises(FloatingPointError, match=rf"^Own\(.*\) gave NaN .* the score of {count} of 2 tracks"):
            model.score_variant(variant, scorers=scorer, window=2048)
        records = model.score_variants([variant], scorers=scorer, window=2048, progress=False).records
        assert records["status"].tolist() == ["failed"]
        assert re.match(r"Own\(.*\) gave NaN or infinity as the score", records["reason"][0])
    (table,) = model.score_variant(variant, scorers=Own(), window=2048).values()  # no level is no mistake
    assert np.isfinite(table.X).all()
    assert not table.layers
    with pytest.raises(ValueError, match=r"Own\(modality='atac'\) compares two alleles and has no level"):
        model.score_interval("chrA:2000-2100", scorers=Own(), window=2048)


def test_mutagenesis_says_it_too(tiny_checkpoint, small):
    model = Model(tiny_checkpoint, device="cpu", genome=small[0])
    with pytest.raises(TypeError, match=r"^Own\(.*\) gave a tensor of shape \(2,\) as score"):
        model.ism("chrA:2000-2002", scorer=Own(gives=lambda x: x[0]), window=2048)

    class Bare(Scorer):
        modality = "atac"

    with pytest.raises(TypeError, match="Bare is no dataclass"):
        model.ism("chrA:2000-2002", scorer=Bare(), window=2048)


def test_the_documented_scorer_runs_as_written(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    letters = np.random.default_rng(0).choice(list("ACGT"), 10_020_000)
    letters[10_007_999] = "A"
    (tmp_path / "genome.fa").write_text(f">chrV\n{''.join(letters)}\n")
    genome = gk.Genome(tmp_path / "genome.fa", organism="worm")
    assert 'genome="ce10"' in code  # else it would be downloaded
    made: dict[str, Any] = {"genome": genome}
    exec(code.replace('genome="ce10"', "genome=genome"), made)
    scores, scorer = made["scores"], made["SharpestChange"]("splice_sites")
    assert scores.records["status"].tolist() == ["ok"]
    both = gk.Model.from_pretrained(genome=genome).predict_variant("chrV:10008000:A>G", modalities="splice_sites")
    ref, alt = both["splice_sites"]["signal"].sel(position=slice(10_007_999 - 25, 10_007_999 + 25)).to_numpy()
    np.testing.assert_allclose(scores[scorer].X[0], np.abs(np.diff(alt - ref, axis=0)).max(0), atol=2e-6)
    assert scores[scorer].X.max() > 0
