"""The contract suite fetches its image from loopback, which a function refuses unless it is told otherwise."""

from __future__ import annotations

import os

os.environ["TRIPOINT_FETCH_PRIVATE"] = "allow"
os.environ.setdefault("TRIPOINT_LOG_LEVEL", "error")
