"""A network prepared for inference on a device: every constant folded once, nothing rebuilt per call."""

import copy
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from genomekit.engine.constants import GELU, Affine, Norm, own
from genomekit.engine.junctions import JunctionReader
from genomekit.engine.ladder import Ladder
from genomekit.engine.readout import Reader, reader
from genomekit.engine.rows import Span
from genomekit.engine.tower import TowerBlocks
from genomekit.nn import AlphaGenome
from genomekit.nn.config import BIN
from genomekit.nn.layers import EPSILON

Kind = TypeVar("Kind", bound=nn.Module)


class TokenShare(NamedTuple):
    """What a window's tokens give to the embeddings, for one organism."""

    embedding: Float[Tensor, "batch token wide"]
    """The 128 bp embedding times 1.702."""
    base: Float[Tensor, "batch token double"] | None
    """Each token's share of the 1 bp embedding before its GELU, norm and organism included."""


class Prepared:
    """The inference form of a network.

    Args:
        network: In evaluation mode; it is read, not changed.
        device: Where the constants go.
        dtype: Type of the activations; float32 or wider stays where the network has it.
    """

    def __init__(self, network: AlphaGenome, device: torch.device, dtype: torch.dtype) -> None:
        self.config, self.device, self.dtype = network.config, device, dtype
        self.wide = torch.promote_types(dtype, torch.float32)

        def moved(module: Kind) -> Kind:
            return _moved(module, device, self.wide)

        with torch.no_grad():
            self.ladder = Ladder.of(network.encoder, network.decoder, dtype, moved)
            self.tower = TowerBlocks(network.config, moved, network.tower, dtype)
            self.organism = own(moved(network.organism).weight, self.wide)
            token, base, pair = moved(network.embed_token), moved(network.embed_base), moved(network.embed_pair)
            scaled = _scaled(Norm.of(token.norm))
            self.token = Affine.of(token.linear, after=scaled).to(dtype)
            self.token_organism = token.organism.weight * GELU
            scaled = _scaled(Norm.of(base.norm))
            self.base = (base.linear.weight.T * scaled.factor).to(dtype).contiguous()
            self.from_tokens = (base.from_tokens.weight.T * scaled.factor / GELU).to(dtype).contiguous()
            self.base_offset = scaled.offset + base.linear.bias * scaled.factor + base.organism.weight * GELU
            self.pair_norm = Norm(own(pair.norm.scale, self.wide), own(pair.norm.offset, self.wide))
            self.pair_organism = own(pair.organism.weight, self.wide)
            self.heads = {name: _moved(head, device, self.wide, copied=True) for name, head in network.heads.items()}
        self._readers: dict[tuple, Reader | JunctionReader] = {}

    def trunk(
        self, tokens: Float[Tensor, "batch token channel"], organism: int, **asked: Any
    ) -> tuple[Float[Tensor, "batch token channel"] | None, Float[Tensor, "batch bin bin pair"]]:
        """Add the organism and run the transformer; `asked` goes to `TowerBlocks`."""
        return self.tower(tokens + self.organism[organism].to(tokens.dtype), **asked)

    def share(self, tokens: Float[Tensor, "batch token channel"], organism: int, *, base: bool = True) -> TokenShare:
        """Embed tokens at 128 bp, and prepare what they add at 1 bp."""
        embedding = F.silu(self.token(tokens) + self.token_organism[organism].to(tokens.dtype))
        if not base:
            return TokenShare(embedding, None)
        return TokenShare(embedding, embedding @ self.from_tokens + self.base_offset[organism].to(tokens.dtype))

    def embed_base(
        self, decoded: Float[Tensor, "batch row channel"], share: Float[Tensor, "batch row double"]
    ) -> Float[Tensor, "batch row double"]:
        """Embed decoded rows (1.702 times the network's embedding); `share` is that of the token of each row."""
        hidden = (decoded.reshape(-1, decoded.shape[-1]) @ self.base).unflatten(0, decoded.shape[:2])
        return F.silu(hidden + share)

    def embed_pair(
        self, pair: Float[Tensor, "batch bin bin pair"], organism: int
    ) -> Float[Tensor, "batch bin bin pair"]:
        """Embed the pair track (1.702 times the network's embedding)."""
        return self._embed_symmetric((pair + pair.transpose(1, 2)) / 2, organism)

    def embed_pair_columns(
        self, pair: Float[Tensor, "read bin bin pair"], span: Span, organism: int
    ) -> Float[Tensor, "batch bin column pair"]:
        """Embed the columns of a span alone, for each element its own."""
        columns = np.clip(span.starts[:, None] + np.arange(span.width), 0, span.total - 1)
        index = torch.from_numpy(columns).to(pair.device)
        element = torch.arange(len(index), device=pair.device)[:, None] if len(pair) > 1 else torch.zeros_like(index)
        rows = pair[element, index].transpose(1, 2)
        down = pair.transpose(1, 2)[element, index].transpose(1, 2)
        return self._embed_symmetric((rows + down) / 2, organism)

    def _embed_symmetric(
        self, pair: Float[Tensor, "batch bin1 bin2 pair"], organism: int
    ) -> Float[Tensor, "batch bin1 bin2 pair"]:
        wide = pair.to(torch.promote_types(pair.dtype, torch.float32))
        factor = torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPSILON)
        normed = torch.addcmul(self.pair_norm.offset, wide * factor, self.pair_norm.factor)
        return F.silu((normed + self.pair_organism[organism]) * GELU).to(pair.dtype)

    def reader(self, modality: str, organism: int, channels: tuple[int, ...] | None, resolution: int) -> Any:
        """Return a head cut to some channels; the last few are kept."""
        key = (modality, organism, channels, resolution)
        if key not in self._readers:
            if len(self._readers) > _READERS:
                self._readers.pop(next(iter(self._readers)))
            head = self.heads[modality]
            kept = None if channels is None else torch.tensor(channels, device=self.device)
            with torch.no_grad():
                if self.config.head(modality).kind == "splice_junction":
                    self._readers[key] = JunctionReader(head, organism, kept, self.dtype)
                else:
                    self._readers[key] = reader(head, organism, kept, resolution, self.dtype)
        return self._readers[key]


_READERS = 32


def spread(share: Float[Tensor, "batch token double"]) -> Float[Tensor, "batch row double"]:
    """Give each token's share to its 128 bases, as a view."""
    batch, tokens, channels = share.shape
    return share[:, :, None].expand(batch, tokens, BIN, channels).reshape(batch, tokens * BIN, channels)


def _moved(module: Kind, device: torch.device, dtype: torch.dtype, *, copied: bool = False) -> Kind:
    """Return the module on the device, without gradients; where it is there, its memory is shared unless `copied`."""
    kept = {id(p): nn.Parameter(p.detach().to(device, dtype, copy=copied), False) for p in module.parameters()}
    buffers = {id(b): b.detach().to(device, dtype, copy=copied) for b in module.buffers()}
    return copy.deepcopy(module, {**kept, **buffers})


def _scaled(norm: Norm) -> Norm:
    return Norm(norm.factor * GELU, norm.offset * GELU)
