"""Measure how long idle instances of a target live: send nothing for a while, and look which are left."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING

from loadtests.record import evidence
from loadtests.stats.survival import GapObservation

if TYPE_CHECKING:
    from loadtests.credentials.credentials import Credentials
    from loadtests.plan.payloads import Payload
    from loadtests.plan.targets import Target
    from loadtests.stats.gap_search import GapSearch

TIMEOUT_S = 120.0
BURSTS_MAX = 4  # to bring up as many instances as were asked for


class SurveyError(Exception):
    """A target cannot be surveyed; the message names it and says what came."""


@dataclass(slots=True)
class IdleSurvey:
    """The survey of one target; `seen` is what was observed so far, in order.

    `together` instances are kept at a time. When `ended` is set, the survey ends within its gap.
    """

    target: Target
    payload: Payload
    search: GapSearch
    together: int = 1
    credentials: Credentials | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    seen: list[GapObservation] = field(default_factory=list)

    def run(self, tell: Callable[[str, float], None]) -> list[GapObservation]:
        """Observe until the search knows enough; `tell` gets the target's name and each gap. Raises SurveyError."""
        alive = self._bring_up()
        while (gap_s := self.search.next_gap_s(self.seen)) is not None:
            tell(self.target.name, gap_s)
            began_s = time.monotonic()
            if self.ended.wait(gap_s):
                break
            real_s = time.monotonic() - began_s
            answered = self._burst(max(len(alive), 1))
            self.seen.append(GapObservation(real_s, len(alive & set(answered)), len(alive)))
            alive = self._bring_up(answered)
        return self.seen

    def _bring_up(self, answered: Sequence[str] = ()) -> set[str]:
        """Instances that answered just now, as many as are kept together."""
        alive = set(answered)
        for _ in range(BURSTS_MAX):
            if len(alive) >= self.together:
                break
            alive |= set(self._burst(self.together))
        return alive

    def _burst(self, size: int) -> list[str]:
        """The instances that answer so many requests at once."""
        with ThreadPoolExecutor(size) as pool:
            return list(pool.map(lambda _: self._send(), range(size)))

    def _send(self) -> str:
        target, payload = self.target, self.payload
        opening = {}
        if self.credentials is not None:
            opening = self.credentials.headers(target.name, url=target.url, body=payload.body)
        headers = {**opening, "content-type": payload.content_type}
        request = urllib.request.Request(target.url, data=payload.body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                report = evidence.parse_header(answer.headers.get(evidence.HEADER, ""))
                answer.read()
        except (OSError, HTTPException) as error:
            raise SurveyError(f"target {target.name!r} at {target.url} gave no answer: {error}") from error
        if report is None:
            raise SurveyError(
                f"target {target.name!r} does not tell its instance (header {evidence.HEADER}): idle life can be "
                "measured of functions that do"
            )
        return report.instance


def survey_all(
    surveys: Sequence[IdleSurvey], tell: Callable[[str, float], None]
) -> dict[str, Sequence[GapObservation]]:
    """Run surveys side by side and return what each observed, by target.

    Raises SurveyError. After that, and after an interrupt, no survey goes on waiting.
    """
    with ThreadPoolExecutor(len(surveys)) as pool:
        running = {survey.target.name: pool.submit(survey.run, tell) for survey in surveys}
        try:
            return {name: each.result() for name, each in running.items()}
        finally:
            for survey in surveys:
                survey.ended.set()
