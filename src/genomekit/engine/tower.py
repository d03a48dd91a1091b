"""The transformer in blocks: the same numbers as `nn.attention`, without a tensor of tokens x tokens.

Norms are folded into the projections. The pair bias stays at its own resolution (16 x 16 token pairs share a value),
and queries are taken in blocks, so that logits exist only for one block at a time. The soft cap bounds the logits, so
the softmax needs no maximum; its sum is taken by one more value channel of ones.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.engine.constants import Affine, Norm, own, thrifty
from genomekit.engine.fused import FusedAttention
from genomekit.engine.pairs import PAIRS, PairBlocks
from genomekit.nn import NetworkConfig
from genomekit.nn.attention import SOFT_CAP, TOKENS_PER_PAIR, Tower
from genomekit.nn.layers import EPSILON, LayerNorm
from genomekit.nn.rotary import rotate, rotation

LOGITS = 1 << 21
"""Logits computed at a time: 8 MiB of float32, so that on the CPU every pass over them stays in the cache."""

GPU_LOGITS = 1 << 27
"""Likewise on a GPU, where fewer and larger products are faster."""


MLP_ROWS = 2048
"""Tokens that the MLP takes at a time."""


class Scores(NamedTuple):
    """Pair track to the bias of each head, divided by the soft cap."""

    norm: Norm
    weight: Float[Tensor, "pair head"]

    def __call__(self, pair: Float[Tensor, "batch bin1 bin2 pair"]) -> Float[Tensor, "batch head bin1 bin2"]:
        """Return the bias at pair resolution, float32 or wider."""
        batch, bins = pair.shape[:2]
        wide = torch.promote_types(pair.dtype, torch.float32)
        bias = pair.new_empty(batch, self.weight.shape[-1], bins, bins, dtype=wide)
        step = max(1, PAIRS // bins)
        for start in range(0, bins, step):
            rows = slice(start, start + step)
            active = F.gelu(torch.addcmul(self.norm.offset, pair[:, rows], self.norm.factor), approximate="tanh")
            bias[:, :, rows] = (active @ self.weight).permute(0, 3, 1, 2).to(wide)
        return bias


class LayerBlocks(NamedTuple):
    """One layer, ready to run."""

    pair_update: PairBlocks | None
    scores: Scores
    query: Affine
    key_value: Affine
    norm_query: Norm
    norm_key: Norm
    norm_value: Norm
    out: Affine
    first: Affine
    second: Affine


class TowerBlocks:
    """The transformer of a network, prepared for inference.

    Args:
        config: Its sizes.
        moved: Gives a module on the device, one layer at a time.
        tower: The plain one.
        dtype: Type of the activations; logits, softmax and statistics are float32 or wider.
    """

    def __init__(
        self, config: NetworkConfig, moved: Callable[[nn.Module], nn.Module], tower: Tower, dtype: torch.dtype
    ) -> None:
        self.layers = [_prepare(moved(layer), dtype) for layer in tower.layers]
        self.config, self.dtype = config, dtype
        self.max_tokens = tower.max_tokens
        self._fused = FusedAttention()
        self._angles: dict[tuple[int, torch.device], tuple[Tensor, Tensor]] = {}

    def __call__(
        self,
        tokens: Float[Tensor, "batch token channel"],
        *,
        needed: Int[Tensor, "batch some"] | None = None,
        tokens_needed: bool = True,
    ) -> tuple[Float[Tensor, "batch token channel"] | None, Float[Tensor, "batch bin bin pair"]]:
        """Run every layer.

        Args:
            tokens: Tokens with the organism added.
            needed: Tokens that will be read of each element: the last layer is computed for these alone, and the
                others come back as they were before it. None is all.
            tokens_needed: False where only the pair track will be read: the last layer then ends after its update.
        """
        angles = self.angles(tokens.shape[1], tokens.device)
        x, pair = tokens, None
        for number, layer in enumerate(self.layers):
            last = number == len(self.layers) - 1
            if layer.pair_update is not None:
                pair = layer.pair_update(x, pair)
            assert pair is not None, "the first layer makes the pair track"
            if last and not tokens_needed:
                return None, pair
            bias = layer.scores(pair)
            if not last or needed is None:
                x = x + self._attend(layer, x, None, bias, angles)
                x = x + _mlp(layer, x)
            else:
                index = needed[..., None].expand(-1, -1, x.shape[-1])
                some = x.gather(1, index)
                some = some + self._attend(layer, x, needed, bias, angles)
                some = some + _mlp(layer, some)
                x = x.scatter(1, index, some)
        assert pair is not None
        return x, pair

    def angles(self, tokens: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the rotary angles of that many tokens; made once for each length."""
        key = (tokens, device)
        if key not in self._angles:
            positions = torch.arange(tokens, device=device)
            cosine, sine = rotation(positions, self.config.key_channels, self.max_tokens)
            self._angles[key] = (cosine, sine)
        return self._angles[key]

    def _attend(
        self,
        layer: LayerBlocks,
        x: Float[Tensor, "batch token channel"],
        needed: Int[Tensor, "batch some"] | None,
        bias: Float[Tensor, "batch head bin bin"],
        angles: tuple[Tensor, Tensor],
    ) -> Float[Tensor, "batch query channel"]:
        """Attend from the needed tokens (or all) to all tokens."""
        config = self.config
        key, value = layer.key_value(x).split([config.key_channels, config.value_channels], -1)
        key = rotate(_layer_norm(layer.norm_key, key), angles)
        value = _layer_norm(layer.norm_value, value)
        asked = x if needed is None else x.gather(1, needed[..., None].expand(-1, -1, x.shape[-1]))
        query = layer.query(asked).unflatten(-1, (config.num_heads, -1))
        turned = angles if needed is None else (angles[0][needed], angles[1][needed])
        cosine, sine = (angle[..., None, :] for angle in turned)
        query = rotate(_layer_norm(layer.norm_query, query), (cosine, sine))
        query = query * (1 / (SOFT_CAP * math.sqrt(config.key_channels)))
        mixed = None
        if self._fuses(x):
            mixed = self._fused(query, key, value, bias, needed)
        if mixed is None:
            rows = [None] * len(x) if needed is None else list(needed)
            mixed = torch.stack([self._mix(*one) for one in zip(query, key, value, bias, rows, strict=True)])
        return layer.out(mixed)

    def _fuses(self, x: Tensor) -> bool:
        """Whether the fused kernel is worth a try: on NVIDIA and AMD GPUs, without gradients."""
        return x.is_cuda and not torch.is_grad_enabled()

    def _mix(
        self,
        query: Float[Tensor, "query head key"],
        key: Float[Tensor, "token key"],
        value: Float[Tensor, "token value"],
        bias: Float[Tensor, "head bin bin"],
        needed: Int[Tensor, " query"] | None,
    ) -> Float[Tensor, "query mixed"]:
        """Return the mixed values of one element, heads side by side."""
        queries, heads, _ = query.shape
        tokens = len(key)
        logits = GPU_LOGITS if query.is_cuda else LOGITS
        step = max(TOKENS_PER_PAIR, logits // (heads * tokens) // TOKENS_PER_PAIR * TOKENS_PER_PAIR)
        values = torch.cat([value, value.new_ones(tokens, 1)], dim=-1)
        keys = key.T
        mixed = value.new_empty(queries, heads * value.shape[-1])
        for start in range(0, queries, step):
            stop = min(start + step, queries)
            if needed is None:
                rows = bias[:, start // TOKENS_PER_PAIR : stop // TOKENS_PER_PAIR, None]
            else:
                rows = bias[:, needed[start:stop] // TOKENS_PER_PAIR]
            # Into a tensor that is there already: small ones made between large ones would keep freed memory apart.
            mixed[start:stop] = thrifty(_mix_block, query[start:stop], keys, values, rows)
        return mixed


def _mix_block(
    query: Float[Tensor, "query head key"],
    keys: Float[Tensor, "key token"],
    values: Float[Tensor, "token one_more"],
    bias: Float[Tensor, "head *rows bin"],
) -> Float[Tensor, "query mixed"]:
    """Mix for some queries; their rows of the bias are one for each, or (head, bin, 1, bin) for whole bins."""
    queries, heads, width = query.shape
    logits = query.transpose(0, 1).reshape(-1, width) @ keys
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    rows = (queries // TOKENS_PER_PAIR, TOKENS_PER_PAIR) if bias.ndim == 4 else (queries,)
    by_bin = logits.view(heads, *rows, bias.shape[-1], TOKENS_PER_PAIR)
    weights = _soften(by_bin, bias[..., None]).view(heads * queries, -1).to(values.dtype)
    summed = weights @ values
    return (summed[:, :-1] / summed[:, -1:]).unflatten(0, (heads, -1)).transpose(0, 1).flatten(1)


def _soften(logits: Tensor, bias: Tensor) -> Tensor:
    """Return `exp(cap * tanh(logits + bias))`, in place where no gradient is needed."""
    if torch.is_grad_enabled() and logits.requires_grad:
        return torch.exp(SOFT_CAP * torch.tanh(logits + bias))
    return logits.add_(bias).tanh_().mul_(SOFT_CAP).exp_()


def _mlp(layer: LayerBlocks, x: Float[Tensor, "batch token channel"]) -> Float[Tensor, "batch token channel"]:
    """Two layers with ReLU between, some rows at a time so that the wide ones stay in the cache."""
    flat = x.flatten(0, 1)
    out = torch.empty_like(flat)
    for start in range(0, len(flat), MLP_ROWS):
        rows = slice(start, start + MLP_ROWS)
        hidden = layer.first(flat[rows])
        out[rows] = layer.second(F.relu(hidden, inplace=not hidden.requires_grad))
    return out.view_as(x)


def _layer_norm(norm: Norm, x: Tensor) -> Tensor:
    """Layer norm; statistics are float32 whatever the activations are, inside the kernel."""
    return F.layer_norm(x, x.shape[-1:], norm.factor, norm.offset, EPSILON)


def _own(norm: LayerNorm, dtype: torch.dtype) -> Norm:
    return Norm(own(norm.scale, dtype), own(norm.offset, dtype))


def _prepare(layer: Any, dtype: torch.dtype) -> LayerBlocks:
    """Fold the norms of a layer."""
    attention, mlp, bias = layer.attention, layer.mlp, layer.bias
    norm = Norm.of(attention.norm_in)
    key, value = Affine.of(attention.key, before=norm), Affine.of(attention.value, before=norm)
    assert key.bias is not None
    assert value.bias is not None
    both = Affine(torch.cat([key.weight, value.weight], 1), torch.cat([key.bias, value.bias]))
    scored = Norm.of(bias.norm)
    return LayerBlocks(
        pair_update=None if layer.pair_update is None else PairBlocks(layer.pair_update, dtype),
        scores=Scores(
            Norm(scored.factor.to(dtype), scored.offset.to(dtype)),
            (bias.linear.weight.T / SOFT_CAP).to(dtype).contiguous(),
        ),
        query=Affine.of(attention.query, before=norm).to(dtype),
        key_value=both.to(dtype),
        norm_query=_own(attention.norm_query, dtype),
        norm_key=_own(attention.norm_key, dtype),
        norm_value=_own(attention.norm_value, dtype),
        out=Affine.of(attention.out, after=Norm.of(attention.norm_out)).to(dtype),
        first=Affine.of(mlp.first, before=Norm.of(mlp.norm_in)).to(dtype),
        second=Affine.of(mlp.second, after=Norm.of(mlp.norm_out)).to(dtype),
    )
