"""The `.gk` accessor: what a genomicist does to a labelled result, on trees, datasets and arrays alike."""

from __future__ import annotations

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from genomekit import contribution, export, storage
from genomekit.accessors import mutagenesis
from genomekit.accessors.selection import Nodes, crop, extent, select_tracks
from genomekit.accessors.shape import coarsen, delta, resolution_of, turn
from genomekit.errors import GenomekitWarning
from genomekit.genome.interval import Interval
from genomekit.labels import prediction_tree

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ResultAccessor(ABC):
    """Methods of `.gk`. Every one returns a new object and leaves the result as it was.

    On a tree a method maps over the nodes; nodes it has no meaning for stay as they are, unless said otherwise.

    Example:
        >>> import numpy as np
        >>> signal = xr.DataArray(
        ...     np.arange(6, dtype="float32")[:, None],
        ...     dims=("position", "track"),
        ...     name="signal",
        ...     coords={"position": pd.RangeIndex(100, 112, 2), "track": ["liver"]},
        ...     attrs={"chrom": "chrV", "resolution": 2, "aggregation": "sum"},
        ... )
        >>> signal.gk.region("chrV:103-106").position.values  # the bins that overlap
        array([102, 104])
        >>> signal.gk.bin(4).values.ravel()
        array([1., 5., 9.], dtype=float32)
        >>> signal.gk.tracks("liver").sizes["track"]
        1
    """

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    @abstractmethod
    def _nodes(self) -> Nodes:
        """Give the datasets inside the object, by name."""

    @abstractmethod
    def _rebuild(self, nodes: Nodes) -> Any:
        """Put datasets back into an object of the same kind."""

    def region(self, interval: Interval | str) -> Any:
        """Keep what lies in an interval, 0-based half-open (`.sel(slice)` would include the end).

        Bins are kept where they overlap the interval, on both axes of a contact map; junctions where the whole intron
        lies inside. An interval that is partly outside gives the part inside, with a warning.

        Args:
            interval: An Interval or "chrV:10,000-20,000"; its strand is ignored.

        Raises:
            ValueError: Another chromosome, an empty interval, or one wholly outside the result.
        """
        where = Interval.parse(interval)
        nodes = self._nodes()
        low, high, chrom = extent(nodes)
        if chrom and where.chrom.removeprefix("chr") != chrom.removeprefix("chr"):
            raise ValueError(f"Interval {where} is on {where.chrom}, the result is on {chrom}:{low}-{high}.")
        if where.end <= max(where.start, low) or where.start >= high:
            raise ValueError(f"Interval {where} holds nothing of the result, which covers {chrom}:{low}-{high}.")
        if where.start < low or where.end > high:
            text = f"Interval {where} reaches outside the result ({chrom}:{low}-{high}); the part inside is returned."
            warnings.warn(text, GenomekitWarning, stacklevel=2)
        return self._rebuild({name: crop(node, where.start, where.end) for name, node in nodes.items()})

    def tracks(
        self,
        tracks: Any = None,
        *,
        modalities: str | Sequence[str] | None = None,
        ontology: str | Sequence[str] | None = None,
        biosample: str | Sequence[str] | None = None,
        strand: str | Sequence[str] | None = None,
        transcription_factor: str | Sequence[str] | None = None,
        histone_mark: str | Sequence[str] | None = None,
        assay: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        search: str | Sequence[str] | None = None,
    ) -> Any:
        """Select tracks by meaning, with the rules of `TrackTable.select`; all criteria must hold.

        On a tree, nodes without a matching track are dropped. `strand` selects junctions by their own strand.

        Args:
            tracks: Labels, names, free text, or a `TrackTable`.
            modalities: Names of modalities.
            ontology: CURIE such as "UBERON:0002107".
            biosample: Name of a tissue or cell type.
            strand: "+", "-", or "." for tracks without one.
            transcription_factor: Protein of a ChIP experiment.
            histone_mark: Mark of a ChIP experiment.
            assay: Title of the assay.
            name: Published name of a track.
            search: Words that all occur in what is known of a track.

        Raises:
            ValueError: An unknown value (near matches are listed), or nothing selected.
        """
        criteria = {
            "tracks": tracks,
            "modalities": modalities,
            "ontology": ontology,
            "biosample": biosample,
            "transcription_factor": transcription_factor,
            "histone_mark": histone_mark,
            "assay": assay,
            "name": name,
            "search": search,
        }
        return self._rebuild(select_tracks(self._nodes(), strand, criteria))

    def bin(self, width: int, how: str | None = None) -> Any:
        """Merge bins into coarser ones of `width` bp, counted from the first bin shown.

        Missing values are left out; a coarse bin with none left is NaN. Bins at the end that do not fill a coarse one
        are dropped, with a warning. On a tree, nodes that are as coarse already (and junctions) stay as they are.

        Args:
            width: bp, a multiple of the resolution.
            how: "sum", "mean" or "max"; default is the modality's own, `attrs["aggregation"]`.

        Raises:
            ValueError: A width that does not fit, an unknown `how`, or a result shorter than one coarse bin.
        """
        nodes = self._nodes()
        lost: list[str] = []
        done = {name: coarsen(node, width, how, lost, strict=len(nodes) == 1) for name, node in nodes.items()}
        if lost:
            warnings.warn(
                f"Bins of {width} bp do not fill the result: {'; '.join(lost)}.", GenomekitWarning, stacklevel=2
            )
        return self._rebuild(done)

    def delta(self) -> Any:
        """Subtract REF from ALT. Where ALT has no base the difference is NaN.

        Raises:
            ValueError: A node has no dim `allele` with "ref" and "alt".
        """
        nodes = self._nodes()
        fine = [name for name, node in nodes.items() if "position" in node.dims and resolution_of(node) == 1]
        if moved := [name for name in fine if nodes[name].attrs.get("allele_alignment") == "raw"]:
            text = f"{', '.join(moved)}: ALT is as read, so that after an indel other bases are subtracted. "
            warnings.warn(f"{text}Predict with align='ref' for differences.", GenomekitWarning, stacklevel=2)
        return self._rebuild({name: delta(node) if "signal" in node else node for name, node in nodes.items()})

    def reverse_complement(self) -> Any:
        """Turn a result for display, so that a minus-strand gene reads from left to right.

        Positions then decrease; labels, strands of tracks and coordinates keep their genomic meaning, letters are
        complemented. `attrs["displayed_strand"]` is "-" until it is turned back.
        """
        return self._rebuild({name: turn(node) for name, node in self._nodes().items()})

    def to_dataframe(self, *, max_rows: int = export.MAX_ROWS) -> pd.DataFrame:
        """Give a tidy table, one row per value; see `genomekit.export.to_dataframe` for the columns.

        Raises:
            ValueError: The table would be longer than `max_rows`, or nothing has a `signal`.
        """
        nodes = list(self._signals().values())
        export.check_rows(sum(node["signal"].size for node in nodes), max_rows)
        if len(nodes) == 1:
            return export.to_dataframe(nodes[0], max_rows=max_rows)
        frames = [frame for node in nodes if len(frame := export.to_dataframe(node, max_rows=max_rows))]
        if not frames:
            return pd.DataFrame()
        table = pd.concat(frames, ignore_index=True)
        texts = [name for name in table if table[name].dtype == object]
        return table.astype(dict.fromkeys(texts, "category"))

    def to_bigwig(
        self, path: str | os.PathLike[str], *, chrom_length: int | None = None, overwrite: bool = False
    ) -> list[Path]:
        """Write one bigWig file per track; see `genomekit.export.to_bigwig`.

        Nodes without position are left out, with a warning.
        """
        return self._export(export.to_bigwig, path, chrom_length, overwrite)

    def to_bedgraph(
        self, path: str | os.PathLike[str], *, chrom_length: int | None = None, overwrite: bool = False
    ) -> list[Path]:
        """Write one bedGraph file per track; see `genomekit.export.to_bedgraph`.

        Nodes without position are left out, with a warning.
        """
        return self._export(export.to_bedgraph, path, chrom_length, overwrite)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the whole result as `.nc` or `.zarr`, for `gk.open`; see `genomekit.storage.save`."""
        return storage.save(self._as_tree(), path, overwrite=overwrite)

    def plot(self, **options: Any) -> Figure:
        """Draw the result; the options are those of `genomekit.plot.figure`."""
        from genomekit.plot import figure  # matplotlib loads only for those who draw

        return figure(self._as_tree(), **options)

    def contribution(self, convention: str = "alphagenome", *, hypothetical: bool = False) -> xr.DataArray:
        """Turn mutagenesis into the contribution of each base; see `genomekit.contribution.contribution`."""
        return contribution.contribution(self._mutagenesis(), convention, hypothetical=hypothetical)

    def top(self, count: int = 10) -> pd.DataFrame:
        """List the largest effects of mutagenesis; see `genomekit.accessors.mutagenesis.top`."""
        return mutagenesis.top(self._mutagenesis(), count)

    def _mutagenesis(self) -> xr.Dataset:
        """Give the node with effects: a saved result comes back as a tree around it."""
        nodes = self._nodes()
        found = [node for node in nodes.values() if "effect" in node]
        if len(found) != 1:
            raise ValueError(
                f"{len(found)} of the nodes {list(nodes)} have `effect`, and one is needed; Model.ism returns it."
            )
        return found[0]

    def _as_tree(self) -> xr.DataTree:
        nodes = self._nodes()
        return prediction_tree({node.attrs.get("modality", "signal"): node for node in nodes.values()}, {})

    def _signals(self) -> Nodes:
        """Give the nodes that can be exported."""
        nodes = self._nodes()
        found = {name: node for name, node in nodes.items() if "signal" in node}
        if nodes and not found:
            held = ", ".join(str(name) for node in nodes.values() for name in node.data_vars)
            raise ValueError(
                f"The result has {held} and no `signal`, which is what is exported. Mutagenesis has .gk.top() and "
                ".gk.contribution(); any Dataset has xarray's own .to_dataframe()."
            )
        return found

    def _export(
        self,
        write: Callable[..., list[Path]],
        path: str | os.PathLike[str],
        chrom_length: int | None,
        overwrite: bool,
    ) -> list[Path]:
        nodes = self._signals()
        fit = {name: node for name, node in nodes.items() if "position" in node.dims}
        if len(fit) > 1 and Path(path).suffix:
            raise ValueError(f"{len(fit)} modalities came for the one path {path}; name a folder without an ending.")
        skipped = sorted(set(nodes) - set(fit))
        if skipped and fit:
            text = f"{', '.join(skipped)} cannot be written as genome tracks and were left out; use .gk.to_dataframe()."
            warnings.warn(text, GenomekitWarning, stacklevel=3)
        options = {"chrom_length": chrom_length, "overwrite": overwrite}
        return [file for node in (fit or nodes).values() for file in write(node, path, **options)]


@xr.register_dataset_accessor("gk")
class DatasetAccessor(ResultAccessor):
    """`.gk` of one node's Dataset."""

    def _nodes(self) -> Nodes:
        return {"": self._obj}

    def _rebuild(self, nodes: Nodes) -> xr.Dataset:
        return nodes[""]


