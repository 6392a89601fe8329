"""Replications of the founding papers of network pruning and growing."""

__version__ = "0.1.0"
