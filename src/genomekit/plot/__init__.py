"""Figures of labelled results. Matplotlib only: no torch, no global setting is changed, nothing is shown."""

from genomekit.plot import prediction as prediction