@xr.register_dataarray_accessor("gk")
class DataArrayAccessor(ResultAccessor):
    """`.gk` of one `signal`."""

    def _nodes(self) -> Nodes:
        return {"": self._obj.to_dataset(name="signal").assign_attrs(self._obj.attrs)}

    def _rebuild(self, nodes: Nodes) -> xr.DataArray:
        return nodes[""]["signal"].rename(self._obj.name)


@xr.register_datatree_accessor("gk")
class DataTreeAccessor(ResultAccessor):
    """`.gk` of a whole result, or of one node of it."""

    def _nodes(self) -> Nodes:
        pairs = self._obj.subtree_with_keys
        return {name: node.to_dataset(inherit=False) for name, node in pairs if node.data_vars}

    def _rebuild(self, nodes: Nodes) -> xr.DataTree:
        root = (nodes["."] if "." in nodes else self._obj.to_dataset(inherit=False)).copy()
        # The root says what its nodes show.
        for name, widest in (("start", min), ("end", max)):
            shown = [node.attrs[name] for node in nodes.values() if name in node.attrs]
            if name in root.attrs and shown:
                root.attrs = {**root.attrs, name: widest(shown)}
        tree = {"/": root, **{name: node for name, node in nodes.items() if name != "."}}
        return xr.DataTree.from_dict(tree, name=self._obj.name)

    def _as_tree(self) -> xr.DataTree:
        return self._obj if self._obj.children else super()._as_tree()
