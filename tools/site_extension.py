"""Fit the docstrings and exports of genomekit to what mkdocstrings shows on the site."""

import re
from typing import Any

import griffe

_HEADING = re.compile(r"^( *)Example:$", flags=re.MULTILINE)


class SiteExtension(griffe.Extension):
    """Show examples as code, and every class and function once."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename the section "Example": the parser knows "Examples" only and would set the code as prose."""
        if obj.docstring is not None:
            obj.docstring.value = _HEADING.sub(r"\1Examples:", obj.docstring.value)

    def on_module(self, *, mod: griffe.Module, **kwargs: Any) -> None:
        """Drop what a package re-exports: the page shows it with the module it is written in."""
        if mod.is_init_module:
            mod.exports = None
            for name in [name for name, member in mod.members.items() if member.is_alias]:
                del mod.members[name]
