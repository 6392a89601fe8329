"""Data sets: tensors and the hashes that pin them."""
