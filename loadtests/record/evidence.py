"""Read an instance's own evidence: cold, pre-initialised or warm. Pure.

The rule uses durations only, each taken on one clock: the client's service time, and the instance's own
handling time and time since it became ready. Clocks of two machines are never subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.record.sample import State

HEADER = "x-tripoint-instance"


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """What the instance said; as `core.wire.Evidence`, but nothing is taken for granted.

    `platform` is the platform's own word about how the instance came to be, where an entry passes it on (on Lambda
    `AWS_LAMBDA_INITIALIZATION_TYPE`).
    """

    instance: str
    request_number: int | None = None
    since_ready_ms: float | None = None
    process_start_unix_s: float | None = None
    init_start_unix_s: float | None = None
    init_ms: float | None = None
    imports_ms: float | None = None
    model_load_ms: float | None = None
    platform: str | None = None


def parse_header(value: str) -> InstanceReport | None:
    """Read `<id>;number=1;since_ready_ms=0.3;…`; None when there is no id. Unknown and broken parts are left out."""
    name, *parts = value.split(";")
    pairs = dict(part.strip().split("=", 1) for part in parts if "=" in part)
    return from_mapping({"instance": name.strip(), "request_number": pairs.get("number"), **pairs})


def from_mapping(values: Mapping[str, Any]) -> InstanceReport | None:
    """The same from the `instance` object of a JSON answer."""
    if not values.get("instance"):
        return None
    number = as_float(values.get("request_number"))
    return InstanceReport(
        instance=str(values["instance"]),
        request_number=None if number is None else int(number),
        since_ready_ms=as_float(values.get("since_ready_ms")),
        process_start_unix_s=as_float(values.get("process_start_unix_s")),
        init_start_unix_s=as_float(values.get("init_start_unix_s")),
        init_ms=as_float(values.get("init_ms")),
        imports_ms=as_float(values.get("imports_ms")),
        model_load_ms=as_float(values.get("model_load_ms")),
        platform=str(values["platform"]) if values.get("platform") else None,
    )


def as_float(value: object) -> float | None:
    """A finite number, or None."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def provisional_state(report: InstanceReport | None, *, waited_ms: float, seen_before: bool = False) -> State | None:
    """Cold, pre-initialised or warm; None when the evidence is missing.

    `waited_ms` is what the client waited outside the handler: service time, less connecting, less the handler's
    own total. The request reached the handler `since_ready_ms` after the instance became ready. If the client
    had by then waited longer than that, it sent the request before the instance was ready: it waited for a new
    instance, which is what cold means, and holds for the second request of a concurrent instance too. The wait
    includes the way back, so a request sent within that millisecond or so after readiness counts as cold, unless
    the client had an answer of this instance before it sent the request (`seen_before`): then it was ready.
    The first request of an instance that was ready before it was sent is pre-initialised.
    """
    if report is None or report.since_ready_ms is None or report.request_number is None:
        return None
    if waited_ms > report.since_ready_ms and not seen_before:
        return "cold"
    return "pre-initialised" if report.request_number == 1 else "warm"
