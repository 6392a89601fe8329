"""Training of batches of nets to a minimum of their objective."""
