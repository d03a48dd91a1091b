"""The checkpoints known by name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from genomekit.errors import unknown

ALPHAGENOME_TERMS = (
    "AlphaGenome model terms of Google DeepMind: non-commercial use only; predictions may not be used to train other "
    "models nor for clinical decisions. Commercial use goes through Google Cloud."
)
ALPHAGENOME_LICENCE = "AlphaGenome model terms (non-commercial)"


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint that has a name."""

    name: str
    summary: str
    repository: str = ""
    """Repository on Hugging Face; "" where the checkpoint comes with the package."""
    licence: str = "Apache-2.0"
    terms: str = ""

    @property
    def page(self) -> str:
        """Where the terms are accepted."""
        return f"https://huggingface.co/{self.repository}"


def _published(version: str, summary: str) -> Entry:
    return Entry(
        name=f"alphagenome-{version}",
        summary=summary,
        repository=f"google/alphagenome-{version}",
        licence=ALPHAGENOME_LICENCE,
        terms=ALPHAGENOME_TERMS,
    )


_ALL = (
    Entry("mini", "Small network for worm and yeast, in the package"),
    _published("all-folds", "The published model, distilled from teachers trained on all folds"),
    *(
        _published(f"fold-{k}", f"The published model of fold {k}: its test chromosomes were not seen")
        for k in range(4)
    ),
)

REGISTRY: dict[str, Entry] = {entry.name: entry for entry in _ALL}
DEFAULT = "mini"


def entry(name: str) -> Entry:
    """Return the entry of a name; `_` and `-` are the same.

    Raises:
        ValueError: There is none (near matches are listed).

    Example:
        >>> entry("alphagenome-all-folds").repository
        'google/alphagenome-all-folds'
        >>> entry("alphagenome-fold-7")
        Traceback (most recent call last):
        ValueError: Unknown checkpoint 'alphagenome-fold-7'. Did you mean 'alphagenome-fold-3' or ...
    """
    folded = name.strip().casefold().replace("_", "-")
    if folded not in REGISTRY:
        raise unknown("checkpoint", name, REGISTRY)
    return REGISTRY[folded]


def bundled(name: str) -> Path:
    """Return where the package keeps a checkpoint that comes with it."""
    return Path(str(files("genomekit") / "data" / name))
