"""Summaries, comparisons, checks and sweeps of a recorded run. Pure."""
