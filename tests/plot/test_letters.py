"""Logo, IsmHeatmap and Sequence: letters where they belong, at any width."""

import io
import itertools
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_results import axes, ism_node
from matplotlib.colors import to_rgb

import genomekit as gk
from genomekit import accessors as accessors
from genomekit import plot
from genomekit.genome.assembly import Genome
from genomekit.plot import IsmHeatmap, Logo, Sequence
from genomekit.plot.colors import LETTER_SCHEMES
from genomekit.plot.columns import CurveImage
from genomekit.plot.glyphs import Letters, glyph, stacked


def letters(ax):
    return next(child for child in ax.get_children() if isinstance(child, Letters))


def boxes(ax, pixels=800):
    """Letter -> its corners, one array per position."""
    made = {}
    for letter, path in letters(ax).paths(pixels).items():
        points = np.asarray(glyph(letter).vertices)
        parts = path.vertices.reshape(-1, len(points), 2)
        made[letter] = [(*part.min(axis=0).round(3), *part.max(axis=0).round(3)) for part in parts]
    return made


@pytest.mark.parametrize("letter", "ACGTNXI*")
def test_a_glyph_fills_its_square(letter):
    box = glyph(letter).get_extents()
    assert box.ymin == pytest.approx(0)
    assert box.ymax == pytest.approx(1)
    assert box.width <= 1 + 1e-9


@given(arrays(int, (3, 4), elements=st.integers(-300, 300)).map(lambda numbers: numbers / 100))
def test_stacks_have_no_gap_and_no_overlap(heights):
    feet = stacked(heights)
    for row, foot in zip(heights, feet, strict=True):
        for keep in (row > 0, row < 0):
            spans = sorted((abs(f), abs(f) + abs(h)) for f, h in zip(foot[keep], row[keep], strict=True))
            ends = [0.0, *(end for _, end in spans)]
            assert [start for start, _ in spans] == pytest.approx(ends[:-1])
            sizes = [end - start for start, end in spans]
            assert sizes == pytest.approx(sorted(sizes))  # the largest outermost


def test_letters_stand_on_zero_at_their_bases_and_hang_upside_down():
    table = pd.DataFrame({"A": [1.0, 0.0], "L": [0.0, -2.0]}, index=[10, 11])
    ax = Logo(table).draw(axes())
    found = boxes(ax)
    assert found["A"] == [(10.04, 0, 10.96, 1)]
    assert found["L"] == [(11.04, -2, 11.96, 0)]
    path = letters(ax).paths(800)["L"].vertices
    # The foot of an L is its widest part: upside down it is the lowest only if the letter was not turned.
    assert path[path[:, 1] < -1.7][:, 0].max() < 11.6
    upright = Logo(table, flip=False).draw(axes())
    path = letters(upright).paths(800)["L"].vertices
    assert path[path[:, 1] < -1.7][:, 0].max() == pytest.approx(11.96)


def test_letters_are_not_mirrored_on_a_turned_axis():
    node = ism_node("ACGTACGTGA")
    ax = Logo(node.gk.reverse_complement()).draw(axes())
    assert ax.get_xlim() == (1010, 1000)
    turned = letters(ax).paths(800)["C"].vertices
    straight = letters(Logo(node).draw(axes())).paths(800)["G"].vertices
    assert len(turned)
    assert len(straight)
    # The open side of a C is at its right as it is read: lower positions on a turned axis.
    one = glyph("C").vertices
    first = turned[: len(one)]
    np.testing.assert_allclose((first[:, 0].max() - first[:, 0]) / np.ptp(first[:, 0]), one[:, 0], atol=1e-6)


def test_contributions_are_those_of_the_convention_named_on_the_axis():
    node = ism_node("ACGT")
    effect = node["effect"].values[:, :, 0]
    for convention, divisor in (("alphagenome", 3), ("mean4", 4)):
        ax = Logo(node, convention=convention).draw(axes())
        assert convention in ax.get_ylabel()
        assert letters(ax).heights.sum() == pytest.approx(-effect.sum() / divisor, rel=1e-5)
    assert np.allclose(letters(Logo(node, convention="raw").draw(axes())).heights, effect)
    with pytest.raises(ValueError, match="Unknown convention 'mean'"):
        Logo(node, convention="mean").draw(axes())
    made = node.gk.contribution("mean4")
    assert "mean4" in Logo(made, convention="mean4").draw(axes()).get_ylabel()
    for data, convention in ((pd.DataFrame({"A": [1.0], "C": [0.0]}), "nonsense"), (made, "alphagenome")):
        with pytest.raises(ValueError, match=r"is drawn as it is\. Leave convention out"):
            Logo(data, convention=convention).draw(axes())
    given_array = Logo(node.gk.contribution("mean4")).draw(axes())
    assert "mean4" in given_array.get_ylabel()


