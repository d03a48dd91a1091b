"""Our own layout: safetensors and JSON, nothing that runs code when it is read.

A checkpoint is a folder with `model.safetensors` and `model.json`, or a single `.safetensors` file that carries the
same JSON in its header. Tensors have the names of the network's state dict.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from genomekit.genome.cache import atomic, explained
from genomekit.nn import AlphaGenome, NetworkConfig
from genomekit.tracks import TrackTable
from genomekit.weights.checkpoint import Checkpoint, assemble, check_tracks, state_hash

FORMAT = "genomekit-1"
TENSORS, DESCRIPTION = "model.safetensors", "model.json"
_KEY, _HASH = "genomekit", "weights_sha256"
_FIELDS = ("format", "name", "config", "organisms", "tracks", "provenance", "licence", "terms", _HASH)
_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def save(
    path: str | os.PathLike[str],
    network: AlphaGenome,
    tracks: TrackTable,
    *,
    name: str = "",
    provenance: Mapping[str, Any] | None = None,
    licence: str = "",
    terms: str = "",
    dtype: torch.dtype = torch.float32,
    overwrite: bool = False,
) -> Path:
    """Write a network and everything known about it.

    The target appears only when it is complete.

    Args:
        path: A folder, or a single file when it ends in `.safetensors`.
        network: What to save; it may be on any device.
        tracks: What its channels are.
        name: Name of the checkpoint; default is that of the file or folder.
        provenance: Where the weights come from, as JSON values.
        licence: Licence of the weights, e.g. "Apache-2.0".
        terms: Terms of use that results must carry along.
        dtype: float32, bfloat16 or float16 on disk; always float32 again when loaded.
        overwrite: Replace what is there.

    Returns:
        The path written.

    Raises:
        FileExistsError: Something is there and `overwrite` is False.
        ValueError: The track table does not fit the network, or a value is no JSON.
        OSError: The folder cannot be written.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; pass overwrite=True to replace it, or choose another name.")
    if dtype not in _DTYPES:
        raise ValueError(f"dtype is {dtype}; allowed: {', '.join(map(str, _DTYPES))}.")
    check_tracks(network.config, tracks, where=str(target))
    state = {key: tensor.detach().to("cpu", dtype).contiguous() for key, tensor in network.state_dict().items()}
    digest = state_hash(state)
    description = {
        "format": FORMAT,
        "name": name or target.stem,
        "config": network.config.to_dict(),
        "organisms": list(network.config.organisms),
        "tracks": tracks.to_dict(),
        "provenance": dict(provenance or {}),
        "licence": licence,
        "terms": terms,
        _HASH: digest,
    }
    try:
        text = json.dumps(description, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The description of {target} is no JSON ({error}); give plain values.") from error
    with explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".safetensors":
        with atomic(target) as temporary:
            _write(temporary, state, {_KEY: text, _HASH: digest})
    else:
        _save_folder(target, state, text, digest)
    return target


def _write(file: Path, state: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors with the permissions of any new file; safetensors gives its files to their owner alone."""
    file.touch()
    mode = file.stat().st_mode
    save_file(state, file, metadata)
    file.chmod(mode)


def _save_folder(target: Path, state: dict[str, Tensor], text: str, digest: str) -> None:
    """Fill a folder beside the target and swap it in."""
    with explained(target.parent), tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as beside:
        fresh, old = Path(beside) / "fresh", Path(beside) / "old"
        fresh.mkdir()
        _write(fresh / TENSORS, state, {_HASH: digest})
        (fresh / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        if target.exists():
            os.replace(target, old)
        shutil.move(fresh, target)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint of our own layout; float32 tensors stay on disk, memory-mapped, until they are used.

    Raises:
        ValueError: It is truncated, incomplete, of another network, or written by a newer version.
    """
    file = path / TENSORS if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise ValueError(f"{path} has {DESCRIPTION} but no {TENSORS}; the checkpoint is incomplete. Fetch it again.")
    state, header = read_tensors(file)
    text = (path / DESCRIPTION).read_text(encoding="utf-8") if path.is_dir() else header.get(_KEY, "")
    described = _description(text, path)
    if header.get(_HASH) != described[_HASH]:
        raise ValueError(
            f"{TENSORS} and {DESCRIPTION} of {path} belong to different checkpoints: their {_HASH} are "
            f"{header.get(_HASH)} and {described[_HASH]}. Fetch both again."
        )
    try:
        config, tracks = NetworkConfig.from_dict(described["config"]), TrackTable.from_dict(described["tracks"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"The description of {path} is damaged ({error}); fetch the checkpoint again.") from error
    if tuple(described["organisms"]) != config.organisms:
        raise ValueError(f"{path} lists the organisms {described['organisms']}, its network {list(config.organisms)}.")
    return Checkpoint(
        name=described["name"],
        network=assemble(config, tracks, {key: tensor.float() for key, tensor in state.items()}, where=str(path)),
        config=config,
        tracks=tracks,
        path=path,
        layout="genomekit",
        provenance=described["provenance"],
        licence=described["licence"],
        terms=described["terms"],
        hash_source=lambda: described[_HASH],
    )


def is_native(path: Path) -> bool:
    """Tell whether a folder or file looks like a checkpoint of this layout."""
    if path.is_dir():
        return (path / DESCRIPTION).is_file()
    return path.suffix == ".safetensors" and _KEY in read_header(path)[1]


def read_header(file: Path) -> tuple[list[str], dict[str, str]]:
    """Return the names of the tensors and the metadata of a safetensors file, without reading tensors.

    Raises:
        ValueError: It is truncated or no safetensors file.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            return list(opened.keys()), opened.metadata() or {}
    except SafetensorError as error:
        raise _broken(file, error) from error


def read_tensors(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return all tensors, memory-mapped, and the metadata of a safetensors file.

    Raises:
        ValueError: It is truncated or no safetensors file, or holds something else than floating-point numbers.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            state = {name: opened.get_tensor(name) for name in opened.keys()}
            metadata = opened.metadata() or {}
    except SafetensorError as error:
        raise _broken(file, error) from error
    for name, tensor in state.items():
        if tensor.dtype not in _DTYPES:
            allowed = ", ".join(map(str, _DTYPES))
            raise ValueError(f"{name!r} in {file} is {tensor.dtype}; weights are {allowed}.")
    return state, metadata


def _broken(file: Path, error: Exception) -> ValueError:
    size = file.stat().st_size
    return ValueError(
        f"{file} ({size:,} bytes) cannot be read as safetensors ({error}): it is truncated or another kind of file. "
        "Fetch it again."
    )


def _description(text: str, path: Path) -> dict[str, Any]:
    """Parse and check the JSON."""
    try:
        described = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"The description of {path} is no JSON ({error}); fetch the checkpoint again.") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        got = described.get("format") if isinstance(described, dict) else type(described).__name__
        raise ValueError(f"{path} has the format {got!r}; this version reads {FORMAT!r}. Is it from a newer genomekit?")
    if lacking := [field for field in _FIELDS if field not in described]:
        raise ValueError(f"The description of {path} lacks {', '.join(lacking)}; it needs {', '.join(_FIELDS)}.")
    return described
