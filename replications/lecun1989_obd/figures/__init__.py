"""Figures: pure functions from tidy frames."""
