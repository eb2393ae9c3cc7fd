"""Statistics over raw samples: pure functions of arrays, no clock, no disk, no network."""
