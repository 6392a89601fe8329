"""Compiled forms of passes that are bound by the overhead of tensor operations, or by memory."""
