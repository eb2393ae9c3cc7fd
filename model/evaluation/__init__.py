"""Measure accuracy, speed, size and cost of each variant of a model on each runtime of this machine."""
