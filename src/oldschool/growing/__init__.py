"""Growing nets unit by unit: Cascade-Correlation."""
