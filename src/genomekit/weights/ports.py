"""The safetensors layout of the genomicsxai PyTorch port: our tensors under other names.

Names and layouts are derived by rule from ours. All but the contact head are views of the file: nothing is copied.
Source: module names of genomicsxai/alphagenome-pytorch (facts only).
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from torch import Tensor

from genomekit.errors import GenomekitWarning
from genomekit.nn import ALPHAGENOME, AlphaGenome
from genomekit.tracks import TrackTable, published
from genomekit.weights.checkpoint import Checkpoint, check_shapes, published_checkpoint, skeleton
from genomekit.weights.names import HEAD_NAMES
from genomekit.weights.native import read_header, read_tensors

MARK = "encoder.dna_embedder.conv1.weight"
"""An entry that only this layout has."""

MEANS_TOLERANCE = 1e-3
"""Relative; the file may have rounded them."""

# Tried in order; each replaces the start of our name.
_MODULES = (
    (r"encoder\.embedder\.conv", "encoder.dna_embedder.conv1"),
    (r"encoder\.embedder\.block", "encoder.dna_embedder.block"),
    (r"encoder\.blocks\.(\d+)\.first", r"encoder.down_blocks.\1.block1"),
    (r"encoder\.blocks\.(\d+)\.second", r"encoder.down_blocks.\1.block2"),
    (r"decoder\.blocks\.(\d+)\.skip", r"decoder.up_blocks.\1.pointwise"),
    (r"decoder\.blocks\.(\d+)", r"decoder.up_blocks.\1"),
    (r"tower\.layers\.(\d+)\.bias\.linear", r"tower.blocks.\1.attn_bias.proj"),
    (r"tower\.layers\.(\d+)\.bias", r"tower.blocks.\1.attn_bias"),
    (r"tower\.layers\.(\d+)\.attention\.norm_(query|key|value)", lambda m: f"tower.blocks.{m[1]}.mha.norm_{m[2][0]}"),
    (r"tower\.layers\.(\d+)\.attention\.(query|key|value)", lambda m: f"tower.blocks.{m[1]}.mha.{m[2][0]}_proj"),
    (r"tower\.layers\.(\d+)\.attention\.norm_in", r"tower.blocks.\1.mha.norm"),
    (r"tower\.layers\.(\d+)\.attention\.norm_out", r"tower.blocks.\1.mha.final_norm"),
    (r"tower\.layers\.(\d+)\.attention\.out", r"tower.blocks.\1.mha.linear_embedding"),
    (r"tower\.layers\.(\d+)\.mlp\.norm_in", r"tower.blocks.\1.mlp.norm"),
    (r"tower\.layers\.(\d+)\.mlp\.norm_out", r"tower.blocks.\1.mlp.final_norm"),
    (r"tower\.layers\.(\d+)\.mlp\.first", r"tower.blocks.\1.mlp.fc1"),
    (r"tower\.layers\.(\d+)\.mlp\.second", r"tower.blocks.\1.mlp.fc2"),
    (r"tower\.layers\.(\d+)\.pair_update\.sequence_to_pair", r"tower.blocks.\1.pair_update.seq2pair"),
    (r"tower\.layers\.(\d+)\.pair_update\.row_attention\.(query|key|value)",
     lambda m: f"tower.blocks.{m[1]}.pair_update.row_attn.linear_{m[2][0]}"),
    (r"tower\.layers\.(\d+)\.pair_update\.row_attention", r"tower.blocks.\1.pair_update.row_attn"),
    (r"tower\.layers\.(\d+)\.pair_update\.mlp\.first", r"tower.blocks.\1.pair_update.pair_mlp.linear1"),
    (r"tower\.layers\.(\d+)\.pair_update\.mlp\.second", r"tower.blocks.\1.pair_update.pair_mlp.linear2"),
    (r"tower\.layers\.(\d+)\.pair_update\.mlp", r"tower.blocks.\1.pair_update.pair_mlp"),
    (r"embed_token", "embedder_128bp"),
    (r"embed_base", "embedder_1bp"),
    (r"embed_pair", "embedder_pair"),
    (r"organism\.", "organism_embed."),
)  # fmt: skip
_SEQ2PAIR = {
    "norm": "norm_seq2pair",
    "query": "linear_q",
    "key": "linear_k",
    "distance": "linear_pos_features",
    "to_pair": "linear_pair",
    "row": "linear_y_q",
    "column": "linear_y_k",
    "query_bias": "q_r_bias",
    "key_bias": "k_r_bias",
}
_OUTPUT = {"linear": "project_in", "from_tokens": "project_skip", "organism": "organism_embed"}
_NORM_LEAVES = {"scale": "weight", "offset": "bias", "variance": "running_var"}
_SITES = {
    "donor_plus": "pos_donor",
    "acceptor_plus": "pos_acceptor",
    "donor_minus": "neg_donor",
    "acceptor_minus": "neg_acceptor",
}


def port_name(name: str) -> str:
    """Return the port's name of one entry of our state dict.

    Example:
        >>> port_name("tower.layers.3.attention.norm_query.scale")
        'tower.blocks.3.mha.norm_q.weight'
        >>> port_name("heads.rna_seq.resolutions.128.learnt_scale")
        'heads.rna_seq.residual_scales.128'
    """
    if name.startswith("heads."):
        return _head_name(name)
    module, _, leaf = name.rpartition(".")
    is_norm = leaf in ("offset", "variance") or (leaf == "scale" and not module.endswith(".conv"))
    for pattern, replacement in _MODULES:
        renamed, hits = re.subn(f"^{pattern}", replacement, name)
        if hits:
            break
    else:
        raise ValueError(f"No name in the port is known for {name!r}.")
    parts = renamed.split(".")
    if "seq2pair" in parts:
        parts = [_SEQ2PAIR.get(part, part) for part in parts]
    elif parts[0].startswith("embedder_"):
        parts = [parts[0], *(_OUTPUT.get(part, part) for part in parts[1:])]
    if is_norm:
        parts[-1] = _NORM_LEAVES[leaf]
    return ".".join(parts)


def _head_name(name: str) -> str:
    """Name an entry of a head: track heads sit in one dict, the others are modules of their own."""
    parts = name.split(".")
    modality, leaf = parts[1], parts[-1]
    if parts[2] == "resolutions":
        kind = "residual_scales" if leaf == "learnt_scale" else "convs"
        return f"heads.{modality}.{kind}.{parts[3]}" + ("" if leaf == "learnt_scale" else f".{leaf}")
    head = f"{HEAD_NAMES.get(modality, modality)}_head"
    if parts[2] == "tables":
        return f"{head}.rope_params.{_SITES[leaf]}"
    return f"{head}.{'linear' if modality == 'contact_maps' else 'conv'}.{leaf}"


def is_port(file: Path) -> bool:
    """Tell whether a safetensors file has this layout, by its header."""
    return MARK in read_header(file)[0]


def load(file: Path, *, name: str = "") -> Checkpoint:
    """Read a full-size checkpoint of this layout, memory-mapped.

    Raises:
        ValueError: It is truncated, or an entry is missing, unknown or of another shape.
    """
    state, means = read(file, skeleton(ALPHAGENOME))
    compare_means(file, means, published())
    return published_checkpoint(
        state, file, name=name or file.stem, layout="genomicsxai", written_as="genomicsxai/alphagenome-pytorch"
    )


def read(file: Path, network: AlphaGenome) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Read the state dict of a network, by our names, and the track means that the file keeps beside it.

    Raises:
        ValueError: The file is truncated, or an entry is missing, unknown or of another shape.
    """
    tensors, _ = read_tensors(file)
    means = {key.split(".")[1]: tensors.pop(key) for key in list(tensors) if key.endswith(".track_means")}
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    called = {key: port_name(key) for key in shapes}
    ours = {theirs: key for key, theirs in called.items()}
    state = {ours.get(key, key): _to_ours(ours.get(key, key), tensor, shapes) for key, tensor in tensors.items()}
    given = {key: tuple(tensor.shape) for key, tensor in state.items()}
    check_shapes(given, network, where=str(file), called=lambda key: called.get(key, key))
    return {key: tensor.float() for key, tensor in state.items()}, means


