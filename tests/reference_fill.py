"""The full-size network with the parameters of the reference's fill rule, and its comparison with the stored numbers.

The rule itself (`fill_params.py`) lies beside the reference numbers in the shared folder and is imported from there.
Tests and `benchmarks/` read this module.
"""

import dataclasses
import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import genomekit.nn.convolutions
from genomekit.nn import ALPHAGENOME, AlphaGenome
from genomekit.weights.names import HEAD_NAMES, OfficialLeaf, official_leaf, official_module

REFERENCE_SITES = 64
"""Splice sites of a kind in the stored forward and gradient runs (512 in the published configuration)."""

POOL_ROUNDING = 1e-5
"""Pairs this close, relative to the largest value of the layer, may swap by rounding."""

_MODALITIES = {official: modality for modality, official in HEAD_NAMES.items()}
_KEYS = {"splice_site_positions": "sites", "splice_junction_mask": "mask"}
_CONTAINERS = {
    r"encoder": "alphagenome/sequence_encoder",
    r"encoder\.embedder": "alphagenome/sequence_encoder/dna_embedder",
    r"encoder\.blocks\.(\d+)": "alphagenome/sequence_encoder/downres_block_{}",
    r"tower": "alphagenome/transformer_tower",
    r"decoder": "alphagenome/sequence_decoder",
}


@dataclasses.dataclass(frozen=True)
class Difference:
    """How far one output is from the reference."""

    name: str
    relative: float
    """Largest difference over the largest reference value."""
    nan_agree: bool
    values: int


