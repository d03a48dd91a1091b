"""Scores as INFO fields of a VCF: for each record the strongest score of each scorer, and its splicing score."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from anndata import AnnData

from genomekit.genome.vcf_write import InfoField
from genomekit.labels import text
from genomekit.scores.merged_splicing import can_merge, merged_splicing
from genomekit.scores.score_set import ScoreSet
from genomekit.scores.summary import strength

_PREFIX = "GK_"
_MERGED = f"{_PREFIX}merged_splicing"
_REASON = f"{_PREFIX}reason"


def info_fields(scores: ScoreSet) -> list[InfoField]:
    """Describe the fields that `info_of` fills: one value for each ALT allele.

    Example:
        >>> from genomekit.scores import build
        >>> info_fields(build([], []))
        [InfoField(id='GK_reason', number='A', type='String', description='Why the record has no scores')]
    """
    fields = []
    for name, base in _ids(scores).items():
        fields.append(InfoField(base, "A", "Float", f"Raw score of the track with the largest effect: {name}"))
        fields.append(
            InfoField(f"{base}_track", "A", "String", "That track, after its gene where it has one; URL-encoded")
        )
    if can_merge(scores):
        what = "max(splice_sites) + max(splice_site_usage) + max(splice_junctions) / 5"
        fields.append(InfoField(_MERGED, "A", "Float", what))
    return [*fields, InfoField(_REASON, "A", "String", "Why the record has no scores")]


def info_of(scores: ScoreSet, names: Iterable[str] | None = None) -> dict[int, dict[str, float | str]]:
    """Give each record the values of its INFO fields; a scorer that has nothing to say about it leaves none.

    Args:
        scores: Scores; of a long job one shard at a time (`genomekit.scores.iter_shards`).
        names: Names of all scorers of the job, where a shard may lack some: fields are named after all of them.

    Returns:
        Fields by record number; words of a text are joined by "_". What else VCF forbids `annotate_vcf` encodes.
    """
    info: dict[int, dict[str, float | str]] = {int(number): {} for number in scores.records["record"]}
    ids = _ids(scores if names is None else names)
    for name in scores:
        base = ids[name]
        for record, score, track in _strongest(scores[name]):
            info[record] |= {base: score, f"{base}_track": _word(track)}
    if can_merge(scores):
        merged = merged_splicing(scores)
        for record, score in zip(merged["record"].tolist(), merged["merged_splicing"].tolist(), strict=True):
            if score == score:  # not NaN
                info[record][_MERGED] = score
    lost = scores.records[scores.records["status"] != "ok"]
    for record, reason in zip(lost["record"].tolist(), lost["reason"], strict=True):
        info[record][_REASON] = _word(reason)
    return info


def _word(sentence: str) -> str:
    """Join words by "_": VCF has no spaces in a field, and "%20" for each is hard to read."""
    return "_".join(sentence.split())


def _strongest(table: AnnData) -> list[tuple[int, float, str]]:
    """The strongest score of each record: number, raw score, track."""
    power = np.nan_to_num(strength(table), nan=-1.0)
    if not power.size:
        return []
    best = power.argmax(axis=1)
    rows = np.arange(table.n_obs)
    obs = table.obs
    gene = (
        obs["gene_name"].where(obs["gene_name"] != "", obs["gene_id"]) if "gene_name" in obs else text([""] * len(obs))
    )
    frame = pd.DataFrame(
        {
            "record": obs["record"].to_numpy(),
            "power": power[rows, best],
            "raw": np.asarray(table.X)[rows, best],
            "gene": gene,
            "track": table.var_names.to_numpy()[best],
        }
    )
    frame = frame[frame["power"] >= 0].sort_values("power", ascending=False, kind="stable").drop_duplicates("record")
    tracks = (f"{gene} {track}".strip() for gene, track in zip(frame["gene"], frame["track"], strict=True))
    return list(zip(frame["record"].tolist(), frame["raw"].tolist(), tracks, strict=True))


def _ids(names: Iterable[str]) -> dict[str, str]:
    """Name the field of each scorer by its class and arguments, as in GK_CenterMask_dnase_501_diff_log2_sum."""
    found: dict[str, str] = {}
    for name in names:
        kind, _, arguments = name.partition("(")
        words = [kind.removesuffix("Scorer"), *re.findall(r"[\w.]+(?=['\",)]|$)", arguments)]
        base = _PREFIX + re.sub(r"\W+", "_", "_".join(words)).strip("_")
        same = sum(other == base or other.startswith(f"{base}_v") for other in found.values())
        found[name] = f"{base}_v{same + 1}" if same else base
    return found
