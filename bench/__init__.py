"""Measure how near the classifier is to what the hardware allows, as ratios within one run."""
