"""Figures of a run while it goes on, for the terminal and for Locust's web page."""
