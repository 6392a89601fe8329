"""Pruning by magnitude, Optimal Brain Damage and Optimal Brain Surgeon."""
