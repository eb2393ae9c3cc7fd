"""The error of a bundle that cannot be made."""

from __future__ import annotations


class BundleError(RuntimeError):
    """A bundle that cannot be made; the message names the file, package or model and the next step."""
