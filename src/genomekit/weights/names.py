"""What each tensor of our network is called in the official checkpoint, and how it is laid out there.

Official leaves are `module/path/leaf`; linear weights are `(in, out)`, convolutions `(width, in, out)`, norms
`(1, ..., 1, channel)`. Ours are PyTorch's. Source: google-deepmind/alphagenome_research (facts only).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Layout = Literal["same", "reversed", "swapped"]
"""Same values up to a reshape; all axes reversed; the last two axes swapped."""


class OfficialLeaf(NamedTuple):
    """Where a tensor of ours is in the official checkpoint, and in which layout."""

    collection: Literal["params", "state"]
    path: str
    layout: Layout


HEAD_NAMES = {
    "splice_sites": "splice_sites_classification",
    "splice_site_usage": "splice_sites_usage",
    "splice_junctions": "splice_sites_junction",
}
"""Official names of the heads that are not called like their modality."""

_NORM = {"norm": "rms_batch_norm"}
_CONV_BLOCK = {**_NORM, "conv": "standardized_conv1_d"}
_OUTPUT = {**_NORM, "linear": "linear", "from_tokens": "linear_1", "organism": "embed"}

# Module of ours -> (official module, official names of its children). {0} is the layer's number as a Haiku suffix
# (none, _1, _2, ...), {half} the same for every second layer, {n} the plain number.
_MODULES: tuple[tuple[str, str, dict[str, str]], ...] = (
    (r"encoder\.embedder", "sequence_encoder/dna_embedder", {"conv": "conv1_d"}),
    (r"encoder\.embedder\.block", "sequence_encoder/dna_embedder/conv_block", _CONV_BLOCK),
    (r"encoder\.blocks\.(\d+)\.first", "sequence_encoder/downres_block_{n}/conv_block", _CONV_BLOCK),
    (r"encoder\.blocks\.(\d+)\.second", "sequence_encoder/downres_block_{n}/conv_block_1", _CONV_BLOCK),
    (r"decoder\.blocks\.(\d+)\.conv_in", "sequence_decoder/up_res_block{0}/conv_in", _CONV_BLOCK),
    (r"decoder\.blocks\.(\d+)\.conv_out", "sequence_decoder/up_res_block{0}/conv_out", _CONV_BLOCK),
    (
        r"decoder\.blocks\.(\d+)\.skip",
        "sequence_decoder/up_res_block{0}/pointwise_conv_unet_skip",
        {**_NORM, "conv": "linear"},
    ),
    (r"decoder\.blocks\.(\d+)", "sequence_decoder/up_res_block{0}", {}),
    (r"tower\.layers\.(\d+)\.bias", "transformer_tower/attention_bias_block{0}", {**_NORM, "linear": "linear"}),
    (
        r"tower\.layers\.(\d+)\.attention",
        "transformer_tower/mha_block{0}",
        {
            "norm_in": "rms_batch_norm",
            "query": "q_layer",
            "key": "k_layer",
            "value": "v_layer",
            "norm_query": "norm_q",
            "norm_key": "norm_k",
            "norm_value": "norm_v",
            "out": "linear_embedding",
            "norm_out": "rms_batch_norm_1",
        },
    ),
    (
        r"tower\.layers\.(\d+)\.mlp",
        "transformer_tower/mlp_block{0}",
        {"norm_in": "rms_batch_norm", "first": "linear", "second": "linear_1", "norm_out": "rms_batch_norm_1"},
    ),
    (
        r"tower\.layers\.(\d+)\.pair_update\.sequence_to_pair",
        "transformer_tower/pair_update_block{half}/sequence_to_pair_block",
        {
            "norm": "norm_seq2pair",
            "query": "linear_q",
            "key": "linear_k",
            "distance": "linear_pos_features",
            "to_pair": "linear_pair",
            "row": "linear_y_q",
            "column": "linear_y_k",
            "query_bias": "q_r_bias",
            "key_bias": "k_r_bias",
        },
    ),
    (
        r"tower\.layers\.(\d+)\.pair_update\.row_attention",
        "transformer_tower/pair_update_block{half}/row_attention_block",
        {"norm": "layer_norm", "query": "linear_q", "key": "linear_k", "value": "linear_v"},
    ),
    (
        r"tower\.layers\.(\d+)\.pair_update\.mlp",
        "transformer_tower/pair_update_block{half}/pair_mlp_block",
        {"norm": "layer_norm", "first": "linear", "second": "linear_1"},
    ),
    (r"embed_token", "output_embedder", _OUTPUT),
    (r"embed_base", "output_embedder_1", _OUTPUT),
    (r"embed_pair", "output_pair", {"norm": "layer_norm", "organism": "embed"}),
    (r"heads\.(\w+)\.resolutions\.(\d+)", "head/{head}/resolution_{resolution}", {"linear": "multi_organism_linear"}),
    (r"heads\.(\w+)", "head/{head}", {"linear": "multi_organism_linear", "hidden": "multi_organism_linear"}),
)

_SITES = {
    "donor_plus": "pos_donor",
    "acceptor_plus": "pos_acceptor",
    "donor_minus": "neg_donor",
    "acceptor_minus": "neg_acceptor",
}


def official_module(module: str) -> str:
    """Return the official path of one of our modules.

    Example:
        >>> official_module("tower.layers.3.mlp")
        'alphagenome/transformer_tower/mlp_block_3'
    """
    if module == "organism":
        return "alphagenome/embed"
    for pattern, template, children in _MODULES:
        if found := re.fullmatch(f"{pattern}(?:\\.(?P<child>[a-z_]+))?", module):
            child = found["child"]
            if child is not None and child not in children:
                continue
            groups = list(found.groups()[: re.compile(pattern).groups])
            return "alphagenome/" + _fill(template, groups) + (f"/{children[child]}" if child else "")
    raise ValueError(f"No official module is known for {module!r}.")


def _fill(template: str, groups: list[str]) -> str:
    """Put a layer's number, or a head's name and resolution, into an official path."""
    if "{head}" in template:
        name = HEAD_NAMES.get(groups[0], groups[0])
        return template.format(head=name, resolution=groups[1] if len(groups) > 1 else "")
    if not groups:
        return template
    number = int(groups[0])
    suffix, half = (f"_{k}" if k else "" for k in (number, number // 2))
    return template.format(suffix, half=half, n=number)


def official_leaf(name: str) -> OfficialLeaf:
    """Return the official leaf of one entry of our state dict.

    Example:
        >>> official_leaf("embed_token.norm.variance")
        OfficialLeaf(collection='state', path='alphagenome/output_embedder/rms_batch_norm/var_ema', layout='same')
    """
    module, leaf = name.rsplit(".", 1)
    if leaf in _SITES:
        head = official_module(module.removesuffix(".tables"))
        return OfficialLeaf("params", f"{head}/{_SITES[leaf]}_logits/embeddings", "same")
    if leaf in ("query_bias", "key_bias"):
        return OfficialLeaf("params", official_module(f"{module}.{leaf}"), "same")
    path = official_module(module)
    if leaf in ("residual_scale", "learnt_scale", "scale", "offset"):
        return OfficialLeaf("params", f"{path}/{leaf}", "same")
    if leaf == "variance":
        return OfficialLeaf("state", f"{path}/var_ema", "same")
    if path.endswith("/embed"):
        return OfficialLeaf("params", f"{path}/embeddings", "same")
    if leaf == "bias":
        return OfficialLeaf("params", f"{path}/{'bias' if path.endswith('standardized_conv1_d') else 'b'}", "same")
    layout: Layout = "swapped" if path.endswith("multi_organism_linear") else "reversed"
    return OfficialLeaf("params", f"{path}/w", layout)
