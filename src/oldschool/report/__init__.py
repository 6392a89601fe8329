"""Figures, tables and pages from collected results; nothing here trains."""

from pathlib import Path

DPI = 200  # of the PNG figures; known here so that a page can size them without matplotlib
STYLE_SHEET = Path(__file__).with_name("oldschool.mplstyle")
