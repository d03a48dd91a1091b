"""Choosing splice sites, and the head that pairs them into junctions.

Site tensors are `(batch, 4, site)` in the order donor+, acceptor+, donor-, acceptor-; -1 marks an empty place.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from genomekit.nn.config import NetworkConfig
from genomekit.nn.layers import OrganismLinear, truncated_normal
from genomekit.nn.rotary import rotate, rotation

DONOR_PLUS, ACCEPTOR_PLUS, DONOR_MINUS, ACCEPTOR_MINUS = range(4)
SITE_TABLES = ("donor_plus", "acceptor_plus", "donor_minus", "acceptor_minus")


def select_sites(
    probabilities: Float[Tensor, "batch position class_"], count: int, threshold: float
) -> Int[Tensor, "batch 4 site"]:
    """Pick the most probable sites of each kind, in order of position, -1 past the last.

    Args:
        probabilities: First four classes are donor+, acceptor+, donor-, acceptor-; more are ignored.
        count: Most sites of a kind; at most as many as there are positions.
        threshold: Sites below it are dropped, sites equal to it kept.

    Example:
        >>> p = torch.zeros(1, 6, 4)
        >>> p[0, 4, 0], p[0, 1, 0] = 0.9, 0.3
        >>> select_sites(p, 3, 0.1)[0, 0].tolist()
        [1, 4, -1]

    Source: google-deepmind/alphagenome_research, splicing; exact top-k where the reference's is approximate on TPU.
    """
    length = probabilities.shape[1]
    values, positions = probabilities[..., :4].transpose(1, 2).topk(min(count, length), dim=-1)
    late = torch.where(values >= threshold, positions, length).sort(-1).values
    sites = torch.where(late < length, late, -1)
    return F.pad(sites, (0, count - sites.shape[-1]), value=-1)


class JunctionHead(nn.Module):
    """Counts of each donor-acceptor pair per tissue, on both strands.

    Each site kind has, per organism and tissue, a scale and an offset for the hidden vector of a site; a pair's count
    is the softplus of the product of the donor's and the acceptor's vectors, after rotation by base position.

    Source: google-deepmind/alphagenome_research, heads (splice-site junction head).
    """

    def __init__(self, config: NetworkConfig, channels: int) -> None:
        super().__init__()
        organisms, hidden = len(config.organisms), config.junction_channels
        self.tissues = channels // 2
        self.max_length = config.max_length
        self.hidden = OrganismLinear(organisms, 2 * config.channels, hidden)
        self.tables = nn.ParameterDict(
            {name: nn.Parameter(torch.empty(organisms, 2, self.tissues, hidden)) for name in SITE_TABLES}
        )
        for table in self.tables.values():
            truncated_normal(table, 0.1)

    def forward(
        self,
        embedding: Float[Tensor, "batch position channel"],
        organism: Int[Tensor, " batch"],
        sites: Int[Tensor, "batch 4 site"],
        tissues: Int[Tensor, " kept"] | None = None,
    ) -> dict[str, Tensor]:
        """Return `predictions` (batch, donor, acceptor, 2 x tissue), the `sites`, and the `mask` of real pairs.

        Args:
            embedding: 1 bp embedding.
            organism: Organism index of each element.
            sites: 0-based positions in the window, see `select_sites`.
            tissues: Keep only these tissues (both strands), before any product.
        """
        index = sites.clamp(min=0).flatten(1)[..., None].expand(-1, -1, embedding.shape[-1])
        at_sites = embedding.gather(1, index).unflatten(1, (4, -1))
        hidden = self.hidden(at_sites, organism)
        vectors = [self._vectors(hidden[:, i], sites[:, i], organism, i, tissues) for i in range(4)]
        plus = self._count(vectors[DONOR_PLUS], vectors[ACCEPTOR_PLUS])
        minus = self._count(vectors[DONOR_MINUS], vectors[ACCEPTOR_MINUS])
        real = sites >= 0
        pairs = [real[:, d, :, None] & real[:, a, None, :] for d, a in ((0, 1), (2, 3))]
        kept = plus.shape[-1]
        mask: Bool[Tensor, "batch donor acceptor both"] = torch.cat(
            [pair[..., None].expand(-1, -1, -1, kept) for pair in pairs], dim=-1
        )
        counts = torch.cat([plus, minus], dim=-1)
        return {"predictions": torch.where(mask, counts, 0.0), "sites": sites, "mask": mask}

    def _vectors(
        self,
        hidden: Float[Tensor, "batch site hidden"],
        positions: Int[Tensor, "batch site"],
        organism: Int[Tensor, " batch"],
        kind: int,
        tissues: Int[Tensor, " kept"] | None,
    ) -> Float[Tensor, "batch tissue site hidden"]:
        """Scale, offset and rotate the hidden vectors of one kind of site, for each tissue."""
        table = self.tables[SITE_TABLES[kind]][organism]
        if tissues is not None:
            table = table[:, :, tissues]
        scaled = table[:, 0, :, None] * hidden[:, None] + table[:, 1, :, None]
        cosine, sine = rotation(positions.clamp(min=0), hidden.shape[-1], self.max_length)
        return rotate(scaled, (cosine[:, None], sine[:, None]))

    @staticmethod
    def _count(
        donors: Float[Tensor, "batch tissue donor hidden"], acceptors: Float[Tensor, "batch tissue acceptor hidden"]
    ) -> Float[Tensor, "batch donor acceptor tissue"]:
        """Softplus of every pair's product."""
        products = donors @ acceptors.transpose(-1, -2)
        products = products.to(torch.promote_types(products.dtype, torch.float32))
        return F.softplus(products).permute(0, 2, 3, 1)
