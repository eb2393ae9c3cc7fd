"""Render the analysis of a run: HTML page, Markdown, JSON and terminal tables."""
