"""The engine: one network on one device, run stage by stage, and nothing copied that was not asked for."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.engine.device import choose_device, choose_precision, release
from genomekit.engine.incremental import Reference
from genomekit.engine.passes import Ask, JunctionCounts, run
from genomekit.engine.prepared import Prepared
from genomekit.errors import OutOfMemory, unknown
from genomekit.nn import AlphaGenome, NetworkConfig
from genomekit.nn.config import PAIR_BIN
from genomekit.tracks import TrackTable

Result = TypeVar("Result")


@runtime_checkable
class Weights(Protocol):
    """What is read of a checkpoint, by the engine and for the provenance of its results."""

    @property
    def network(self) -> AlphaGenome:
        """The network, weights loaded."""
        ...

    def release(self) -> None:
        """Let go of the network where it can be read again."""
        ...

    @property
    def config(self) -> NetworkConfig:
        """Its sizes."""
        ...

    @property
    def tracks(self) -> TrackTable:
        """What each of its channels is."""
        ...

    @property
    def name(self) -> str:
        """Name of the checkpoint."""
        ...

    @property
    def weight_hash(self) -> Any:
        """Hash of the weights, text; Any, so that a property that is cached will do."""
        ...

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the weights come from."""
        ...

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        ...

    @property
    def terms(self) -> str:
        """Terms of use, beyond the licence, of the weights and of what they predict."""
        ...


class Junctions(NamedTuple):
    """What the junction head gives for one window."""

    predictions: Float[np.ndarray, "donor acceptor both"]
    """Counts: the asked tissues on +, then the same on -."""
    sites: Int[np.ndarray, "4 site"]
    """0-based positions in the window of donor+, acceptor+, donor-, acceptor-; -1 past the last."""


