"""Any source of variants as records, one by one; what cannot be read is a record with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import pandas as pd

from genomekit.genome.assembly import Genome
from genomekit.genome.spelling import read_variant
from genomekit.genome.variant import Variant
from genomekit.genome.variant_row import as_given, check_columns
from genomekit.scores.records import AnyRecord, Record


def as_records(source: Any, genome: Genome | None = None) -> Iterator[AnyRecord]:
    """Turn a table or list of variants into records, numbered from 0 in their order.

    Args:
        source: A table with the columns of `Variant.from_dict` (chrom, position, ref, alt and optionally name, also by
            their names in VCF, MAF and the official SDK) or one column `variant` of texts; or variants, their texts,
            or records, which pass as they are.
        genome: For texts whose letters it has to give (HGVS); without it those of `Variant.parse` are read.

    Raises:
        ValueError: A table lacks a column, or a text came where a list of texts is expected.

    Example:
        >>> [(r.number, r.chrom, r.position, r.reason) for r in as_records(["chrV:123:A>G", "I-5-C-T"])]
        [(0, 'chrV', 123, ''), (1, 'I', 5, '')]
        >>> next(as_records(["chrV:nowhere"])).reason[:41]
        "Variant 'chrV:nowhere' is not understood."
    """
    if isinstance(source, str):
        raise ValueError(f"The text {source!r} came; give a list of variants, such as [{source!r}].")
    if isinstance(source, Mapping) or not isinstance(source, Iterable):
        raise ValueError(f"{source!r} came; give a table, a list of variants or their texts, or a VCF file.")
    if isinstance(source, pd.DataFrame):
        if (texts := _texts(source)) is not None:
            return (_of_item(number, item, genome) for number, item in enumerate(texts))
        table: pd.DataFrame = source
        if len(table):
            check_columns(table.columns)
        return _of_table(table)
    return (_of_item(number, item, genome) for number, item in enumerate(source))


def groups(records: Iterable[AnyRecord], size: int) -> Iterator[list[AnyRecord]]:
    """Cut a stream of records into lists of `size`, the last one shorter.

    Raises:
        ValueError: Record numbers do not rise.
    """
    stream, last = iter(records), -1
    while group := list(islice(stream, size)):
        for record in group:
            if record.number <= last:
                raise ValueError(f"Record {record.number} came after {last}; number records in rising order.")
            last = record.number
        yield group


def _texts(table: pd.DataFrame) -> list[Any] | None:
    """Return the column of texts, where a table has one."""
    named = [name for name in table.columns if str(name).lower() == "variant"]
    return table[named[0]].tolist() if named else None


def _of_table(table: pd.DataFrame) -> Iterator[AnyRecord]:
    columns = [str(name) for name in table.columns]
    for number, row in enumerate(table.itertuples(index=False, name=None)):
        values = dict(zip(columns, row, strict=True))
        try:
            yield _record(number, Variant.from_dict(values))
        except (ValueError, TypeError) as error:
            yield Record(number, *as_given(values), str(error))


def _of_item(number: int, item: Any, genome: Genome | None) -> AnyRecord:
    if isinstance(item, Variant):
        return _record(number, item)
    if isinstance(item, str):
        try:
            return _record(number, Variant.parse(item) if genome is None else read_variant(item, genome))
        except ValueError as error:
            return Record(number, "", 0, "", "", item, str(error))
    if isinstance(item, AnyRecord):
        return item
    return Record(number, "", 0, "", "", repr(item), f"{item!r} came; give variants, their texts or records")


def _record(number: int, variant: Variant) -> Record:
    return Record(number, variant.chrom, int(variant.position), variant.ref, variant.alt, variant.name)
