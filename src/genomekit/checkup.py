"""`doctor`: what is installed, what this machine can do, and whether the network computes the right numbers on it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from genomekit import __version__
from genomekit.engine import Engine, choose_device, choose_precision, devices, one_hot
from genomekit.engine.device import free_memory
from genomekit.engine.engine import Junctions
from genomekit.engine.strands import parts
from genomekit.genome import cache
from genomekit.testing import designed_gene
from genomekit.weights.load import load
from genomekit.weights.registry import bundled

SELFTEST = "selftest.json"
TOLERANCES = {"float64": 1e-3, "float32": 1e-3, "float16": 0.05, "bfloat16": 0.15}
"""Largest difference from the stored numbers, over the largest value of the output. Float32 sums taken in another order
differ by 1e-6 to 1e-5, TF32 and the 16-bit types by their rounding; a broken device is off by the value itself."""

_PACKAGES = ("torch", "numpy", "pandas", "xarray", "anndata", "matplotlib", "pyfaidx", "pyBigWig", "safetensors")
_EXTRAS = {
    "official": "tensorstore",
    "train": "sklearn",
    "batch": "distributed",
    "browser": "anywidget",
    "contacts": "cooler",
    "vcf": "pysam",
    "tpu": "torch_xla",
}
# 4,096 bp with three introns: every head has something to say, and it takes a fraction of a second.
_LENGTH, _INTRONS, _SAMPLED = 4096, 3, 16


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Numbers of this machine against stored ones."""

    checkpoint: str
    device: str
    dtype: str
    difference: float
    """Largest difference over the largest value, over all outputs."""
    worst: str
    """The output in which it was."""
    tolerance: float
    seconds: float
    """Time of the forward passes."""

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return (
            f"{verdict}: {self.checkpoint} on {self.device} in {self.dtype} differs by {self.difference:.1e} of the "
            f"largest value ({self.worst}; {self.tolerance:.0e} allowed), {self.seconds:.1f} s"
        )


class Report:
    """What `doctor` found; shown as text.

    Attributes:
        sections: Lines of (name, value) by section.
        selftest: The numbers, or None where they could not be compared.
    """

    def __init__(self, sections: Mapping[str, Mapping[str, str]], selftest: SelfTest | None) -> None:
        self.sections = {name: dict(lines) for name, lines in sections.items()}
        self.selftest = selftest

    def __repr__(self) -> str:
        width = max(len(name) for lines in self.sections.values() for name in lines)
        blocks = [
            "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in lines.items())])
            for title, lines in self.sections.items()
        ]
        return "\n".join(blocks)


def doctor(device: str = "auto", precision: str = "auto") -> Report:
    """Report versions, devices, cache, memory and extras, and run the numeric self-test.

    Nothing is downloaded or changed. The report is what an issue about genomekit should contain.

    Args:
        device: Where the self-test runs.
        precision: In which type.

    Raises:
        ValueError: An unknown device or precision.

    Example:
        >>> list(doctor("cpu").sections)
        ['Versions', 'Device', 'Folders', 'Extras', 'Self-test']
    """
    chosen = choose_device(device)
    dtype = choose_precision(precision, chosen)
    try:
        result: SelfTest | None = run_selftest(device=device, precision=precision)
        verdict = str(result)
    except (OSError, ValueError, RuntimeError, ArithmeticError) as error:  # a report on a broken machine is the point
        result, verdict = None, f"not done: {error}"
    sections = {
        "Versions": _versions(),
        "Device": _device(chosen, dtype),
        "Folders": _folders(),
        "Extras": {name: _installed(module) for name, module in _EXTRAS.items()},
        "Self-test": {"numbers": verdict},
    }
    return Report(sections, result)


def run_selftest(folder: str | Path | None = None, *, device: str = "auto", precision: str = "auto") -> SelfTest:
    """Compare the network's numbers on this device with those stored beside its weights.

    Args:
        folder: Checkpoint folder with a `selftest.json`; None is the bundled one.
        device: Where to run.
        precision: In which type; the tolerance follows it.

    Raises:
        FileNotFoundError: The checkpoint or its stored numbers are not there.
        ValueError: They are damaged.
    """
    path = bundled("mini") if folder is None else Path(folder)
    if not (path / SELFTEST).is_file():
        raise FileNotFoundError(
            f"{path} has no {SELFTEST}; reinstall genomekit-torch, or write one with write_selftest."
        )
    try:
        stored = json.loads((path / SELFTEST).read_text())
        letters, expected = stored["letters"], stored["outputs"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path / SELFTEST} is damaged ({error}); copy it again.") from error
    engine = Engine(load(path), device, precision)
    begin = time.perf_counter()
    found = _outputs(engine, letters, expected)
    seconds = time.perf_counter() - begin
    differences = {}
    for key, entry in expected.items():
        got, wanted = found[key].reshape(-1)[entry["index"]], np.array(entry["values"])
        differences[key] = float(np.abs(got - wanted).max(initial=0.0)) / max(entry["scale"], 1e-12)
    worst = max(differences, key=differences.__getitem__)
    dtype = str(engine.dtype).removeprefix("torch.")
    return SelfTest(
        checkpoint=engine.checkpoint.name,
        device=str(engine.device),
        dtype=dtype,
        difference=differences[worst],
        worst=worst,
        tolerance=TOLERANCES[dtype],
        seconds=seconds,
    )


