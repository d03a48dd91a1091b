"""The training objective: run the network on a batch and weigh its heads' losses."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from genomekit.nn import AlphaGenome, Embeddings
from genomekit.nn.heads import TrackHead
from genomekit.nn.splice import select_sites
from genomekit.training import losses
from genomekit.training.data import Batch, junction_targets


def head_losses(network: AlphaGenome, batch: Batch, *, max_sites: int = 256) -> dict[str, Tensor]:
    """Return the unweighted loss of every head that the batch has targets for.

    Args:
        network: In training or evaluation mode.
        batch: On the network's device.
        max_sites: Most sites of a kind given to the junction head.
    """
    wanted = [head for head in network.config.heads if _has_targets(head.kind, head.modality, batch)]
    names = [head.modality for head in wanted]
    encoded = network.encode(batch.dna)
    trunk = network.trunk(encoded.tokens, batch.organism)
    embeddings = network.embed(trunk, encoded.skips, batch.organism, names)
    out: dict[str, Tensor] = {}
    for head in wanted:
        name = head.modality
        if head.kind == "splice_junction":
            out[name] = _junction_loss(network, embeddings, batch, name, max_sites)
            continue
        raw = network.read(embeddings, batch.organism, [name])[name]
        if head.kind == "track":
            module = network.heads[name]
            assert isinstance(module, TrackHead)
            mean = module.track_mean[batch.organism]
            out[name] = losses.track_loss(
                raw,
                batch.coverage[name],
                mask=~mean.isnan(),
                track_mean=mean,
                resolutions=head.resolutions,
                squash=head.squash,
            )
        elif head.kind == "contact":
            mask = torch.ones(len(batch.dna), head.channels, dtype=torch.bool, device=batch.dna.device)
            out[name] = losses.contact_loss(raw, batch.coverage[name], mask=mask)
        elif head.kind == "splice_class":
            assert batch.classes is not None
            out[name] = losses.splice_class_loss(raw, _one_hot(batch.classes, head.channels))
        else:
            assert batch.usage is not None
            mask = torch.ones(len(batch.dna), head.channels, dtype=torch.bool, device=batch.dna.device)
            out[name] = losses.splice_usage_loss(raw, batch.usage, mask=mask)
    return out


def _has_targets(kind: str, modality: str, batch: Batch) -> bool:
    """Whether a batch can train a head."""
    if kind in ("track", "contact"):
        return modality in batch.coverage
    if kind == "splice_junction":
        return bool(batch.junctions)
    return (batch.classes if kind == "splice_class" else batch.usage) is not None


def _one_hot(classes: Int[Tensor, "batch position"], count: int) -> Float[Tensor, "batch position class_"]:
    """Return one row per base, all zero where the class is unknown (-1)."""
    return F.one_hot(classes.clamp(min=0), count).float() * (classes >= 0)[..., None]


def _junction_loss(network: AlphaGenome, embeddings: Embeddings, batch: Batch, name: str, max_sites: int) -> Tensor:
    """Loss of the junction head on annotated sites and the network's own.

    Upstream takes the sites from the network's classification alone; the annotated ones are added here, so that
    junctions train from the first step.
    """
    class_head = next(head.modality for head in network.config.heads if head.kind == "splice_class")
    with torch.no_grad():
        own = network.read(embeddings, batch.organism, [class_head])[class_head]["predictions"]
        assert batch.classes is not None
        known = _one_hot(batch.classes, own.shape[-1])
        sites = select_sites(torch.maximum(own, known), max_sites, network.config.splice_threshold)
    # Places that no element fills would only cost time.
    used = int((sites >= 0).sum(-1).max().clamp(min=1))
    sites = sites[..., :used].contiguous()
    raw = network.read(embeddings, batch.organism, [name], sites=sites)[name]
    return losses.junction_loss(raw, junction_targets(batch.junctions, sites.cpu()).to(sites.device))


def total(by_head: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Add up head losses; a head without a weight counts 1."""
    return torch.stack([weights.get(name, 1.0) * loss for name, loss in by_head.items()]).sum()
