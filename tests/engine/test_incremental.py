"""Edits read incrementally against full passes of the plain network, in float64 at tiny widths."""

import numpy as np
import pytest
import torch
from tiny import LENGTH, TINY, TRACK_MEANS, parameter

from genomekit.engine import reading
from genomekit.engine.incremental import Change, Reference, batches, difference
from genomekit.engine.ladder import Encoding
from genomekit.engine.prepared import Prepared
from genomekit.engine.reading import Stretch
from genomekit.nn import AlphaGenome

FLOAT64 = 1e-12
BASES = np.eye(4)
SITES = np.array([[10, 700, 1500], [300, 1400, 4000], [900, 2000, -1], [20, -1, -1]])


@pytest.fixture(scope="module")
def plain():
    """A function that gives the whole plain output of a sequence, the prepared network, and a sequence."""
    network = AlphaGenome(TINY).double().eval()
    shapes = {name: t.shape for name, t in network.state_dict().items()}
    network.load_state_dict({n: torch.from_numpy(parameter(n, tuple(s))).reshape(s) for n, s in shapes.items()})
    network.set_track_means({name: torch.from_numpy(mean) for name, mean in TRACK_MEANS.items()})
    letters = BASES[np.random.default_rng(5).integers(0, 4, LENGTH)]

    known = {}  # several tests ask for the same edits

    @torch.inference_mode()
    def forward(sequence):
        key = sequence.tobytes()
        if key not in known:
            known[key] = whole(sequence)
        return known[key]

    def whole(sequence):
        out = network(torch.from_numpy(sequence)[None], torch.tensor([0]), sites=torch.from_numpy(SITES)[None])
        keys = {"rna_seq": "predictions_1bp", "chip_tf": "predictions_128bp"}
        return {name: head[keys.get(name, "predictions")][0] for name, head in out.items()}

    return forward, Prepared(network, torch.device("cpu"), torch.float64), letters


def reference_of(plain, **options):
    with torch.inference_mode():
        return Reference(plain[1], torch.from_numpy(plain[2])[None], 0, **options)


def other(letters, position, shift=1):
    """The SNV that moves a base on by `shift` letters."""
    return Change(position, np.roll(letters[position : position + 1], shift, axis=1))


def edited(letters, edit):
    changed = letters.copy()
    changed[edit.start : edit.stop] = edit.bases
    return changed


def check(plain, reference, edits, stretches):
    forward, _, letters = plain
    with torch.inference_mode():
        got = reference.read(edits, stretches)
    for i, edit in enumerate(edits):
        expected = forward(edited(letters, edit))
        for values, stretch in zip(got, stretches, strict=True):
            whole = expected[stretch.modality][..., list(stretch.channels)]
            start = int(np.broadcast_to(stretch.starts, len(edits))[i])
            low, high = max(start, 0), min(start + stretch.width, whole.shape[-2])
            mine = values[i][..., low - start : high - start, :]
            want = whole[:, low:high] if stretch.modality == "contact_maps" else whole[low:high]
            torch.testing.assert_close(mine, want, rtol=0, atol=FLOAT64 * whole.abs().max())


