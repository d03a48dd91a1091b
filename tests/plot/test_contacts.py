"""Contact maps and virtual 4C: what meets where, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made_results import axes, contact_node
from matplotlib.colors import LogNorm

from genomekit import accessors as accessors
from genomekit.plot import ContactMap, Virtual4C
from genomekit.plot.contact_grid import read_grid, thinned


def mesh(ax):
    (found,) = ax.collections
    return found


@pytest.fixture
def grid():
    """Four bins of 128 bp; the first meets the last."""
    values = np.eye(4) * 2.0
    values[0, 3] = values[3, 0] = 5
    return contact_node(values[..., None])


def test_two_bins_meet_above_their_middle(grid):
    ax = ContactMap(grid).draw(axes())
    assert ax.get_xlim() == (1000, 1512)
    assert ax.get_ylim() == (0, 512)
    corners = mesh(ax).get_coordinates()
    # The cell of bins 0 and 3 lies between the outer corners of the square they make.
    assert corners[0, 4].tolist() == [(1000 + 1512) / 2, 512]
    assert corners[1, 3].tolist() == [(1128 + 1384) / 2, 1384 - 1128]
    values = np.ma.filled(mesh(ax).get_array().reshape(4, 4), np.nan)
    assert values[0, 3] == 5
    assert np.isnan(values[3, 0])  # each pair once
    assert mesh(ax).get_rasterized()


def test_square_runs_down_to_the_right(grid):
    ax = ContactMap(grid, shape="square").draw(axes())
    assert ax.get_ylim() == (1512, 1000)
    assert mesh(ax).get_array().reshape(4, 4)[0, 3] == 5
    assert ContactMap(grid, shape="square").inches(6, ax_region()) == 6


def ax_region():
    from genomekit.genome.interval import Interval

    return Interval("chrV", 1000, 1512)


def test_depth_cuts_the_top_off(grid):
    assert ContactMap(grid, depth=256).draw(axes()).get_ylim() == (0, 256)
    with pytest.raises(ValueError, match="depth=0"):
        ContactMap(grid, depth=0).draw(axes())


def test_colours_are_symmetric_where_values_have_two_signs(grid):
    plain = mesh(ContactMap(grid).draw(axes()))
    assert plain.norm.vmin == 0
    signed = mesh(ContactMap(grid - 1).draw(axes()))
    assert signed.norm.vmin == -signed.norm.vmax
    fixed = mesh(ContactMap(grid, limits=(0, 3)).draw(axes()))
    assert (fixed.norm.vmin, fixed.norm.vmax) == (0, 3)
    with pytest.raises(ValueError, match="low < high"):
        ContactMap(grid, limits=(3, 0)).draw(axes())


def test_a_variant_shows_its_difference_or_one_allele():
    both = contact_node(np.stack([np.ones((4, 4, 1)), 3 * np.ones((4, 4, 1))]))
    change = np.ma.filled(mesh(ContactMap(both, shape="square").draw(axes())).get_array(), np.nan)
    assert (change == 2).all()
    assert (read_grid(both, ax_region(), "alt").values == 3).all()
    assert ContactMap(both).draw(axes()).get_title(loc="left").count("ALT - REF") == 1
    with pytest.raises(ValueError, match="Unknown allele 'het'"):
        ContactMap(both, allele="het").draw(axes())
    with pytest.raises(ValueError, match="one allele only"):
        ContactMap(contact_node(np.ones((4, 4, 1))), allele="alt").draw(axes())


def test_many_bins_are_averaged_in_blocks_and_missing_ones_left_out():
    values = np.ones((2100, 2100), dtype=np.float32)
    values[:3, :3] = np.nan
    values[:3, 2] = 4
    thin = thinned(read_grid(contact_node(values[..., None], step=1), _wide(2100)))
    assert thin.values.shape == (700, 700)
    assert thin.step == 3
    assert thin.values[0, 0] == 4  # the mean of what is known
    assert thin.values[1, 1] == 1


def _wide(width):
    from genomekit.genome.interval import Interval

    return Interval("chrV", 1000, 1000 + width)


def test_a_ratio_of_two_files_is_not_called_a_difference(grid):
    one, other = grid.assign_coords(track=["a"]), grid.assign_coords(track=["b"])
    ax = ContactMap({"x": one, "y": abs(other)}, kind="log2fc").draw(axes())
    assert [text.get_text() for text in ax.texts] == ["b / a"]


def test_turned_maps_have_their_pairs_in_place(grid):
    ax = ContactMap(grid.gk.reverse_complement()).draw(axes())
    assert ax.get_xlim() == (1512, 1000)
    assert mesh(ax).get_array().reshape(4, 4)[0, 3] == 5


def test_a_viewpoint_gives_the_row_of_its_bin(grid):
    ax = Virtual4C(grid, "chrV:1000-1001").draw(axes())
    fill = next(child for child in ax.get_children() if hasattr(child, "curve"))
    assert fill.curve.values.tolist() == [2, 0, 0, 5]
    whole = Virtual4C(grid, "chrV:1000-1256").draw(axes())
    fill = next(child for child in whole.get_children() if hasattr(child, "curve"))
    assert fill.curve.values.tolist() == [1, 1, 0, 2.5]  # the mean of two rows
    with pytest.raises(ValueError, match="lies outside the region"):
        Virtual4C(grid, "chrV:9000-9100").draw(axes())


@pytest.mark.parametrize(("viewpoint", "marked"), [("chrV:1100-1101", (1000, 1128)), ("chrV:1120-1130", (1000, 1256))])
def test_a_viewpoint_is_marked_at_the_bins_that_are_drawn(grid, viewpoint, marked):
    ax = Virtual4C(grid, viewpoint).draw(axes())
    (mark,) = ax.patches
    assert (mark.get_x(), mark.get_x() + mark.get_width()) == marked


def test_a_viewpoint_of_a_variant_draws_both_alleles():
    both = contact_node(np.stack([np.ones((4, 4, 1)), 3 * np.ones((4, 4, 1))]))
    ax = Virtual4C(both, "chrV:1000-1001").draw(axes())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["REF", "ALT"]


def test_what_holds_no_contacts_is_refused(grid, result_tree):
    with pytest.raises(ValueError, match="no dims bin1 and bin2"):
        ContactMap(result_tree["rna_seq"]).draw(axes())
    with pytest.raises(ValueError, match="int holds no contacts"):
        ContactMap(3).draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="Unknown shape 'round'"):
        ContactMap(grid, shape="round").draw(axes())
    with pytest.raises(ValueError, match="Unknown track 'x'"):
        ContactMap(grid, track="x").draw(axes())
    with pytest.raises(ValueError, match="no dims bin1 and bin2"):
        ContactMap(xr.Dataset({"other": ("x", [1.0])})).draw(axes(), "chrV:1000-1512")


def test_nothing_known_is_said(grid):
    ax = ContactMap(grid * np.nan).draw(axes(), "chrV:1000-1512")
    assert [text.get_text() for text in ax.texts] == ["no data here"]
    assert isinstance(grid, xr.Dataset)


def test_a_real_cool_file_is_read(shared):
    cooler = pytest.importorskip("cooler")
    path = shared / "data" / "yeast" / "yeast.10kb.cool"
    ax = ContactMap(path, balance=False, transform="log1p").draw(axes(), "II:100,000-400,000")
    assert ax.get_title(loc="left") == "Contacts, counts, log1p scale"
    expected = cooler.Cooler(str(path)).matrix(balance=False).fetch("chrII:100,000-400,000")
    shown = np.ma.filled(mesh(ax).get_array().reshape(30, 30), np.nan)
    rows, columns = np.triu_indices(30)
    np.testing.assert_allclose(shown[rows, columns], np.log1p(expected[rows, columns]))
    assert "balanced" in ContactMap(path).draw(axes(), "II:100,000-400,000").get_title(loc="left")
    with pytest.raises(ValueError, match="has no chromosome chr22"):
        ContactMap(path).draw(axes(), "chr22:0-10")


def test_a_file_that_is_no_cool_is_refused(tmp_path):
    pytest.importorskip("cooler")
    (tmp_path / "a.cool").write_text("nothing")
    with pytest.raises(ValueError, match=r"is no \.cool"):
        ContactMap(tmp_path / "a.cool").draw(axes(), "chr1:0-10")


@pytest.fixture
def cool(tmp_path):
    """Write a .cool file of one chromosome, counts given as a square."""
    cooler = pytest.importorskip("cooler")

    def write(name, counts, step=128):
        counts = np.asarray(counts)
        starts = np.arange(len(counts)) * step
        bins = pd.DataFrame({"chrom": "chrV", "start": starts, "end": starts + step})
        first, second = np.triu_indices(len(counts))
        pixels = pd.DataFrame({"bin1_id": first, "bin2_id": second, "count": counts[first, second]})
        cooler.create_cooler(str(tmp_path / name), bins, pixels[pixels["count"] > 0])
        return tmp_path / name

    return write


ALL = "chrV:0-512"


def decay(size=4):
    """Counts that fall tenfold with every bin of distance."""
    return 10 ** (size - 1 - np.abs(np.arange(size)[:, None] - np.arange(size)))


def test_counts_of_a_file_have_a_logarithmic_scale(cool):
    counts = decay()
    counts[0, 3] = counts[3, 0] = 0
    ax = ContactMap(cool("a.cool", counts), shape="square").draw(axes(), ALL)
    drawn = mesh(ax)
    assert isinstance(drawn.norm, LogNorm)
    assert ax.get_title(loc="left") == "Contacts, counts, log scale, a"
    assert drawn.norm.vmin < 11
    assert drawn.norm.vmax == pytest.approx(1000)
    shown = drawn.get_array().reshape(4, 4)
    assert shown[0, 3] == drawn.norm.vmin  # no contact at all: the lowest colour, not a hole
    assert shown[0, 0] == 1000
    plain = mesh(ContactMap(cool("b.cool", counts), transform="linear").draw(axes(), ALL))
    assert not isinstance(plain.norm, LogNorm)
    fixed = mesh(ContactMap(cool("c.cool", counts), limits=(1, 100)).draw(axes(), ALL))
    assert (fixed.norm.vmin, fixed.norm.vmax) == (1, 100)
    with pytest.raises(ValueError, match="lie above 0"):
        ContactMap(cool("d.cool", counts), transform="log", limits=(0, 100)).draw(axes(), ALL)
    with pytest.raises(ValueError, match="Unknown transform 'ln'"):
        ContactMap(cool("e.cool", counts), transform="ln").draw(axes(), ALL)


@pytest.mark.parametrize("limits", [(1, 1000), (2, 9), (0.0021, 0.0029), (1e-6, 10)])
def test_numbers_of_a_logarithmic_colour_bar_do_not_collide(cool, limits):
    ax = axes(height=1)
    ContactMap(cool("a.cool", decay()), limits=limits).draw(ax, ALL)
    ax.figure.canvas.draw()
    (bar,) = ax.child_axes
    texts = [text for text in bar.get_yticklabels() if text.get_text()]
    boxes = [text.get_window_extent() for text in texts]
    assert len(boxes) >= 2
    assert len({text.get_text() for text in texts}) == len(texts)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert not [tick for tick in bar.yaxis.get_minor_ticks() if tick.label1.get_text()]


def test_a_resolution_that_is_not_there_is_refused(cool, grid):
    path = cool("a.cool", decay())
    assert ContactMap(path, resolution=128).draw(axes(), ALL)
    with pytest.raises(ValueError, match=r"a\.cool has bins of \[128\] bp, not 256"):
        ContactMap(path, resolution=256).draw(axes(), ALL)
    with pytest.raises(ValueError, match="bins of 128 bp, not 256"):
        ContactMap(grid, resolution=256).draw(axes())


def test_two_files_or_two_predictions_are_compared(cool, grid):
    once, twice = cool("once.cool", decay()), cool("twice.cool", 2 * decay())
    ax = ContactMap({"before": once, "after": twice}, shape="square").draw(axes(), ALL)
    np.testing.assert_array_equal(mesh(ax).get_array().reshape(4, 4), decay())
    assert ax.get_title(loc="left") == "Contacts, after - before, counts, twice - once"
    fold = ContactMap(twice, reference=once, kind="log2fc", shape="square").draw(axes(), ALL)
    assert (mesh(fold).get_array() == 1).all()
    assert fold.get_title(loc="left").startswith("Contacts, log2 fold change twice / once")
    change = mesh(ContactMap(grid + 1, reference=grid, shape="square").draw(axes()))
    assert (change.get_array() == 1).all()
    assert change.norm.vmin == -change.norm.vmax
    same = mesh(ContactMap(grid, reference=grid).draw(axes()))
    assert same.norm.vmin < 0 < same.norm.vmax  # no difference has the middle colour


def test_maps_that_cannot_be_compared_say_why(cool, grid):
    path = cool("a.cool", decay())
    with pytest.raises(ValueError, match=r"'counts', .* in 'log fold over"):
        ContactMap(path, reference=contact_node(np.ones((4, 4, 1)), start=0)).draw(axes(), ALL)
    with pytest.raises(ValueError, match="128 bp from 0 on, 'b' of 256 bp from 0 on; a difference needs the same"):
        ContactMap(path, reference=cool("b.cool", decay(), step=256)).draw(axes(), ALL)
    first, last = grid.isel(bin1=[0, 1], bin2=[0, 1]), grid.isel(bin1=[2, 3], bin2=[2, 3])
    with pytest.raises(ValueError, match="share no bin"):
        ContactMap({"a": first, "b": last}).draw(axes())
    with pytest.raises(ValueError, match="lies in chrV:1,000-1,100; they cover 1,256-1,512"):
        ContactMap({"a": first, "b": last}).draw(axes(), "chrV:1000-1100")
    with pytest.raises(ValueError, match="values below 0"):
        ContactMap(grid, reference=grid - 9, kind="log2fc").draw(axes())
    with pytest.raises(ValueError, match="exclude each other"):
        ContactMap(grid, reference=grid, allele="ref").draw(axes())
    with pytest.raises(ValueError, match="Unknown kind of difference"):
        ContactMap(grid, reference=grid, kind="ratio").draw(axes())


def test_contacts_over_expectation_are_in_the_units_of_predictions(cool):
    counts = decay().astype(int)
    counts[0, 1] = counts[1, 0] = 400  # 400, 100, 100: a mean of 200
    path = cool("a.cool", counts)
    ax = ContactMap(path, over_expected=True, shape="square").draw(axes(), ALL)
    shown = mesh(ax).get_array().reshape(4, 4)
    assert shown[0, 1] == shown[1, 0] == pytest.approx(np.log(2))
    assert shown[1, 2] == pytest.approx(np.log(0.5))
    assert shown[0, 3] == 0
    predicted = contact_node(np.zeros((4, 4, 1)), start=0)
    both = ContactMap({"measured": path, "predicted": predicted}, over_expected=True, shape="square")
    np.testing.assert_allclose(mesh(both.draw(axes(), ALL)).get_array().reshape(4, 4), -shown)
    with pytest.raises(ValueError, match="leave it out for contacts of a result"):
        ContactMap(predicted, over_expected=True).draw(axes())


def test_viewpoints_of_several_data_share_a_lane(cool):
    once, twice = cool("once.cool", decay()), cool("twice.cool", 2 * decay())
    ax = Virtual4C({"before": once, "after": twice}, "chrV:0-1").draw(axes(), ALL)
    lines = [child.curve.values.tolist() for child in ax.get_children() if hasattr(child, "curve")]
    assert lines == [[1000, 100, 10, 1], [2000, 200, 20, 2]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["before", "after"]
    with pytest.raises(ValueError, match="bins of 256 bp, the first 128"):
        Virtual4C({"a": once, "b": cool("b.cool", decay(), step=256)}, "chrV:0-1").draw(axes(), ALL)
