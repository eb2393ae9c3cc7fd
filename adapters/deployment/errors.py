"""Errors of a deployment. Each message ends with the next step."""

from __future__ import annotations


class DeployError(RuntimeError):
    """A step that failed; nothing is lost: `tripoint deploy apply` resumes, `tripoint deploy destroy` cleans up."""


class NotReady(DeployError):
    """Credentials, a setting or an SDK are missing; one line says what to do."""
