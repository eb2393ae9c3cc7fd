"""The one error of this package."""

from __future__ import annotations


class BundleError(RuntimeError):
    """A bundle that cannot be made; the message names the file, package or model and the next step."""
