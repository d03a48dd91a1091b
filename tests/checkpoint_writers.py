"""Write checkpoints in the layouts of others, for the tests of the readers and for `benchmarks/`."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from reference_fill import fill_rule
from safetensors.torch import save_file
from torch import Tensor

from genomekit.weights.names import official_leaf

ORBAX_ZARR = {"compressor": {"id": "zstd", "level": 1}, "dimension_separator": ".", "dtype": "<f4", "order": "C"}
"""As Orbax itself wrote its arrays (one chunk each) in the sample of the shared folder."""

GROUP_BYTES = 1 << 28

_COLLECTION = {"params": "0", "state": "1"}


def official_arrays(state: dict[str, Tensor]) -> Iterable[tuple[str, str, np.ndarray]]:
    """Bring a state dict of ours into the official layout: collection, path, array."""
    for name, tensor in state.items():
        leaf = official_leaf(name)
        array = tensor.numpy()
        if leaf.layout == "reversed":
            array = array.T
        elif leaf.layout == "swapped":
            array = array.swapaxes(-1, -2)
        elif leaf.path.endswith("_logits/embeddings"):
            array = array.reshape(len(array), -1)
        elif leaf.path.rsplit("/", 1)[1] in ("scale", "offset", "var_ema") and "batch_norm" in leaf.path:
            array = array.reshape(1, 1, -1)
        yield leaf.collection, leaf.path, np.ascontiguousarray(array)


def write_official(folder: Path, arrays: Iterable[tuple[str, str, np.ndarray]]) -> Path:
    """Write an Orbax folder: an OCDBT store of zarr arrays and the listing of its keys."""
    import tensorstore

    folder.mkdir(parents=True, exist_ok=True)
    tree, group, context = {}, [], tensorstore.Context()
    for collection, path, array in arrays:
        module, leaf = path.rsplit("/", 1)
        keys = (_COLLECTION[collection], module, leaf)
        tree[str(keys)] = {
            "key_metadata": [{"key": keys[0], "key_type": 1}, *({"key": k, "key_type": 2} for k in keys[1:])],
            "value_metadata": {"value_type": "np.ndarray", "skip_deserialize": False},
        }
        spec = {
            "driver": "zarr",
            "kvstore": {"driver": "ocdbt", "base": f"file://{folder}/", "path": ".".join(keys) + "/"},
            "metadata": {**ORBAX_ZARR, "shape": array.shape, "chunks": array.shape},
        }
        group.append((spec, array))
        if sum(array.nbytes for _, array in group) > GROUP_BYTES:
            _write(tensorstore, context, group)
    _write(tensorstore, context, group)
    listing = {"tree_metadata": tree, "use_ocdbt": True, "use_zarr3": False, "custom_metadata": None}
    (folder / "_METADATA").write_text(json.dumps(listing))
    return folder


def _write(tensorstore: ModuleType, context: object, group: list[tuple[dict, np.ndarray]]) -> None:
    """Write a group of arrays side by side: each commit waits for the disk, and those that meet are made one."""
    opening = [tensorstore.open(spec, context=context, create=True) for spec, _ in group]
    writing = [future.result().write(array) for future, (_, array) in zip(opening, group, strict=True)]
    for future in writing:
        future.result()
    group.clear()


def filled_arrays(shared: Path) -> Iterable[tuple[str, str, np.ndarray]]:
    """Every official leaf at full size, by the fill rule."""
    yield from fill_rule(shared).params()


def port_entries(shared: Path) -> list[dict]:
    """What the genomicsxai layout holds: name, shape, official path and transform of each entry."""
    with (shared / "spec" / "param_tree_pytorch_ports.json").open() as file:
        return json.load(file)["genomicsxai/alphagenome-pytorch"]["entries"]


def write_filled_port(shared: Path, file: Path) -> Path:
    """Write the genomicsxai layout at full size, by the fill rule and the transforms of its listing."""
    means = np.load(shared / "parity" / "track_means.npz")
    tensors = {}
    for entry in port_entries(shared):
        if entry.get("official_path") is None:
            # The port stores NaN as 0.
            array = np.nan_to_num(means[entry["name"].split(".")[1]], nan=0.0)
        else:
            array = fill_rule(shared).fill(entry["official_path"], entry["official_shape"])
            if entry["transform"].startswith("transpose"):
                array = array.transpose(*reversed(range(array.ndim)))
            elif entry["transform"].startswith("swap"):
                array = array.swapaxes(-1, -2)
        tensors[entry["name"]] = torch.from_numpy(np.ascontiguousarray(array).reshape(entry["shape"]))
    save_file(tensors, file)
    return file
