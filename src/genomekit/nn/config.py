"""Sizes of a network: the published one and every smaller one are the same code."""

from __future__ import annotations

import dataclasses
from typing import Any

BIN = 128
"""bp per token of the transformer: seven halvings."""

PAIR_BIN = 2048
"""bp per bin of the pair track: sixteen tokens."""

KINDS = ("track", "contact", "splice_class", "splice_usage", "splice_junction")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """One head: what it predicts and how wide it is."""

    modality: str
    """Name of the modality, e.g. "rna_seq"."""
    kind: str
    """One of "track", "contact", "splice_class", "splice_usage", "splice_junction"."""
    channels: int
    """Output channels, padding included. Junction heads: tissues on + then the same on -."""
    resolutions: tuple[int, ...] = (1,)
    """bp per output bin; track heads have one linear layer for each."""
    squash: bool = False
    """Whether scaled values are raised to 1/0.75 (RNA-seq)."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Head {self.modality!r} has kind {self.kind!r}; allowed: {', '.join(KINDS)}.")
        if self.channels < 1:
            raise ValueError(f"Head {self.modality!r} has {self.channels} channels; at least 1 is needed.")
        if self.kind == "track" and not set(self.resolutions) <= {1, BIN}:
            raise ValueError(f"Track head {self.modality!r} has resolutions {self.resolutions}; allowed: 1 and {BIN}.")
        if self.kind == "splice_junction" and self.channels % 2:
            raise ValueError(f"Junction head {self.modality!r} has {self.channels} channels; it needs tissues x 2.")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Width, depth, length, organisms and heads of a network.

    Example:
        >>> ALPHAGENOME.trunk_channels, ALPHAGENOME.num_layers
        (1536, 9)

    Source: AlphaGenome paper, Methods, model architecture; google-deepmind/alphagenome_research (facts only).
    """

    organisms: tuple[str, ...]
    """Names in the order of the organism index."""
    heads: tuple[HeadConfig, ...]
    """Heads in output order."""
    channels: int = 768
    """Channels at 1 bp."""
    channel_step: int = 128
    """Channels added at each of the six down blocks."""
    stem_width: int = 15
    """Kernel width of the first convolution, bp."""
    width: int = 5
    """Kernel width of every other convolution, bins."""
    num_layers: int = 9
    """Transformer layers; the pair track is updated before every second one."""
    num_heads: int = 8
    """Query heads that share one key and one value head."""
    key_channels: int = 128
    value_channels: int = 192
    mlp_ratio: int = 2
    """Hidden width of both MLPs over their input width."""
    pair_channels: int = 128
    pair_heads: int = 32
    pair_key_channels: int = 128
    pair_features: int = 32
    """Distance features of the pair track; a signed copy doubles them."""
    junction_channels: int = 768
    max_splice_sites: int = 512
    """Most sites of each kind (donor+, acceptor+, donor-, acceptor-) that are paired."""
    splice_threshold: float = 0.1
    """Least probability of a site that is paired."""
    max_length: int = 1_048_576
    """Longest window in bp; also the scale of the position encodings."""
    lengths: tuple[int, ...] = ()
    """Supported window lengths in bp, ascending; empty means 2,048 x 2^k up to `max_length`."""
    default_length: int = 1_048_576
    """Window length used when none is asked for, bp."""

    def __post_init__(self) -> None:
        if not self.lengths:
            doubled = tuple(
                PAIR_BIN << k for k in range(self.max_length.bit_length()) if PAIR_BIN << k <= self.max_length
            )
            object.__setattr__(self, "lengths", doubled)
        bad = [length for length in self.lengths if length % PAIR_BIN or length > self.max_length]
        if bad:
            raise ValueError(f"Window lengths {bad} are not multiples of {PAIR_BIN} bp up to {self.max_length} bp.")
        if self.default_length not in self.lengths:
            raise ValueError(f"default_length {self.default_length} is not one of the lengths {self.lengths}.")
        if not self.organisms or not self.heads:
            raise ValueError(f"A network needs organisms and heads; got {self.organisms} and {len(self.heads)} heads.")
        names = [head.modality for head in self.heads]
        if len(set(names)) < len(names):
            raise ValueError(f"Two heads have the same modality: {names}.")

    @property
    def trunk_channels(self) -> int:
        """Channels of the transformer: `channels` plus six steps."""
        return self.channels + 6 * self.channel_step

    def head(self, modality: str) -> HeadConfig:
        """Return the head of a modality; KeyError where there is none."""
        return {head.modality: head for head in self.heads}[modality]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; `from_dict` is the inverse.

        Example:
            >>> NetworkConfig.from_dict(ALPHAGENOME.to_dict()) == ALPHAGENOME
            True
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> NetworkConfig:
        """Build a config from `to_dict` output; an unknown field is a ValueError."""
        known = {field.name for field in dataclasses.fields(cls)}
        if extra := set(fields) - known:
            raise ValueError(
                f"Unknown network settings {sorted(extra)}: written by a newer genomekit? Known: {sorted(known)}."
            )
        heads = tuple(HeadConfig(**{**head, "resolutions": tuple(head["resolutions"])}) for head in fields["heads"])
        plain = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
        return cls(**{**plain, "heads": heads})


_BOTH = (1, BIN)

ALPHAGENOME = NetworkConfig(
    organisms=("human", "mouse"),
    heads=(
        HeadConfig(modality="atac", kind="track", channels=256, resolutions=_BOTH),
        HeadConfig(modality="dnase", kind="track", channels=384, resolutions=_BOTH),
        HeadConfig(modality="procap", kind="track", channels=128, resolutions=_BOTH),
        HeadConfig(modality="cage", kind="track", channels=640, resolutions=_BOTH),
        HeadConfig(modality="rna_seq", kind="track", channels=768, resolutions=_BOTH, squash=True),
        HeadConfig(modality="chip_tf", kind="track", channels=1664, resolutions=(BIN,)),
        HeadConfig(modality="chip_histone", kind="track", channels=1152, resolutions=(BIN,)),
        HeadConfig(modality="contact_maps", kind="contact", channels=28, resolutions=(PAIR_BIN,)),
        HeadConfig(modality="splice_sites", kind="splice_class", channels=5),
        HeadConfig(modality="splice_site_usage", kind="splice_usage", channels=734),
        HeadConfig(modality="splice_junctions", kind="splice_junction", channels=734),
    ),
    lengths=(2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576),
)
"""The published network: 450,452,613 parameters."""
