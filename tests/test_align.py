"""ALT onto REF coordinates: upstream's numbers, and the same piece by piece."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genomekit.align import align, alt_span, site_spans
from genomekit.genome.edit import Edit, Event, alt_offsets
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant

# Test vectors of section 8 of official_sdk.md: made with the research repository's functions, ALT = 0..9.
VECTORS = [
    ("chr1:2:C>TGA", [0, 3, 4, 5, 6, 7, 8, 9, 0, 0], [0, 0, 0, 1, 2, 3, 4, 5, 8, 9]),
    ("chr1:2:CC>CCTGA", [0, 1, 5, 6, 7, 8, 9, 0, 0, 0], None),
    ("chr1:5:A>AAAAAA", [0, 1, 2, 3, 9, 0, 0, 0, 0, 0], None),
    ("chr1:2:CGA>C", [0, 1, 0, 0, 2, 3, 4, 5, 6, 7], [2, 3, 4, 5, 6, 7, 0, 0, 8, 9]),
    ("chr1:2:CCCGA>CCC", [0, 1, 2, 3, 0, 0, 4, 5, 6, 7], None),
]


def events_of(variant, start=0, end=10):
    """Events as upstream takes them: as spelled, whatever the letters of the genome."""
    window = Interval(variant.chrom, start, end)
    read = lambda chrom, start, end: "N" * (end - start)  # noqa: E731
    return Edit.of(variant, window, read, ref_check="ignore", parity=True).events


@pytest.mark.parametrize(("variant", "plus", "minus"), VECTORS)
def test_vectors_of_upstream(variant, plus, minus):
    events = events_of(Variant.parse(variant))
    assert align(torch.arange(10), events, 10).tolist() == plus
    if minus is not None:
        # What was read on the minus strand is turned to increasing positions first, as the engine's results are.
        assert align(torch.arange(10).flip(0), events, 10).flip(0).tolist() == minus


def test_display_has_no_value_where_alt_has_no_base():
    found = align(torch.arange(10.0), [Event(2, 2, 0), Event(6, 0, 4)], 10, fill=float("nan"))
    # REF 4 and 5 are ALT 2 and 3; ALT 4-7 are inserted after REF 5; REF 8 and 9 would be ALT 10 and 11.
    assert np.array_equal(found.numpy(), [0, 1, np.nan, np.nan, 2, 7, 8, 9, np.nan, np.nan], equal_nan=True)


def test_insertion_before_the_first_base_goes_to_it():
    assert align(torch.tensor([7, 5, 1, 2]), [Event(0, 0, 2)], 4).tolist() == [7, 2, 0, 0]


def test_any_axis():
    alt = torch.arange(20).reshape(2, 10)
    rows = [align(row, [Event(4, 0, 2)], 10) for row in alt]
    assert torch.equal(align(alt, [Event(4, 0, 2)], 10, dim=1), torch.stack(rows))
    assert torch.equal(align(alt, [Event(4, 0, 2)], 10, dim=-1), torch.stack(rows))


def test_values_of_another_stretch_are_an_error():
    with pytest.raises(ValueError, match="ALT values of 3 positions came and REF 4-7 needs those of ALT 2-4"):
        align(torch.arange(3), [Event(2, 3, 0)], 10, span=(4, 7))


@st.composite
def cases(draw):
    """Events that do not touch, a length, and a span inside it."""
    length, events, at = draw(st.integers(4, 40)), [], draw(st.integers(0, 3))
    while at < length and len(events) < 4:
        ref, alt = draw(st.integers(0, 4)), draw(st.integers(0, 4))
        events.append(Event(at, ref, alt))
        at += ref + draw(st.integers(1, 8))
    start = draw(st.integers(0, length - 1))
    return events, length, (start, draw(st.integers(start + 1, length)))


def by_base(alt, events, length):
    """The rule spelled out base by base."""
    out, shown, at = np.zeros(length), np.zeros(length, bool), 0
    pairs, extra = [], []
    ref = 0
    for event in [*events, Event(length, 0, 0)]:
        while ref < event.start:
            pairs.append((ref, at))
            ref, at = ref + 1, at + 1
        both = min(event.ref_length, event.alt_length)
        pairs += [(ref + i, at + i) for i in range(both)]
        extra += [(max(event.start + event.ref_length - 1, 0), at + i) for i in range(both, event.alt_length)]
        ref, at = ref + event.ref_length, at + event.alt_length
    for target, source in pairs + extra:
        if target < length and source < length:
            out[target] = max(out[target], alt[source]) if shown[target] else alt[source]
            shown[target] = True
    return out


@given(cases(), st.integers(0, 99))
def test_rule_base_by_base_whole_and_in_pieces(case, seed):
    events, length, (start, stop) = case
    alt = np.random.default_rng(seed).normal(size=length)
    whole = align(torch.from_numpy(alt), events, length)
    assert np.array_equal(whole.numpy(), by_base(alt, events, length))
    first, last = alt_span(events, start, stop, length)
    piece = align(torch.from_numpy(alt[first:last]), events, length, span=(start, stop))
    assert torch.equal(piece, whole[start:stop])


@given(cases())
def test_left_of_the_first_event_nothing_moves(case):
    events, length, _ = case
    same = events[0].start
    assert alt_offsets(events, 0, length, length)[:same].tolist() == list(range(min(same, length)))
    level = [event._replace(alt_length=event.ref_length) for event in events]
    assert align(torch.arange(length), level, length).tolist() == list(range(length))


@given(cases())
def test_spans_of_sites_hold_what_alignment_takes(case):
    events, length, _ = case
    alt = torch.rand(length, generator=torch.Generator().manual_seed(0))
    sites = np.stack([np.append(np.arange(length), -1)] * 4)
    spans = site_spans(events, sites, length)
    aligned = align(alt, events, length)
    assert list(spans) == list(range(length))
    for site, (first, last) in spans.items():
        assert aligned[site] == (alt[first:last].max() if first < last else 0)