@cache
def fill_rule(shared: Path) -> ModuleType:
    """Import the fill rule from the shared folder."""
    spec = importlib.util.spec_from_file_location("fill_params", shared / "parity" / "fill_params.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def to_ours(array: np.ndarray, leaf: OfficialLeaf, shape: tuple[int, ...]) -> np.ndarray:
    """Bring an official array into our layout."""
    if leaf.layout == "reversed":
        array = array.T
    elif leaf.layout == "swapped":
        array = array.swapaxes(-1, -2)
    return np.ascontiguousarray(array).reshape(shape)


def official_entries(shared: Path) -> dict[tuple[str, str], tuple[int, ...]]:
    """Give the shape of every official leaf, by collection and path."""
    return {(collection, path): shape for collection, path, shape in fill_rule(shared).entries()}


def filled_tensor(shared: Path, name: str, like: Tensor, shapes: dict[tuple[str, str], tuple[int, ...]]) -> Tensor:
    """Fill one entry of our state dict by the rule."""
    leaf = official_leaf(name)
    array = fill_rule(shared).fill(leaf.path, shapes[leaf.collection, leaf.path])
    return torch.from_numpy(to_ours(array, leaf, tuple(like.shape)))


def write_filled(shared: Path, path: Path) -> Path:
    """Write the filled full-size state dict as one plain safetensors file in our names."""
    shapes = official_entries(shared)
    with torch.device("meta"):
        state = AlphaGenome(ALPHAGENOME).state_dict()
    save_file({name: filled_tensor(shared, name, like, shapes) for name, like in state.items()}, path)
    return path


def filled_network(shared: Path, state_file: Path) -> AlphaGenome:
    """Build the reference's network on memory-mapped filled parameters, in eval mode."""
    with torch.device("meta"):
        network = AlphaGenome(dataclasses.replace(ALPHAGENOME, max_splice_sites=REFERENCE_SITES))
    with safe_open(state_file, framework="pt") as file:
        network.load_state_dict({name: file.get_tensor(name) for name in file.keys()}, assign=True)
    set_reference_means(shared, network)
    return network.eval()


def set_reference_means(shared: Path, network: AlphaGenome) -> None:
    """Give the network the track means the reference ran with."""
    with np.load(shared / "parity" / "track_means.npz") as means:
        for head in network.config.heads:
            if head.kind == "track":
                network.heads[head.modality].track_mean = torch.from_numpy(means[head.modality])


def official_name(module: str) -> str | None:
    """Give the official path of a module of ours, containers included; None where the reference has none."""
    for pattern, template in _CONTAINERS.items():
        if found := re.fullmatch(pattern, module):
            return template.format(*found.groups())
    if re.fullmatch(r"tower\.layers\.\d+\.pair_update", module):
        return official_module(f"{module}.mlp").rsplit("/", 1)[0]
    try:
        return official_module(module)
    except ValueError:
        return None


def forward_outputs(shared: Path, network: AlphaGenome) -> dict[str, Tensor]:
    """Run the reference's input and give every stored output of it by its key in the reference file."""
    with np.load(shared / "parity" / "forward_f32_4096_b2.npz") as reference:
        stored = set(reference.files)
    found: dict[str, Tensor] = {}
    hooks = [
        module.register_forward_hook(_keeper(found, f"mid:{official}"))
        for name, module in network.named_modules()
        if (official := official_name(name)) and f"mid:{official}" in stored
    ]
    _, dna = fill_rule(shared).dna(4096, 2)
    organism = torch.tensor([0, 1])
    with torch.inference_mode():
        encoded = network.encode(torch.from_numpy(dna))
        trunk = network.trunk(encoded.tokens, organism)
        embeddings = network.embed(trunk, encoded.skips, organism)
        read = network.read(embeddings, organism)
    for hook in hooks:
        hook.remove()
    found |= {
        "emb:embeddings_1bp": embeddings.base,
        "emb:embeddings_128bp": embeddings.token,
        "emb:embeddings_pair": embeddings.pair,
    }
    for modality, outputs in read.items():
        for key, value in outputs.items():
            found[f"{modality}/{key}"] = value
    return found


def _keeper(found: dict[str, Tensor], key: str):
    """A hook that keeps a module's (first) output."""

    def keep(module: nn.Module, inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        value = output[0] if isinstance(output, tuple) else output
        # The reference repeats the bias of each 16 x 16 block of token pairs; we never do.
        found[key] = value.repeat_interleave(16, 2).repeat_interleave(16, 3) if "attention_bias" in key else value

    return keep


def _ours(key: str) -> str:
    """Turn a reference key into one of `forward_outputs`."""
    kind, rest = key.split(":", 1)
    if kind != "head":
        return key
    head, output = rest.split("/")
    return f"{_MODALITIES.get(head, head)}/{_KEYS.get(output, output)}"


def forward_differences(shared: Path, network: AlphaGenome) -> Iterator[Difference]:
    """Compare every stored array of the forward run."""
    outputs = forward_outputs(shared, network)
    with np.load(shared / "parity" / "forward_f32_4096_b2.npz") as reference:
        for key in reference.files:
            if key.startswith(("emb:", "head:", "mid:")):
                yield difference(shared, key, outputs[_ours(key)], reference[key])


def difference(shared: Path, key: str, ours: Tensor, expected: np.ndarray, sample: str | None = None) -> Difference:
    """Compare the values that the reference keeps of an array, sampled under its key."""
    flat = ours.detach().numpy().reshape(-1).astype(np.float64)
    got = flat[fill_rule(shared).sample(sample or key, flat.size, expected.size)]
    expected = expected.reshape(-1).astype(np.float64)
    known = ~np.isnan(expected)
    largest = np.abs(expected[known]).max()
    relative = np.abs(got[known] - expected[known]).max() / (largest or 1.0)
    return Difference(key, float(relative), bool((np.isnan(got) == np.isnan(expected)).all()), expected.size)


@contextmanager
def reference_pooling() -> Iterator[None]:
    """Take the reference's side where the two inputs of a max pool differ by less than float32 rounding.

    A gradient jumps where two pooled values are equal. In the stored run 372 pairs lie within 1e-5 of the layer's
    largest value, and rounding decides which of the two gets the gradient: three of them, each closer than 3e-7, fall
    the other way in PyTorch, and move single entries of the gradient by up to 6e-3 of its largest value. The side the
    reference took was found by trying both; rows are (pool, batch, pair, channel, whether the first is taken).
    """
    with np.load(Path(__file__).parent / "nn" / "data" / "reference_pool_choices.npz") as stored:
        choices = torch.from_numpy(stored["choices"]).long()
    pool = 0

    def max_pool(x: Tensor) -> Tensor:
        nonlocal pool
        first, second = x[:, 0::2], x[:, 1::2]
        takes_first = second <= first
        _, batch, pair, channel, side = choices[choices[:, 0] == pool].unbind(1)
        near = (first - second)[batch, pair, channel].abs() < POOL_ROUNDING * x.abs().max()
        takes_first[batch[near], pair[near], channel[near]] = side[near].bool()
        pool += 1
        return torch.where(takes_first, first, second)

    original = genomekit.nn.convolutions.max_pool
    genomekit.nn.convolutions.max_pool = max_pool
    try:
        yield
    finally:
        genomekit.nn.convolutions.max_pool = original


def gradients(shared: Path, network: AlphaGenome) -> tuple[float, Tensor, dict[str, Tensor]]:
    """Give value and gradients of the reference's scalar: by the input, and by the parameters it stores.

    Only the asked parameters require a gradient; they come back in the official layout, by official path.
    """
    with np.load(shared / "parity" / "grad_f32_4096_b2.npz") as reference:
        wanted = {key.removeprefix("grad:") for key in reference.files if key.startswith("grad:")}
    named = {official_leaf(name).path: (name, p) for name, p in network.named_parameters()}
    for path, (_, parameter) in named.items():
        parameter.requires_grad_(path in wanted)
    _, dna = fill_rule(shared).dna(4096, 2)
    one_hot = torch.from_numpy(dna).requires_grad_()
    modalities = ["dnase", "chip_tf", "contact_maps", "splice_site_usage"]
    with reference_pooling():
        out = network(one_hot, torch.tensor([0, 1]), modalities)
    value = (
        out["dnase"]["scaled_predictions_1bp"].mean()
        + out["chip_tf"]["scaled_predictions_128bp"].mean()
        + out["contact_maps"]["predictions"].mean()
        + out["splice_site_usage"]["logits"].mean()
    )
    paths = sorted(wanted)
    found = torch.autograd.grad(value, [one_hot, *(named[path][1] for path in paths)])
    by_path = {}
    for path, gradient in zip(paths, found[1:], strict=True):
        layout = official_leaf(named[path][0]).layout
        if layout == "reversed":
            gradient = gradient.permute(*reversed(range(gradient.ndim)))
        elif layout == "swapped":
            gradient = gradient.transpose(-1, -2)
        by_path[path] = gradient.contiguous()
    return value.item(), found[0], by_path


def gradient_differences(shared: Path, network: AlphaGenome) -> Iterator[Difference]:
    """Compare the value and every stored gradient."""
    value, by_input, by_path = gradients(shared, network)
    with np.load(shared / "parity" / "grad_f32_4096_b2.npz") as reference:
        expected = float(reference["value"])
        yield Difference("value", abs(value - expected) / abs(expected), True, 1)
        yield difference(shared, "grad_one_hot", by_input, reference["grad_one_hot"])
        for path, gradient in by_path.items():
            yield difference(shared, f"grad:{path}", gradient, reference[f"grad:{path}"])
            norm = float(reference[f"norm:{path}"])
            yield Difference(f"norm:{path}", abs(gradient.double().norm().item() - norm) / norm, True, 1)
