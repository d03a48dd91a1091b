"""Measure a network on held-out chromosomes: splice sites, junctions, coverage, each beside its baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from genomekit.evaluation import metrics
from genomekit.evaluation.along import predict_along
from genomekit.evaluation.baselines import fit_kmer_ridge, fit_weight_matrix, site_windows
from genomekit.genome.interval import Interval
from genomekit.nn import AlphaGenome
from genomekit.nn.config import BIN
from genomekit.training.data import OrganismData, Window, make_batch
from genomekit.training.isoforms import SpliceAnnotation

KINDS = ("donor +", "acceptor +", "donor -", "acceptor -")


def site_labels(data: OrganismData, region: Interval) -> np.ndarray:
    """Return bool (position, 4): annotated donors and acceptors on + and -, pooled over isoforms."""
    splicing = data.splicing[region.chrom]
    labels = np.zeros((region.width, 4), bool)
    inside = (splicing.site_position >= region.start) & (splicing.site_position < region.end)
    labels[splicing.site_position[inside] - region.start, splicing.site_kind[inside]] = True
    return labels


def splice_site_accuracy(scores: np.ndarray, labels: np.ndarray, bodies: Sequence[np.ndarray]) -> dict[str, float]:
    """Return top-k accuracy of donors and acceptors, strand by strand inside gene bodies.

    Args:
        scores: (position, 4) donor+, acceptor+, donor-, acceptor-.
        labels: Same shape, True at annotated sites.
        bodies: Bool (position,) for genes on + and genes on -.

    Returns:
        "donor +" ... per strand, and "donor", "acceptor" with both strands' places pooled.
    """
    out = {
        kind: metrics.topk_accuracy(scores[bodies[index // 2], index], labels[bodies[index // 2], index])
        for index, kind in enumerate(KINDS)
    }
    for offset, name in enumerate(("donor", "acceptor")):
        pooled = [(scores[body, offset + 2 * s], labels[body, offset + 2 * s]) for s, body in enumerate(bodies)]
        out[name] = metrics.topk_accuracy(*(np.concatenate(parts) for parts in zip(*pooled, strict=True)))
    return out


def weight_matrix_scores(train: OrganismData, codes: np.ndarray) -> np.ndarray:
    """Score every base as each of the four kinds of site with weight matrices fitted on training chromosomes."""
    scores = np.zeros((len(codes), 4), np.float32)
    for offset, (left, right) in enumerate(((2, 6), (15, 2))):
        windows = [
            site_windows(
                train.codes[chrom],
                splicing.site_position[splicing.site_kind == offset + 2 * minus],
                left=left,
                right=right,
                strand="+-"[minus],
            )
            for chrom, splicing in train.splicing.items()
            for minus in (0, 1)
        ]
        matrix = fit_weight_matrix(np.concatenate(windows), left=left, right=right, background=(0.32, 0.18, 0.18, 0.32))
        for minus in (0, 1):
            scores[:, offset + 2 * minus] = matrix.score(codes, strand="+-"[minus])
    return scores


def junction_ranks(
    network: AlphaGenome, data: OrganismData, region: Interval, name: str, *, length: int
) -> dict[str, tuple[int, int]]:
    """Count the annotated introns whose acceptor ranks first for their donor, among all true sites of the window.

    Every intron is judged in the first window (half a window apart) that holds it whole; introns longer than half a
    window may be in none and are left out of both numbers.

    Returns:
        "strict": other annotated acceptors of the donor compete too. "false": only acceptors it is not annotated with.
        Each is how many rank first, and how many were judged.

    Raises:
        ValueError: The region is shorter than a window.
    """
    last = region.end - length
    if last < region.start:
        raise ValueError(f"Region {region} is shorter than a window of {length:,} bp. Evaluate with shorter windows.")
    device = next(network.parameters()).device
    seen: set[tuple[int, int, int]] = set()
    counted = {"strict": np.zeros(2, int), "false": np.zeros(2, int)}
    for start in (*range(region.start, last, length // 2), last):
        batch = make_batch(data, [Window(region.chrom, start, False)], length, {})
        introns = batch.junctions[0]
        sites = _sites_within(data.splicing[region.chrom], start, length)
        with torch.no_grad():
            raw = network(batch.dna.to(device), batch.organism.to(device), [name], sites=_padded(sites).to(device))
        counts = raw[name]["predictions"][0].float().cpu().numpy()
        for strand in (0, 1):
            donors, acceptors = sites[2 * strand], sites[2 * strand + 1]
            mine = introns.strand == strand
            donor, acceptor = introns.donor[mine], introns.acceptor[mine]
            keys = [(start + int(d), start + int(a), strand) for d, a in zip(donor, acceptor, strict=True)]
            fresh = np.array([key not in seen for key in keys], bool)
            seen.update(keys)
            pairs = np.searchsorted(donors, donor), np.searchsorted(acceptors, acceptor)
            annotated, truth = (np.zeros((len(donors), len(acceptors)), bool) for _ in range(2))
            annotated[pairs] = True
            truth[pairs[0][fresh], pairs[1][fresh]] = True
            # An acceptor cannot lie before its donor.
            later = acceptors[None] > donors[:, None] if strand == 0 else acceptors[None] < donors[:, None]
            values = counts[: len(donors), : len(acceptors), strand]
            # Introns judged in an earlier window are still annotated: they are no false rivals of their donor's others.
            for rule, rivals in (("strict", later), ("false", later & ~annotated)):
                counted[rule] += metrics.rank_first_counts(
                    values, truth, candidates=rivals, against_false_only=rule == "false"
                )
    return {rule: (int(first), int(all_)) for rule, (first, all_) in counted.items()}


def _sites_within(splicing: SpliceAnnotation, start: int, length: int) -> list[np.ndarray]:
    """Return the positions in a window of the sites of each kind, ascending."""
    first, last = np.searchsorted(splicing.site_position, [start, start + length])
    position, kind = splicing.site_position[first:last] - start, splicing.site_kind[first:last]
    return [position[kind == number] for number in range(len(KINDS))]


def _padded(sites: Sequence[np.ndarray]) -> torch.Tensor:
    """Lay sites out as the junction head reads them: (1, kind, site), -1 past the last."""
    out = np.full((1, len(sites), max(1, *map(len, sites))), -1, np.int64)
    for kind, places in enumerate(sites):
        out[0, kind, : len(places)] = places
    return torch.from_numpy(out)


def binned(values: np.ndarray) -> np.ndarray:
    """Sum (position, channel) over bins of 128 bp; the remainder is left out."""
    bins = len(values) // BIN
    return values[: bins * BIN].reshape(bins, BIN, -1).sum(1)


def coverage_accuracy(
    network: AlphaGenome,
    data: OrganismData,
    region: Interval,
    modalities: Sequence[str],
    *,
    length: int,
    margin: int,
    repeats: int = 1000,
) -> dict[tuple[str, int], metrics.Estimate]:
    """Return Pearson r of log1p coverage in 128 bp bins per (modality, channel), with a block-bootstrap interval."""
    predicted = predict_along(network, data, region, modalities, length=length, margin=margin)
    out = {}
    for name in modalities:
        rows = predicted[name] if len(predicted[name]) < region.width else binned(predicted[name])
        observed = binned(data.coverage[name][region.chrom][:, region.start : region.end].T)
        bins = min(len(rows), len(observed))
        for channel in range(observed.shape[1]):
            out[name, channel] = metrics.coverage_pearson(
                rows[:bins, channel], observed[:bins, channel], repeats=repeats
            )
    return out


def ridge_accuracy(
    data: OrganismData, train: Sequence[Interval], tune: Sequence[Interval], test: Interval, *, repeats: int = 1000
) -> dict[tuple[str, int], metrics.Estimate]:
    """Return the same numbers for a k-mer ridge fitted on `train`, its penalty and k chosen on `tune`."""
    keys = [(name, channel) for name, tracks in data.coverage.items() for channel in range(len(tracks[test.chrom]))]

    def observed(place: Interval) -> np.ndarray:
        parts = [data.coverage[name][place.chrom][:, place.start : place.end].T for name in data.coverage]
        return binned(np.concatenate(parts, axis=1))

    def letters(place: Interval) -> np.ndarray:
        codes = data.codes[place.chrom][place.start : place.end]
        return codes[: len(codes) // BIN * BIN]

    models = [
        fit_kmer_ridge(
            [letters(p) for p in train],
            [observed(p) for p in train],
            tune_sequences=[letters(p) for p in tune],
            tune_targets=[observed(p) for p in tune],
            longest=longest,
        )
        for longest in (3, 4)
    ]
    truth = observed(test)
    predictions = [model.predict(letters(test)) for model in models]
    out = {}
    for index, key in enumerate(keys):
        best = int(np.argmax([model.tune_pearson[index] for model in models]))
        predicted = predictions[best][: len(truth), index]
        out[key] = metrics.coverage_pearson(predicted, truth[: len(predicted), index], repeats=repeats)
    return out
