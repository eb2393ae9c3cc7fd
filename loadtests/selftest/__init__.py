"""Measure the client itself: a server that does nothing, the client's overhead and its accuracy."""
