"""The master side of a run: prepare it, start the workers, watch the budget, and stop."""
