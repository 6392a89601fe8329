"""Dropout: nets, machines and models whose units are dropped at random while they learn."""
