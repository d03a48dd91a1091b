"""Numbers as they come: 1 as well as 1.0, from Python or out of an array."""

import numpy as np

Real = float | int | np.floating | np.integer
