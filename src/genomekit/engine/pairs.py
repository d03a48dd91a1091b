"""The pair track in rows: the same numbers as `nn.pair`, one block of rows at a time."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from genomekit.engine.constants import Affine, Norm, own, thrifty
from genomekit.nn.attention import TOKENS_PER_PAIR
from genomekit.nn.layers import EPSILON
from genomekit.nn.pair import PairUpdate, distance_features, shift_to_pairs

PAIRS = 1 << 15
"""Pairs computed at a time."""


class PairBlocks:
    """An update of the pair track, prepared for inference.

    Args:
        update: The plain one.
        dtype: Type of the activations.
    """

    def __init__(self, update: PairUpdate, dtype: torch.dtype) -> None:
        source, row, mlp = update.sequence_to_pair, update.row_attention, update.mlp
        self.heads, self.features, self.max_bins = source.num_heads, source.features, source.max_bins
        self.dtype = dtype
        # Statistics and distances stay as wide as the network has them.
        self.norm, self.row_norm, self.mlp_norm = (
            Norm(own(norm.scale, norm.scale.dtype), own(norm.offset, norm.offset.dtype))
            for norm in (source.norm, row.norm, mlp.norm)
        )
        self.distance = Affine.of(source.distance).to(source.distance.weight.dtype)
        self.query_key = torch.cat([source.query.weight, source.key.weight]).T.to(dtype).contiguous()
        self.row_column = torch.cat([source.row.weight, source.column.weight]).T.to(dtype).contiguous()
        self.query_bias, self.key_bias = own(source.query_bias, dtype), own(source.key_bias, dtype)
        self.to_pair = Affine.of(source.to_pair).to(dtype)
        self.row_query, self.row_key, self.row_value = (Affine.of(m).to(dtype) for m in (row.query, row.key, row.value))
        self.first, self.second = Affine.of(mlp.first).to(dtype), Affine.of(mlp.second).to(dtype)
        self._distances: dict[tuple[int, torch.device], Tensor] = {}

    def __call__(
        self, x: Float[Tensor, "batch token channel"], pair: Float[Tensor, "batch bin bin pair"] | None
    ) -> Float[Tensor, "batch bin bin pair"]:
        """Return the updated pair track; `pair`, None before the first update, is written over where it can be."""
        if torch.is_grad_enabled():
            found = [list(self._rows(x[i], None if pair is None else pair[i])) for i in range(len(x))]
            return torch.stack([torch.cat([block for _, block in blocks]) for blocks in found])
        if pair is None:
            bins = x.shape[1] // TOKENS_PER_PAIR
            pair, known = x.new_empty(len(x), bins, bins, len(self.mlp_norm.factor)), False
        else:
            known = True
        for i in range(len(x)):
            for rows, block in self._rows(x[i], pair[i] if known else None):
                pair[i, rows] = block
        return pair

    def _rows(
        self, x: Float[Tensor, "token channel"], pair: Float[Tensor, "bin bin pair"] | None
    ) -> Iterator[tuple[slice, Float[Tensor, "row bin pair"]]]:
        """Compute the track of one element, some rows at a time."""
        heads = self.heads
        hidden = _rms(self.norm, x.unflatten(0, (-1, TOKENS_PER_PAIR)).mean(1))
        bins = len(hidden)
        query, key = ((hidden @ self.query_key).unflatten(-1, (2 * heads, -1))).split(heads, dim=1)
        distance = self._distance(bins, x.device)
        # (head, bin, distance): one product for each head.
        from_query = _shifted((query + self.query_bias).transpose(0, 1) @ distance)
        from_key = _shifted((key + self.key_bias).transpose(0, 1) @ distance).transpose(1, 2)
        row, column = (F.gelu(hidden, approximate="tanh") @ self.row_column).chunk(2, dim=-1)
        keys = key.permute(1, 2, 0)
        step = max(1, PAIRS // bins)
        for start in range(0, bins, step):
            rows = slice(start, start + step)
            relative = 0.5 * (from_query[:, rows] + from_key[:, rows])
            before = None if pair is None else pair[rows]
            yield rows, thrifty(self._block, query[rows], keys, relative, row[rows], column, before)

    def _block(
        self,
        query: Float[Tensor, "row head key"],
        keys: Float[Tensor, "head key bin"],
        relative: Float[Tensor, "head row bin"],
        row: Float[Tensor, "row pair"],
        column: Float[Tensor, "bin pair"],
        before: Float[Tensor, "row bin pair"] | None,
    ) -> Float[Tensor, "row bin pair"]:
        """Compute some rows from the tokens' features and what they were before."""
        product = query.transpose(0, 1) @ keys + relative
        block = self.to_pair(product.permute(1, 2, 0)) + row[:, None] + column[None]
        if before is not None:
            block = before + block
        block = block + self._row_attention(block)
        wide = self.first(_rms(self.mlp_norm, block))
        return block + self.second(F.relu(wide, inplace=not wide.requires_grad))

    def _row_attention(self, block: Float[Tensor, "row bin pair"]) -> Float[Tensor, "row bin pair"]:
        hidden = _rms(self.row_norm, block)
        query, key, value = self.row_query(hidden), self.row_key(hidden), self.row_value(hidden)
        logits = query @ key.transpose(-1, -2)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32)) / math.sqrt(key.shape[-1])
        return logits.softmax(-1).to(value.dtype) @ value

    def _distance(self, bins: int, device: torch.device) -> Float[Tensor, "head key distance"]:
        """Return what each distance adds, per head; made once for each length."""
        where = (bins, device)
        if where not in self._distances:
            features = distance_features(bins, self.features, self.max_bins, device)
            embedded = self.distance(features.to(self.distance.weight.dtype))
            self._distances[where] = embedded.unflatten(-1, (self.heads, -1)).permute(1, 2, 0).to(self.dtype)
        return self._distances[where]


def _shifted(by_distance: Float[Tensor, "head bin distance"]) -> Float[Tensor, "head bin bin"]:
    """Read [head, i, j - i + bins] for each pair of bins (i, j)."""
    return shift_to_pairs(by_distance.contiguous()[..., None])[..., 0]


def _rms(norm: Norm, x: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
    """RMS norm; statistics are float32 or wider."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    factor = torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPSILON)
    return torch.addcmul(norm.offset, wide * factor, norm.factor).to(x.dtype)
