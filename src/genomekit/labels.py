"""Numbers get names: arrays of predictions become the labelled tree of schema "genomekit-1".

One child Dataset per modality, one float32 variable `signal`. The registries below say what every variable and
attribute means; the definitions page of the documentation is generated from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.tracks.modality import Modality

SCHEMA = "genomekit-1"
ALLELES = ("ref", "alt")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable or coordinate of a result: its dims, dtype, units and one sentence of meaning."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str
    meaning: str


VARIABLES = (
    Variable("signal", ("position", "track"), "float32", "attrs['units']", "Predicted value of a track in a bin."),
    Variable("signal", ("bin1", "bin2", "track"), "float32", "attrs['units']", "Predicted contact of two bins."),
    Variable("signal", ("junction", "track"), "float32", "attrs['units']", "Predicted use of an intron."),
    Variable(
        "effect",
        ("position", "base", "track"),
        "float32",
        "of the scorer",
        "Score of the substitution against the reference; 0 at the reference base, NaN where there is no known base.",
    ),
    Variable("reference", ("track",), "float32", "of the scorer", "What the effect is a change of, mid-interval."),
    Variable("base", ("base",), "str", "", "The new letter: A, C, G or T, of the plus strand."),
    Variable("ref_base", ("position",), "str", "", 'Letter of the sequence that was mutated, "N" where not known.'),
    Variable("exact", ("position", "base"), "bool", "", "Which effects of a first-order method were computed exactly."),
    Variable("scorer", ("track",), "str", "", "What scored the track."),
    Variable("allele", ("allele",), "str", "", '"ref" or "alt"; a leading dim of results about a variant.'),
    Variable("position", ("position",), "int64", "bp", "Genomic start of the bin, 0-based."),
    Variable("bin1", ("bin1",), "int64", "bp", "Genomic start of the first bin of a pair, 0-based."),
    Variable("bin2", ("bin2",), "int64", "bp", "Genomic start of the second bin of a pair, 0-based."),
    Variable("junction", ("junction",), "str", "", 'Unique label of an intron, "chrV:100-200:+", 0-based half-open.'),
    Variable("start", ("junction",), "int64", "bp", "First base of the intron, 0-based."),
    Variable("end", ("junction",), "int64", "bp", "Base after the last base of the intron, 0-based."),
    Variable("strand", ("junction",), "str", "", 'Strand of the intron, "+" or "-".'),
    Variable(
        "donor", ("junction",), "int64", "bp", "Last base of the exon before the intron: start - 1 on +, end on -."
    ),
    Variable("acceptor", ("junction",), "int64", "bp", "First base of the exon after it: end on +, start - 1 on -."),
    Variable("track", ("track",), "str", "", 'Unique label: the name, with " +" or " -" where the track is stranded.'),
    Variable("name", ("track",), "str", "", "Name of the track as published."),
    Variable("strand", ("track",), "str", "", '"+", "-", or "." where a track has none (absent for junctions).'),
    Variable("ontology_curie", ("track",), "str", "", "Ontology term of the biosample, such as UBERON:0002107."),
    Variable("biosample_name", ("track",), "str", "", "Tissue, cell type, cell line or strain measured."),
    Variable("biosample_type", ("track",), "str", "", "Kind of biosample, such as tissue or primary_cell."),
    Variable("biosample_life_stage", ("track",), "str", "", "Life stage of the donor."),
    Variable("assay_title", ("track",), "str", "", "Assay as its source names it."),
    Variable("data_source", ("track",), "str", "", "Who measured it, such as encode, or how it was derived."),
    Variable("transcription_factor", ("track",), "str", "", "Protein pulled down in a ChIP experiment on a factor."),
    Variable("histone_mark", ("track",), "str", "", "Mark pulled down in a ChIP experiment on histones."),
    Variable("gtex_tissue", ("track",), "str", "", "GTEx tissue of the track."),
    Variable("modality", ("track",), "str", "", "Modality of the track."),
    Variable("channel", ("track",), "int64", "", "Index of the track in the tensor of its head, padding included."),
)

ATTRIBUTES = {
    "schema": "Version of this layout (root).",
    "modality": "Modality of the node.",
    "units": "Units of `signal`.",
    "long_name": "What `signal` is, in words.",
    "resolution": "Width of a bin, bp.",
    "aggregation": "How bins are merged into coarser ones: sum, mean or max.",
    "chrom": 'Chromosome; "" for a bare sequence.',
    "chrom_length": "Length of the chromosome, bp; bigWig files need it.",
    "start": "First base of the interval shown, 0-based.",
    "end": "Base after the last base of the interval shown, 0-based.",
    "strand": "Strand that was read; positions increase along the genome all the same.",
    "assembly": "Genome build.",
    "organism": "Organism whose output head was read.",
    "coordinate_system": "Always 0-based half-open.",
    "window": "The stretch the network read, chrom:start-end.",
    "window_start": "First base of the window, 0-based; negative where N stands before the chromosome.",
    "window_end": "Base after the last base of the window, 0-based.",
    "average_strands": "1 where both strands were read and averaged, else 0.",
    "min_count": "Junctions with a value below this in every track were left out.",
    "displayed_strand": '"-" while a result is turned by `.gk.reverse_complement()`, else absent.',
    "pad_left": "Bases of N before the chromosome or sequence in the window, bp.",
    "pad_right": "Bases of N after the chromosome or sequence in the window, bp.",
    "method": "How effects were computed: exact, hybrid or taylor.",
    "mask": "What the scorer's mask is centred on: variant or interval.",
    "scorer": "Scorers, as they print.",
    "variant": "Variants of ALT, or those that stay in a mutated sequence, chrom:position:REF>ALT.",
    "allele_alignment": "ref where ALT is on REF coordinates, raw where ALT is as read and an indel shifts it.",
    "resumed_effects": "Effects that an earlier, interrupted call had finished.",
    "refined": "First-order effects that were computed exactly.",
    "refined_pearson": "Correlation of estimates with exact effects, where both are known.",
    "verify_max_error": "Largest difference from full passes, relative to the largest prediction.",
    "convention": "What a contribution is: alphagenome, mean4 or raw.",
    "model": "Name of the checkpoint.",
    "weights_sha256": "Hash of the weights.",
    "dtype": "Floating-point type the network ran in.",
    "device": "Device the network ran on.",
    "genomekit": "Version of this library.",
    "terms": "Terms under which the weights, and so the result, may be used.",
}

_NO_FACTS = ("track", "reference", "scorer")
TRACK_COORDS = tuple(v.name for v in VARIABLES if v.dims == ("track",) and v.name not in _NO_FACTS)
# A DataArray taken out of its node keeps what region(), bin() and the exporters need.
SIGNAL_ATTRS = ("units", "long_name", "resolution", "aggregation", "modality", "chrom", "chrom_length", "start", "end",
                "strand", "assembly", "organism")  # fmt: skip


def documentation() -> str:
    """Write the registries as Markdown tables, for the documentation.

    Example:
        >>> print(documentation().splitlines()[0])
        | variable | dims | dtype | units | meaning |
    """
    lines = ["| variable | dims | dtype | units | meaning |", "|---|---|---|---|---|"]
    for v in VARIABLES:
        lines.append(f"| `{v.name}` | {', '.join(v.dims)} | {v.dtype} | {v.units} | {v.meaning} |")
    lines += ["", "| attribute | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in ATTRIBUTES.items()]
    return "\n".join(lines) + "\n"


def plain_attrs(attrs: Mapping[str, object]) -> dict[str, str | int | float]:
    """Turn attributes into plain strings and numbers, which every file format gives back unchanged.

    NumPy scalars become Python numbers and booleans become 0 or 1.

    Raises:
        ValueError: A value of another kind (None, list, dict, ...), or a name xarray keeps for itself.

    Example:
        >>> plain_attrs({"start": np.int64(5), "padded": True})
        {'start': 5, 'padded': 1}
    """
    plain: dict[str, str | int | float] = {}
    for name, value in attrs.items():
        if not isinstance(name, str) or not name or name.startswith("_") or name in ("coordinates", "/"):
            raise ValueError(
                f"Attribute name {name!r} cannot be stored; use a word that is not a reserved xarray name."
            )
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bool):
            value = int(value)
        fits = isinstance(value, int) and -(2**63) <= value < 2**63
        fits = fits or isinstance(value, float) or (isinstance(value, str) and "\0" not in value)
        if not (fits and isinstance(value, str | int | float)):
            raise ValueError(
                f"Attribute {name!r} is {value!r} ({type(value).__name__}); attributes are strings, 64-bit integers "
                "and floats, so that files give them back unchanged. Write it as text, or leave it out."
            )
        plain[name] = value
    return plain


def text(values: Iterable[object]) -> np.ndarray:
    """Give strings as an object array (missing ones ""), the one string type every format returns exactly."""
    column = np.empty(len(items := list(values)), dtype=object)
    column[:] = ["" if item is None or item is pd.NA or item != item else str(item) for item in items]  # NaN != NaN
    return column


def track_dataset(
    values: np.ndarray, *, modality: Modality, rows: pd.DataFrame, start: int, attrs: Mapping[str, object]
) -> xr.Dataset:
    """Label the values of one modality along the genome.

    Args:
        values: (position, track), or (bin1, bin2, track) for contact maps; any of them after a leading allele axis
            of length 2. Kept without a copy where it is float32.
        modality: The modality; `attrs["resolution"]`, in bp, overrides its resolution.
        rows: One row of the track table per track, in the order of the last axis.
        start: Genomic start of the first bin, 0-based.
        attrs: Provenance of the node: plain strings and numbers.

    Raises:
        ValueError: Shapes that do not fit, labels that are not unique, or an attribute that cannot be stored.
    """
    merged = _node_attrs(modality, {"resolution": modality.resolution, **attrs})
    dims = _check_shape(values, modality.dims, len(rows), modality)
    step = int(merged["resolution"])
    coords: dict[str, object] = _track_coords(rows, modality)
    for dim, size in zip(dims, np.shape(values), strict=True):
        if dim in ("position", "bin1", "bin2"):
            coords[dim] = pd.RangeIndex(int(start), int(start) + step * size, step)
    return _dataset(values, dims, coords, merged)


def junction_dataset(
    values: np.ndarray,
    *,
    modality: Modality,
    rows: pd.DataFrame,
    junctions: pd.DataFrame,
    attrs: Mapping[str, object],
) -> xr.Dataset:
    """Label splice junctions: introns by biosamples, introns in genomic order.

    Args:
        values: (junction, biosample), or (allele, junction, biosample).
        modality: The junction modality.
        rows: Rows of the track table: one per biosample, or one per channel (the two strands of a biosample, which
            share a label but for it, are merged because the strand belongs to the junction).
        junctions: One row per intron: chrom, start, end (0-based half-open), strand.
        attrs: Provenance of the node: plain strings and numbers.

    Raises:
        ValueError: Shapes that do not fit, an intron given twice, or introns of several chromosomes.
    """
    merged = _node_attrs(modality, attrs)
    biosamples = rows.assign(label=[biosample_label(label) for label in rows["label"]]).drop_duplicates("label")
    dims = _check_shape(values, modality.dims, len(biosamples), modality)
    axis = dims.index("junction")
    if np.shape(values)[axis] != len(junctions):
        raise ValueError(
            f"{np.shape(values)[axis]} rows of values came with {len(junctions)} junctions; give one each."
        )
    chroms = set(junctions["chrom"]) | ({merged["chrom"]} if merged.get("chrom") else set())
    if len(chroms) > 1:
        raise ValueError(f"Junctions of several chromosomes came: {', '.join(sorted(map(str, chroms)))}; give one.")
    merged.setdefault("chrom", next(iter(chroms), ""))

    order = np.lexsort((junctions["strand"].astype(str), junctions["end"], junctions["start"]))
    table = junctions.iloc[order]
    first, last = table["start"].to_numpy(np.int64), table["end"].to_numpy(np.int64)
    strand = text(table["strand"])
    forward = strand == "+"
    if not np.isin(strand, ["+", "-"]).all():
        raise ValueError(f"Junction strands {sorted(set(strand))} came; each must be '+' or '-'.")
    # A bare sequence lies on no chromosome.
    names = table["chrom"].where(table["chrom"] != "", "sequence")
    labels = text(f"{c}:{a}-{b}:{s}" for c, a, b, s in zip(names, first, last, strand, strict=True))
    if len(set(labels)) != len(labels):
        twice = pd.Series(labels)[pd.Series(labels).duplicated()].iloc[0]
        raise ValueError(f"Junction {twice} came more than once; merge its values first.")
    coords = {
        "junction": pd.Index(labels, dtype=object),
        "start": ("junction", first),
        "end": ("junction", last),
        "strand": ("junction", strand),
        "donor": ("junction", np.where(forward, first - 1, last)),
        "acceptor": ("junction", np.where(forward, last, first - 1)),
        **_track_coords(biosamples, modality, skip=("strand",)),
    }
    return _dataset(np.take(values, order, axis=axis), dims, coords, merged)


def mutagenesis_dataset(
    effect: np.ndarray,
    reference: np.ndarray,
    *,
    letters: str,
    parts: Sequence[tuple[Modality, pd.DataFrame, str]],
    start: int,
    exact: np.ndarray | None,
    attrs: Mapping[str, object],
) -> xr.Dataset:
    """Label the effects of every substitution of an interval.

    Args:
        effect: (position, base, track), bases in the order A C G T, tracks of all parts side by side.
        reference: (track,).
        letters: One letter for each position, "N" where there is none.
        parts: Modality, rows of the track table and scorer, of each stretch of tracks.
        start: Genomic start of the first position, 0-based.
        exact: (position, base), which effects are exact; None where all are.
        attrs: Provenance: plain strings and numbers.
    """
    names = [modality.name for modality, _, _ in parts]
    columns = [_track_coords(rows, modality) for modality, rows, _ in parts]
    coords: dict[str, object] = {}
    for name in columns[0]:
        values = [column[name] if name == "track" else column[name][1] for column in columns]  # type: ignore[index]
        coords[name] = ("track", np.concatenate([np.asarray(value) for value in values]))
    labels = coords.pop("track")[1]  # type: ignore[index]
    if len(set(labels)) < len(labels):  # the same tracks by two scorers, or one label in two modalities
        scorers = [scorer for _, rows, scorer in parts for _ in range(len(rows))]
        labels = text(f"{label} {scorer}" for label, scorer in zip(labels, scorers, strict=True))
    coords["track"] = pd.Index(labels, dtype=object)
    coords["scorer"] = ("track", text(scorer for _, rows, scorer in parts for _ in range(len(rows))))
    coords["position"] = pd.RangeIndex(start, start + len(letters))
    coords["base"] = pd.Index(list("ACGT"), dtype=object)
    coords["ref_base"] = ("position", text(letters))
    if exact is not None:
        coords["exact"] = (("position", "base"), exact)
    merged = plain_attrs(
        {
            "modality": names[0] if len(set(names)) == 1 else "mutagenesis",
            "long_name": "effect of a substitution",
            "units": "of the scorer",
            "resolution": 1,
            "coordinate_system": "0-based half-open",
            **attrs,
        }
    )
    own = {name: merged[name] for name in (*SIGNAL_ATTRS, "method", "scorer") if name in merged}
    data = {
        "effect": (("position", "base", "track"), np.asarray(effect, dtype=np.float32), own),
        "reference": (("track",), np.asarray(reference, dtype=np.float32)),
    }
    return xr.Dataset(data, coords=coords, attrs=merged)


def biosample_label(label: str) -> str:
    """Take the strand out of a track label: junction tracks are biosamples.

    Example:
        >>> biosample_label("UBERON:0002107 RNA-seq + (2)")
        'UBERON:0002107 RNA-seq (2)'
    """
    return re.sub(r" [+-](?= \(\d+\)$|$)", "", label)


def prediction_tree(nodes: Mapping[str, xr.Dataset], attrs: Mapping[str, object]) -> xr.DataTree:
    """Put the nodes of one result under a root that holds the schema and the shared attributes.

    The root has no coordinates: xarray hands a parent's coordinates down, and modalities differ in resolution.

    Example:
        >>> prediction_tree({}, {"chrom": "chrV"}).attrs
        {'schema': 'genomekit-1', 'chrom': 'chrV'}
    """
    root = xr.Dataset(attrs={"schema": SCHEMA, **plain_attrs(attrs)})
    return xr.DataTree.from_dict({"/": root, **nodes})


def _node_attrs(modality: Modality, attrs: Mapping[str, object]) -> dict[str, str | int | float]:
    known = {
        "modality": modality.name,
        "long_name": modality.long_name,
        "units": modality.units,
        "aggregation": modality.aggregation,
    }
    return {**plain_attrs({**known, **attrs}), "coordinate_system": "0-based half-open"}


def _check_shape(values: np.ndarray, dims: tuple[str, ...], tracks: int, modality: Modality) -> tuple[str, ...]:
    shape = np.shape(values)
    if len(shape) == len(dims) + 1 and shape[0] == len(ALLELES):
        dims = ("allele", *dims)
    if len(shape) != len(dims) or shape[-1] != tracks:
        raise ValueError(
            f"Values of {modality.name} have shape {shape}; expected ({', '.join(dims)}) with {tracks} tracks, "
            f"after a leading axis of {len(ALLELES)} alleles or none."
        )
    return dims


def _track_coords(rows: pd.DataFrame, modality: Modality, skip: tuple[str, ...] = ()) -> dict[str, object]:
    labels = text(rows["label"])
    if len(set(labels)) != len(labels):
        twice = pd.Series(labels)[pd.Series(labels).duplicated()].iloc[0]
        raise ValueError(f"Track label {twice!r} of {modality.name} came more than once; labels must be unique.")
    coords: dict[str, object] = {"track": pd.Index(labels, dtype=object)}
    for name in TRACK_COORDS:
        if name in skip:
            continue
        if name == "modality":
            column = text([modality.name] * len(rows))
        elif name == "channel":
            column = rows["channel"].to_numpy(np.int64)
        else:
            column = text(rows[name]) if name in rows else text([""] * len(rows))
        coords[name] = ("track", column)
    return coords


def _dataset(
    values: np.ndarray, dims: tuple[str, ...], coords: dict[str, object], attrs: dict[str, str | int | float]
) -> xr.Dataset:
    if "allele" in dims:
        coords = {"allele": pd.Index(ALLELES, dtype=object), **coords}
    signal = np.asarray(values, dtype=np.float32)
    own = {name: attrs[name] for name in SIGNAL_ATTRS if name in attrs}
    return xr.Dataset({"signal": (dims, signal, own)}, coords=coords, attrs=attrs)
