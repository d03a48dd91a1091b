"""The verbs of `Model` that are about variants; each is one line of delegation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import xarray as xr

from genomekit import predict
from genomekit.engine import Engine
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant
from genomekit.predict.request import AnyGenome, Names, shared_options


class VariantVerbs:
    """What `Model` does with variants.

    Attributes:
        engine: The network on its device.
        genome: The genome, or the genomes by organism, that calls use when none is given.
    """

    engine: Engine
    genome: AnyGenome

    def predict_variant(
        self,
        variant: Variant | str,
        *,
        genome: AnyGenome = None,
        interval: Interval | str | None = None,
        align: str = "ref",
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
        average_strands: bool = False,
        min_count: float = 0.0,
    ) -> xr.DataTree:
        """Predict both alleles of a variant, on the coordinates of the reference.

        At 1 bp the base before an insertion shows the largest of its own value and those of the inserted bases;
        deleted bases, and bases that an insertion pushes past the end of the window, are NaN. Wider bins, and contact
        maps, stay as ALT is read. Junctions are counted for the same introns in both alleles: splice sites that either
        allele predicts, and annotated ones where the genome has an annotation, inside the genes that the variant
        overlaps (or anywhere, where there is none). An intron whose exon end ALT lacks is NaN there.

        Args:
            variant: A `Variant` or text: "chrV:10,008,000:A>G", a line of a VCF file, HGVS such as
                "chrV:g.10008000del", and the spellings of `Variant.parse`. Positions are 1-based. All spellings of one
                change give the same result.
            genome: See `predict_interval`.
            interval: What to show; its window must hold the variant. None shows the whole window, centered on the
                variant. On strand "-" the reverse complement is read.
            align: "ref", or "raw" to leave ALT as it is read, base after base from the start of the window.
            ref_check: Where REF differs from the genome: "error", or "warn" or "ignore" and REF as given.
            modalities: See `predict_sequence` for this and all the following.
            tracks: See there.
            ontology: See there.
            biosample: See there.
            strand: Strand of the tracks to return.
            transcription_factor: See there.
            histone_mark: See there.
            organism: Whose heads to read; None takes it from the genome.
            window: See there.
            average_strands: See there.
            min_count: Keep junctions with this count in one allele and biosample or more.

        Returns:
            A tree as from `predict_interval`, every node with a leading dim `allele` of "ref" and "alt";
            `.gk.delta()` is ALT - REF. `attrs["allele_alignment"]` of a node is "ref", or "raw" where an indel leaves
            ALT unaligned.

        Raises:
            ValueError: A variant that is not understood or changes nothing in the window, or as `predict_interval`.
            ReferenceMismatch: REF differs from the genome; the text says what may be wrong.
            OutOfMemory: The device is too small; cheaper calls are named.

        Example:
            >>> import tempfile
            >>> from genomekit import Genome, Model
            >>> from genomekit.testing import toy_genome
            >>> toy = Genome(toy_genome(tempfile.mkdtemp()).fasta, organism="worm")
            >>> tree = Model.from_pretrained(genome=toy).predict_variant(
            ...     "chrI:g.4000del", interval="chrI:3,990-4,010", modalities="splice_sites"
            ... )
            >>> dict(tree["splice_sites"].sizes)
            {'allele': 2, 'position': 20, 'track': 4}
        """
        own = {"interval": interval, "align": align, "ref_check": ref_check}
        found = self.genome if genome is None else genome
        return predict.predict_variant(self.engine, variant, genome=found, **own, **shared_options(locals()))

    def predict_haplotype(
        self,
        variants: Iterable[Variant | str],
        *,
        genome: AnyGenome = None,
        interval: Interval | str | None = None,
        align: str = "ref",
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
        average_strands: bool = False,
        min_count: float = 0.0,
    ) -> xr.DataTree:
        """Predict the reference and a haplotype: ALT has all the variants at once.

        Args:
            variants: Variants of one chromosome that do not overlap, such as a haplotype of `gk.read_haplotypes`; with
                an interval there may be none, which is the reference.
            genome: See `predict_variant` for this and all the following.
            interval: See there; None shows the window centered on the stretch from the first to the last variant.
            align: See there.
            ref_check: See there.
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
            See there; `attrs["variant"]` names them all.

        Raises:
            ValueError: No variant, two that overlap, or as `predict_variant`.
            ReferenceMismatch: REF of one differs from the genome.
            OutOfMemory: The device is too small; cheaper calls are named.
        """
        own = {"interval": interval, "align": align, "ref_check": ref_check}
        found = self.genome if genome is None else genome
        return predict.predict_haplotype(self.engine, variants, genome=found, **own, **shared_options(locals()))