class Engine:
    """A network ready to run.

    `predict` reads one window and gives back arrays. The constants of inference are prepared once, on the device
    (`prepared`); what is changed in the network afterwards has no effect.

    Args:
        checkpoint: Network, configuration, track table and name, as `weights.load` gives them.
        device: "auto", "cpu", "cuda", "mps", ...
        precision: "auto", "float32", "bfloat16", ...; see `choose_precision`.

    Raises:
        ValueError: The device or type is not there.
    """

    def __init__(
        self, checkpoint: Weights, device: str | torch.device = "auto", precision: str | torch.dtype = "auto"
    ) -> None:
        self.checkpoint = checkpoint
        self.device = choose_device(device)
        self.dtype = choose_precision(precision, self.device)
        try:
            self.prepared = Prepared(checkpoint.network, self.device, self.dtype)
            checkpoint.release()
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            raise OutOfMemory(
                f"The weights do not fit on {self.device}: {_first_line(error)}. Use device='cpu'."
            ) from None

    @property
    def config(self) -> NetworkConfig:
        """Sizes of the network."""
        return self.checkpoint.config

    @property
    def tracks(self) -> TrackTable:
        """Every track of the network."""
        return self.checkpoint.tracks

    @property
    def organisms(self) -> tuple[str, ...]:
        """Organisms in the order of the network's index."""
        return self.config.organisms

    def organism_index(self, organism: str) -> int:
        """Return the index of an organism.

        Raises:
            ValueError: The network does not have it.
        """
        if organism not in self.organisms:
            raise unknown("organism", organism, self.organisms)
        return self.organisms.index(organism)

    def dna(self, encoded: Float[np.ndarray, "position 4"]) -> Float[Tensor, "1 position 4"]:
        """Put a one-hot sequence on the device as a batch of one."""
        length = len(encoded)
        if length % PAIR_BIN or not 0 < length <= self.config.max_length:
            raise ValueError(
                f"A window of {length} bp came; allowed are multiples of {PAIR_BIN} up to {self.config.max_length}. "
                "Pad the sequence with N (zeros) on both sides."
            )
        return torch.from_numpy(np.ascontiguousarray(encoded)).to(self.device, self.dtype)[None]

    def predict(
        self,
        encoded: Float[np.ndarray, "position 4"],
        organism: str,
        channels: Mapping[str, np.ndarray],
        bins: Mapping[str, slice] | None = None,
        sites: Int[np.ndarray, "4 site"] | None = None,
    ) -> dict[str, Any]:
        """Predict the asked channels of one window.

        Only the asked heads run, at the resolution of their modality, on the asked channels and bins; nothing else
        leaves the device.

        Args:
            encoded: One-hot of the window.
            organism: Whose heads to read.
            channels: Modality to the channels wanted, in the order wanted (for junctions: tissues).
            bins: Modality to the bins to keep, default all. Junctions are always those of the whole window.
            sites: Splice sites to pair; None takes them from the classification head.

        Returns:
            Modality to a float32 array, (bin, track) or (bin1, bin2, track); for junctions a `Junctions`.

        Raises:
            FloatingPointError: A head gave NaN or infinity; it is named.
            OutOfMemory: The device is too small; cheaper calls are named.
        """
        return self.within_memory(
            lambda: self._predict(encoded, organism, channels, bins or {}, sites), len(encoded), list(channels)
        )

    def reference(
        self, encoded: Float[np.ndarray, "position 4"], organism: str, region: tuple[int, int] | None = None
    ) -> Reference:
        """Encode a window once, for any number of edits of it.

        Args:
            encoded: One-hot of the window.
            organism: Whose heads to read.
            region: First base and the one past the last of what is edited or read at 1 bp; None is the whole window.
        """
        with torch.no_grad():
            return Reference(self.prepared, self.dna(encoded), self.organism_index(organism), region)

    def within_memory(self, call: Callable[[], Result], length: int, names: Sequence[str]) -> Result:
        """Run something on the device; when its memory is not enough, say what would be cheaper.

        Args:
            call: What to run.
            length: bp of the window.
            names: Modalities asked for.

        Raises:
            OutOfMemory: The device is too small; cheaper calls are named.
        """
        try:
            return call()
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            reason = _first_line(error)
        # Outside the except block: the traceback would hold the tensors that filled the memory.
        release(self.device)
        raise OutOfMemory(self._cheaper(reason, length, list(names)))

    def _predict(
        self,
        encoded: np.ndarray,
        organism: str,
        channels: Mapping[str, np.ndarray],
        bins: Mapping[str, slice],
        sites: np.ndarray | None,
    ) -> dict[str, Any]:
        asked = {name: self._ask(name, kept, bins.get(name, slice(None))) for name, kept in channels.items()}
        chosen = None if sites is None else torch.from_numpy(np.ascontiguousarray(sites)).to(self.device)
        found: dict[str, Any] = {}
        with torch.no_grad():
            for name, values in run(
                self.prepared, self.dna(encoded), self.organism_index(organism), asked, sites=chosen
            ):
                if isinstance(values, JunctionCounts):
                    counts = np.moveaxis(self.checked(values.counts, name), 0, -1)
                    found[name] = Junctions(counts, values.sites.numpy())
                else:
                    found[name] = self.checked(values, name)
        return {name: found[name] for name in channels}

    def _ask(self, name: str, channels: np.ndarray, bins: slice) -> Ask:
        """Say in the terms of the pass what was asked of a modality."""
        modality = self.tracks.modalities[name]
        return Ask(modality.head_kind, tuple(np.asarray(channels).tolist()), modality.resolution, bins)

    def checked(self, values: Tensor, name: str) -> Float[np.ndarray, "..."]:
        """Copy values to the host as float32, unless one of them is no finite number."""
        if values.numel() and not all(math.isfinite(extreme) for extreme in torch.stack(values.aminmax()).tolist()):
            wider = " Run it with precision='float32'." if self.dtype in (torch.bfloat16, torch.float16) else ""
            raise FloatingPointError(
                f"Head {name!r} of {self.checkpoint.name!r} gave NaN or infinity in {_plain(self.dtype)} on "
                f"{self.device}; predictions must be finite numbers.{wider} If it persists, check the device with "
                "`genomekit doctor` and the weights with a fresh copy."
            )
        return values.float().cpu().numpy()

    def _cheaper(self, reason: str, length: int, names: list[str]) -> str:
        """Write the out-of-memory text: the three changes that save most, cheapest first."""
        changes = []
        fine = [name for name in names if min(self.config.head(name).resolutions) == 1]
        if fine and len(fine) < len(names):
            changes.append(f"leave out the 1 bp modalities ({', '.join(fine)}): the decoder then does not run")
        if shorter := [known for known in self.config.lengths if known < length]:
            changes.append(f"a shorter window, such as window={shorter[-1]}")
        if self.dtype != torch.bfloat16:
            changes.append("precision='bfloat16', half the memory")
        changes.append("fewer modalities or tracks (tracks=, biosample=, ...), or a shorter interval")
        if self.device.type != "cpu":
            changes.append("device='cpu', slower")
        listed = "; ".join(f"({number}) {change}" for number, change in enumerate(changes[:3], 1))
        return (
            f"A window of {length:,} bp with {len(names)} modalities does not fit in the memory of {self.device} in "
            f"{_plain(self.dtype)} ({reason}). Cheaper: {listed}."
        )


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # The CPU and MPS allocators raise a plain RuntimeError.
    return any(text in str(error) for text in ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED"))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
