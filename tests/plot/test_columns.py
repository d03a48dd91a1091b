"""Reduction to pixel columns: no peak is lost, and a zoom shows more."""

import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_results import axes, track_node
from matplotlib.backends.backend_agg import FigureCanvasAgg

from genomekit import plot
from genomekit.plot.columns import CurveFill, CurveLine, reduce_columns


def test_reduction_keeps_peaks_of_both_signs():
    values = np.zeros(1_000_000, dtype=np.float32)
    values[123_456], values[654_321] = 7, -9
    edges, low, high = reduce_columns(values, 2000)
    assert len(high) == 2000
    assert (high.max(), low.min()) == (7, -9)
    assert (edges[0], edges[-1]) == (0, 1_000_000)
    assert (np.diff(edges) == 500).all()


@given(arrays(np.float32, st.integers(1, 400), elements=st.floats(-5, 5, width=32)), st.integers(1, 50))
def test_columns_bound_their_bins_and_cover_all_of_them(values, count):
    edges, low, high = reduce_columns(values, count)
    assert (edges[0], edges[-1]) == (0, len(values))
    for first, last, a, b in zip(edges[:-1], edges[1:], low, high, strict=True):
        assert (a, b) == (values[first:last].min(), values[first:last].max())


def test_missing_values_are_left_out_and_mean_and_max_are_what_they_say():
    values = np.array([np.nan, 1, 5, 3, np.nan, np.nan, 2, -2], dtype=np.float32)
    _, low, high = reduce_columns(values, 2)  # halves: 1 5 3, and 2 -2
    assert (low.tolist(), high.tolist()) == ([1, -2], [5, 2])
    assert reduce_columns(values, 2, "mean")[2].tolist() == [3, 0]
    assert reduce_columns(values, 2, "max")[1].tolist() == [5, 2]
    assert np.isnan(reduce_columns(np.full(9, np.nan), 3, "mean")[2]).all()
    with pytest.raises(ValueError, match="Unknown aggregate 'median'"):
        reduce_columns(values, 2, "median")


@pytest.mark.parametrize(("style", "kind"), [("fill", CurveFill), ("line", CurveLine)])
def test_what_is_drawn_follows_the_pixels_and_the_zoom(style, kind):
    width = 100_000
    values = np.ones((width, 1), dtype=np.float32)
    values[50_000] = 3
    node = track_node(values, "gut", attrs={"chrom": "chrV", "start": 1000, "end": 1000 + width})
    ax = plot.Tracks(node, style=style).draw(axes(width=5))
    artist = next(child for child in ax.get_children() if isinstance(child, kind))

    def corners():
        return len(artist.get_paths()[0].vertices) if style == "fill" else len(artist.get_xdata())

    def top():
        return artist.get_paths()[0].vertices[:, 1].max() if style == "fill" else artist.get_ydata().max()

    assert corners() <= 2 * 500 + 3  # 5 inches of 100 pixels
    assert top() == 3
    ax.figure.savefig(io.BytesIO(), dpi=200)
    assert 1900 < corners() <= 2 * 1000 + 3
    ax.set_xlim(50_990, 51_010)
    FigureCanvasAgg(ax.figure).draw()
    assert corners() < 60  # some twenty bins, each as it is
    assert top() == 3


def test_lone_narrow_bins_are_outlined_and_the_line_between_them_is_not():
    values = np.full((2000, 1), 1e-6, dtype=np.float32)
    values[[100, 1500]] = 1
    node = track_node(values, "gut", attrs={"chrom": "chrV", "start": 1000, "end": 3000})
    ax = plot.Tracks(node).draw(axes(width=10))  # half a pixel a bin
    fill = next(child for child in ax.get_children() if isinstance(child, CurveFill))
    assert fill.get_linewidth()[0] > 0.5
    assert [tuple(path.get_extents().intervalx) for path in fill.get_paths()] == [(1100, 1101), (2500, 2501)]
    ax.set_xlim(1090, 1110)
    FigureCanvasAgg(ax.figure).draw()
    assert fill.get_linewidth()[0] == 0  # wide enough by themselves
    own = plot.Tracks(node, artist={"linewidth": 0}).draw(axes(width=10))
    assert next(child for child in own.get_children() if isinstance(child, CurveFill)).get_linewidth()[0] == 0


def test_small_changes_leave_no_dashes_on_a_shared_scale():
    values = np.zeros((2000, 2), dtype=np.float32)
    values[[100, 1500], 0], values[[300, 900], 1] = 1, 1e-3
    node = track_node(values, "gut", "liver", attrs={"chrom": "chrV", "start": 1000, "end": 3000})
    ax = plot.Tracks(node, scale="shared").draw(axes(width=10))
    FigureCanvasAgg(ax.figure).draw()
    gut, liver = (child for child in ax.get_children() if isinstance(child, CurveFill))
    assert (gut.get_linewidth()[0] > 0.5, len(gut.get_paths())) == (True, 2)
    assert liver.get_linewidth()[0] == 0  # a thousandth of a lane is no pixel high


