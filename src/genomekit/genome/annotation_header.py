"""What an annotation file says of itself before its first feature: its release."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

# Of Ensembl and WormBase, RefSeq, and GENCODE, which writes the release into its description.
_FACT = re.compile(
    r"#[!#]\s*(genome-build|genebuild-version|genebuild-last-updated|annotation-source|description)[:\s]\s*(.+)"
)


def declared_release(path: str | Path) -> str:
    r"""Return the genome build and release that the comments at the head of a GTF or GFF3 file declare.

    Args:
        path: The file, plain or gzip.

    Returns:
        Such as "genome-build WBcel235, genebuild-version WS285"; "" where the file declares nothing.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "toy.gtf"
        >>> _ = path.write_text("#!genome-build toy1\n#!genome-date 2024\nchrI\ttoy\tgene\t1\t9\t.\t+\t.\t\n")
        >>> declared_release(path)
        'genome-build toy1'
    """
    facts = []
    try:
        with Path(path).open("rb") as raw:
            stream = gzip.open(raw) if raw.peek(2)[:2] == b"\x1f\x8b" else raw
            for line in stream:
                if not line.startswith(b"#"):
                    break
                if found := _FACT.match(line.decode("utf-8", "replace").strip()):
                    key, value = found.groups()
                    facts.append(value if key == "description" else f"{key} {value}")
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return ""  # whoever reads the features says so
    return ", ".join(facts)
