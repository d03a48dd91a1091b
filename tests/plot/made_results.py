"""Small results that the tests of plots share."""

import numpy as np
import pandas as pd

from genomekit.labels import junction_dataset, mutagenesis_dataset, track_dataset
from genomekit.tracks.modality import MODALITIES

WHERE = {"chrom": "chrV", "start": 1000, "end": 1512, "assembly": "ce10"}


def rows(*names, strands=".", **more):
    table = [{"name": n, "strand": s, "label": n if s == "." else f"{n} {s}"} for n in names for s in strands]
    return pd.DataFrame(table).assign(channel=range(len(table)), **more)


def track_node(values, *names, modality="atac", strands=".", start=1000, attrs=WHERE, **more):
    values = np.asarray(values, dtype=np.float32)
    table = rows(*names, strands=strands, **more)
    return track_dataset(values, modality=MODALITIES[modality], rows=table, start=start, attrs=attrs)


def junction_node(values, starts, ends, strands="+", names=("gut",)):
    introns = pd.DataFrame({"chrom": "chrV", "start": starts, "end": ends, "strand": list(strands) * len(starts)})
    return junction_dataset(
        np.asarray(values, dtype=np.float32),
        modality=MODALITIES["splice_junctions"],
        rows=rows(*names),
        junctions=introns,
        attrs=WHERE,
    )


def contact_node(values, step=128, names=("Hi-C",), start=1000):
    values = np.asarray(values, dtype=np.float32)
    attrs = WHERE | {"resolution": step, "start": start, "end": start + step * values.shape[-2]}
    return track_dataset(values, modality=MODALITIES["contact_maps"], rows=rows(*names), start=start, attrs=attrs)


def ism_node(letters="ACGTACGTNA", names=("gut",), seed=0, start=1000):
    random = np.random.default_rng(seed)
    effect = random.normal(size=(len(letters), 4, len(names))).astype(np.float32)
    for row, letter in enumerate(letters):
        if letter == "N":
            effect[row] = np.nan
        else:
            effect[row, "ACGT".index(letter)] = 0
    parts = [(MODALITIES["atac"], rows(*names), "scorer")]
    return mutagenesis_dataset(
        effect, np.zeros(len(names)), letters=letters, parts=parts, start=start, exact=None,
        attrs={"chrom": "chrV", "start": start, "end": start + len(letters), "assembly": "ce10"},
    )  # fmt: skip


def exons():
    return pd.DataFrame(
        {
            "chrom": "chrV",
            "start": [1050, 1200, 1300],
            "end": [1100, 1250, 1400],
            "strand": ["+", "+", "-"],
            "gene_id": ["g1", "g1", "g2"],
            "gene_name": ["unc-1", "unc-1", ""],
            "transcript_id": ["t1", "t1", "t2"],
        }
    )


def axes(width=8.0, height=2.0, dpi=100):
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=dpi).add_axes((0, 0, 1, 1))
