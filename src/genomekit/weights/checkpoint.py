"""`Checkpoint`: a loaded network with everything that is known about it, and the checks each layout shares."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genomekit.nn import ALPHAGENOME, AlphaGenome, NetworkConfig
from genomekit.nn.heads import TrackHead
from genomekit.tracks import TrackTable, published
from genomekit.weights.registry import ALPHAGENOME_LICENCE, ALPHAGENOME_TERMS

_BLOCK = 1 << 24
_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network with its weights, ready to predict, and where it comes from."""

    name: str
    """Name in the registry, or of the file or folder."""
    network: AlphaGenome
    """In eval mode, on the CPU; tensors may be memory-mapped from the file, which then must not be changed."""
    config: NetworkConfig
    tracks: TrackTable
    """What each channel of each head is."""
    path: Path
    """File or folder it was read from."""
    layout: str
    """"genomekit", "official" or "genomicsxai"."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Where the weights come from: JSON values."""
    licence: str = ""
    terms: str = ""
    """Terms of use that results must carry along; "" where the licence has none."""
    hash_source: Callable[[], str] = field(default=str, repr=False)
    """Gives `weight_hash`; called once, when it is first asked for."""
    read_again: Callable[[], AlphaGenome] | None = field(default=None, repr=False)
    """Gives `network` anew after `release`; None where it is nowhere on disk."""

    def release(self) -> None:
        """Let go of the network, which is read from disk again when it is next asked for.

        An engine has constants of its own; the weights they came from would lie in memory beside them. Nothing happens
        where the network is nowhere on disk.
        """
        if self.read_again is not None:
            self.__dict__.pop("network", None)

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is not there: the network after `release`.
        if name != "network" or self.read_again is None:
            raise AttributeError(f"Checkpoint has no {name!r}.")
        object.__setattr__(self, "network", self.read_again())
        return self.__dict__["network"]

    @property
    def organisms(self) -> tuple[str, ...]:
        """Names in the order of the network's organism index."""
        return self.config.organisms

    @cached_property
    def weight_hash(self) -> str:
        """SHA-256, 64 hex digits.

        In our own layout it stands in the file. For the other layouts it is that of the files on disk, read when
        first asked for.
        """
        return self.hash_source()


def assemble(config: NetworkConfig, tracks: TrackTable, state: Mapping[str, Tensor], *, where: str) -> AlphaGenome:
    """Build a network around tensors that are already in memory or mapped; none is copied.

    Args:
        config: Sizes.
        tracks: Its track table; gives the track means.
        state: Every entry of the network's state dict, by our names, float32.
        where: What to call the source in errors.

    Returns:
        The network in eval mode.

    Raises:
        ValueError: Entries are missing, unknown or of another shape, or the track table does not fit the heads.
    """
    network = skeleton(config)
    check_shapes({name: tuple(tensor.shape) for name, tensor in state.items()}, network, where=where)
    check_tracks(config, tracks, where=where)
    network.load_state_dict(dict(state), assign=True)
    for head in network.heads.values():
        if isinstance(head, TrackHead):
            # Not part of a state dict, so still without storage.
            head.track_mean = torch.ones(head.track_mean.shape)
    kinds = {head.modality: head.kind for head in config.heads}
    network.set_track_means({n: torch.from_numpy(tracks.means(n)) for n in tracks.modalities if kinds[n] == "track"})
    return network.eval()


def published_checkpoint(
    state: Mapping[str, Tensor], path: Path, *, name: str, layout: str, written_as: str
) -> Checkpoint:
    """Wrap tensors of the published network, whatever layout they were read from.

    Args:
        state: Every entry of the network's state dict, by our names, float32.
        path: File or folder they were read from; the hash is that of what lies there.
        name: Name of the checkpoint.
        layout: Layout as `Checkpoint.layout` has it.
        written_as: Layout in words, for the provenance.
    """
    tracks = published()
    return Checkpoint(
        name=name,
        network=assemble(ALPHAGENOME, tracks, state, where=str(path)),
        config=ALPHAGENOME,
        tracks=tracks,
        path=path,
        layout=layout,
        provenance={"source": "AlphaGenome, Google DeepMind", "layout": written_as},
        licence=ALPHAGENOME_LICENCE,
        terms=ALPHAGENOME_TERMS,
        hash_source=lambda: file_hash(path),
    )


