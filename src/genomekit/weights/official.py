"""The official checkpoint: Orbax, read with tensorstore alone.

On disk it is an OCDBT key-value store of zarr arrays, `0.<module>.<leaf>` for parameters and `1.<module>.<leaf>` for
norm statistics, with every key listed in `_METADATA`.
Source: layout as written by orbax-checkpoint (StandardCheckpointer), facts only.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genomekit.nn import ALPHAGENOME, AlphaGenome
from genomekit.weights.checkpoint import Checkpoint, check_shapes, published_checkpoint, skeleton
from genomekit.weights.names import OfficialLeaf, official_leaf

LISTING = "_METADATA"
_COLLECTIONS = {"params": "0", "state": "1"}
# Enough arrays in flight to keep the cores decompressing, few enough that their buffers stay small.
_IN_FLIGHT = 4


def find(path: Path) -> Path | None:
    """Return the folder that holds an Orbax checkpoint: this one or, where there is just one, a folder inside."""
    if (path / LISTING).is_file():
        return path
    inside = (
        [file.parent for depth in ("*", "*/*") for file in path.glob(f"{depth}/{LISTING}")] if path.is_dir() else []
    )
    return inside[0] if len(inside) == 1 else None


def key(leaf: OfficialLeaf) -> str:
    """Return the name of a leaf inside the store.

    Example:
        >>> key(OfficialLeaf("state", "alphagenome/output_embedder/rms_batch_norm/var_ema", "same"))
        '1.alphagenome/output_embedder/rms_batch_norm.var_ema'
    """
    module, name = leaf.path.rsplit("/", 1)
    return f"{_COLLECTIONS[leaf.collection]}.{module}.{name}"


def load(path: Path, *, name: str = "") -> Checkpoint:
    """Read the official checkpoint.

    Raises:
        ImportError: tensorstore is not installed.
        ValueError: It is incomplete, or an entry is unknown or of another shape.
    """
    folder = find(path)
    if folder is None:
        raise ValueError(f"{path} is no Orbax checkpoint: {LISTING} is not there.")
    state = read(folder, skeleton(ALPHAGENOME))
    return published_checkpoint(state, folder, name=name or path.name, layout="official", written_as="Orbax")


def read(folder: Path, network: AlphaGenome) -> dict[str, Tensor]:
    """Read every tensor of a network, by our names and in our layout.

    Raises:
        ImportError: tensorstore is not installed.
        ValueError: The listing, the arrays or their shapes are not what the network needs.
    """
    expected = network.state_dict()
    leaves = {name: official_leaf(name) for name in expected}
    names = {key(leaf): name for name, leaf in leaves.items()}
    listed = listing(folder)
    called = {ours: theirs for theirs, ours in names.items()}
    # Names first: they cost nothing, shapes need every array opened.
    shapes = {names.get(one, one): tuple(expected[names[one]].shape) if one in names else () for one in listed}
    check_shapes(shapes, network, where=str(folder), called=lambda one: called.get(one, one))
    stores = open_arrays(folder, listed)
    found = {
        names[one]: _our_shape(store.shape, leaves[names[one]], expected[names[one]]) for one, store in stores.items()
    }
    check_shapes(found, network, where=str(folder), called=lambda one: called.get(one, one))
    return _read_all({names[one]: store for one, store in stores.items()}, leaves, expected, folder)


def listing(folder: Path) -> list[str]:
    """Return the keys that `_METADATA` lists.

    Raises:
        ValueError: It is damaged.
    """
    try:
        tree = json.loads((folder / LISTING).read_text(encoding="utf-8"))["tree_metadata"]
        return [".".join(part["key"] for part in entry["key_metadata"]) for entry in tree.values()]
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"{folder / LISTING} is damaged ({error!r}); fetch the checkpoint again.") from error


def open_arrays(folder: Path, keys: list[str]) -> dict[str, Any]:
    """Open arrays of the store.

    Raises:
        ImportError: tensorstore is not installed.
        ValueError: One is listed but not stored.
    """
    try:
        import tensorstore
    except ImportError as error:
        raise ImportError(
            f"{folder} is an official (Orbax) checkpoint; reading it needs tensorstore: "
            "pip install 'genomekit-torch[official]'"
        ) from error
    # No cache: every chunk is read once.
    context = tensorstore.Context({"cache_pool": {"total_bytes_limit": 0}})
    base = folder.resolve().as_uri() + "/"
    opening = {}
    for one in keys:
        kvstore = {"driver": "ocdbt", "base": base, "path": f"{one}/"}
        opening[one] = tensorstore.open({"driver": "zarr", "kvstore": kvstore}, context=context, open=True, read=True)
    stores = {}
    for one, future in opening.items():
        try:
            stores[one] = future.result()
        except (ValueError, OSError) as error:
            raise _incomplete(folder, one, error) from error
    return stores


def _our_shape(shape: tuple[int, ...], leaf: OfficialLeaf, expected: Tensor) -> tuple[int, ...]:
    """The shape in our layout; where sizes differ, the official shape with its axes in our order."""
    if leaf.layout == "reversed":
        shape = tuple(reversed(shape))
    elif leaf.layout == "swapped":
        shape = (*shape[:-2], shape[-1], shape[-2])
    if tuple(shape) == tuple(expected.shape):
        return tuple(shape)
    # Upstream keeps axes of length 1 around norms, and the junction tables flat behind the organism.
    flat = leaf.layout == "same" and torch.Size(shape).numel() == expected.numel()
    same_organisms = not leaf.path.endswith("_logits/embeddings") or (shape and shape[0] == expected.shape[0])
    return tuple(expected.shape) if flat and same_organisms else tuple(shape)


def _read_all(
    stores: Mapping[str, Any], leaves: Mapping[str, OfficialLeaf], expected: Mapping[str, Tensor], folder: Path
) -> dict[str, Tensor]:
    """Read arrays a few at a time, the next ones decompressing while one is taken."""
    state: dict[str, Tensor] = {}
    waiting: deque[tuple[str, Any]] = deque()

    def take() -> None:
        name, future = waiting.popleft()
        try:
            array = future.result()
        except (ValueError, OSError) as error:
            raise _incomplete(folder, key(leaves[name]), error) from error
        state[name] = torch.from_numpy(array).float().reshape(expected[name].shape)

    # Large ones first, so that the last reads do not wait for one core.
    for name in sorted(stores, key=lambda one: -expected[one].numel()):
        store, layout = stores[name], leaves[name].layout
        axes = list(range(store.rank))
        if layout == "reversed":
            axes.reverse()
        elif layout == "swapped":
            axes[-2:] = reversed(axes[-2:])
        # Axes are permuted while the chunk is copied out, so there is never a second copy of the array.
        waiting.append((name, store[...].transpose(axes).read(order="C")))
        if len(waiting) > _IN_FLIGHT:
            take()
    while waiting:
        take()
    return {name: state[name] for name in expected}


def _incomplete(folder: Path, one: str, error: Exception) -> ValueError:
    first = str(error).splitlines()[0][:200]
    return ValueError(
        f"{one!r} is listed in {folder / LISTING} but cannot be read ({first}): incomplete. Fetch it again."
    )
