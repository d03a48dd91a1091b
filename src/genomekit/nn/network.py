"""The whole network: encode, trunk, decode, read."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn

from genomekit.nn.attention import Tower
from genomekit.nn.config import BIN, PAIR_BIN, NetworkConfig
from genomekit.nn.convolutions import Decoder, Encoder
from genomekit.nn.embedders import BaseEmbedder, PairEmbedder, TokenEmbedder
from genomekit.nn.heads import TrackHead, build_head
from genomekit.nn.layers import OrganismEmbedding, RMSBatchNorm
from genomekit.nn.splice import select_sites


class Encoded(NamedTuple):
    """What the encoder makes."""

    tokens: Float[Tensor, "batch token channel"]
    """One vector per 128 bp, before the organism is added."""
    skips: list[Tensor]
    """Seven tensors (batch, position, channel) at 1, 2, 4, ..., 64 bp."""


class Trunk(NamedTuple):
    """What the transformer makes."""

    tokens: Float[Tensor, "batch token channel"]
    pair: Float[Tensor, "batch bin bin pair"]


class Embeddings(NamedTuple):
    """What the heads read; None where no asked head needs it."""

    base: Float[Tensor, "batch position channel"] | None
    token: Float[Tensor, "batch token channel"] | None
    pair: Float[Tensor, "batch bin bin pair"] | None


class AlphaGenome(nn.Module):
    """One-hot DNA to the raw outputs of every head.

    Tensor contract: `dna` is float `(batch, position, 4)` in the order A C G T, zeros for any other letter, positions
    a multiple of 2,048 up to `config.max_length`; `organism` is an integer `(batch,)` index into `config.organisms`.
    `forward` returns `{modality: {key: tensor}}` with the keys each head documents.

    Example:
        >>> import torch
        >>> from genomekit.nn import HeadConfig
        >>> config = NetworkConfig(
        ...     organisms=("worm",),
        ...     channels=8,
        ...     channel_step=4,
        ...     num_layers=2,
        ...     num_heads=2,
        ...     key_channels=8,
        ...     value_channels=8,
        ...     pair_channels=8,
        ...     pair_heads=2,
        ...     pair_key_channels=8,
        ...     default_length=2048,
        ...     heads=(HeadConfig(modality="atac", kind="track", channels=3, resolutions=(1, 128)),),
        ... )
        >>> out = AlphaGenome(config).eval()(torch.zeros(1, 2048, 4), torch.zeros(1, dtype=torch.long))
        >>> out["atac"]["predictions_1bp"].shape, out["atac"]["predictions_128bp"].shape
        (torch.Size([1, 2048, 3]), torch.Size([1, 16, 3]))

    Source: AlphaGenome paper, Methods, model architecture.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.organism = OrganismEmbedding(len(config.organisms), config.trunk_channels)
        self.tower = Tower(config)
        self.decoder = Decoder(config)
        self.embed_token = TokenEmbedder(config)
        self.embed_base = BaseEmbedder(config)
        self.embed_pair = PairEmbedder(config)
        self.heads = nn.ModuleDict({head.modality: build_head(config, head) for head in config.heads})

    def encode(self, dna: Float[Tensor, "batch position 4"]) -> Encoded:
        """Encode bases to tokens and skips."""
        length = dna.shape[1]
        if length % PAIR_BIN or not 0 < length <= self.config.max_length:
            raise ValueError(
                f"A window of {length} bp came; allowed are multiples of {PAIR_BIN} up to {self.config.max_length}. "
                "Pad the sequence with N (zeros) on both sides."
            )
        return Encoded(*self.encoder(dna))

    def trunk(self, tokens: Float[Tensor, "batch token channel"], organism: Int[Tensor, " batch"]) -> Trunk:
        """Add the organism and run the transformer."""
        return Trunk(*self.tower(tokens + self.organism(organism)[:, None].to(tokens.dtype)))

    def decode(
        self, tokens: Float[Tensor, "batch token channel"], skips: list[Tensor]
    ) -> Float[Tensor, "batch position base"]:
        """Decode tokens and skips back to 1 bp."""
        return self.decoder(tokens, skips)

    def embed(
        self,
        trunk: Trunk,
        skips: list[Tensor],
        organism: Int[Tensor, " batch"],
        modalities: Sequence[str] | None = None,
    ) -> Embeddings:
        """Make the embeddings that these modalities read (default all): 128 bp ones never run the decoder."""
        needs = self.needs(modalities)
        token = self.embed_token(trunk.tokens, organism) if needs & {1, BIN} else None
        base = self.embed_base(self.decode(trunk.tokens, skips), token, organism) if 1 in needs else None
        pair = self.embed_pair(trunk.pair, organism) if PAIR_BIN in needs else None
        return Embeddings(base, token, pair)

    def needs(self, modalities: Sequence[str] | None = None, *, finest: bool = False) -> set[int]:
        """Return the resolutions (1, 128, 2,048 bp) of the embeddings that these modalities read."""
        kept = [self.config.head(name) for name in modalities] if modalities is not None else self.config.heads
        return {r for head in kept for r in ((min(head.resolutions),) if finest else head.resolutions)}

    def read(
        self,
        embeddings: Embeddings,
        organism: Int[Tensor, " batch"],
        modalities: Sequence[str] | None = None,
        *,
        channels: Mapping[str, Tensor] | None = None,
        resolutions: Sequence[int] | None = None,
        sites: Int[Tensor, "batch 4 site"] | None = None,
    ) -> dict[str, dict[str, Tensor]]:
        """Run heads on embeddings.

        Args:
            embeddings: What `embed` returned for at least these modalities.
            organism: Organism index of each element.
            modalities: Heads to run; None runs all.
            channels: Output channels to keep per modality (for junctions: tissues); sliced in the weights.
            resolutions: Resolutions of track heads to compute, bp; None computes every one.
            sites: Splice sites to pair; None takes them from the classification head.

        Returns:
            `{modality: {key: tensor}}`.
        """
        names = [head.modality for head in self.config.heads] if modalities is None else list(modalities)
        channels = channels or {}
        out: dict[str, dict[str, Tensor]] = {}
        for name in names:
            head, kept = self.heads[name], channels.get(name)
            kind = self.config.head(name).kind
            if kind == "track":
                by_resolution = {r: e for r, e in ((1, embeddings.base), (BIN, embeddings.token)) if e is not None}
                out[name] = head(by_resolution, organism, kept, resolutions)
            elif kind == "contact":
                out[name] = head(embeddings.pair, organism, kept)
            elif kind == "splice_junction":
                chosen = self.choose_sites(embeddings, organism) if sites is None else sites
                out[name] = head(embeddings.base, organism, chosen, kept)
            else:
                out[name] = head(embeddings.base, organism, kept)
        return out

    def choose_sites(self, embeddings: Embeddings, organism: Int[Tensor, " batch"]) -> Int[Tensor, "batch 4 site"]:
        """Pick the splice sites that the junction head pairs, from the classification head."""
        classes = [head.modality for head in self.config.heads if head.kind == "splice_class"]
        if not classes:
            raise ValueError(
                "Junctions need splice sites and this network has no classification head; pass `sites`, "
                "(batch, 4, site) positions with -1 for none."
            )
        probabilities = self.heads[classes[0]](embeddings.base, organism)["predictions"]
        return select_sites(probabilities, self.config.max_splice_sites, self.config.splice_threshold)

    def forward(
        self,
        dna: Float[Tensor, "batch position 4"],
        organism: Int[Tensor, " batch"],
        modalities: Sequence[str] | None = None,
        *,
        channels: Mapping[str, Tensor] | None = None,
        sites: Int[Tensor, "batch 4 site"] | None = None,
    ) -> dict[str, dict[str, Tensor]]:
        """Run the whole network; see `read` for the arguments and the result."""
        encoded = self.encode(dna)
        trunk = self.trunk(encoded.tokens, organism)
        embeddings = self.embed(trunk, encoded.skips, organism, modalities)
        return self.read(embeddings, organism, modalities, channels=channels, sites=sites)

    def set_track_means(self, means: Mapping[str, Tensor]) -> None:
        """Set the mean of each track, `(organism, channel)` per modality; NaN marks padding."""
        for name, mean in means.items():
            head = self.heads[name]
            if not isinstance(head, TrackHead):
                raise ValueError(f"{name!r} has no track means; it is no track head.")
            if mean.shape != head.track_mean.shape:
                expected = tuple(head.track_mean.shape)
                raise ValueError(f"Track means of {name!r} have shape {tuple(mean.shape)}; expected {expected}.")
            head.track_mean.copy_(mean)

    def freeze_norms(self, frozen: bool = True) -> None:
        """Keep stored norm statistics in training, as upstream fine-tuning does."""
        for module in self.modules():
            if isinstance(module, RMSBatchNorm):
                module.frozen = frozen

    def num_parameters(self) -> int:
        """Count the parameters (stored statistics are not among them)."""
        return sum(p.numel() for p in self.parameters())
