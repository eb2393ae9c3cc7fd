"""Send the requests of a schedule when they are due, one greenlet each, without waiting for responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event
from gevent.pool import Group

if TYPE_CHECKING:
    from loadtests.plan.schedule import Arrival

AHEAD_S = 2.0  # requests are prepared at most so long before they are due: signatures hold for some minutes
SLACK_S = 0.002  # nothing is prepared ahead when the next request is due so soon


class Dispatcher:
    """Sends one worker's share of one phase."""

    def __init__(
        self,
        *,
        send: Callable[[Arrival, float], object],
        drop: Callable[[Arrival, float], None],
        retire: Callable[[Arrival], bool],
        in_flight_max: int,
        prepare: Callable[[Arrival], None] | None = None,
        admit: Callable[[Arrival], bool] = lambda arrival: True,
    ) -> None:
        """`drop` records an arrival that was not sent; `retire` retires a target's instances, or returns False.

        `prepare` does what an arrival needs before its timed part, such as a signature. The first arrival that
        `admit` does not let pass ends the phase.
        """
        self._send = send
        self._drop = drop
        self._retire = retire
        self._in_flight_max = in_flight_max
        self._prepare = prepare
        self._admit = admit
        self._in_flight = Group()
        self._cut = Event()

    def play_open(self, arrivals: Sequence[Arrival], *, start_s: float) -> None:
        """Send each arrival at `start_s` + `offset_s` of `perf_counter`; return when all are answered.

        A request whose turn comes while `in_flight_max` others wait for answers is dropped, and recorded so.
        """
        prepared = 0
        for index, arrival in enumerate(arrivals):
            due_s = start_s + arrival.offset_s
            prepared = self._prepare_ahead(arrivals, index, prepared, start_s=start_s)
            if self.wait(due_s - perf_counter()):
                break
            if len(self._in_flight) >= self._in_flight_max:
                self._drop(arrival, due_s)
            elif self._admit(arrival):
                self._in_flight.start(gevent.Greenlet(self._send, arrival, due_s))
            else:
                self.cut()
        self._in_flight.join()

    def play_serial(self, arrivals: Sequence[Arrival]) -> None:
        """Retire, then send, one arrival after another; each is due when the retirement is confirmed."""
        for arrival in arrivals:
            if self._cut.is_set() or not self._admit(arrival):
                break
            retired = self._retire(arrival)
            if self._prepare is not None:
                self._prepare(arrival)
            due_s = perf_counter()
            if retired:
                self._send(arrival, due_s)
            else:
                self._drop(arrival, due_s)

    def wait(self, delay_s: float) -> bool:
        """Wait that long; True as soon as the phase is cut short."""
        return self._cut.wait(delay_s) if delay_s > 0 else self._cut.is_set()

    def cut(self) -> None:
        """Send nothing more of this phase; what is under way is still answered."""
        self._cut.set()

    def stop(self, *, grace_s: float) -> None:
        """Cut, give what is under way `grace_s` seconds, then give it up."""
        self.cut()
        self._in_flight.join(timeout=grace_s)
        self._in_flight.kill(block=True, timeout=1)

    def _prepare_ahead(self, arrivals: Sequence[Arrival], index: int, prepared: int, *, start_s: float) -> int:
        """Prepare the arrival at `place`, and in the time until it is due those that follow soon.

        `prepared` of them are ready; returns how many are now.
        """
        if self._prepare is None:
            return prepared
        due_s = start_s + arrivals[index].offset_s
        if prepared <= index:
            self.wait(due_s - AHEAD_S - perf_counter())
        while prepared < len(arrivals):
            now_s = perf_counter()
            soon = now_s < due_s - SLACK_S and start_s + arrivals[prepared].offset_s - now_s < AHEAD_S
            if prepared > index and not soon:
                break
            self._prepare(arrivals[prepared])
            prepared += 1
            gevent.sleep(0)
        return prepared
