"""Second derivatives of the error with respect to the weights."""