def test_any_alphabet_in_any_order_keeps_its_colours():
    table = pd.DataFrame({"T": [1.0], "A": [2.0]})
    assert boxes(Logo(table).draw(axes()))["A"][0][3] == 3  # A on T
    colors = letters(Logo(table).draw(axes())).colors
    assert colors["A"] != colors["T"]
    assert letters(Logo(table, scheme="classic").draw(axes())).colors["A"] == "#109648"
    assert letters(Logo(table, scheme={"A": "red"}).draw(axes())).colors == {"T": "#8C8C8C", "A": "red"}
    with pytest.raises(ValueError, match="Unknown colour scheme 'classik'"):
        Logo(table, scheme="classik").draw(axes())


def _seen(color, eyes):
    """A colour as eyes without one kind of cone see it (Machado et al. 2009), in CIE Lab."""
    matrices = {
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    }
    light = _light(color)
    light = np.clip(np.array(matrices.get(eyes, np.eye(3))) @ light, 0, 1)
    x, y, z = np.cbrt(_XYZ @ light / _XYZ.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def _light(color):
    parts = np.array(to_rgb(color))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("eyes", ["normal", "protan", "deutan", "tritan"])
def test_default_letters_are_told_apart_by_all_eyes_on_white_and_on_black(eyes):
    scheme = letters(Logo(pd.DataFrame([[1.0] * 4], columns=list("ACGT"))).draw(axes())).colors
    assert scheme == {base: LETTER_SCHEMES["colorblind"][base] for base in "ACGT"}

    def least(table):
        return min(
            np.linalg.norm(_seen(table[a], eyes) - _seen(table[b], eyes)) for a, b in itertools.combinations("ACGT", 2)
        )

    assert least(scheme) > 28
    if eyes == "deutan":
        assert least(LETTER_SCHEMES["classic"]) < 15  # A and T are one colour to them
    for paper in ("white", "#111418"):
        lights = [sorted(float(_XYZ[1] @ _light(one)) for one in (paper, color)) for color in scheme.values()]
        assert min((high + 0.05) / (low + 0.05) for low, high in lights) > 2


def test_small_letters_become_bars_and_then_the_largest_of_a_pixel():
    values = np.full((10_000, 4), 0.1)
    values[5_000, 2] = 9
    ax = Logo(pd.DataFrame(values, columns=list("ACGT"))).draw(axes())
    shown = letters(ax)
    few = shown.paths(800)
    assert len(few["A"].vertices) == 800 * 5  # one bar of five corners per pixel
    assert few["G"].vertices[:, 1].max() == pytest.approx(9.3)  # the peak survives, on its three neighbours
    ax.set_xlim(4_990, 5_010)
    assert len(shown.paths(800)["A"].vertices) == 20 * len(glyph("A").vertices)
    ax.set_xlim(20_000, 20_010)
    assert shown.paths(800) == {}


def test_two_thousand_positions_are_quick_in_every_format():
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(2_000, 4)), columns=list("ACGT"))
    ax = Logo(table).draw(axes(20, 2.5))
    for kind, limit in (("png", 1.0), ("svg", 2.0), ("pdf", 2.0)):  # seconds of CPU, generous for a busy machine
        used = time.process_time()
        ax.figure.savefig(io.BytesIO(), format=kind)
        assert time.process_time() - used < limit


def test_logo_refuses_what_holds_no_letters():
    with pytest.raises(ValueError, match="int holds no letters"):
        Logo(3).draw(axes())
    with pytest.raises(ValueError, match="one column per letter"):
        Logo(pd.DataFrame({"score": [1.0]})).draw(axes())
    with pytest.raises(ValueError, match="no row"):
        Logo(pd.DataFrame({"A": []})).draw(axes())
    with pytest.raises(ValueError, match="consecutive"):
        Logo(pd.DataFrame({"A": [1.0, 2.0]}, index=[3, 7])).draw(axes())
    with pytest.raises(ValueError, match="positions are whole numbers"):
        Logo(pd.DataFrame({"A": [1.0]}, index=["x"])).draw(axes())
    with pytest.raises(ValueError, match="Unknown track 'x'"):
        Logo(ism_node(), track="x").draw(axes())
    with pytest.raises(ValueError, match="low < high"):
        Logo(ism_node(), limits=(1, 0)).draw(axes())


