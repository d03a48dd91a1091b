"""The verbs of `Model` that score: variants, intervals, every base of one; each is one line of delegation."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from genomekit import batch
from genomekit.batch.source import Source
from genomekit.engine import Engine
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.ism import ism
from genomekit.ism.job import Scorers as IsmScorers
from genomekit.ism.job import Variants
from genomekit.predict.request import AnyGenome, Names, shared_options
from genomekit.scores import ScoreSet
from genomekit.scoring import verbs
from genomekit.scoring.job import Scorers

if TYPE_CHECKING:
    from distributed import Client

_NO_AVERAGE = {"average_strands": False, "min_count": 0.0}


class ScoreVerbs:
    """What `Model` scores.

    Attributes:
        engine: The network on its device.
        genome: The genome, or the genomes by organism, that calls use when none is given.
    """

    engine: Engine
    genome: AnyGenome

    def score_variant(
        self,
        variant: Variant | str | Iterable[Variant | str] | pd.DataFrame,
        *,
        genome: AnyGenome = None,
        scorers: Scorers = None,
        interval: Interval | str | None = None,
        parity: bool = False,
        ref_check: str = "error",
        modalities: Any = None,
        tracks: Any = None,
        ontology: Names = None,
        biosample: Names = None,
        strand: Names = None,
        transcription_factor: Names = None,
        histone_mark: Names = None,
        organism: str | None = None,
        window: int | None = None,
    ) -> ScoreSet:
        """Score a variant against the reference.

        Args:
            variant: As for `predict_variant`; several, or the rows of a table, are those of one haplotype.
            genome: See `predict_interval`. Scorers of genes need its annotation.
            scorers: Scorers or their names, such as "rna_seq" or `genomekit.scoring.CenterMaskScorer("atac", 501)`.
                None is every recommended one that the model and the genome have what it needs for.
            interval: The window holds it and is centered on it; None centers it on the variant. On strand "-" the
                reverse complement is read.
            parity: Take the variant as spelled and keep the peculiarities of the published code; see `docs/scorers.md`.
            ref_check: Where REF differs from the genome: "error", or "warn" or "ignore" and REF as given.
            modalities: See `predict_sequence` for this and the following; it must name
                all that `scorers` read.
            tracks: See there.
            ontology: See there.
            biosample: See there.
            strand: Strand of the tracks that are scored.
            transcription_factor: See there.
            histone_mark: See there.
            organism: Whose heads to read; None takes it from the genome.
            window: bp; None is the checkpoint's default, 131,072 at most where every scorer is a centre mask.

        Returns:
            An AnnData for each scorer (variant, gene or junction by track), `.records`, `.to_frame()`, and `.attrs`:
            with what they were made, release and hash of the annotation too.

        Raises:
            ValueError: A variant that is not understood, an unknown scorer, or one that the model or genome lacks
                something for, or that reads what `modalities` leaves out.
            TypeError: What is no scorer, or one that gives back what is no score; it is named.
            FloatingPointError: A prediction or a score is no finite number.
            ReferenceMismatch: REF differs from the genome; the text says what may be wrong.
            OutOfMemory: The device is too small; cheaper calls are named.

        Example:
            >>> import tempfile
            >>> from genomekit import Genome, Model
            >>> from genomekit.testing import toy_genome
            >>> made = toy_genome(tempfile.mkdtemp())
            >>> model = Model.from_pretrained(genome=Genome(made.fasta, organism="worm"))
            >>> from genomekit.scoring import CenterMaskScorer
            >>> scorer = CenterMaskScorer("splice_sites", 501, "max_abs_diff")
            >>> scores = model.score_variant("chrI:g.4000del", scorers=scorer)
            >>> scores.records["status"].tolist(), scores.to_frame().shape[0]
            (['ok'], 4)
        """
        own = {"scorers": scorers, "interval": interval, "parity": parity, "ref_check": ref_check}
        found = self.genome if genome is None else genome
        options = shared_options({**locals(), **_NO_AVERAGE})
        return verbs.score_variant(self.engine, variant, genome=found, **own, **options)

    def score_interval(
        self,
        interval: Interval | str,
        *,
        genome: AnyGenome = None,
        scorers: Scorers = None,
        modalities: Any = None,
        tracks: Any = None,
        ontology: Names = None,
        biosample: Names = None,
        strand: Names = None,
        transcription_factor: Names = None,
        histone_mark: Names = None,
        organism: str | None = None,
        window: int | None = None,
    ) -> ScoreSet:
        """Measure an interval of the reference: the level of every row that scorers give for it.

        Args:
            interval: Where, 0-based half-open.
            genome: See `predict_interval`.
            scorers: See `score_variant`; None is the mean RNA-seq signal over the exons of each gene that starts within
                200,001 bp.
            modalities: See `predict_sequence` for this and all the following.
            tracks: See there.
            ontology: See there.
            biosample: See there.
            strand: See there.
            transcription_factor: See there.
            histone_mark: See there.
            organism: See there.
            window: See there.

        Returns:
            As from `score_variant`; the scores are levels, and the one record is the interval.

        Raises:
            ValueError: As `score_variant`.
            OutOfMemory: The device is too small; cheaper calls are named.

        Example:
            >>> import tempfile
            >>> from genomekit import Genome, Model
            >>> from genomekit.scoring import CenterMaskScorer
            >>> from genomekit.testing import toy_genome
            >>> model = Model.from_pretrained(genome=Genome(toy_genome(tempfile.mkdtemp()).fasta, organism="worm"))
            >>> scores = model.score_interval(
            ...     "chrI:2,000-2,200", scorers=CenterMaskScorer("splice_sites", 501, "active_sum")
            ... )
            >>> scores.to_frame()["track_name"].tolist()
            ['donor', 'acceptor', 'donor', 'acceptor']
        """
        found = self.genome if genome is None else genome
        options = shared_options({**locals(), **_NO_AVERAGE})
        return verbs.score_interval(self.engine, interval, genome=found, scorers=scorers, **options)

    def score_variants(
        self,
        variants: Source,
        *,
        genome: AnyGenome = None,
        scorers: Scorers = None,
        region: Interval | str | None = None,
        out: str | os.PathLike[str] | None = None,
        vcf_out: str | os.PathLike[str] | None = None,
        on_error: str = "row",
        parity: bool = False,
        ref_check: str = "error",
        step: int = 1,
        shard_size: int = 256,
        preview: int = 5,
        progress: bool = True,
        overwrite: bool = False,
        client: Client | None = None,
        modalities: Any = None,
        tracks: Any = None,
        ontology: Names = None,
        biosample: Names = None,
        strand: Names = None,
        transcription_factor: Names = None,
        histone_mark: Names = None,
        organism: str | None = None,
        window: int | None = None,
    ) -> ScoreSet:
        """Score many variants; a job with `out` survives whatever stops it, and goes on with the same call.

        Args:
            variants: A VCF or BCF file, a table (chrom, position, ref, alt and other names of these, see
                `Variant.from_dict`; or one column `variant` of texts), or a list of variants or texts.
            genome: See `predict_interval`.
            scorers: See `score_variant`.
            region: Of a VCF file, only the records that overlap it, found by its index (tabix or CSI).
            out: Folder for the scores, one shard after the other; ending `.zarr` it is a Zarr store, and the endings of
                files (`.h5`, `.parquet`) are refused. None keeps all in memory.
            vcf_out: Write the VCF file again, with scores as INFO fields: `.vcf`, or `.vcf.gz` and an index.
            on_error: "row" gives a record that cannot be scored a row with the reason, and where one of several scorers
                fails the others keep their scores; "raise" stops at it.
            parity: See `score_variant`.
            ref_check: See `score_variant`; also where the header of a VCF file gives a chromosome another length.
            step: Windows are centered on multiples of so many bp instead of on each variant: neighbours share one, and
                are scored faster, by numbers that differ from those of centered windows: compare them first.
            shard_size: Variants per shard.
            preview: Variants to time first, to say how long a long job will take.
            progress: Show the preview and a bar.
            overwrite: Replace what another job left in `out`.
            client: A `dask.distributed.Client`: its workers score the shards, each with a model of its own. Scorers of
                a notebook travel along.
            modalities: See `predict_sequence` for this and all the following.
            tracks: See there.
            ontology: See there.
            biosample: See there.
            strand: See there.
            transcription_factor: See there.
            histone_mark: See there.
            organism: See there.
            window: See `score_variant`.

        Returns:
            As from `score_variant`; one row of `.records` for each record that came in, with its status and reason.
            `attrs` has `reference_mismatches` and `duplicates` (records that make the same change as an earlier one),
            where there are any.

        Raises:
            ValueError: As `score_variant`; a folder that holds another job, or that is named like a file; a VCF file
                that is cut; with `on_error="raise"`, a record that cannot be scored.
            FileNotFoundError: There is no such VCF file, or no folder for `vcf_out`.
            RuntimeError: Scorers fail on all records of a shard, with errors that are not about records.
            ReferenceMismatch: The VCF file is of another build.
            OutOfMemory: The device is too small; said before anything runs where not even the smallest of the first
                records fits. What is done is kept: with `out` the same call goes on there.

        Example:
            >>> import tempfile
            >>> from genomekit import Genome, Model
            >>> from genomekit.testing import toy_genome
            >>> made = toy_genome(tempfile.mkdtemp())
            >>> model = Model.from_pretrained(genome=Genome(made.fasta, made.gtf, organism="worm"))
            >>> scores = model.score_variants(["chrI:2,093:G>A", "chrI:2,093:C>A"], progress=False)
            >>> scores.records["status"].tolist()  # the second says C where the genome has G
            ['ok', 'failed']
            >>> sorted(scores.to_frame()["modality"].unique())
            ['splice_junctions', 'splice_site_usage', 'splice_sites']
        """
        own = {"scorers": scorers, "region": region, "out": out, "vcf_out": vcf_out, "on_error": on_error}
        own |= {"parity": parity, "ref_check": ref_check, "step": step, "shard_size": shard_size}
        own |= {"preview": preview, "progress": progress, "overwrite": overwrite, "client": client}
        found = self.genome if genome is None else genome
        options = shared_options({**locals(), **_NO_AVERAGE})
        return batch.score_variants(self.engine, variants, genome=found, **own, **options)

    def ism(
        self,
        interval: Interval | str,
        *,
        genome: AnyGenome = None,
        scorer: IsmScorers = None,
        modalities: Any = None,
        tracks: Any = None,
        ontology: Names = None,
        biosample: Names = None,
        strand: Names = None,
        transcription_factor: Names = None,
        histone_mark: Names = None,
        organism: str | None = None,
        window: int | None = None,
        variant: Variants = None,
        method: str = "exact",
        refine: int = 0,
        mask: str | None = None,
        verify: int = 0,
        resume: bool = True,
    ) -> xr.Dataset:
        """Mutate every base of an interval to every other one, and score the effects (in-silico mutagenesis).

        Only what an edit can change is computed again: a substitution costs a small part of a prediction, and the
        numbers are the same. A long job writes down what is done: after an interruption the same call goes on.

        Args:
            interval: What is mutated, 0-based half-open, or text. On strand "-" the reverse complement is read; the
                result has plus-strand bases all the same.
            genome: See `predict_interval`; None is the one given to the model.
            scorer: A scorer such as `genomekit.scoring.CenterMaskScorer("dnase", 501, "diff_mean")`, or one for each
                modality. None takes the recommended ones: the log2 fold change within 501 bp of the mutated base (2,001
                bp for histone marks), for splice sites and their usage the largest change.
            modalities: See `predict_sequence` for this and the following; None is every one that can be scored.
            tracks: See there.
            ontology: See there.
            biosample: See there.
            strand: Strand of the tracks that are scored.
            transcription_factor: See there.
            histone_mark: See there.
            organism: Whose heads to read; None takes it from the genome.
            window: Length of the window, bp; None is the checkpoint's default, 131,072 at most, or the next longer.
            variant: A variant, or those of one haplotype, that stay in the sequence while its bases are mutated.
            method: "exact"; "hybrid" (the encoder's exact change times the gradient beyond it: far cheaper, an
                approximation); "taylor" (the gradient at the letters, cheaper and coarser).
            refine: With "hybrid" or "taylor": compute this many of the largest effects exactly; the attributes then
                say how well estimates agreed with them.
            mask: What masks are centred on: "variant", the mutated base (exact only, and its default), or "interval",
                the middle of the interval.
            verify: Compare this many substitutions with full predictions, and raise where they differ.
            resume: Keep finished parts of a long job in the cache folder, until the job is done.

        Returns:
            A Dataset with `effect` (position, base, track), the score against the reference: 0 at the reference base;
            at an N all four bases against it; NaN where `variant` deletes the base. `reference` (track), the scorer's
            measure of the unedited sequence, its mask in the middle; and `ref_base`. `.gk.contribution()` and
            `.gk.top()` make logos and tables of it.

        Raises:
            ValueError: A malformed or too long interval, an unknown name, a scorer without its modality, a variant
                outside the window.
            ReferenceMismatch: REF letters of `variant` differ from the genome's.
            OutOfMemory: The device is too small; cheaper calls are named.

        Example:
            >>> import tempfile
            >>> from genomekit import Genome, Model
            >>> from genomekit.testing import toy_genome
            >>> model = Model.from_pretrained(genome=Genome(toy_genome(tempfile.mkdtemp()).fasta, organism="worm"))
            >>> effects = model.ism("chrI:2,089-2,097", modalities="splice_sites")  # an intron begins at 2,092
            >>> dict(effects.sizes)
            {'position': 8, 'base': 4, 'track': 4}
            >>> effects.gk.tracks("donor +").gk.top(1)[["position", "ref"]].values.tolist()
            [[2093, 'G']]
        """
        own = {"scorer": scorer, "variant": variant, "method": method, "refine": refine, "mask": mask}
        own |= {"verify": verify, "resume": resume, "genome": self.genome if genome is None else genome}
        return ism(self.engine, interval, **own, **shared_options({**locals(), **_NO_AVERAGE}))
