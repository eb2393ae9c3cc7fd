"""What was observed: samples, their store, the cold or warm state of each, and export."""
