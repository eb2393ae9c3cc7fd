"""The platform's REPORT lines of a function, by request: what Lambda itself billed. Pure.

Source: docs.aws.amazon.com/lambda/latest/dg/python-logging.html, as of 2026-11-20. An answer names its request in the
header `x-amzn-requestid`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PATTERN = '"REPORT RequestId"'  # as CloudWatch Logs filters
_REPORT = re.compile(r"REPORT RequestId:\s*([0-9A-Za-z-]+)\b.*")


def report_lines(messages: Iterable[str]) -> dict[str, str]:
    """Request id -> its REPORT line; of a request that has several, as after a crash, the last."""
    found = (_REPORT.search(message) for message in messages)
    return {each[1]: each[0].rstrip() for each in found if each is not None}
