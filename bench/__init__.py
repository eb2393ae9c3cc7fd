"""How near the classifier is to what the hardware allows: ratios within one run, never a timed test."""
