"""Evaluation on held-out chromosomes: metrics, baselines, and the table of mini."""
