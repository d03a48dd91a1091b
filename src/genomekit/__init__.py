"""AlphaGenome in PyTorch: DNA sequence in, labelled tracks out.

`import genomekit as gk` is quick and loads neither torch nor matplotlib: every public name is looked up when it is
first used.

Example:
    >>> import genomekit as gk
    >>> gk.Interval("chrV", 10_000_000, 10_016_384).end
    10016384
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genomekit import evaluation as evaluation
    from genomekit import plot as plot
    from genomekit import scoring as scoring
    from genomekit import testing as testing
    from genomekit import tracks as tracks
    from genomekit import training as training
    from genomekit.accessors import open as open
    from genomekit.checkup import doctor as doctor
    from genomekit.genome.assembly import Genome as Genome
    from genomekit.genome.haplotypes import read_haplotypes as read_haplotypes
    from genomekit.genome.interval import Interval as Interval
    from genomekit.genome.junction import Junction as Junction
    from genomekit.genome.variant import Variant as Variant
    from genomekit.model import Model as Model

__version__ = "0.1.0"

_MODULES = ("evaluation", "plot", "scoring", "testing", "tracks", "training")
_OWNERS = {
    "Genome": "genomekit.genome.assembly",
    "Interval": "genomekit.genome.interval",
    "Junction": "genomekit.genome.junction",
    "Model": "genomekit.model",
    "Variant": "genomekit.genome.variant",
    "doctor": "genomekit.checkup",
    "open": "genomekit.accessors",
    "read_haplotypes": "genomekit.genome.haplotypes",
}

__all__ = [
    "Genome",
    "Interval",
    "Junction",
    "Model",
    "Variant",
    "__version__",
    "doctor",
    "evaluation",
    "open",
    "plot",
    "read_haplotypes",
    "scoring",
    "testing",
    "tracks",
    "training",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name in _MODULES:
        return importlib.import_module(f"genomekit.{name}")
    if name in _OWNERS:
        value = getattr(importlib.import_module(_OWNERS[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"genomekit has no {name!r}; its public names are {', '.join(__all__)}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
