"""Figures: pure functions from tidy frames to matplotlib figures."""
