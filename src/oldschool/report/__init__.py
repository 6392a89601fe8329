"""Figures, tables and pages from collected results; nothing here trains."""

DPI = 200  # of the PNG figures; known here so that a page can size them without matplotlib
