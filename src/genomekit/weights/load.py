"""`load`: a checkpoint by name, folder or file, whatever its layout."""

from __future__ import annotations

import dataclasses
import os
import warnings
from pathlib import Path

from genomekit.errors import GenomekitWarning, WeightsNotFound
from genomekit.nn import AlphaGenome
from genomekit.weights import native, official, ports
from genomekit.weights.checkpoint import Checkpoint
from genomekit.weights.download import locate
from genomekit.weights.registry import DEFAULT, REGISTRY, Entry, bundled, entry

_PICKLES = {".pt", ".pth", ".ckpt", ".bin", ".pkl"}
_LAYOUTS = (
    f"a folder with {native.TENSORS} and {native.DESCRIPTION} or one .safetensors file (genomekit), a folder with "
    f"{official.LISTING} (official, Orbax), or a .safetensors file of genomicsxai/alphagenome-pytorch"
)
_announced: set[str] = set()


def load(source: str | os.PathLike[str] = DEFAULT) -> Checkpoint:
    """Load a checkpoint.

    Args:
        source: A name of the registry ("mini", "alphagenome-all-folds", "alphagenome-fold-0" ...), a folder or a
            file. A name is looked for in the package, in the folder GENOMEKIT_WEIGHTS, in the caches, and only then
            on the network. A path that is spelled like a name needs a leading "./".

    Returns:
        The network in eval mode on the CPU, with its track table and provenance.

    Raises:
        ValueError: An unknown name (near matches are listed), or a checkpoint that is damaged or of another model.
        WeightsNotFound: No such path, or the checkpoint cannot be fetched.
        ImportError: The official layout without tensorstore.

    Example:
        >>> load("alphagenome-al-folds")
        Traceback (most recent call last):
        ValueError: Unknown checkpoint 'alphagenome-al-folds'. Did you mean 'alphagenome-all-folds' ...
    """
    text = os.fspath(source)
    known = None if _is_path(text) else entry(text)
    checkpoint = _named(known) if known else load_path(Path(text).expanduser())
    if checkpoint.terms and checkpoint.terms not in _announced:
        _announced.add(checkpoint.terms)
        warnings.warn(f"Weights of {checkpoint.name!r}: {checkpoint.terms}", GenomekitWarning, stacklevel=2)
    return checkpoint


def load_path(path: Path, *, name: str = "") -> Checkpoint:
    """Load a folder or file, finding out its layout.

    Args:
        path: Folder or file.
        name: Name for layouts that carry none; default is that of the folder or file.

    Raises:
        ValueError: It is no checkpoint, damaged, or of another model.
        WeightsNotFound: There is no such path.
    """
    path = path.absolute()
    if not path.exists():
        raise WeightsNotFound(
            f"There is no checkpoint at {path}. Give a folder, a file, or one of: {', '.join(REGISTRY)}."
        )
    before = _state_of(path)
    checkpoint = _read(path, name)

    def read_again() -> AlphaGenome:
        if not path.exists() or _state_of(path) != before:
            raise ValueError(f"{path} has changed since it was loaded; load it again with Model.from_pretrained.")
        return _read(path, name).network

    return dataclasses.replace(checkpoint, read_again=read_again)


def _state_of(path: Path) -> list[tuple[str, int, int]]:
    """Sizes and times of change of a checkpoint's files."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return [(str(file), (about := file.stat()).st_size, about.st_mtime_ns) for file in files]


def _read(path: Path, name: str) -> Checkpoint:
    """Find out the layout, and read."""
    if path.is_dir():
        if native.is_native(path):
            return native.load(path)
        if official.find(path) is not None:
            return official.load(path, name=name)
        files = sorted(path.glob("*.safetensors"))
        if len(files) != 1:
            found = f"{len(files)} .safetensors files" if files else "no checkpoint"
            raise ValueError(f"{path} holds {found}; expected {_LAYOUTS}.")
        path = files[0]
    if path.suffix in _PICKLES:
        raise ValueError(f"{path.name} is a pickle, which can run code when it is read; expected {_LAYOUTS}.")
    if native.is_native(path):
        return native.load(path)
    if ports.is_port(path):
        return ports.load(path, name=name)
    raise ValueError(f"{path} holds tensors, but of no layout known here; expected {_LAYOUTS}.")


def _named(known: Entry) -> Checkpoint:
    """Load a checkpoint of the registry under its name."""
    if known.repository:
        path = locate(known)
        checkpoint = load_path(path, name=known.name)
    else:
        path = bundled(known.name)
        if not native.is_native(path):
            raise WeightsNotFound(
                f"{known.name!r} comes with the package but {path} lacks it; reinstall genomekit-torch."
            )
        checkpoint = load_path(path)
    provenance = {**checkpoint.provenance, **({"repository": known.repository} if known.repository else {})}
    return dataclasses.replace(checkpoint, name=known.name, provenance=provenance)


def _is_path(text: str) -> bool:
    """Tell a path from a name."""
    if any(mark in text for mark in ("/", os.sep, "~")) or text.startswith("."):
        return True
    if Path(text).suffix in {".safetensors", *_PICKLES}:
        return True
    return text.casefold().replace("_", "-") not in REGISTRY and Path(text).exists()