def test_rows_of_colour_lose_no_peak():
    values = np.zeros((1999, 1), dtype=np.float32)
    values[::37] = 1  # 55 of them
    node = track_node(values, "gut", attrs={"chrom": "chrV", "start": 1000, "end": 2999})
    ax = plot.Tracks(node, style="heat").draw(axes(width=10))  # two bins a pixel: the nearest one is not enough
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    box = ax.get_window_extent()
    row = np.asarray(canvas.buffer_rgba())[int(canvas.figure.bbox.height - (box.y0 + box.y1) / 2), :, :3].astype(int)
    bright = row[int(box.x0) : int(box.x1), 0] > 150  # the yellow of the highest values
    assert (np.diff(bright.astype(int)) == 1).sum() + bright[0] == 55


def test_a_zoom_by_the_mouse_reads_the_data_again():
    from matplotlib.backend_bases import MouseButton, MouseEvent
    from matplotlib.backends.backend_webagg_core import (
        FigureCanvasWebAggCore,
        FigureManagerWebAgg,
        NavigationToolbar2WebAgg,
    )
    from matplotlib.figure import Figure

    width = 1_000_000
    values = np.zeros((width, 1), dtype=np.float32)
    values[::2] = 1
    node = track_node(values, "gut", attrs={"chrom": "chrV", "start": 0, "end": width}, start=0)
    own = Figure(figsize=(10, 3), dpi=100)
    canvas = FigureCanvasWebAggCore(own)  # what notebooks (ipympl, nbagg) and browsers (WebAgg) draw with
    FigureManagerWebAgg(canvas, 1)
    toolbar = NavigationToolbar2WebAgg(canvas)
    plot.figure([plot.Tracks(node, style="line"), plot.Tracks(node, style="line")], fig=own)
    canvas.draw()
    upper, lower = own.axes[:2]
    lines = [next(child for child in ax.get_children() if isinstance(child, CurveLine)) for ax in (upper, lower)]
    assert all(len(line.get_xdata()) <= 2 * 1000 for line in lines)
    toolbar.zoom()
    left, right = (upper.transData.transform((at, 0))[0] for at in (500_000, 520_000))
    low, high = upper.bbox.y0 + 5, upper.bbox.y1 - 5
    for name, at in (("button_press", (left, low)), ("button_release", (right, high))):
        event = MouseEvent(f"{name}_event", canvas, *at, button=MouseButton.LEFT)
        canvas.callbacks.process(event.name, event)
    assert upper.get_xlim() == pytest.approx((500_000, 520_000), abs=2_000)
    canvas.draw()
    for line in lines:  # the panels share the axis, so both read again
        x = np.asarray(line.get_xdata())
        assert np.ptp(x) < 25_000
        assert np.diff(np.unique(x)).max() < 40  # a pixel is some 20 bp now, and was 1,000


def test_a_hole_splits_the_area():
    values = np.ones((300, 1), dtype=np.float32)
    values[100:200] = np.nan
    ax = plot.Tracks(track_node(values, "gut", attrs={"chrom": "chrV"})).draw(axes())
    fill = next(child for child in ax.get_children() if isinstance(child, CurveFill))
    spans = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in fill.get_paths()]
    assert spans == [(1000, 1100), (1200, 1300)]


def test_a_million_bases_are_quick_and_small():
    values = np.random.default_rng(0).gamma(0.4, 0.2, (1 << 20, 10)).astype(np.float32)
    attrs = {"chrom": "chr1", "start": 0, "end": 1 << 20}
    node = track_node(values, *[f"track {n}" for n in range(10)], start=0, attrs=attrs)
    used, buffer = time.process_time(), io.BytesIO()
    plot.figure(plot.Tracks(node), width=20).savefig(buffer, format="svg")
    assert time.process_time() - used < 2  # seconds of CPU; a busy machine is given three times what a quiet one takes
    assert buffer.tell() < 2_000_000


def test_dense_layers_are_pictures_inside_vector_files():
    node = track_node(np.random.default_rng(0).normal(size=(50_000, 3)), "a", "b", "c", attrs={"chrom": "chr1"})
    buffer = io.BytesIO()
    plot.figure(plot.Tracks(node, style="heat")).savefig(buffer, format="svg")
    assert buffer.getvalue().count(b"<image") >= 1
    assert buffer.tell() < 200_000
