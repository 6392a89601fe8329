"""Dropout: noise on units, nets trained with it, Boltzmann machines, and its marginalised form."""
