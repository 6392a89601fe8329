"""Networks with a leading replicate axis: R nets are one batch of tensor operations."""