def skeleton(config: NetworkConfig) -> AlphaGenome:
    """Build a network of shapes only: it takes no memory and no time to initialise."""
    with torch.device("meta"):
        return AlphaGenome(config)


def check_shapes(
    found: Mapping[str, tuple[int, ...]],
    network: AlphaGenome,
    *,
    where: str,
    called: Callable[[str], str] = str,
) -> None:
    """Compare names and shapes with what the network needs.

    Args:
        found: Shape by our name.
        network: What they are for.
        where: What to call the source in errors.
        called: Turns our name into the one the source uses.

    Raises:
        ValueError: The text names the entries and gives the expected shapes.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    organisms = network.config.organisms
    table = found.get("organism.weight")
    if table and table[0] != len(organisms):
        raise ValueError(
            f"{where} has weights for {table[0]} organisms ({called('organism.weight')} is {table}); expected "
            f"{len(organisms)}: {', '.join(organisms)}."
        )
    missing = [f"{called(name)} {expected[name]}" for name in expected if name not in found]
    if missing:
        raise ValueError(
            f"{where} lacks {len(missing)} of the {len(expected)} entries of this network: {_listed(missing)}. "
            "It is incomplete or of another model; fetch it again."
        )
    extra = [called(name) for name in found if name not in expected]
    if extra:
        raise ValueError(
            f"{where} has {len(extra)} entries that this network of {len(expected)} entries does not have: "
            f"{_listed(extra)}. It is of another model."
        )
    wrong = [
        f"{called(name)} is {found[name]}, expected {shape}" for name, shape in expected.items() if found[name] != shape
    ]
    if wrong:
        raise ValueError(
            f"{where} has {len(wrong)} entries of another shape: {_listed(wrong)}. It is of another model."
        )


def check_tracks(config: NetworkConfig, tracks: TrackTable, *, where: str) -> None:
    """Check that a track table describes the heads of a network.

    Raises:
        ValueError: Organisms, modalities, kinds of head or widths differ.
    """
    if tracks.organisms != config.organisms:
        raise ValueError(
            f"{where}: the track table is for the organisms {list(tracks.organisms)}, the network for "
            f"{list(config.organisms)}; they must be the same, in the same order."
        )
    heads = {head.modality: head for head in config.heads}
    for name, modality in tracks.modalities.items():
        if name not in heads:
            raise ValueError(f"{where}: the track table has {name!r}, but the network has only {', '.join(heads)}.")
        wanted, got = (heads[name].kind, heads[name].channels), (modality.head_kind, tracks.widths[name])
        if wanted != got:
            raise ValueError(
                f"{where}: the track table describes {name!r} as a {got[0]} head of {got[1]} channels, "
                f"the network has a {wanted[0]} head of {wanted[1]}."
            )


def state_hash(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 over names, dtypes, shapes and bytes; the order of the entries does not matter.

    Example:
        >>> one, two = torch.zeros(2), torch.ones(3)
        >>> state_hash({"a": one, "b": two}) == state_hash({"b": two, "a": one})
        True
    """

    def line(name: str) -> str:
        tensor = state[name].detach().cpu().contiguous()
        data = tensor.reshape(-1).view(torch.uint8).numpy().data
        return f"{name} {tensor.dtype} {tuple(tensor.shape)} {hashlib.sha256(data).hexdigest()}\n"

    with ThreadPoolExecutor() as pool:  # hashlib lets other threads run while it works
        return hashlib.sha256("".join(pool.map(line, sorted(state))).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or over the relative names and hashes of all files of a folder."""
    if path.is_file():
        return _digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(_digest, files))
    lines = (f"{file.relative_to(path).as_posix()} {digest}\n" for file, digest in zip(files, digests, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _listed(names: Iterable[str]) -> str:
    """The first few, and how many more."""
    names = list(names)
    return "; ".join(names[:_SHOWN]) + (f"; and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
