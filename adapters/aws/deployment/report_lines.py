"""Read Lambda's REPORT lines: what Lambda itself billed for each request. Pure.

Sources: docs.aws.amazon.com/lambda/latest/dg/python-logging.html and, for the two restore fields of SnapStart,
docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html, as of 2026-11-25. "Billed Duration" holds the billed
part of a restoration.

A Function URL's answer names its request in the header `x-amzn-requestid`; no page of the vendor says that it is the
id of the lines, so whoever uses them compares ids and counts those that find none. An API Gateway's answer names the
gateway's own request: `x-amzn-requestid` of a REST API (developerguide/set-up-access-logging.html) and
`apigw-requestid` of an HTTP API are no ids of Lambda's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from adapters.platform_report import PlatformReport

PATTERN = '"REPORT RequestId"'  # as CloudWatch Logs filters
MATCHED_FRONT = "function-url"
_REPORT = re.compile(r"REPORT RequestId:\s*([0-9A-Za-z-]+)\b.*")
_NAMES = {  # of a longer name first: one ends like another
    "Billed Restore Duration": "billed_restore_ms",
    "Restore Duration": "restore_ms",
    "Billed Duration": "billed_ms",
    "Init Duration": "init_ms",
    "Duration": "duration_ms",
    "Memory Size": "memory_mb",
    "Max Memory Used": "used_mb",
}
_FIELD = re.compile(rf"({'|'.join(_NAMES)}):\s*(\d+(?:\.\d+)?)\s*(?:ms|MB)\b")
_NEEDED = {"duration_ms", "billed_ms", "memory_mb", "used_mb"}


def reports_in(messages: Iterable[str]) -> dict[str, PlatformReport]:
    """Request id -> what its REPORT line says; of a request that has several, as after a crash, the last."""
    lines = (_REPORT.search(message) for message in messages)
    parsed = ((each[1], parse(each[0].rstrip())) for each in lines if each is not None)
    return {request_id: report for request_id, report in parsed if report is not None}


def parse(line: str) -> PlatformReport | None:
    """What one REPORT line says; None when it lacks what every one has."""
    found = {_NAMES[name]: float(value) for name, value in _FIELD.findall(line)}
    if not found.keys() >= _NEEDED:
        return None
    return PlatformReport(
        line,
        duration_ms=found["duration_ms"],
        billed_ms=found["billed_ms"],
        memory_mb=round(found["memory_mb"]),
        used_mb=round(found["used_mb"]),
        init_ms=found.get("init_ms"),
        restore_ms=found.get("restore_ms"),
        billed_restore_ms=found.get("billed_restore_ms"),
    )
