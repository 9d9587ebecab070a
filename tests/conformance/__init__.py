"""Vectors of programs and their results, run by the engine."""
