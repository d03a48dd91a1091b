"""Lets the tests of this room import `reference_fill`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
