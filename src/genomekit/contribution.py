"""What each base contributes, derived from the effects of its substitutions."""

from __future__ import annotations

import numpy as np
import xarray as xr

from genomekit.errors import unknown

CONVENTIONS = ("alphagenome", "mean4", "raw")


def contribution(node: xr.Dataset, convention: str = "alphagenome", *, hypothetical: bool = False) -> xr.DataArray:
    """Turn effects into contributions of bases, (position, base, track).

    With d the effects of a position, 0 at its reference base:

    - "alphagenome": at the reference base -(sum of d) / 3, the mean loss when it is replaced; d - (sum of d) / 3 at
      the others.
    - "mean4": d - (sum of d) / 4 everywhere, as tangermeme and TF-MoDISco have it; 3/4 of the former at the reference.
    - "raw": d itself.

    A scorer without a sign, such as the largest change of a splice site, says how much a substitution does and not
    which way. Its effects count as losses in the first two, so that the letters that matter stand upright.
    A position whose reference base is not known (N) contributes nothing: NaN, but for "raw".

    Args:
        node: What `Model.ism` returned.
        convention: One of `CONVENTIONS`.
        hypothetical: Keep the values at the other bases too; else they are 0 (but for "raw"), as a logo shows them.

    Raises:
        ValueError: No effects in the result, or an unknown convention.

    Source:
        google-deepmind/alphagenome, ism_matrix (the first); tangermeme, saturation mutagenesis (the second).
    """
    if "effect" not in node:
        raise ValueError("The result has no `effect`; contributions are made from what Model.ism returns.")
    if convention not in CONVENTIONS:
        raise unknown("convention", convention, CONVENTIONS)
    effect = node["effect"]
    if convention == "raw":
        found = effect.copy()
    else:
        at_reference = node["base"] == node["ref_base"]
        # Results made by hand, or before `signed` was written down, are taken as they are.
        change = effect if "signed" not in effect.coords else effect.where(effect["signed"], -effect)
        found = change - change.sum("base", skipna=False) / (3 if convention == "alphagenome" else 4)
        if not hypothetical:
            found = found.where(at_reference | found.isnull(), 0.0)
        found = found.where(at_reference.any("base"))
    found.attrs = {**effect.attrs, "convention": convention, "long_name": f"contribution ({convention})"}
    return found.astype(np.float32).transpose(*effect.dims).rename("contribution")
