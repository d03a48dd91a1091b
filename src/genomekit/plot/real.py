"""Numbers as they come: 1 as well as 1.0, from Python or out of an array."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    Real = float  # which takes an int too, for those who check types without running anything
else:
    Real = float | int | np.floating | np.integer