def around(name, positions, width=101, resolution=1, channels=(0, 1)):
    centres = np.asarray(positions) // resolution
    return Stretch(name, channels, resolution, centres - width // 2, width)


SNVS = [0, 1, 8, 9, 126, 127, 128, 129, 255, 256, 1000, 2047, 2048, LENGTH - 129, LENGTH - 128, LENGTH - 2, LENGTH - 1]


@pytest.mark.parametrize("options", [{}, {"kept": 2}, {"region": (900, 1200)}, {"kept": 1, "region": (0, 10)}])
def test_snvs_anywhere_read_around_themselves(plain, options):
    edits = [other(plain[2], position) for position in SNVS]
    stretches = [
        around("rna_seq", SNVS, channels=(1, 0)),
        around("splice_site_usage", SNVS, 33, channels=(3,)),
        around("chip_tf", SNVS, 4, 128),
        around("contact_maps", SNVS, 1, 2048, (1,)),
    ]
    check(plain, reference_of(plain, **options), edits, stretches)


@pytest.mark.parametrize("width", [2, 3, 17, 128])
def test_longer_replacements(plain, width):
    starts = [0, 5, 127, 700, 1023, LENGTH - width]
    letters = plain[2]
    edits = [Change(start, np.roll(letters[start : start + width], 1, axis=1)) for start in starts]
    check(plain, reference_of(plain), edits, [around("rna_seq", starts, 300, channels=(0,))])


@pytest.mark.parametrize("position", [0, 63, 1000, LENGTH - 200])
@pytest.mark.parametrize("size", [-7, 130])
@pytest.mark.parametrize("options", [{}, {"region": (900, 1200), "kept": 1}])
def test_insertions_and_deletions_reuse_what_lies_before(plain, position, size, options):
    letters = plain[2]
    new = BASES[np.random.default_rng(1).integers(0, 4, abs(size))]
    if size > 0:
        changed = np.concatenate([letters[:position], new, letters[position:]])[:LENGTH]
    else:
        changed = np.concatenate([letters[:position], letters[position - size :], new])
    edit = difference(letters, changed)
    assert edit.start >= position
    np.testing.assert_array_equal(edited(letters, edit), changed)
    reads = [around("rna_seq", [position], 200, channels=(0, 1)), around("chip_tf", [position], 5, 128)]
    check(plain, reference_of(plain, **options), [edit], reads)


def test_several_stretches_of_a_gene_and_one_stretch_for_all_edits(plain):
    positions = [500, 501, 502]
    exons = [
        Stretch("rna_seq", (0,), 1, np.array([start]), width) for start, width in ((100, 60), (130, 90), (3000, 1))
    ]
    check(plain, reference_of(plain), [other(plain[2], p) for p in positions], exons)


def test_two_haplotypes_differ_by_all_their_letters(plain):
    letters = plain[2]
    changed = edited(edited(letters, other(letters, 1000)), other(letters, 1050, 2))
    edit = difference(letters, changed)
    assert (edit.start, edit.stop) == (1000, 1051)
    check(plain, reference_of(plain), [edit], [around("rna_seq", [1025])])


def test_no_change_is_exactly_the_reference(plain):
    letters, positions = plain[2], [300, 301, 302, 303]
    reference = reference_of(plain)
    stretches = [around("rna_seq", positions), around("chip_tf", positions, 4, 128)]
    with torch.inference_mode():
        same = reference.read([Change(p, letters[p : p + 1]) for p in positions], stretches)
        unedited = reference.unedited().stretches(stretches, len(positions))
    for got, expected in zip(same, unedited, strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=FLOAT64)


def test_only_the_neighbourhood_is_computed(plain, monkeypatch):
    reference = reference_of(plain)
    compute = Encoding.compute
    monkeypatch.setattr(Encoding, "compute", lambda *args, **more: pytest.fail("rows of the reference were computed"))
    widths = []
    decode = reading.decode
    monkeypatch.setattr(reading, "decode", lambda *args: widths.append(args[3].width) or decode(*args))
    with torch.inference_mode():
        reference.read([other(plain[2], 1000)], [around("rna_seq", [1000])])
    assert widths == [101]
    assert compute is not Encoding.compute


def test_batches_hold_one_width_and_keep_the_order_of_positions(plain):
    edits = [Change(start, np.zeros((width, 4))) for start, width in ((5, 1), (0, 200), (3, 1), (4, 2))]
    assert list(batches(edits, 2)) == [[1], [2, 0], [3]]
    reference = reference_of(plain)
    with pytest.raises(ValueError, match="one width"):
        reference.read(edits, [])


def introns_only(counts):
    """Keep the counts of pairs in the order of an intron, from (both, donor, acceptor)."""
    kept = counts.clone().unflatten(0, (2, -1))
    for strand, (donors, acceptors) in enumerate(((SITES[0], SITES[1]), (SITES[2], SITES[3]))):
        for i, donor in enumerate(donors):
            for j, acceptor in enumerate(acceptors):
                if min(donor, acceptor) < 0 or (donor < acceptor) != (strand == 0):
                    kept[strand, :, i, j] = 0
    return kept.flatten(0, 1)


def junctions(plain, sequence):
    return introns_only(plain[0](sequence)["splice_junctions"].movedim(-1, 0))


def test_junctions_between_given_sites_of_every_edit(plain):
    edits = [other(plain[2], position) for position in (12, 705)]
    indel = difference(plain[2], np.roll(plain[2], -3, axis=0))
    reference = reference_of(plain, region=(0, 800))
    with torch.inference_mode():
        several = reference.edited(edits).junctions("splice_junctions", None, SITES, len(edits))
        one = reference.edited([indel]).junctions("splice_junctions", (1, 0), SITES, 1)
        unedited = reference.unedited().junctions("splice_junctions", None, SITES, 1)
    for got, edit in zip(several, edits, strict=True):
        torch.testing.assert_close(
            introns_only(got), junctions(plain, edited(plain[2], edit)), rtol=FLOAT64, atol=FLOAT64
        )
    torch.testing.assert_close(introns_only(unedited[0]), junctions(plain, plain[2]), rtol=FLOAT64, atol=FLOAT64)
    expected = junctions(plain, edited(plain[2], indel))
    tissues = len(expected) // 2
    torch.testing.assert_close(introns_only(one[0]), expected[[1, 0, tissues + 1, tissues]], rtol=FLOAT64, atol=FLOAT64)
    assert float(several[0].max()) > 0
    with torch.inference_mode():
        none = reference.unedited().junctions("splice_junctions", None, np.full((4, 1), -1), 1)
    assert none.shape == (1, 2 * tissues, 0, 0)
