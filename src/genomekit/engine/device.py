"""Which device the network runs on, and in which floating-point type."""

import math

import numpy as np
import torch

from genomekit.errors import unknown

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
"""Names of the types that can be asked for."""

# bfloat16 is as fast as float16 and keeps the range of float32 from compute capability 8.0 (Ampere) on; before that
# it is emulated.
_BFLOAT16_SINCE = (8, 0)


def devices() -> list[str]:
    """List the devices of this machine that can be asked for, fastest first; "cpu" is always there.

    Example:
        >>> "cpu" in devices()
        True
    """
    found = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*found, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """Return the device asked for, or the fastest one there is.

    Args:
        device: "auto", "cpu", "cuda", "cuda:1", "mps", or a torch.device.

    Raises:
        ValueError: This machine has no such device.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    there = devices()
    name = str(device).strip().casefold()
    if name == "auto":
        name = there[0]
    if name == "cuda" and "cuda:0" in there:
        name = "cuda:0"
    if name == "mps:0":
        name = "mps"
    if name.split(":")[0] in ("cuda", "mps") and name not in there:
        raise ValueError(f"Device {name!r} is not available here; there are: {', '.join(['auto', *there])}.")
    if name not in there:
        raise unknown("device", str(device), ["auto", *there])
    return torch.device(name)


def choose_precision(precision: str | torch.dtype = "auto", device: torch.device | None = None) -> torch.dtype:
    """Return the floating-point type to run in.

    "auto" is bfloat16 on CUDA devices of compute capability 8.0 and later and float32 elsewhere. float16 has a small
    range and can overflow; the guard on every head then names the head. Weights, statistics, softmax and the scaling
    of tracks stay in float32 whichever 16-bit type is chosen.

    Args:
        precision: "auto", "float32", "bfloat16", "float16", "float64", or a torch.dtype of these.
        device: Where it will run; None is the CPU.

    Raises:
        ValueError: An unknown type, or one that the device does not have.

    Example:
        >>> choose_precision("auto", torch.device("cpu"))
        torch.float32
    """
    kind = "cpu" if device is None else device.type
    name = str(precision).removeprefix("torch.").strip().casefold()
    if name == "auto":
        modern = kind == "cuda" and torch.cuda.get_device_capability(device) >= _BFLOAT16_SINCE
        return torch.bfloat16 if modern else torch.float32
    if name not in PRECISIONS:
        raise unknown("precision", str(precision), ["auto", *PRECISIONS])
    if kind == "mps" and name == "float64":
        raise ValueError("precision='float64' does not exist on device 'mps'. Use 'float32' there, or device='cpu'.")
    return PRECISIONS[name]


def free_memory(device: torch.device) -> int | None:
    """Return the free memory of a device in bytes, None where it cannot be known.

    What PyTorch holds for later and uses for nothing now is free: it is there for the next call.
    """
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    try:
        with open("/proc/meminfo") as lines:
            table = dict(line.split(":", 1) for line in lines)
        return int(table["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def empty(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | None = None) -> torch.Tensor:
    """Return a tensor for a large result, not initialised.

    On the host NumPy makes it: it asks the kernel for huge pages, so that writing to fresh memory costs less.
    """
    if (device is not None and device.type != "cpu") or 0 in shape:
        return torch.empty(shape, dtype=dtype, device=device)
    size = torch.empty(0, dtype=dtype).element_size()
    return torch.from_numpy(np.empty(math.prod(shape) * size, np.uint8)).view(dtype).view(shape)


def release(device: torch.device) -> None:
    """Hand cached memory back to the driver, as after an out-of-memory error."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
