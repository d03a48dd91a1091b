"""One full pass over a window in tiles: what each modality was asked for, and nothing of the window at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.engine.device import empty
from genomekit.engine.held import Window
from genomekit.engine.junctions import JunctionReader, SiteKeeper
from genomekit.engine.ladder import Encoding, decode
from genomekit.engine.prepared import Prepared, TokenShare, spread
from genomekit.engine.readout import Reader
from genomekit.engine.rows import Span
from genomekit.nn.config import BIN, PAIR_BIN

BASES = 8192
"""Positions decoded at a time."""

READ = 2048
"""Positions embedded and read by heads at a time."""

Sources: TypeAlias = Mapping[int, tuple[int, int]] | None


class Ask(NamedTuple):
    """What to read of one modality."""

    kind: str
    """Kind of its head."""
    channels: tuple[int, ...] | None
    """Channels (for junctions: tissues) in the order wanted; None is all."""
    resolution: int
    """bp per bin."""
    bins: slice = slice(None)
    """Bins to return; junctions are those of the whole window."""


class JunctionCounts(NamedTuple):
    """What the junction head gives for a window; pairs of sites that are not in the order of an intron mean nothing."""

    counts: Float[Tensor, "both donor acceptor"]
    """The asked tissues on +, then the same on -."""
    sites: Int[Tensor, "4 site"]
    """Ascending positions of donor+, acceptor+, donor-, acceptor-; -1 past the last."""


def run(
    prepared: Prepared,
    dna: Float[Tensor, "1 base 4"],
    organism: int,
    asked: Mapping[str, Ask],
    *,
    sites: Int[Tensor, "4 site"] | None = None,
    sources: Sources = None,
    kept: int = 0,
    window: Window | None = None,
    hold: Callable[[Window], None] | None = None,
) -> Iterator[tuple[str, Tensor | JunctionCounts]]:
    """Predict a window.

    Args:
        prepared: The network.
        dna: One-hot of the window, on the device.
        organism: Index of the organism.
        asked: What to read, by modality.
        sites: Splice sites to pair; None takes them from the classification head.
        sources: Where the embedding of a given site is read, by position: the largest values from a first position up
            to a last one, or zeros where there is none. None reads it at the site.
        kept: Finest level whose skip stays in memory (see `Encoding`).
        window: The same window after the transformer, where it was held: no contact map can be read then.
        hold: Is given the window after the transformer, if anything finer than contact maps is read.

    Yields:
        Modality and its values on the host, float32 or wider: (bin, track), (bin1, bin2, track), or junction counts.
    """
    fine = {name: ask for name, ask in asked.items() if ask.resolution == 1}
    coarse = {name: ask for name, ask in asked.items() if ask.resolution == BIN}
    pairs = {name: ask for name, ask in asked.items() if ask.resolution == PAIR_BIN}
    if window is None:
        encoding = Encoding(prepared.ladder, dna.to(prepared.dtype), kept, skips=bool(fine))
        tokens, pair = prepared.trunk(encoding.tokens, organism, tokens_needed=bool(fine or coarse))
        for name, ask in pairs.items():
            read = prepared.reader(name, organism, ask.channels, PAIR_BIN)
            yield name, _read_pairs(prepared, pair, organism, read, ask.bins)
        del pair
        if tokens is None:
            return
        if hold is not None:
            hold(Window(encoding, tokens))
    else:
        encoding, tokens = window
    share = prepared.share(tokens, organism, base=bool(fine))
    for name, ask in coarse.items():
        read = prepared.reader(name, organism, ask.channels, BIN)
        yield name, torch.cat([_host(read(part))[0] for part in share.embedding[:, ask.bins].split(READ, 1)])
    if fine:
        yield from _read_bases(prepared, encoding, tokens, share, organism, fine, sites, sources)


def _read_pairs(prepared: Prepared, pair: Tensor, organism: int, read: Reader, bins: slice) -> Tensor:
    """Read the contact map of some bins, which may be cut before the symmetric embedding."""
    cut = pair[:, bins, bins]
    return _host(read(prepared.embed_pair(cut, organism)))[0]


def _read_bases(
    prepared: Prepared,
    encoding: Encoding,
    tokens: Tensor,
    share: TokenShare,
    organism: int,
    asked: Mapping[str, Ask],
    sites: Tensor | None,
    sources: Sources,
) -> Iterator[tuple[str, Tensor | JunctionCounts]]:
    """Decode tile by tile, read every 1 bp head on it, and forget it."""
    length = encoding.length
    out: dict[str, Tensor] = {}
    reads: dict[str, Any] = {}
    wanted: dict[str, range] = {}
    keepers: dict[str, SiteKeeper] = {}
    for name, ask in asked.items():
        reads[name] = prepared.reader(name, organism, ask.channels, 1)
        if ask.kind == "splice_junction":
            keepers[name] = SiteKeeper(prepared.config.max_splice_sites, prepared.config.splice_threshold)
            continue
        first, stop, _ = ask.bins.indices(length)
        wanted[name] = range(first, max(first, stop))
        out[name] = empty((len(wanted[name]), reads[name].width), prepared.wide)
    given = None if sites is None else _spans(sites, sources)
    classes = None
    if keepers and given is None:
        name = next(head.modality for head in prepared.config.heads if head.kind == "splice_class")
        classes = prepared.reader(name, organism, None, 1)
    found: dict[str, dict[int, Tensor]] = {name: {} for name in keepers}
    # Of sites alone, little around each is decoded.
    tile = BASES if wanted or classes is not None else READ
    for first in range(0, length, tile):
        stop = min(first + tile, length)
        if not _is_read(first, stop, wanted.values(), given, classes is not None):
            continue
        decoded = decode(prepared.ladder, encoding, tokens, Span.one(first, stop, length))
        for a in range(first, stop, READ):
            b = min(a + READ, stop)
            if not _is_read(a, b, wanted.values(), given, classes is not None):
                continue
            assert share.base is not None
            added = spread(share.base[:, a // BIN : -(-b // BIN)])
            embedding = prepared.embed_base(decoded[:, a - first : b - first], added)
            for name, rows in wanted.items():
                low, high = max(a, rows.start), min(b, rows.stop)
                if low < high:
                    out[name][low - rows.start : high - rows.start] = reads[name](embedding[:, low - a : high - a])[0]
            for name, keeper in keepers.items():
                if classes is not None:
                    keeper.see(classes(embedding)[0], embedding[0], a)
                elif given:
                    _see(found[name], given, embedding[0], a)
    yield from out.items()
    for name, keeper in keepers.items():
        positions, embeddings = keeper.sites, keeper.embeddings
        if sites is not None:
            positions = [row[row >= 0] for row in sites]
            none = share.embedding.new_zeros(len(reads[name].weight))
            rows = [[found[name].get(p, none) for p in row.tolist()] for row in positions]
            embeddings = [torch.stack(row) if row else none[None][:0] for row in rows]
        yield name, _count(reads[name], embeddings, positions)


def _count(reader: JunctionReader, embeddings: list[Tensor], sites: list[Tensor]) -> JunctionCounts:
    most = max(len(row) for row in sites)
    table = torch.full((4, most), -1, dtype=torch.long)
    for kind, row in enumerate(sites):
        table[kind, : len(row)] = row
    return JunctionCounts(_host(reader.counts([reader.hidden(there) for there in embeddings], sites)), table)


def _spans(sites: Tensor, sources: Sources) -> dict[int, tuple[int, int]]:
    """Return where each site is read: a first position and the one past the last."""
    known = sorted({int(site) for site in sites.flatten() if site >= 0})
    return {site: (site, site + 1) if sources is None else sources[site] for site in known}


def _see(found: dict[int, Tensor], spans: Mapping[int, tuple[int, int]], embedding: Tensor, a: int) -> None:
    """Keep the largest values of the spans that lie in the rows from position `a` on."""
    b = a + len(embedding)
    for site, (first, last) in spans.items():
        first, last = max(first, a), min(last, b)
        if first < last:
            most = embedding[first - a : last - a].amax(0)
            found[site] = torch.maximum(found[site], most) if site in found else most


def _is_read(
    first: int,
    stop: int,
    wanted: Iterable[range],
    sites: Mapping[int, tuple[int, int]] | None,
    all_of_it: bool,
) -> bool:
    """Whether anything is asked of these positions."""
    if all_of_it or any(first < rows.stop and rows.start < stop and len(rows) for rows in wanted):
        return True
    return any(one < stop and first < two for one, two in (sites or {}).values())


def _host(values: Tensor) -> Tensor:
    return values.to("cpu")
