import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genomekit.engine import one_hot, reverse_complement
from genomekit.engine.encode import reverse_bins, reverse_junctions, reverse_sites, reverse_tracks
from genomekit.errors import GenomekitWarning

DNA = st.text("ACGTNacgtn", max_size=50)


@given(DNA)
def test_rows_sum_to_one_for_bases_and_to_zero_for_n(letters):
    encoded = one_hot(letters)
    assert encoded.shape == (len(letters), 4)
    assert encoded.sum(1).tolist() == [float(letter not in "Nn") for letter in letters]


@given(DNA)
def test_lower_case_equals_upper_case(letters):
    np.testing.assert_array_equal(one_hot(letters), one_hot(letters.upper()))


@given(DNA)
def test_reverse_complement_is_its_own_inverse_and_agrees_with_letters(letters):
    turned = letters.upper().translate(str.maketrans("ACGT", "TGCA"))[::-1]
    np.testing.assert_array_equal(reverse_complement(one_hot(letters)), one_hot(turned))
    np.testing.assert_array_equal(reverse_complement(reverse_complement(one_hot(letters))), one_hot(letters))


@pytest.mark.parametrize(("text", "position"), [("ACXT", 2), ("AC GT", 2), ("-ACGT", 0), ("ACG€", 3), ("A*", 1)])
def test_a_letter_that_is_no_code_is_named_with_its_position(text, position):
    with pytest.raises(ValueError, match=rf"at position {position} \(0-based\)"):
        one_hot(text)


def test_rna_is_pointed_to_dna():
    with pytest.raises(ValueError, match="write T"):
        one_hot("ACGU")


def test_ambiguity_codes_are_counted_and_warned_about_once():
    with pytest.warns(GenomekitWarning, match=r"3 ambiguity codes \(R: 2, Y: 1\)") as seen:
        encoded = one_hot("ARrYN")
    assert len(seen) == 1
    assert encoded.sum() == 1


def test_n_alone_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one_hot("NNNACGT")


@pytest.mark.parametrize("kind", [np.float64, np.int64, bool])
def test_one_hot_arrays_and_tensors_pass_through(kind):
    expected = one_hot("ACGTN")
    np.testing.assert_array_equal(one_hot(expected.astype(kind)), expected)
    np.testing.assert_array_equal(one_hot(torch.from_numpy(expected)), expected)


@pytest.mark.parametrize(
    ("shape", "text"), [((4, 10), "Transpose"), ((10, 5), "(position, 4)"), ((1, 10, 4), "(position, 4)")]
)
def test_arrays_of_another_shape_are_refused(shape, text):
    with pytest.raises(ValueError, match=text.replace("(", r"\(").replace(")", r"\)")):
        one_hot(np.zeros(shape))


def test_arrays_with_nan_are_refused():
    with pytest.raises(ValueError, match="finite"):
        one_hot(np.full((3, 4), np.nan))


def test_dnase_shifts_right_by_one_after_the_flip():
    # section 8 vector of the reference: p0..p5 become 0 p5 p4 p3 p2 p1
    values = np.arange(6, dtype=np.float32)[:, None]
    assert reverse_tracks(values, shifted=True, fill=0.0)[:, 0].tolist() == [0, 5, 4, 3, 2, 1]
    assert np.isnan(reverse_tracks(values, shifted=True)[0, 0])


@given(st.integers(1, 12), st.data())
def test_cutting_before_reversing_equals_cutting_after(total, data):
    start = data.draw(st.integers(0, total - 1))
    stop = data.draw(st.integers(start + 1, total))
    values = np.random.default_rng(total).random((total, 2), dtype=np.float32)
    for shifted in (False, True):
        whole = reverse_tracks(values, shifted=shifted)[start:stop]
        part = values[reverse_bins(slice(start, stop), total, shifted)]
        np.testing.assert_array_equal(reverse_tracks(part, shifted=shifted, length=stop - start), whole)


def test_contact_maps_flip_on_both_axes():
    values = np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    assert reverse_tracks(values)[..., 0].tolist() == [[8, 7, 6], [5, 4, 3], [2, 1, 0]]


def test_sites_and_junctions_are_their_own_inverse():
    sites = np.array([[3, -1], [9, -1], [7, 8], [1, -1]])
    assert reverse_sites(sites, 10).tolist() == [[2, 1], [8, -1], [6, -1], [0, -1]]
    np.testing.assert_array_equal(reverse_sites(reverse_sites(sites, 10), 10), sites)
    values = np.random.default_rng(0).random((2, 2, 6))
    np.testing.assert_array_equal(reverse_junctions(reverse_junctions(values)), values)
    assert reverse_junctions(values)[0, 0, :3].tolist() == values[0, 0, 3:].tolist()


def test_reverse_complement_of_outputs_agrees_with_the_reference(shared):
    oracle = np.load(shared / "parity" / "variant_scorers.npz")
    values = oracle["rc_in"][0]
    partners = oracle["rc_strand"]
    np.testing.assert_array_equal(reverse_tracks(values[:, partners]), oracle["rc|RNA_SEQ"][0])
    np.testing.assert_array_equal(reverse_tracks(values[:, partners], shifted=True, fill=0.0), oracle["rc|DNASE"][0])
    np.testing.assert_array_equal(
        reverse_junctions(oracle["junction_ref"]), oracle["rc|SPLICE_JUNCTIONS|predictions"][0]
    )
    np.testing.assert_array_equal(
        reverse_sites(oracle["junction_positions"], 4096), oracle["rc|SPLICE_JUNCTIONS|positions"][0]
    )
