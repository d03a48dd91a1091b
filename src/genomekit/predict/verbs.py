"""The verbs: a sequence, an interval or many of them in, labelled trees out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Unpack

import numpy as np
import pandas as pd
import xarray as xr
from tqdm.auto import tqdm

from genomekit.engine import Engine, one_hot
from genomekit.errors import GenomekitWarning
from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.genome.window import Window
from genomekit.predict.request import AnyGenome, Options, Request, find_genome, find_own_organism, make_request
from genomekit.predict.result import predict_window


def predict_sequence(
    engine: Engine,
    sequence: Any,
    *,
    interval: Interval | str | None = None,
    **options: Unpack[Options],
) -> xr.DataTree:
    """Predict a sequence of your own, such as a construct or a designed gene.

    The network reads a window of a supported length: the sequence itself where its length is one, else the next
    longer one (or `window`), with N on both sides and one warning.

    Args:
        engine: The network on a device.
        sequence: Letters in either case, or one-hot (position, 4) in the order A C G T.
        interval: Where the sequence lies, of its width; None leaves it nowhere, counted from 0. The letters are those
            of the plus strand; strand "-" has them read as their reverse complement.
        **options: What to return and how; see `Model.predict_sequence`.

    Returns:
        One node per modality, schema "genomekit-1": float32 `signal` of dims (position, track), (bin1, bin2, track) or
        (junction, track); positions increase, 0-based.

    Raises:
        ValueError: An empty or too long sequence, a letter that is no IUPAC code, an unknown name, an organism that
            is not there or not said.
        OutOfMemory: The device is too small; cheaper calls are named.
    """
    encoded = one_hot(sequence)
    around = _around(engine, encoded, interval, options.get("window"))
    placed = around.interval
    request = _request(engine, None, options)
    left, right = placed.start - around.start, around.end - placed.end
    if left or right:
        warnings.warn(
            f"The sequence of {len(encoded):,} bp was set in a window of {around.length:,} bp with {left:,} N before "
            f"and {right:,} N after it. Real flanks would do better: give them, or use predict_interval.",
            GenomekitWarning,
            stacklevel=3,
        )
    padded = np.pad(encoded, ((left, right), (0, 0)))
    place = {
        "chrom": placed.chrom if interval is not None else "",
        "assembly": "",
        "pad_left": left,
        "pad_right": right,
    }
    return predict_window(engine, padded, around, request, place)


def predict_interval(
    engine: Engine,
    interval: Interval | str,
    *,
    genome: AnyGenome,
    **options: Unpack[Options],
) -> xr.DataTree:
    """Predict an interval of a genome from its real sequence.

    The window is centered on the interval and filled with its real flanks, N only past the ends of the chromosome; the
    result is the interval asked for. On the minus strand the reverse complement is read and the result mapped back.

    Args:
        engine: The network on a device.
        interval: Where, 0-based half-open, or text such as "chrV:10,000,000-10,016,384".
        genome: A `Genome`, the path of a FASTA, the name of a preset, or one of these per organism.
        **options: See `Model.predict_sequence`.

    Returns:
        A tree, as from `predict_sequence`; junctions are those that lie in the interval whole.

    Raises:
        ValueError: A malformed or too long interval, an unknown chromosome or name, an organism that does not fit the
            genome.
        OutOfMemory: The device is too small; cheaper calls are named.
    """
    found = find_genome(genome, options.get("organism"))
    request = _request(engine, found, options)
    return _predict_on(engine, choose_window(engine, interval, found, options.get("window")), found, request)


def predict_intervals(
    engine: Engine,
    intervals: Iterable[Interval | str] | pd.DataFrame,
    *,
    genome: AnyGenome,
    **options: Unpack[Options],
) -> Iterator[xr.DataTree]:
    """Predict many intervals, one tree each, computed when it is asked for.

    Everything is checked before the first one is computed. Keep or save each tree before asking for the next where
    memory is short. A bar appears after a few seconds.

    Args:
        engine: The network on a device.
        intervals: Intervals or texts, or a table with columns chrom, start, end and optionally strand and name.
        genome: See `predict_interval`.
        **options: See `Model.predict_sequence`.

    Returns:
        An iterator of trees, in the order of the intervals.

    Raises:
        ValueError: As `predict_interval`; the number of the interval is named.
    """
    found = find_genome(genome, options.get("organism"))
    request = _request(engine, found, options)
    windows = []
    for number, interval in enumerate(listed(intervals)):
        try:
            windows.append(choose_window(engine, interval, found, options.get("window")))
        except ValueError as error:
            raise type(error)(f"Interval number {number} (counted from 0): {error}") from error
    bar = tqdm(windows, unit="interval", delay=3, disable=len(windows) < 2)
    return (_predict_on(engine, around, found, request) for around in bar)


def _request(engine: Engine, genome: Genome | None, options: Options) -> Request:
    """Settle the organism and choose its tracks."""
    return make_request(engine, find_own_organism(engine, options.get("organism"), genome), options)


def listed(intervals: Any) -> list[Interval | str]:
    """Take intervals out of a table, a list, or a single one."""
    if isinstance(intervals, pd.DataFrame):
        return [Interval.from_dict(row) for row in intervals.to_dict("records")]
    return [intervals] if isinstance(intervals, (str, Interval)) else list(intervals)


def place_sequence(engine: Engine, sequence: Any, interval: Interval | str | None, length: int | None) -> Window:
    """Choose the window of a bare sequence: of its own length where that is supported, else the next longer one."""
    return _around(engine, one_hot(sequence), interval, length)


def _around(engine: Engine, encoded: np.ndarray, interval: Interval | str | None, length: int | None) -> Window:
    lengths = engine.config.lengths
    placed = _place(encoded, interval, lengths)
    # N are no real neighbours, so no more of them are read than the next supported length asks for.
    shortest = next(known for known in sorted(lengths) if known >= len(encoded))
    return Window.around(placed, lengths=lengths, default=shortest, length=length)


def _place(encoded: np.ndarray, interval: Interval | str | None, lengths: Iterable[int]) -> Interval:
    """Check the length of a sequence, and find where it lies."""
    length, longest = len(encoded), max(lengths)
    if length == 0:
        raise ValueError("The sequence is empty; give at least one letter.")
    if length > longest:
        raise ValueError(
            f"The sequence has {length:,} bp and the longest window is {longest:,} bp. Tile it: cut it into shorter "
            "pieces that overlap, or write it to a FASTA and give its intervals to predict_intervals."
        )
    if interval is None:
        return Interval("sequence", 0, length, "+")
    placed = Interval.parse(interval)
    if placed.width != length:
        raise ValueError(
            f"The interval {placed} has {placed.width:,} bp and the sequence {length:,}; give them one length."
        )
    return placed


def choose_window(
    engine: Engine, interval: Interval | str, genome: Genome, length: int | None, default: int | None = None
) -> Window:
    """Choose the window of an interval on a chromosome that exists.

    Args:
        engine: The network on a device.
        interval: Where.
        genome: Its genome.
        length: bp, one of the supported lengths; None is the default, or the next longer.
        default: bp; None is the checkpoint's.
    """
    asked, config = genome.locate(interval), engine.config
    known = genome.chroms[asked.chrom]
    outside = max(0, -asked.start) + max(0, asked.end - known)
    if 0 < outside < asked.width:
        warnings.warn(
            f"{outside:,} of the {asked.width:,} bp asked for lie past the ends of {asked.chrom} (0 to {known:,}): "
            "N is read there, and what is predicted there means nothing.",
            GenomekitWarning,
            stacklevel=4,
        )
    default = config.default_length if default is None else default
    return Window.around(asked, lengths=config.lengths, default=default, length=length, chrom_length=known)


def place_of(window: Window, genome: Genome) -> dict[str, Any]:
    """Say where a window lies, for the attributes of a result."""
    return {
        "chrom": window.chrom,
        "chrom_length": genome.chroms[window.chrom],
        "assembly": genome.assembly or "",
        "pad_left": window.pad_left,
        "pad_right": window.pad_right,
    }


def encode_letters(letters: str, start: int, chrom: str, genome: Genome) -> np.ndarray:
    """Encode letters of a genome; an error names the genome and the place."""
    try:
        return one_hot(letters)
    except ValueError as error:
        raise ValueError(f"In {genome!r}, positions counted from {chrom}:{start}: {error}") from None


def _predict_on(engine: Engine, window: Window, genome: Genome, request: Request) -> xr.DataTree:
    letters = genome.sequence(Interval(window.chrom, window.start, window.end))
    encoded = encode_letters(letters, window.start, window.chrom, genome)
    return predict_window(engine, encoded, window, request, place_of(window, genome))