def write_selftest(folder: str | Path) -> Path:
    """Compute the numbers that `run_selftest` compares with, and store them beside the weights.

    Runs on the CPU in float32, on a designed gene. To be called once, when a checkpoint is made.

    Args:
        folder: Checkpoint folder in our own layout.

    Returns:
        The file written.
    """
    path = Path(folder)
    engine = Engine(load(path), "cpu", "float32")
    letters = designed_gene(0, _LENGTH, introns=_INTRONS).sequence
    outputs = {}
    for key, values in _outputs(engine, letters).items():
        flat = values.reshape(-1)
        # The largest values, where a mistake shows most, and some spread over the rest.
        index = np.union1d(
            np.argsort(-np.abs(flat), kind="stable")[:_SAMPLED], np.linspace(0, len(flat) - 1, _SAMPLED).astype(int)
        )
        outputs[key] = {
            "index": index.tolist(),
            "values": [float(f"{value:.7g}") for value in flat[index]],
            "scale": float(f"{np.abs(flat).max():.7g}"),
        }
    file = path / SELFTEST
    file.write_text(json.dumps({"letters": letters, "outputs": outputs}, indent=1) + "\n")
    return file


def _outputs(engine: Engine, letters: str, keys: Mapping[str, object] | None = None) -> dict[str, np.ndarray]:
    """Predict everything for every organism; keys are "organism/modality"."""
    encoded = one_hot(letters)
    # Junctions are compared at fixed sites: chosen ones may change places where two are about as probable. Donors lie
    # before acceptors on the + strand and behind them on the - strand, so that every pair can be an intron.
    sites = np.linspace(100, len(letters) - 100, 16).astype(np.int64).reshape(4, 4)[[0, 1, 3, 2]]
    out = {}
    for organism in engine.organisms:
        wanted = parts(engine.tracks, organism, engine.tracks)
        if not wanted:
            continue
        channels = {name: part.channels for name, part in wanted.items()}
        for name, values in engine.predict(encoded, organism, channels, sites=sites).items():
            array = values.predictions if isinstance(values, Junctions) else values
            out[f"{organism}/{name}"] = array.astype(np.float64)
    if missing := set(keys or ()) - set(out):
        raise ValueError(
            f"{SELFTEST} has numbers of {', '.join(sorted(missing))}, which the checkpoint does not predict."
        )
    return out


def _versions() -> dict[str, str]:
    lines = {"genomekit": __version__, "python": f"{platform.python_version()} on {platform.platform()}"}
    return lines | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _installed(module: str) -> str:
    return "installed" if importlib.util.find_spec(module) else "not installed"


def _device(chosen: torch.device, dtype: torch.dtype) -> dict[str, str]:
    lines = {"devices": ", ".join(devices()), "chosen": f"{chosen}, {str(dtype).removeprefix('torch.')}"}
    if chosen.type == "cuda":
        major, minor = torch.cuda.get_device_capability(chosen)
        lines["gpu"] = (
            f"{torch.cuda.get_device_name(chosen)}, compute capability {major}.{minor}, CUDA {torch.version.cuda}"
        )
        lines["gpu memory free"] = _gib(free_memory(chosen))
    lines["memory free"] = _gib(free_memory(torch.device("cpu")))
    lines["cpu threads"] = f"{torch.get_num_threads()} of {os.cpu_count()}"
    return lines


def _folders() -> dict[str, str]:
    place = cache.location()
    nearest = next(part for part in (place, *place.parents) if part.exists())
    state = "can be written" if os.access(nearest, os.W_OK) else "CANNOT be written"
    used = "" if place.exists() else ", not made yet"
    lines = {"cache": f"{place} ({state}{used}, {_gib(shutil.disk_usage(nearest).free)} free)"}
    lines |= {name: value for name, value in sorted(os.environ.items()) if name.startswith("GENOMEKIT_")}
    return lines


def _gib(size: int | None) -> str:
    return "not known" if size is None else f"{size / 2**30:.1f} GiB"