def test_what_is_opened_again_is_drawn_as_it_was(tmp_path):
    node = ism_node("ACGT")
    again = gk.open(node.gk.save(tmp_path / "effects.nc"))
    letters = gk.open(node.gk.contribution().gk.save(tmp_path / "contribution.zarr"))
    expected = Logo(node)._weights()
    for drawn in (Logo(again), Logo(again, convention="alphagenome"), Logo(letters)):
        found = drawn._weights()
        np.testing.assert_array_equal(found.values, expected.values)
        assert (found.start, found.label, found.axis) == (expected.start, expected.label, expected.axis)
    effects = IsmHeatmap(again)._weights()
    np.testing.assert_array_equal(effects.values, node["effect"].values[:, :, 0])
    assert Sequence(again)._letters(Sequence(again).where(None)) == ("ACGT", expected.start)


def test_heat_map_has_a_row_per_base_and_marks_the_reference():
    node = ism_node("ACGTN")
    ax = IsmHeatmap(node).draw(axes())
    image = next(child for child in ax.get_children() if isinstance(child, CurveImage))
    np.testing.assert_allclose(np.ma.filled(image.get_array(), np.nan), node["effect"].values[:, :, 0].T)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["T", "G", "C", "A"]  # A on top
    assert image.norm.vmin == -image.norm.vmax
    (marks,) = ax.lines
    assert marks.get_xydata().tolist() == [[1000.5, 3.5], [1001.5, 2.5], [1002.5, 1.5], [1003.5, 0.5]]
    with pytest.raises(ValueError, match="holds no `effect`"):
        IsmHeatmap(node["effect"]).draw(axes())
    with pytest.raises(ValueError, match="above 0"):
        IsmHeatmap(node, limits=0).draw(axes())


def test_heat_map_of_sizes_has_one_colour():
    node = abs(ism_node("ACGT"))
    node = node.assign_coords(signed=("track", np.zeros(node.sizes["track"], dtype=bool)))
    ax = IsmHeatmap(node).draw(axes())
    image = next(child for child in ax.get_children() if isinstance(child, CurveImage))
    assert (image.norm.vmin, image.norm.vmax) == (0.0, float(node["effect"][:, :, 0].max()))
    red, green, blue, _ = image.cmap(image.norm(image.norm.vmax))
    assert red > max(green, blue)
    assert min(image.cmap(image.norm(0.0))[:3]) > 0.9  # nothing has the colour of the paper


def test_marks_of_the_reference_are_seen_in_the_dark():
    with plot.theme("dark"):
        (marks,) = IsmHeatmap(ism_node("ACGT")).draw(axes()).lines
    assert min(to_rgb(marks.get_color())) > 0.8


def test_unknown_bases_are_gaps():
    node = ism_node("NNNN")
    assert "no data here" in [text.get_text() for text in IsmHeatmap(node).draw(axes()).texts]
    assert "no data here" in [text.get_text() for text in Logo(node).draw(axes()).texts]


def test_sequence_draws_letters_of_text_genome_and_mutagenesis(tmp_path):
    (tmp_path / "a.fa").write_text(">chrV\n" + "ACGT" * 10 + "\n")
    where = "chrV:4-8"
    for data in (tmp_path / "a.fa", str(tmp_path / "a.fa"), Genome(tmp_path / "a.fa"), ism_node("ACGT", start=4)):
        found = boxes(Sequence(data).draw(axes(), where))
        assert [found[letter][0][0] for letter in "ACGT"] == [4.04, 5.04, 6.04, 7.04]
    both = Sequence("ACGT", start=4, chrom="chrV", complement=True).draw(axes(), where)
    rows = [child for child in both.get_children() if isinstance(child, Letters)]
    assert list(rows[1].paths(800)) == ["A", "C", "G", "T"]
    assert rows[1].paths(800)["T"].vertices[:, 0].min() == pytest.approx(4.04)  # opposite to A


def test_sequence_says_when_it_is_too_long_and_refuses_the_rest():
    ax = Sequence("A" * 30_000).draw(axes())
    assert ax.texts[0].get_text() == "30,000 bp are too many to draw: up to 20,000 show, as stripes, few as letters"
    with pytest.raises(ValueError, match="sequence is empty"):
        Sequence("").draw(axes())
    with pytest.raises(ValueError, match="int holds no letters"):
        Sequence(3).draw(axes(), "chrV:0-10")
