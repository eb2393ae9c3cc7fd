"""The parts of a report, in the order in which it is read."""
