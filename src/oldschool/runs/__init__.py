"""Work units, seeds, store, provenance, resume, launch."""
