"""The engine: one network on one device, run stage by stage, and nothing copied that was not asked for."""

import functools
import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.engine.cost import LEVELS, Asked, Cost, prediction
from genomekit.engine.device import choose_device, choose_precision, free_memory, release
from genomekit.engine.held import Held
from genomekit.engine.incremental import Reference
from genomekit.engine.memory import cheaper, first_line, is_out_of_memory
from genomekit.engine.passes import Ask, JunctionCounts, Sources, run
from genomekit.engine.plan import Speed, parse_bytes, spell_bytes
from genomekit.engine.prepared import Prepared
from genomekit.errors import OutOfMemory, unknown
from genomekit.nn import AlphaGenome, NetworkConfig
from genomekit.nn.config import PAIR_BIN
from genomekit.tracks import TrackTable

Result = TypeVar("Result")

_OF_FREE = 0.95
"""Of what a device has free, what a call may use where no budget is given."""


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
        memory_budget: Memory that a call may use beyond what the idle process has, in bytes or as text ("8 GB"); None
            is what the device has free. Results do not depend on it.

    Raises:
        ValueError: The device or type is not there, or the budget is no amount.
    """

    def __init__(
        self,
        checkpoint: Weights,
        device: str | torch.device = "auto",
        precision: str | torch.dtype = "auto",
        memory_budget: int | float | str | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.memory_budget = parse_bytes(memory_budget)
        self.asked = str(device), str(precision)  # another machine may choose otherwise
        self.device = choose_device(device)
        self.dtype = choose_precision(precision, self.device)
        try:
            self.prepared = Prepared(checkpoint.network, self.device, self.dtype)
            checkpoint.release()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemory(
                f"The weights do not fit on {self.device}: {first_line(error)}. Use device='cpu'."
            ) from None

        self.speed = Speed(self.device, self.dtype, self.config.channels)

    @property
    def config(self) -> NetworkConfig:
        """Sizes of the network."""
        return self.checkpoint.config

    @property
    def budget(self) -> int | None:
        """Bytes that a call may use; None where it cannot be known."""
        if self.memory_budget is not None:
            return self.memory_budget
        free = free_memory(self.device)
        return None if free is None else int(_OF_FREE * free)

    def cost(self, length: int, channels: Mapping[str, np.ndarray], bins: Mapping[str, slice]) -> tuple[Cost, int]:
        """Say what a prediction costs, and which levels of the encoder (from 1 bp on) it computes twice to fit.

        Args:
            length: bp of the window.
            channels: See `predict`.
            bins: See `predict`.
        """
        asked = []
        for name, kept in channels.items():
            modality = self.tracks.modalities[name]
            total = length // modality.resolution
            first, stop, _ = bins.get(name, slice(None)).indices(total)
            asked.append(Asked(modality.head_kind, modality.resolution, len(kept), max(stop - first, 0)))
        costs = [prediction(self.config, length, asked, self.dtype, kept) for kept in range(LEVELS)]
        budget = self.budget
        fitting = [kept for kept, one in enumerate(costs) if budget is None or one.bytes <= budget]
        kept = fitting[0] if fitting else min(range(LEVELS), key=lambda kept: costs[kept].bytes)
        return costs[kept], kept

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
        sources: Sources = None,
        held: tuple[Held, Hashable] | None = None,
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
            sources: Where the sites are read, if not at their own positions; see `passes.run`.
            held: Windows held for a second reading, and the name of this one: what is there is not computed again,
                and what is not is held where memory allows.

        Returns:
            Modality to a float32 array, (bin, track) or (bin1, bin2, track); for junctions a `Junctions`.

        Raises:
            FloatingPointError: A head gave NaN or infinity; it is named.
            OutOfMemory: The device is too small; cheaper calls are named.
        """
        length, names = len(encoded), list(channels)
        dna = self.dna(encoded)
        cost, kept = self.cost(length, channels, bins or {})
        passed: dict[str, Any] = {"sites": sites, "sources": sources, "kept": kept}
        if held is not None:
            windows, name = held
            budget = self.budget
            # What is free does not count what is held, a budget that was given does.
            taken = cost.bytes + (0 if self.memory_budget is None else windows.bytes)
            room = math.inf if budget is None else budget - taken
            if room < 0:
                windows.drop()
            passed["window"] = windows.get(name)
            passed["hold"] = functools.partial(windows.offer, name, room=room)
        again = passed.get("window") is not None
        if not again:
            self.require(cost, length, names)
        begin = time.perf_counter()
        found = self.within_memory(lambda: self._predict(dna, organism, channels, bins or {}, passed), length, names)
        if not again:  # else it was less than a pass
            self.speed.saw(cost.flops, time.perf_counter() - begin)
        return found

    def require(self, cost: Cost, length: int, names: Sequence[str]) -> None:
        """Refuse a call that needs more than the budget.

        Raises:
            OutOfMemory: It does; cheaper calls are named.
        """
        budget = self.budget
        if budget is not None and cost.bytes > budget:
            reason = f"about {spell_bytes(cost.bytes)} are needed and {spell_bytes(budget)} may be used"
            raise OutOfMemory(self._cheaper(reason, length, names))

    def reference(
        self,
        encoded: Float[np.ndarray, "position 4"],
        organism: str,
        region: tuple[int, int] | None = None,
        batch: int | None = None,
    ) -> Reference:
        """Encode a window once, for any number of edits of it.

        Args:
            encoded: One-hot of the window.
            organism: Whose heads to read.
            region: First base and the one past the last of what is edited or read at 1 bp; None is the whole window.
            batch: Edits that will be read together; None is as many as keep the device busy.
        """
        with torch.no_grad():
            return Reference(
                self.prepared, self.dna(encoded), self.organism_index(organism), region, kept=0, batch=batch
            )

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
            if not is_out_of_memory(error):
                raise
            reason = first_line(error)
        # Outside the except block: the traceback would hold the tensors that filled the memory.
        release(self.device)
        raise OutOfMemory(self._cheaper(reason, length, names))

    def _predict(
        self,
        dna: Tensor,
        organism: str,
        channels: Mapping[str, np.ndarray],
        bins: Mapping[str, slice],
        passed: Mapping[str, Any],
    ) -> dict[str, Any]:
        asked = {name: self._ask(name, chosen, bins.get(name, slice(None))) for name, chosen in channels.items()}
        sites = passed["sites"]
        paired = None if sites is None else torch.from_numpy(np.ascontiguousarray(sites)).to(self.device)
        found: dict[str, Any] = {}
        with torch.no_grad():
            options = {**passed, "sites": paired}
            for name, values in run(self.prepared, dna, self.organism_index(organism), asked, **options):
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

    def _cheaper(self, reason: str, length: int, names: Sequence[str]) -> str:
        budgeted = self.memory_budget is not None
        return cheaper(reason, self.config, self.device, self.dtype, length, names, budgeted)


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
