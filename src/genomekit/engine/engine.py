"""The engine: one network on one device, run stage by stage, and nothing copied that was not asked for."""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.engine.device import autocast, choose_device, choose_precision, release
from genomekit.errors import OutOfMemory, unknown
from genomekit.nn import AlphaGenome, Embeddings, Encoded, NetworkConfig, Trunk
from genomekit.nn.config import BIN
from genomekit.tracks import TrackTable


@runtime_checkable
class Weights(Protocol):
    """What is read of a checkpoint, by the engine and for the provenance of its results."""

    @property
    def network(self) -> AlphaGenome:
        """The network, weights loaded."""
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

    `encode`, `trunk`, `decode`, `embed` and `heads` are the stages, on tensors of the device; `predict` runs them all
    for one window and gives back arrays. The network is moved to the device and put into evaluation mode.

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
        wide = torch.float64 if self.dtype == torch.float64 else torch.float32
        try:
            self.network = checkpoint.network.to(self.device, wide).eval()
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

    def organism_index(self, organism: str) -> Int[Tensor, " batch"]:
        """Return the index of an organism as a tensor of one element, on the device.

        Raises:
            ValueError: The network does not have it.
        """
        if organism not in self.organisms:
            raise unknown("organism", organism, self.organisms)
        return torch.tensor([self.organisms.index(organism)], device=self.device)

    def dna(self, encoded: Float[np.ndarray, "position 4"]) -> Float[Tensor, "1 position 4"]:
        """Put a one-hot sequence on the device as a batch of one."""
        wide = torch.float64 if self.dtype == torch.float64 else torch.float32
        return torch.from_numpy(np.ascontiguousarray(encoded)).to(self.device, wide)[None]

    def encode(self, dna: Float[Tensor, "batch position 4"]) -> Encoded:
        """Run the encoder: bases to tokens and skips."""
        with self._running():
            return self.network.encode(dna)

    def trunk(self, tokens: Float[Tensor, "batch token channel"], organism: Int[Tensor, " batch"]) -> Trunk:
        """Run the transformer: tokens to tokens and pair track."""
        with self._running():
            return self.network.trunk(tokens, organism)

    def decode(
        self, tokens: Float[Tensor, "batch token channel"], skips: list[Tensor]
    ) -> Float[Tensor, "batch position base"]:
        """Run the decoder: tokens and skips back to 1 bp."""
        with self._running():
            return self.network.decode(tokens, skips)

    def embed(
        self,
        trunk: Trunk,
        skips: list[Tensor],
        organism: Int[Tensor, " batch"],
        modalities: Sequence[str] | None = None,
    ) -> Embeddings:
        """Make the embeddings that these modalities read, the decoder included where one of them needs 1 bp."""
        with self._running():
            return self.network.embed(trunk, skips, organism, modalities)

    def heads(
        self,
        embeddings: Embeddings,
        organism: Int[Tensor, " batch"],
        modalities: Sequence[str],
        *,
        channels: Mapping[str, Tensor] | None = None,
        resolutions: Sequence[int] | None = None,
        sites: Int[Tensor, "batch 4 site"] | None = None,
    ) -> dict[str, dict[str, Tensor]]:
        """Run heads on embeddings; the arguments are those of `AlphaGenome.read`."""
        with self._running():
            return self.network.read(
                embeddings, organism, modalities, channels=channels, resolutions=resolutions, sites=sites
            )

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
        try:
            return self._predict(encoded, organism, channels, bins or {}, sites)
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            reason = _first_line(error)
        # Outside the except block: the traceback would hold the tensors that filled the memory.
        release(self.device)
        raise OutOfMemory(self._cheaper(reason, len(encoded), list(channels)))

    def _predict(
        self,
        encoded: np.ndarray,
        organism: str,
        channels: Mapping[str, np.ndarray],
        bins: Mapping[str, slice],
        sites: np.ndarray | None,
    ) -> dict[str, Any]:
        index, names = self.organism_index(organism), list(channels)
        tokens, skips = self.encode(self.dna(encoded))
        trunk = self.trunk(tokens, index)
        del tokens
        embeddings = self.embed(trunk, skips, index, names)
        del trunk, skips
        chosen = None if sites is None else torch.from_numpy(np.ascontiguousarray(sites)).to(self.device)[None]
        out: dict[str, Any] = {}
        for name in names:  # one head at a time, so that only one head's output is on the device
            kept = torch.as_tensor(np.asarray(channels[name], dtype=np.int64), device=self.device)
            modality = self.tracks.modalities[name]
            read = embeddings
            if modality.head_kind != "splice_junction":
                read = _cut(embeddings, bins.get(name, slice(None)), modality.resolution, modality.head_kind)
            tensors = self.heads(
                read, index, [name], channels={name: kept}, resolutions=[modality.resolution], sites=chosen
            )[name]
            key = f"predictions_{modality.resolution}bp" if modality.head_kind == "track" else "predictions"
            values = self._checked(tensors[key][0], name)
            if modality.head_kind == "splice_junction":
                out[name] = Junctions(values, tensors["sites"][0].cpu().numpy())
            else:
                out[name] = values
        return out

    def _checked(self, values: Tensor, name: str) -> Float[np.ndarray, "..."]:
        """Copy values to the host as float32, unless one of them is no finite number."""
        if values.numel() and not all(math.isfinite(extreme) for extreme in torch.stack(values.aminmax()).tolist()):
            wider = " Run it with precision='float32'." if self.dtype in (torch.bfloat16, torch.float16) else ""
            raise FloatingPointError(
                f"Head {name!r} of {self.checkpoint.name!r} gave NaN or infinity in {_plain(self.dtype)} on "
                f"{self.device}; predictions must be finite numbers.{wider} If it persists, check the device with "
                "`genomekit doctor` and the weights with a fresh copy."
            )
        return values.float().cpu().numpy()

    def _running(self) -> ExitStack:
        """Enter inference mode and the precision of this engine."""
        stack = ExitStack()
        stack.enter_context(torch.inference_mode())
        stack.enter_context(autocast(self.device, self.dtype))
        return stack

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


def _cut(embeddings: Embeddings, bins: slice, resolution: int, kind: str) -> Embeddings:
    """Keep the bins that a head shall read: heads are local, so cutting before them saves their memory too."""
    if kind == "contact" and embeddings.pair is not None:
        return Embeddings(None, None, embeddings.pair[:, bins][:, :, bins])
    base = embeddings.base[:, bins] if resolution == 1 and embeddings.base is not None else None
    token = embeddings.token[:, bins] if resolution == BIN and embeddings.token is not None else None
    return Embeddings(base, token, None)


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # The CPU and MPS allocators raise a plain RuntimeError.
    return any(text in str(error) for text in ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED"))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
