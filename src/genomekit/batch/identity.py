"""What decides the numbers of a job, besides its records."""

from __future__ import annotations

import hashlib

import pandas as pd

from genomekit.scoring.job import Job
from genomekit.scoring.polyadenylation import PolyadenylationScorer


def identity(job: Job) -> dict[str, str | int]:
    """Say what decides the numbers, in plain texts and numbers: a folder of another identity is refused."""
    tracks, genome = hashlib.sha256(), hashlib.sha256()
    # Of a FASTA that has changed, lengths or the size of the file tell.
    genome.update(repr((sorted(job.genome.chroms.items()), job.genome.fasta.path.stat().st_size)).encode())
    if job.attrs["annotation"]:
        genome.update(job.genome.annotation.content_hash.encode())
    if any(isinstance(scorer, PolyadenylationScorer) for scorer in job.reads):
        sites = job.genome.polya_sites()[["chrom", "position", "strand", "gene_id", "gene_name"]]
        genome.update(pd.util.hash_pandas_object(sites, index=False).to_numpy().tobytes())
    for scorer, part in job.reads.items():
        tracks.update(f"{scorer!r} {part.channels.tolist()}".encode())
    attrs = {name: value for name, value in job.attrs.items() if name not in ("terms", "genomekit")}
    names = "; ".join(str(scorer) for scorer in job.reads)
    return {
        **attrs,
        "device": job.engine.device.type,  # which of several alike makes no difference
        "scorers": names,
        "genome": genome.hexdigest(),
        "tracks": tracks.hexdigest(),
        "window": job.length or 0,
        "ref_check": job.ref_check,
    }
