"""Percent spliced in: how the uses of a splice site divide among its junctions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

_JUNCTIONS = "splice_junctions"


def psi(result: xr.DataTree | xr.Dataset) -> xr.Dataset:
    """Compute PSI5 and PSI3 of every junction.

    PSI5 is the share of a junction in all junctions of its donor (the 5' splice site), PSI3 that in all junctions of
    its acceptor, each strand by itself. Where a site has no count at all the share is NaN.

    Args:
        result: A prediction with splice junctions, or its node of them: counts of dims (junction, track), after a
            leading `allele` or not.

    Returns:
        A Dataset of the same coordinates with `psi5` and `psi3`; where there are two alleles also `delta_psi5` and
        `delta_psi3`, ALT - REF.

    Raises:
        ValueError: There are no junctions in the result.

    Example:
        >>> node = xr.Dataset(
        ...     {"signal": (("junction", "track"), [[30.0], [10.0]])},
        ...     coords={
        ...         "strand": ("junction", ["+", "+"]),
        ...         "donor": ("junction", [99, 99]),
        ...         "acceptor": ("junction", [200, 300]),
        ...     },
        ... )
        >>> psi(node)["psi5"].values.ravel().tolist(), psi(node)["psi3"].values.ravel().tolist()
        ([0.75, 0.25], [1.0, 1.0])

    Source:
        Pervouchine, Knowles & Guigo, Bioinformatics 2013 (psi of the 5' and 3' splice site).
    """
    node = result[_JUNCTIONS].to_dataset() if isinstance(result, xr.DataTree) and _JUNCTIONS in result else result
    node = node.to_dataset() if isinstance(node, xr.DataTree) else node
    if "junction" not in node.dims or "signal" not in node:
        raise ValueError(f"PSI needs splice junctions; ask the prediction for modalities=[{_JUNCTIONS!r}].")
    shares = {}
    for name, site in (("psi5", "donor"), ("psi3", "acceptor")):
        share = _share(node, site)
        share.attrs = {"units": "fraction", "long_name": f"share of a junction in those of its {site}"}
        shares[name] = share
        if "allele" in share.dims:
            change = share.sel(allele="alt", drop=True) - share.sel(allele="ref", drop=True)
            change.attrs = {"units": "fraction", "long_name": f"{share.attrs['long_name']}, ALT - REF"}
            shares[f"delta_{name}"] = change
    return xr.Dataset(shares, attrs=node.attrs)


def _share(node: xr.Dataset, site: str) -> xr.DataArray:
    """Divide every count by the sum over the junctions of its site."""
    counts = node["signal"].astype(np.float64)
    keys = pd.MultiIndex.from_arrays([node["strand"].values, node[site].values])
    group = pd.factorize(keys)[0]
    axis = counts.get_axis_num("junction")
    values = np.moveaxis(counts.values, axis, 0)
    totals = np.zeros((group.max(initial=-1) + 1, *values.shape[1:]))
    np.add.at(totals, group, values)
    shares = np.divide(values, totals[group], out=np.full(values.shape, np.nan), where=totals[group] > 0)
    return counts.copy(data=np.moveaxis(shares, 0, axis)).astype(np.float32)
