"""Genome: the sequence of an assembly with its annotation, by any spelling of its chromosomes."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from genomekit import errors
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome import builds, presets
from genomekit.genome.annotation import Annotation
from genomekit.genome.fasta import Fasta, reverse_complement
from genomekit.genome.interval import Interval
from genomekit.genome.names import ChromosomeNames, canonical
from genomekit.genome.polya import read_polya, select_polya
from genomekit.genome.reference_check import explain
from genomekit.genome.variant import Variant


class Genome:
    r"""An assembly: a FASTA file, where given an annotation, and the names of its chromosomes.

    Args:
        fasta: A FASTA file: plain, gzip or bgzip.
        gtf: A GTF or GFF3 file (plain or gzip) or an Annotation; read when it is first needed.
        name: Name of the assembly. One known here (hg38, hg19, mm10, mm39, ce10, ce11, sacCer3) is checked against
            the chromosome lengths; None recognises these by their lengths.
        organism: "human", "mouse", "worm", "yeast" or any other; None takes that of a known assembly.
        polya: Table of polyadenylation sites: BED, TSV, Parquet, Feather or a DataFrame.
        aliases: Further chromosome names: {alias: name in the FASTA}.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A file that cannot be read; the text names it.
        ReferenceMismatch: The FASTA does not have the chromosome lengths of the assembly named.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "toy.fa"
        >>> _ = path.write_text(">chrI\nacgtacgtAA\n")
        >>> toy = Genome(path, name="toy", organism="worm")
        >>> toy.sequence("chrI:6-12"), toy.sequence("chrI:6-12:-")
        ('GTAANN', 'NNTTAC')
        >>> toy
        Genome('toy', worm: 1 chromosome, 10 bp, no annotation)
    """

    def __init__(
        self,
        fasta: str | Path,
        gtf: str | Path | Annotation | Callable[[], Path] | None = None,
        *,
        name: str | None = None,
        organism: str | None = None,
        polya: str | Path | pd.DataFrame | Callable[[], Path] | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.fasta = Fasta(fasta)
        self.chroms: dict[str, int] = self.fasta.lengths
        build = builds.known(name) if name else builds.identify(self.chroms)
        if name and build:
            builds.check(build, self.chroms, self.fasta.path)
        self.assembly: str | None = build or name
        self.organism: str | None = organism or builds.ORGANISMS.get(build or "")
        self._names = ChromosomeNames(self.chroms, aliases, self.organism)
        self._aliases = set(aliases or {})
        self._gtf, self._annotation, self._polya, self._sites = gtf, None, polya, None
        self._reported = False

    @classmethod
    def open(
        cls,
        genome: str | Path | Genome,
        gtf: str | Path | Annotation | None = None,
        **options: Any,
    ) -> Genome:
        """Open a preset by name, or a FASTA by path; a Genome comes back unchanged.

        Presets (hg38, mm10, ce10, sacCer3, and GRCh38, GRCm38, WS220, R64) are downloaded to the cache on first
        use, the annotation and the polyA sites of hg38 (PolyA_DB 3) only when they are asked for. The environment
        variables GENOMEKIT_HG38_FASTA, GENOMEKIT_HG38_GTF and GENOMEKIT_HG38_POLYA, and the like of the others, name
        files to use instead.

        Args:
            genome: Name, path or Genome.
            gtf: Annotation to use; None takes the preset's.
            **options: As of `Genome`.

        Raises:
            ValueError: No preset and no file of this name, or options beside a Genome.
            FileNotFoundError: A path that does not exist.
            ConnectionError: The preset is not in the cache and there is no network.
        """
        if isinstance(genome, Genome):
            if gtf is not None or options:
                raise ValueError(f"{genome!r} is open already; give gtf and {list(options)} when it is made.")
            return genome
        preset = presets.find(str(genome))
        if preset is not None and not Path(genome).is_file():
            fasta = presets.obtain(preset.name, "fasta")
            source = gtf if gtf is not None else functools.partial(presets.obtain, preset.name, "gtf")
            sites = presets.provides(preset.name, "polya")
            polya = functools.partial(presets.obtain, preset.name, "polya") if sites else None
            known = {"name": preset.name, "organism": preset.organism, "polya": polya}
            return cls(fasta, source, **{**known, **options})  # pyright: ignore[reportArgumentType]
        looks_like_path = isinstance(genome, Path) or any(sign in genome for sign in "/\\.~")
        if not looks_like_path and not Path(genome).is_file():
            error = errors.unknown("genome", genome, presets.PRESETS)
            raise ValueError(f"{error} Any FASTA can be given by its path.")
        return cls(genome, gtf, **options)

    def __repr__(self) -> str:
        counted = f"{len(self.chroms):,} chromosome{'s' if len(self.chroms) != 1 else ''}"
        known = self._annotation or self._gtf
        if isinstance(known, Annotation):
            annotation = repr(known)
        elif known is None:
            annotation = "no annotation"
        else:
            annotation = "annotation of the preset" if callable(known) else f"annotation {str(known)!r}"
        label = f"{(self.assembly or self.fasta.path.name)!r}, {self.organism or 'organism not given'}"
        return f"Genome({label}: {counted}, {sum(self.chroms.values()):,} bp, {annotation})"

    def __getstate__(self) -> dict[str, Any]:
        # A worker process reads the annotation from the cache: cheaper than sending it.
        reread = self._gtf is not None and not isinstance(self._gtf, Annotation)
        return self.__dict__ | ({"_annotation": None} if reread else {})

    def resolve(self, chrom: str) -> str:
        """Return the chromosome's name as in the FASTA: "1", "chr1" and "NC_000001.11" are the same.

        Warns once per genome when a name was mapped.

        Raises:
            ValueError: No such chromosome; near spellings are listed.
            ReferenceMismatch: The accession belongs to another build.
        """
        found = self._names.find(chrom)
        build = None if chrom in self.chroms else builds.accession_build(chrom)
        if build and self.assembly in builds.LENGTHS and build != self.assembly:
            raise ReferenceMismatch(
                f"{chrom} is a chromosome of {build}, this genome is {self.assembly}. "
                f"Open {build}, or lift the coordinates over."
            )
        if found is None:
            near = [name for name in self.chroms if canonical(name) == canonical(chrom)]
            raise errors.unknown("chromosome", chrom, near or self.chroms)
        if found != chrom and chrom not in self._aliases:
            self._report({chrom: found})
        return found

    def sequence(self, interval: Interval | str) -> str:
        """Return upper-case letters, 5' to 3': the reverse complement on "-", N past the chromosome ends.

        Args:
            interval: Where, 0-based half-open; may run past the ends. The name of a chromosome alone reads all of it.

        Raises:
            ValueError: Malformed, empty or wholly outside; an unknown chromosome (near spellings are listed).
        """
        where = self.locate(interval)
        letters = self.fasta.fetch(where.chrom, where.start, where.end)
        return reverse_complement(letters) if where.negative_strand else letters

    def locate(self, interval: Interval | str) -> Interval:
        """Return the interval with the chromosome named as in the FASTA; a chromosome's name is all of it.

        Raises:
            ValueError: Malformed, or an unknown chromosome.
        """
        if isinstance(interval, str) and (whole := self._names.find(interval.strip())):
            return Interval(whole, 0, self.chroms[whole])
        parsed = Interval.parse(interval)
        chrom = self.resolve(parsed.chrom)
        return replace(parsed, chrom=chrom)

    def check_reference(self, variant: Variant | str) -> Variant:
        """Compare the REF letters of a variant with the genome; return it, chromosome named as in the FASTA.

        Raises:
            ReferenceMismatch: They differ; the text says what the genome has and what may be wrong (a 0-based
                position, the other strand, REF and ALT swapped, another place near by, another build).
            ValueError: An unknown chromosome or a position outside it.
        """
        given = Variant.parse(variant)
        chrom = self.resolve(given.chrom)
        found = replace(given, chrom=chrom)
        if given.ref:
            here = self.fasta.fetch(chrom, found.start, found.end)
            if here != found.ref:
                raise ReferenceMismatch(explain(found, here, self.fasta.fetch, self.assembly or self.fasta.path.name))
        return found

    @property
    def has_annotation(self) -> bool:
        """Whether there is an annotation to read; a preset's may still have to be downloaded."""
        return self._annotation is not None or self._gtf is not None

    @property
    def has_polya_sites(self) -> bool:
        """Whether there is a table of polyadenylation sites."""
        return self._polya is not None

    @property
    def annotation(self) -> Annotation:
        """Genes of the genome, their chromosomes named as in the FASTA; read (presets: downloaded) on first use.

        Raises:
            ValueError: The genome has no annotation, or the file cannot be read.
            ReferenceMismatch: No chromosome in common, or genes past the end of a chromosome: another build.
        """
        if self._annotation is None:
            if self._gtf is None:
                raise ValueError(f"{self!r} has no annotation. Give gtf=<a GTF or GFF3 file> when you open the genome.")
            source = self._gtf() if callable(self._gtf) else self._gtf
            self._annotation = self._fitted(source if isinstance(source, Annotation) else Annotation.open(source))
        return self._annotation

    def genes(self, interval: Interval | str | None = None, **selection: Any) -> pd.DataFrame:
        """Return genes; see `Annotation.genes`."""
        return self.annotation.genes(self._where(interval), **selection)

    def transcripts(self, interval: Interval | str | None = None, **selection: Any) -> pd.DataFrame:
        """Return transcripts; see `Annotation.transcripts`."""
        return self.annotation.transcripts(self._where(interval), **selection)

    def exons(self, interval: Interval | str | None = None, **selection: Any) -> pd.DataFrame:
        """Return exons; see `Annotation.exons`."""
        return self.annotation.exons(self._where(interval), **selection)

    def cds(self, interval: Interval | str | None = None, **selection: Any) -> pd.DataFrame:
        """Return CDS parts; see `Annotation.cds`."""
        return self.annotation.cds(self._where(interval), **selection)

    def tss(self, interval: Interval | str | None = None, **selection: Any) -> pd.DataFrame:
        """Return transcription start sites; see `Annotation.tss`."""
        return self.annotation.tss(self._where(interval), **selection)

    def introns(self, interval: Interval | str | None = None, **selection: Any) -> pd.DataFrame:
        """Return introns; see `Annotation.introns`."""
        return self.annotation.introns(self._where(interval), **selection)

    def splice_sites(self, interval: Interval | str | None = None, **selection: Any) -> pd.DataFrame:
        """Return donors and acceptors; see `Annotation.splice_sites`."""
        return self.annotation.splice_sites(self._where(interval), **selection)

    def gene_interval(self, gene: str) -> Interval:
        """Return the place of a gene by symbol or id; see `Annotation.gene_interval`."""
        return self.annotation.gene_interval(gene)

    def polya_sites(self, interval: Interval | str | None = None, *, gene: str | None = None) -> pd.DataFrame:
        """Return polyadenylation sites: chrom, position (0-based, last transcribed base), strand, gene_id and so on.

        Args:
            interval: Keep sites inside it.
            gene: Keep those of this gene, by the table's gene columns where it has them, else by place and strand.

        Raises:
            ValueError: The genome was opened without `polya`, or the table cannot be read.
        """
        if self._polya is None:
            raise ValueError(f"{self!r} has no polyA sites. Give polya=<BED, TSV, Parquet or DataFrame>.")
        if self._sites is None:
            sites = read_polya(self._polya() if callable(self._polya) else self._polya)
            mapped = self._mapped(sites["chrom"].unique(), "the polyA table")
            self._sites = sites.assign(chrom=sites["chrom"].replace(mapped))
        row = None if gene is None else self.annotation.genes(gene=gene).iloc[0]
        return select_polya(self._sites, self._where(interval), row)

    def _where(self, interval: Interval | str | None) -> Interval | None:
        return None if interval is None else self.locate(interval)

    def _fitted(self, annotation: Annotation) -> Annotation:
        ends = annotation.chroms
        names = self._mapped(ends, annotation.source)
        for name, chrom in names.items():
            # Genes on a circle may run past its origin.
            if ends[name] > self.chroms[chrom] and canonical(chrom) != "M":
                raise ReferenceMismatch(
                    f"{annotation.source} has a gene that ends at {name}:{ends[name]:,}, but {chrom} of "
                    f"{self.fasta.path.name} has {self.chroms[chrom]:,} bp. The annotation belongs to another build."
                )
        changed = {name: chrom for name, chrom in names.items() if name != chrom}
        return annotation.renamed(changed) if changed else annotation

    def _mapped(self, names: Any, source: str) -> dict[str, str]:
        mapping = self._names.mapping(names)
        if not mapping:
            raise ReferenceMismatch(
                f"{source} and {self.fasta.path.name} have no chromosome in common: {', '.join(list(names)[:4])} and "
                f"{self._names.sample(4)}. Give files of one assembly, or aliases={{alias: name in the FASTA}}."
            )
        self._report({name: chrom for name, chrom in mapping.items() if name != chrom and name not in self._aliases})
        return mapping

    def _report(self, mapped: Mapping[str, str]) -> None:
        """Say once that names were mapped."""
        if mapped and not self._reported:
            self._reported = True
            name, chrom = next(iter(mapped.items()))
            warnings.warn(
                f"Chromosome {name!r} is read as {chrom!r} of {self.fasta.path.name}, and other spellings likewise. "
                "This is said once per genome.",
                GenomekitWarning,
                stacklevel=4,
            )
