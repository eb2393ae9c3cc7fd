"""One error tree: every leaf has a stable code and an HTTP status, the same on every cloud."""

from __future__ import annotations

from typing import ClassVar


class TripointError(Exception):
    """Base of all errors that a client may see.

    The message names the value, the expectation and the next step.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def document(self) -> dict[str, object]:
        """The JSON document of this error; it carries nothing of the instance or the cloud."""
        return {"error": {"code": self.code, "status": self.status, "message": str(self)}}
