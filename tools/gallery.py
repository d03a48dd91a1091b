"""Draw the pictures of docs/gallery/index.md by running the code that stands under each.

    python tools/gallery.py [--out docs/gallery] [--only NAME]

The page is written by hand: its first block of code is the set-up, and every other one ends in the figure above it.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from PIL import Image

PAGE = Path(__file__).resolve().parents[1] / "docs" / "gallery" / "index.md"
_SETUP = re.compile(r"```python\n(.*?)```", re.DOTALL)
_PICTURE = re.compile(r"!\[[^\]]*\]\((\w+)\.png\)\n\n```python\n(.*?)```", re.DOTALL)


def read(page: Path = PAGE) -> tuple[str, dict[str, str]]:
    """Return the set-up of the page, and the code of each picture by its name."""
    text = page.read_text(encoding="utf-8")
    first = _SETUP.search(text)
    if first is None:
        raise ValueError(f"{page} has no block of code.")
    pictures = _PICTURE.findall(text)
    if text.count("```python") != 1 + len(pictures):
        raise ValueError(f"{page}: every block of code but the first stands under a picture, one empty line between.")
    return first.group(1), dict(pictures)


def names_of(setup: str) -> dict[str, Any]:
    """Run the set-up and return what it defines."""
    names: dict[str, Any] = {}
    exec(compile(setup, "set-up of the gallery", "exec"), names)
    return names


def figure_of(code: str, names: dict[str, Any], place: str = "gallery") -> Any:
    """Run the code of one picture after the set-up alone, and return what its last line gives, as a notebook does."""
    *steps, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        raise ValueError(f"{place}: the last line gives nothing to show.")
    names = dict(names)
    exec(compile(ast.Module(steps, []), place, "exec"), names)
    return eval(compile(ast.Expression(last.value), place, "eval"), names)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=PAGE.parent)
    parser.add_argument("--only", default="", help="draw only what has this in its name")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    setup, pictures = read()
    names = names_of(setup)
    for name, code in pictures.items():
        if arguments.only not in name:
            continue
        print(name, file=sys.stderr)
        buffer = io.BytesIO()
        figure_of(code, names, name).savefig(buffer, format="png", dpi=90)
        # 256 colours are enough for a page, and half of the bytes.
        Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            arguments.out / f"{name}.png", optimize=True
        )


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
