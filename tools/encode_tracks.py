"""Re-encode the published track tables as compact package data.

    python tools/encode_tracks.py FOLDER

FOLDER holds `tracks_human.csv.gz` and `tracks_mouse.csv.gz`: one row per head channel, padding included, with the
facts of the AlphaGenome track metadata as shipped with google-deepmind/alphagenome_research (Apache-2.0). Written are
`src/genomekit/tracks/data/human.parquet` and `mouse.parquet`: real tracks only, in this library's own schema. The
constants `WIDTHS` in `genomekit.tracks.published` are checked against the tables.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from genomekit.tracks.published import WIDTHS  # noqa: E402
from genomekit.tracks.schema import COLUMNS, NUMBERS  # noqa: E402


def encode(csv: Path, organism: str) -> pa.Table:
    """Read one published table; give its real tracks, in head order, in this library's columns."""
    source = pd.read_csv(csv, dtype=str, keep_default_na=False)
    source["modality"] = source["output_type"].str.lower()
    widths = source.groupby("modality", sort=False).size().to_dict()
    if widths != WIDTHS:
        raise SystemExit(f"{csv.name}: head widths are {widths}; genomekit.tracks.published.WIDTHS says {WIDTHS}.")
    tracks = source[source["is_padding"] == "False"].assign(organism=organism)
    tracks = tracks.rename(columns={"track_index": "channel", "rc_track_index": "partner"})
    # Labels follow from name and strand, so they are made on reading.
    columns = [column for column in COLUMNS if column != "label"]
    arrays = []
    for column in columns:
        if column == "nonzero_mean":
            arrays.append(pa.array(pd.to_numeric(tracks[column]).astype("float32"), from_pandas=True))
        elif column in NUMBERS:
            arrays.append(pa.array(tracks[column].astype("int16")))
        else:
            arrays.append(pa.array(tracks[column].astype(object), type=pa.string()))
    return pa.table(arrays, names=columns)


def main(folder: str) -> None:
    """Write both parquet files and say how many tracks each holds."""
    for organism in ("human", "mouse"):
        table = encode(Path(folder) / f"tracks_{organism}.csv.gz", organism)
        target = ROOT / "src" / "genomekit" / "tracks" / "data" / f"{organism}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table, target, compression="zstd", compression_level=19, use_dictionary=True, write_statistics=False
        )
        print(f"{target.relative_to(ROOT)}: {table.num_rows:,} tracks, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
