"""The errors and the warning a caller may want to catch, and the wording of "unknown name"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class GenomekitWarning(UserWarning):
    """The library did something for the user (padded, enlarged a window, mapped a name)."""


class WeightsNotFound(FileNotFoundError):
    """No checkpoint where one was asked for; the text says where it was looked for."""


class ReferenceMismatch(ValueError):
    """The letters or contigs given do not fit the genome."""


class OutOfMemory(RuntimeError):
    """A call needs more memory than the device has; the text names cheaper calls."""


MACHINE_FAULTS = (OSError, MemoryError, ImportError, OutOfMemory)
"""The fault of no record and no scorer: every other one would fail as well, or this one may not the next time."""


def shorten(text: object) -> str:
    """Cut runs of more than 50 letters, as of long alleles, in a text for people.

    Example:
        >>> shorten("chr1:5:" + "A" * 80_000 + ">A")
        'chr1:5:AAAAAAAAAA...(80,000 letters)>A'
    """
    return re.sub(r"[A-Za-z]{51,}", lambda run: f"{run[0][:10]}...({len(run[0]):,} letters)", str(text))


def unknown(kind: str, name: object, options: Iterable[str]) -> ValueError:
    """Build the error for a name that is not among the options, nearest spellings first.

    Args:
        kind: What the name stands for, e.g. "modality".
        name: What came.
        options: Every allowed name.

    Example:
        >>> print(unknown("modality", "rnaseq", ["atac", "rna_seq"]))
        Unknown modality 'rnaseq'. Did you mean 'rna_seq'? There are 2: atac, rna_seq.
    """
    names = list(dict.fromkeys(str(option) for option in options))
    folded = {option.casefold(): option for option in names}
    text = str(name).casefold()
    near = [folded[key] for key in difflib.get_close_matches(text, folded, n=4, cutoff=0.6)]
    near += [option for key, option in folded.items() if text and text in key and option not in near][: 4 - len(near)]
    hint = f" Did you mean {' or '.join(repr(option) for option in near)}?" if near else ""
    if not names:
        return ValueError(f"Unknown {kind} {name!r}. There is none to choose from.")
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return ValueError(f"Unknown {kind} {name!r}.{hint} There are {len(names)}: {shown}.")
