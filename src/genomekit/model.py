"""`Model`: what a user meets. Every verb is one line of delegation to a function that takes the engine first."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import xarray as xr

from genomekit import predict
from genomekit.engine import Engine
from genomekit.engine.engine import Weights
from genomekit.engine.plan import Plan
from genomekit.genome.interval import Interval
from genomekit.model_scores import ScoreVerbs
from genomekit.model_variants import VariantVerbs
from genomekit.planning import plan
from genomekit.predict.request import AnyGenome, Names, open_genome, shared_options
from genomekit.tracks import Modality, TrackTable
from genomekit.weights import native
from genomekit.weights.checkpoint import skeleton
from genomekit.weights.load import load


class Model(VariantVerbs, ScoreVerbs):
    """A checkpoint ready to predict; made by `Model.from_pretrained`.

    Args:
        checkpoint: What `genomekit.weights.load.load` gives.
        device: "auto", "cpu", "cuda", "mps", ...
        precision: "auto", "float32", "bfloat16", ...
        genome: A `Genome`, path or preset, or a dict with one of these per organism; the default of later calls.
        memory_budget: What a call may use; see `from_pretrained`.

    Attributes:
        engine: The network on its device, for work below the labels.
        genome: The genome, or the genomes by organism, that calls use when none is given.
    """

    def __init__(
        self,
        checkpoint: Weights | Any,
        *,
        device: str | torch.device = "auto",
        precision: str | torch.dtype = "auto",
        genome: AnyGenome = None,
        memory_budget: int | float | str | None = None,
    ) -> None:
        if isinstance(checkpoint, str | PathLike):
            raise TypeError(f"{checkpoint!r} is a name or a path; load it: Model.from_pretrained({checkpoint!r}).")
        self.engine = Engine(checkpoint, device, precision, memory_budget)
        self.genome = _opened(genome)

    @classmethod
    def from_pretrained(
        cls,
        name: str | PathLike[str] = "mini",
        *,
        device: str | torch.device = "auto",
        precision: str | torch.dtype = "auto",
        genome: AnyGenome = None,
        memory_budget: int | float | str | None = None,
    ) -> Model:
        """Load a model by name, or from a folder or file.

        Args:
            name: "mini" (in the package; worm and yeast), "alphagenome-all-folds", "alphagenome-fold-0" and so on
                (downloaded once, after you accepted their terms), or the path of a checkpoint.
            device: "auto" takes the fastest there is.
            precision: "auto" is bfloat16 on recent NVIDIA GPUs, float32 elsewhere.
            genome: Given here it need not be given to each call: a `Genome`, the path of a FASTA, a preset such as
                "hg38", or a dict with one of these per organism.
            memory_budget: Memory that a call may use beyond the loaded model, in bytes or as text ("8 GB"); None is
                what the device has free. Less memory costs some time, and changes no result.

        Raises:
            WeightsNotFound: No such checkpoint; the text says where it was looked for.
            ValueError: A checkpoint that is damaged or does not fit, or an unknown device or precision.
            OutOfMemory: The weights do not fit on the device.
        """
        return cls(load(name), device=device, precision=precision, genome=genome, memory_budget=memory_budget)

    @property
    def name(self) -> str:
        """Name of the checkpoint."""
        return self.engine.checkpoint.name

    @property
    def num_parameters(self) -> int:
        """Weights of the network."""
        return skeleton(self.engine.config).num_parameters()

    @property
    def modalities(self) -> dict[str, Modality]:
        """What the model predicts: the modalities by name."""
        return self.tracks.modalities

    @property
    def tracks(self) -> TrackTable:
        """Every track the model predicts, with what is known of it; `.select` and `.search` narrow it down."""
        return self.engine.tracks

    @property
    def organisms(self) -> tuple[str, ...]:
        """The organisms it has heads of."""
        return self.engine.organisms

    def predict_sequence(
        self,
        sequence: Any,
        *,
        interval: Interval | str | None = None,
        modalities: Any = None,
        tracks: Any = None,
        ontology: Names = None,
        biosample: Names = None,
        strand: Names = None,
        transcription_factor: Names = None,
        histone_mark: Names = None,
        organism: str | None = None,
        window: int | None = None,
        average_strands: bool = False,
        min_count: float = 0.0,
    ) -> xr.DataTree:
        """Predict a sequence of your own, such as a construct or a designed gene.

        The network reads a window of a supported length: the sequence itself where its length is one, else the next
        longer one (or `window`), with N on both sides and one warning.

        Args:
            sequence: Letters in either case, or one-hot (position, 4) in the order A C G T.
            interval: Where the sequence lies, of its width; None leaves it nowhere, counted from 0. Strand "-" has
                the letters, which are those of the plus strand, read as their reverse complement.
            modalities: Names such as "rna_seq"; None is every one of the checkpoint.
            tracks: A `TrackTable`, labels, or free text; see `TrackTable.select` for this and the following.
            ontology: CURIE such as "UBERON:0002107".
            biosample: Biosample name such as "liver".
            strand: Strand of the tracks (and junctions) to return.
            transcription_factor: Target of TF ChIP-seq.
            histone_mark: Target of histone ChIP-seq.
            organism: Whose heads to read; needed where the checkpoint has several and no genome tells.
            window: Length of the window, bp; None is the checkpoint's default, or the next longer.
            average_strands: Read both strands and average, at twice the cost.
            min_count: Keep junctions with this count in one biosample or more; 0 keeps every pair of predicted sites.

        Returns:
            A tree with one node per modality, schema "genomekit-1": float32 `signal` of dims (position, track),
            (bin1, bin2, track) or (junction, track); positions are 0-based and increase.

        Raises:
            ValueError: An empty or too long sequence, a letter that is no IUPAC code, an unknown name, an organism
                that is not there or not said.
            OutOfMemory: The device is too small; cheaper calls are named.
        """
        return predict.predict_sequence(self.engine, sequence, interval=interval, **shared_options(locals()))

    def predict_interval(
        self,
        interval: Interval | str,
        *,
        genome: AnyGenome = None,
        modalities: Any = None,
        tracks: Any = None,
        ontology: Names = None,
        biosample: Names = None,
        strand: Names = None,
        transcription_factor: Names = None,
        histone_mark: Names = None,
        organism: str | None = None,
        window: int | None = None,
        average_strands: bool = False,
        min_count: float = 0.0,
    ) -> xr.DataTree:
        """Predict an interval of a genome from its real sequence.

        The window is centered on the interval and filled with its real flanks, N only past the ends of the
        chromosome; the result is the interval asked for. On the minus strand the reverse complement is read and the
        result mapped back.

        Args:
            interval: Where, 0-based half-open, or text such as "chrV:10,000,000-10,016,384".
            genome: A `Genome`, the path of a FASTA, the name of a preset, or one of these per organism; None is the
                one given to the model.
            modalities: See `predict_sequence` for this and all the following.
            tracks: See there.
            ontology: See there.
            biosample: See there.
            strand: Strand of the tracks to return; the strand that is read is that of the interval.
            transcription_factor: See there.
            histone_mark: See there.
            organism: Whose heads to read; None takes it from the genome.
            window: See there.
            average_strands: See there.
            min_count: See there.

        Returns:
            A tree, as from `predict_sequence`; junctions are those that lie in the interval whole.

        Raises:
            ValueError: A malformed or too long interval, an unknown chromosome or name, an organism that does not
                fit the genome.
            OutOfMemory: The device is too small; cheaper calls are named.
        """
        return predict.predict_interval(
            self.engine, interval, genome=self.genome if genome is None else genome, **shared_options(locals())
        )

    def predict_intervals(
        self,
        intervals: Iterable[Interval | str] | pd.DataFrame,
        *,
        genome: AnyGenome = None,
        modalities: Any = None,
        tracks: Any = None,
        ontology: Names = None,
        biosample: Names = None,
        strand: Names = None,
        transcription_factor: Names = None,
        histone_mark: Names = None,
        organism: str | None = None,
        window: int | None = None,
        average_strands: bool = False,
        min_count: float = 0.0,
    ) -> Iterator[xr.DataTree]:
        """Predict many intervals, one tree each, computed when it is asked for.

        Everything is checked before the first one is computed; a bar appears after a few seconds.

        Args:
            intervals: Intervals or texts, or a table with columns chrom, start, end and optionally strand and name.
            genome: See `predict_interval` for this and all the following.
            modalities: See there.
            tracks: See there.
            ontology: See there.
            biosample: See there.
            strand: See there.
            transcription_factor: See there.
            histone_mark: See there.
            organism: See there.
            window: See there.
            average_strands: See there.
            min_count: See there.

        Returns:
            An iterator of trees, in the order of the intervals.

        Raises:
            ValueError: As `predict_interval`; the number of the interval is named.
        """
        return predict.predict_intervals(
            self.engine, intervals, genome=self.genome if genome is None else genome, **shared_options(locals())
        )

    def plan(self, call: str | Callable[..., Any], *arguments: Any, genome: AnyGenome = None, **options: Any) -> Plan:
        """Say what a call would do and cost, without running it.

        Args:
            call: A verb of the model that predicts or scores, or `ism`; itself, or its name.
            *arguments: As for that verb.
            genome: As for that verb.
            **options: As for that verb.

        Returns:
            Device, type, window, tracks by modality, passes, bytes and seconds; it prints as a sentence.

        Raises:
            ValueError: What the call itself would raise before it runs.

        Example:
            >>> from genomekit.testing import designed_gene
            >>> model = Model.from_pretrained()
            >>> plan = model.plan("predict_sequence", designed_gene().sequence, organism="worm")
            >>> plan.window, dict(plan.tracks)
            (8192, {'splice_sites': 4, 'splice_site_usage': 2, 'splice_junctions': 1})
        """
        return plan(self.engine, call, *arguments, genome=self.genome if genome is None else genome, **options)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the weights with all that is known of them; `from_pretrained` reads the result.

        Args:
            path: A folder, or a single file when it ends in `.safetensors`.
            overwrite: Replace what is there.

        Raises:
            FileExistsError: Something is there and `overwrite` is False.
        """
        known = self.engine.checkpoint
        facts = {"name": known.name, "provenance": known.provenance, "licence": known.licence, "terms": known.terms}
        return native.save(path, known.network, known.tracks, overwrite=overwrite, **facts)

    def _summary(self) -> tuple[str, pd.DataFrame]:
        """A line about the network, and a table of its modalities."""
        config, engine = self.engine.config, self.engine
        size = self.num_parameters
        title = (
            f"{self.name}: {size / 1e6:,.1f} M parameters, {' and '.join(self.organisms)}, windows of "
            f"{config.lengths[0]:,} to {config.lengths[-1]:,} bp (default {config.default_length:,}), "
            f"on {engine.device} in {str(engine.dtype).removeprefix('torch.')}"
        )
        counts = self.tracks.frame.groupby(["modality", "organism"], sort=False).size().unstack(fill_value=0)
        names = list(self.modalities)
        table = counts.reindex(index=names, columns=[name for name in self.organisms if name in counts.columns])
        table = table.rename(columns=lambda name: f"{name} tracks").rename_axis(index=None, columns=None)
        table["bp"] = [self.modalities[name].resolution for name in names]
        table["units"] = [self.modalities[name].units for name in names]
        return title, table

    def __repr__(self) -> str:
        title, table = self._summary()
        return f"Model {title}\n{table.to_string()}"

    def _repr_html_(self) -> str:
        title, table = self._summary()
        return f"<p><b>Model</b> {html.escape(title)}</p>{table.to_html(border=0)}"


def _opened(genome: AnyGenome) -> AnyGenome:
    """Open genomes once, so that calls need not."""
    if genome is None:
        return None
    if isinstance(genome, Mapping):
        return {organism: open_genome(one) for organism, one in genome.items()}
    return open_genome(genome)
