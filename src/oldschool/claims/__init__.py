"""Published numbers as data, our numbers with intervals, and the one rule between them."""
