"""How good, how fast, how large and how dear each variant of a model is on each runtime of this machine."""
