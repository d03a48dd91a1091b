"""Memory that does not suffice: recognised, and told with what would be cheaper."""

from collections.abc import Sequence

import torch

from genomekit.nn import NetworkConfig


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that a device's memory is used up."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # The CPU and MPS allocators raise a plain RuntimeError.
    return any(text in str(error) for text in ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED"))


def first_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def cheaper(
    reason: str,
    config: NetworkConfig,
    device: torch.device,
    dtype: torch.dtype,
    length: int,
    names: Sequence[str],
    budgeted: bool,
) -> str:
    """Write the out-of-memory text: the three changes that save most, cheapest first.

    Args:
        reason: What happened.
        config: Sizes of the network.
        device: The device.
        dtype: Type of the activations.
        length: bp of the window.
        names: Modalities asked for.
        budgeted: Whether the limit is one that the user set.
    """
    changes = ["a larger memory_budget"] if budgeted else []
    fine = [name for name in names if min(config.head(name).resolutions) == 1]
    if fine and len(fine) < len(names):
        changes.append(f"leave out the 1 bp modalities ({', '.join(fine)}): the decoder then does not run")
    if shorter := [known for known in config.lengths if known < length]:
        changes.append(f"a shorter window, such as window={shorter[-1]}")
    if dtype not in (torch.bfloat16, torch.float16):
        changes.append("precision='bfloat16', half the memory")
    changes.append("fewer modalities or tracks (tracks=, biosample=, ...), or a shorter interval")
    if device.type != "cpu":
        changes.append("device='cpu', slower")
    listed = "; ".join(f"({number}) {change}" for number, change in enumerate(changes[:3], 1))
    read = f"{len(names)} modalit{'y' if len(names) == 1 else 'ies'}"
    return (
        f"A window of {length:,} bp with {read} does not fit in the memory of {device} in "
        f"{str(dtype).removeprefix('torch.')} ({reason}). Cheaper: {listed}."
    )
