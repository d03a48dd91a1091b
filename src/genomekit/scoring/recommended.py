"""The scorers that upstream recommends, for the modalities that a model has."""

from __future__ import annotations

from collections.abc import Mapping

from genomekit.scoring.center_mask import CenterMaskScorer, recommended_scorer
from genomekit.scoring.contact_map import ContactMapScorer
from genomekit.scoring.gene import GeneMaskActiveScorer, GeneMaskLFCScorer, GeneMaskSplicingScorer
from genomekit.scoring.junction import SpliceJunctionScorer
from genomekit.scoring.polyadenylation import PolyadenylationScorer
from genomekit.scoring.scorer import Scorer
from genomekit.tracks import MODALITIES, Modality


def _active(modality: Modality) -> CenterMaskScorer:
    """Return the scorer of how active the place is, whatever the change."""
    return CenterMaskScorer(modality, recommended_scorer(modality).width, "active_sum")


_COVERAGE = [MODALITIES[name] for name in ("atac", "dnase", "chip_tf", "cage", "procap", "chip_histone")]
_CHANGE: dict[str, Scorer] = {
    **{one.name: recommended_scorer(one) for one in _COVERAGE},
    "rna_seq": GeneMaskLFCScorer("rna_seq"),
    "contact_maps": ContactMapScorer(),
    "splice_sites": GeneMaskSplicingScorer("splice_sites"),
    "splice_site_usage": GeneMaskSplicingScorer("splice_site_usage"),
    "splice_junctions": SpliceJunctionScorer(),
}
_ACTIVE: dict[str, Scorer] = {
    **{f"{one.name}_active": _active(one) for one in _COVERAGE},
    "rna_seq_active": GeneMaskActiveScorer("rna_seq"),
}
RECOMMENDED: dict[str, Scorer] = {**_CHANGE, **_ACTIVE, "polyadenylation": PolyadenylationScorer("rna_seq")}
"""Every recommended scorer by its name, lower case of upstream's; polyadenylation is for genomes with a table of sites.

Source: google-deepmind/alphagenome, RECOMMENDED_VARIANT_SCORERS.
"""


def recommended_scorers(modalities: Mapping[str, Modality], *, polyadenylation: bool = True) -> dict[str, Scorer]:
    """Return the recommended scorers of the modalities that a model has, by name.

    Args:
        modalities: As `Model.modalities`.
        polyadenylation: Whether there is a table of polyadenylation sites to score.

    Returns:
        Upstream's scorers; for a coverage modality that upstream does not have, the two centre masks of 501 bp.

    Example:
        >>> from genomekit.tracks import MODALITIES
        >>> len(recommended_scorers(MODALITIES)), len(recommended_scorers(MODALITIES, polyadenylation=False))
        (19, 18)
    """
    found = {name: one for name, one in RECOMMENDED.items() if one.modality in modalities}
    if not polyadenylation:
        found.pop("polyadenylation", None)
    for name, modality in modalities.items():
        if name not in RECOMMENDED and modality.head_kind == "track":
            found[name] = recommended_scorer(modality)
            found[f"{name}_active"] = _active(modality)
    return found


def short_name(scorer: Scorer, modality: Modality) -> str:
    """Return the name of a recommended scorer, "" of any other.

    Args:
        scorer: The scorer.
        modality: What it reads.

    Example:
        >>> from genomekit.tracks import MODALITIES
        >>> short_name(CenterMaskScorer("atac", 501), MODALITIES["atac"])
        'atac'
    """
    known = recommended_scorers({modality.name: modality})
    return next((name for name, one in known.items() if one == scorer), "")
