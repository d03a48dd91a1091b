"""Figures of labelled results. Matplotlib only: no torch, no global setting is changed, nothing is shown."""

from genomekit.plot.prediction import figure as figure

__all__ = ["figure"]
