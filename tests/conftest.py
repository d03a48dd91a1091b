"""Fixtures every test room uses."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference numbers and real data; skips where it is not given."""
    folder = os.environ.get("GENOMEKIT_SHARED")
    if not folder:
        pytest.skip("GENOMEKIT_SHARED is not set: the reference numbers and real data are not on this machine")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"GENOMEKIT_SHARED={folder} is not a folder")
    return path


@pytest.fixture
def result_tree():
    """A small prediction with every kind of node: two stranded and three unstranded tracks, contacts, junctions."""
    import numpy as np
    import pandas as pd

    from genomekit.labels import junction_dataset, prediction_tree, track_dataset
    from genomekit.tracks.modality import MODALITIES

    random = np.random.default_rng(0)
    where = {"chrom": "chrV", "start": 1000, "end": 1512, "chrom_length": 1500, "organism": "worm", "assembly": "ce10"}

    def rows(*names, strands=("."), **more):
        table = [{"name": n, "strand": s, "label": n if s == "." else f"{n} {s}"} for n in names for s in strands]
        return pd.DataFrame(table).assign(channel=range(len(table)), biosample_name="", **more)

    rna = random.random((512, 4), dtype=np.float32)
    rna[5:9, 1] = np.nan
    chip = rows("CTCF liver", "CTCF gut", "POLR2A gut", transcription_factor=["CTCF", "CTCF", "POLR2A"])
    chip["biosample_name"] = ["liver", "gut", "gut"]
    introns = pd.DataFrame({"chrom": "chrV", "start": [1300, 1100], "end": [1400, 1200], "strand": ["-", "+"]})
    nodes = {
        "rna_seq": track_dataset(
            rna,
            modality=MODALITIES["rna_seq"],
            rows=rows("liver RNA", "gut RNA", strands="+-", ontology_curie="UBERON:0002107"),
            start=1000,
            attrs=where,
        ),
        "chip_tf": track_dataset(
            random.random((5, 3)), modality=MODALITIES["chip_tf"], rows=chip, start=896, attrs=where
        ),
        "contact_maps": track_dataset(
            random.random((4, 4, 1)),
            modality=MODALITIES["contact_maps"],
            rows=rows("cell Hi-C"),
            start=896,
            attrs=where | {"resolution": 256},
        ),
        "splice_junctions": junction_dataset(
            np.arange(4).reshape(2, 2),
            modality=MODALITIES["splice_junctions"],
            rows=rows("liver", "gut", strands="+-").sort_values("strand"),
            junctions=introns,
            attrs=where,
        ),
    }
    return prediction_tree(nodes, {**where, "model": "test"})