def _to_ours(name: str, tensor: Tensor, shapes: dict[str, tuple[int, ...]]) -> Tensor:
    """Drop or swap axes where the port has them otherwise; any other shape is left for the check."""
    expected = shapes.get(name)
    if name == "heads.contact_maps.linear.weight" and tensor.ndim == 3:
        return tensor.transpose(1, 2).contiguous()
    if expected is None or tuple(tensor.shape) == expected:
        return tensor
    # Axes of length 1 only: a 1 x 1 convolution is a linear layer, a scalar is a vector of one.
    without = [size for size in tensor.shape if size != 1]
    return tensor.reshape(expected) if without == [size for size in expected if size != 1] else tensor


def compare_means(file: Path, means: dict[str, Tensor], tracks: TrackTable) -> None:
    """Warn where the file's track means are not those of the track table, which is what predictions are scaled by.

    The port stores 0 where a track has no mean, so only places where both have one are compared.

    Raises:
        ValueError: They are for another number of tracks.
    """
    for modality, tensor in means.items():
        if modality not in tracks.modalities:
            continue
        ours, theirs = tracks.means(modality), tensor.float().numpy()
        if ours.shape != theirs.shape:
            raise ValueError(
                f"{file} has track means of {modality!r} of shape {theirs.shape}, expected {ours.shape}: another model."
            )
        both = np.isfinite(ours) & np.isfinite(theirs) & (theirs > 0)
        if not np.allclose(ours[both], theirs[both], rtol=MEANS_TOLERANCE):
            warnings.warn(
                f"The track means of {modality!r} in {file} differ from the published track table; predictions are "
                "scaled by the table.",
                GenomekitWarning,
                stacklevel=2,
            )
