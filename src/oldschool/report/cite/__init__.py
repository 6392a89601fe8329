"""Every claim's number ready to be cited: for LaTeX, for BibTeX and as a sentence."""
