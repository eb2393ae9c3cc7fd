"""A few requests to each setting before a sweep: does it work at all at this size, and how fast is it about?"""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from loadtests.reading import error_code, parse_json, top_label
from loadtests.tuning_load import Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from loadtests.pictures import Picture
    from loadtests.targets import Target

REQUESTS = 4  # the first may be a cold start
TIMEOUT_S = 60.0


class Unfit(Exception):
    """A target did not classify; the message says what it did."""


def preflight(
    targets: Sequence[Target], pictures: Sequence[Picture], *, done: Callable[[int], None]
) -> tuple[Mapping[str, Timing], list[str]]:
    """The timing of each target that classifies, by name, and in sentences which do not, and why.

    `done` is told how many targets were asked.
    """
    timings: dict[str, Timing] = {}
    notes: list[str] = []
    for number, target in enumerate(targets, start=1):
        try:
            timings[target.name] = time_target(target, pictures)
        except Unfit as error:
            notes.append(f"{target.name} does not work and is left out: {error}")
        done(number)
    return timings, notes


def time_target(target: Target, pictures: Sequence[Picture]) -> Timing:
    """Ask one target. Raises Unfit."""
    times_ms = [_ask(target.url, pictures[number % len(pictures)]) for number in range(REQUESTS)]
    return Timing(times_ms[0], median(times_ms[1:]))


def _ask(url: str, picture: Picture) -> float:
    """Milliseconds to an answer that classifies. Raises Unfit."""
    request = urllib.request.Request(url, data=picture.body, headers={"content-type": picture.content_type})
    started_s = perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        raise Unfit(f"status {error.code}, {error_code(error.code, parse_json(error.read()))}") from error
    except (OSError, HTTPException) as error:
        raise Unfit(f"no answer from {url} ({error}): start it, or correct the URL") from error
    took_ms = (perf_counter() - started_s) * 1000
    if top_label(parse_json(body)) is None:
        raise Unfit(f"status {status}, but no classification")
    return took_ms
