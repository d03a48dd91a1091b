"""Attention in one fused kernel, where the device has one: no logits in memory at all.

Source: PyTorch, torch.nn.attention.flex_attention (the kernel); the soft cap and the bias are AlphaGenome's.
"""

import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.attention.flex_attention import flex_attention

from genomekit.errors import GenomekitWarning
from genomekit.nn.attention import SOFT_CAP, TOKENS_PER_PAIR


class FusedAttention:
    """Calls the fused kernel until it fails once; then says so and gives nothing, so that the blocked form runs.

    Args:
        kernel: What computes attention with a function on its scores; None compiles PyTorch's for the device.
    """

    def __init__(self, kernel: Callable[..., Any] | None = None) -> None:
        self._kernel = kernel
        self.available = True

    def __call__(
        self,
        query: Float[Tensor, "batch query head key"],
        key: Float[Tensor, "batch token key"],
        value: Float[Tensor, "batch token value"],
        bias: Float[Tensor, "batch head bin bin"],
        needed: Int[Tensor, "batch query"] | None,
    ) -> Float[Tensor, "batch query mixed"] | None:
        """Return the mixed values, heads side by side, or None where there is no kernel.

        Args:
            query: Divided by the soft cap and the root of the key's width.
            key: Shared by all heads.
            value: Likewise.
            bias: At pair resolution, divided by the soft cap.
            needed: Token of each query; None where they are all tokens in order.
        """
        if not self.available:
            return None
        if self._kernel is None:
            self._kernel = torch.compile(flex_attention)
        rows = torch.arange(query.shape[1], device=query.device).expand(len(query), -1) if needed is None else needed
        rows = (rows // TOKENS_PER_PAIR).contiguous()

        width = value.shape[-1]
        padded = F.pad(value, (0, _next_power(width) - width))  # kernels want powers of two
        try:
            out = self._kernel(
                query.transpose(1, 2),
                key[:, None],
                padded[:, None],
                # A lambda: the checks of shapes that tests put around every function cannot be compiled.
                score_mod=lambda score, b, h, q, k: (
                    SOFT_CAP * torch.tanh(score + bias[b, h, rows[b, q], k // TOKENS_PER_PAIR])
                ),
                scale=1.0,
                enable_gqa=True,
            )
        except Exception as error:  # a compiler, a driver or a limit of the kernel: each with errors of its own
            if isinstance(error, torch.OutOfMemoryError):
                raise
            self.available = False
            text = f"Fused attention does not work here ({type(error).__name__}); attention runs in blocks, slower."
            warnings.warn(text, GenomekitWarning, stacklevel=2)
            return None
        return out[..., :width].transpose(1, 2).flatten(2)


def _next_power(width: int) -> int:
    return 1 << (width - 1).bit_length()
