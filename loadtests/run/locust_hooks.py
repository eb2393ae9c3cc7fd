"""Join the parts of a run to Locust's events."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from decimal import Decimal
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
import locust
from locust.runners import MasterRunner, WorkerRunner

from loadtests.cost.budget import Budget, BudgetError
from loadtests.cost.gateway import check_gateways
from loadtests.credentials.channel import CredentialChannel, CredentialError
from loadtests.launch import live_line
from loadtests.plan.payloads import PayloadsError, check_payloads, read_payloads
from loadtests.plan.scenarios import ScenarioError, find
from loadtests.plan.targets import TargetsError, read_targets
from loadtests.record.store import FILE_NAME, Event, Store, open_store
from loadtests.run.locust_channel import LocustChannel
from loadtests.run.master import RunFailed, RunMaster
from loadtests.run.options import OptionsError, add_arguments, parse
from loadtests.run.preparation import prepare_run
from loadtests.run.probe import ProbeError
from loadtests.run.resources import RunResources
from loadtests.run.resumption import ResumeError, resume_run
from loadtests.selftest.floor import measure_floor
from loadtests.send.worker import Worker

if TYPE_CHECKING:
    from locust.env import Environment

    from loadtests.live.feed import LiveFeed
    from loadtests.plan.payloads import Payload
    from loadtests.plan.targets import Target
    from loadtests.run.master import Opened
    from loadtests.run.options import Options
    from loadtests.run.preparation import PreparedRun

LOG = logging.getLogger(__name__)
EVENTS: Any = locust.events  # Locust's hooks carry no types
FEED_READY_WITHIN_S = 20.0  # it imports the statistics: rather now than beside the first requests
TELL_EVERY_S = 1.0
HEADERS_BYTES = 8192  # of a request, signed ones included: far above what is sent
LAST_WITHIN_S = 20.0  # on a busy machine; at once on others
USER_ERRORS = (
    OptionsError,
    TargetsError,
    PayloadsError,
    ProbeError,
    ResumeError,
    ScenarioError,
    BudgetError,
    CredentialError,
)


def register() -> None:
    """Listen to Locust's events and to interrupts; the locustfile calls it once."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job inherits it so
        signal.signal(signal.SIGINT, signal.default_int_handler)
    EVENTS.init_command_line_parser.add_listener(lambda parser, **_: add_arguments(parser))
    EVENTS.init.add_listener(set_up)


def set_up(environment: Environment, **_: Any) -> None:
    """Make this process a worker, a master, or both where it is the only one."""
    try:
        options = parse(environment.parsed_options or Namespace())
        users = find(options.scenario).users()
    except (OptionsError, ScenarioError) as error:
        print(f"tripoint: {error}", file=sys.stderr)
        sys.exit(2)
    if environment.parsed_options is not None and environment.parsed_options.num_users is None and users is not None:
        environment.parsed_options.num_users = environment.parsed_options.spawn_rate = users
    if not isinstance(environment.runner, MasterRunner):
        set_up_worker(environment, options)
    if not isinstance(environment.runner, WorkerRunner):
        set_up_master(environment, options)


def set_up_worker(environment: Environment, options: Options) -> None:
    request_event = environment.events.request.fire
    worker = Worker(LocustChannel(environment), images=options.images, request_event=request_event)
    environment.tripoint = worker  # type: ignore[attr-defined]  # for Locust's users, who know the environment only
    EVENTS.quitting.add_listener(lambda **_: worker.stop())


def set_up_master(environment: Environment, options: Options) -> None:
    feed = set_up_feed(environment, options)
    master = RunMaster(
        LocustChannel(environment),
        open_run=lambda: open_run(environment, feed, probed=lambda *done: master.report("probe", *done)),
        set_exit_code=lambda code: setattr(environment, "process_exit_code", code),
        ended=lambda: finish(environment),
        parent_pid=options.parent_pid,
    )
    EVENTS.test_start.add_listener(lambda **_: master.start())
    EVENTS.test_stopping.add_listener(lambda **_: master.interrupt("stopped before the schedule's end"))
    EVENTS.quitting.add_listener(lambda **_: master.interrupt("interrupted"))


def set_up_feed(environment: Environment, options: Options) -> LiveFeed | None:
    """Live figures for the web page, or for the process that started this one; None where nobody looks."""
    if environment.web_ui is None and not options.live:
        return None
    from loadtests.live.feed import LiveFeed
    from loadtests.live.locust_tab import LOOK_WITHIN_S, add_tab

    feed = LiveFeed()
    add_tab(environment, lambda: feed.look(within_s=LOOK_WITHIN_S))
    telling = gevent.spawn(emit_live_forever, feed) if options.live else None
    EVENTS.quit.add_listener(lambda **_: close_feed(feed, telling))
    return feed


def emit_live_forever(feed: LiveFeed) -> None:
    """Print the figures so far for `loadtests.launch`, again and again."""
    while True:
        gevent.sleep(TELL_EVERY_S)
        emit_live(feed)


def emit_live(feed: LiveFeed, *, within_s: float = TELL_EVERY_S, last: bool = False) -> None:
    with contextlib.suppress(OSError):  # nobody reads any more: the master notices
        print(live_line(feed.look(within_s=within_s, last=last)), flush=True)


def close_feed(feed: LiveFeed, telling: gevent.Greenlet[..., None] | None) -> None:
    """Tell the last figures, and end the process that makes them."""
    if telling is not None:
        telling.kill(block=True, timeout=1)
        emit_live(feed, within_s=LAST_WITHIN_S, last=True)
    feed.close()


def open_run(environment: Environment, feed: LiveFeed | None, *, probed: Callable[[int, int], None]) -> Opened:
    """Plan the run and make or open its store; the web page may have changed the options. Raises RunFailed."""
    try:
        options = parse(environment.parsed_options or Namespace())
        plan, store = prepare_or_resume(options, probed=probed)
    except USER_ERRORS as error:
        raise RunFailed(str(error)) from error
    store.append(plan.probes)
    store.record(Event(perf_counter() - plan.origin_s, "calibration", document=measure_floor()))
    LOG.info("samples are kept in %s", store.path)
    if feed is not None:
        feed.begin(store.path)
        feed.look(within_s=FEED_READY_WITHIN_S)
    if options.rule is None:
        return plan, store, None
    from loadtests.run.early_stop import (
        EarlyStop,  # costs and statistics: a second of imports that most runs do without
    )

    return plan, store, EarlyStop(options.rule, plan.targets)


def prepare_or_resume(options: Options, *, probed: Callable[[int, int], None]) -> tuple[PreparedRun, Store]:
    """The plan with its new store, or that of the rest of the run that is resumed."""
    targets, payloads = read_targets(options.targets), read_payloads(options.images)
    if options.parent_pid is None:  # else the command line has looked already
        check_payloads(payloads)
    check_gateways(targets)
    resources = resources_for(options, targets, payloads)
    if options.resume and options.run_dir is not None:
        store = open_store(options.run_dir, writable=True)
        plan = resume_run(options, store, targets, payloads, probed=probed, resources=resources)
        store.record(Event(perf_counter() - plan.origin_s, "resumed", document={"requests": len(plan.arrivals)}))
        return plan, store
    plan = prepare_run(options, targets, payloads, probed=probed, resources=resources)
    store = Store.create(options.run_folder() / FILE_NAME, plan.header)
    store.plan(plan.arrivals)
    return plan, store


def resources_for(options: Options, targets: Sequence[Target], payloads: Sequence[Payload]) -> RunResources:
    """The credentials that the parent process provides, and the budget of the run."""
    channel = None if options.keys_socket is None else CredentialChannel(options.keys_socket)
    if options.budget_usd is None:
        return RunResources(channel)
    from loadtests.cost.tariff import request_prices  # costs: imports that most runs do without
    from loadtests.prices.library import open_book

    largest_bytes = max(len(payload.body) for payload in payloads) + HEADERS_BYTES
    prices = request_prices(targets, open_book(), request_bytes=largest_bytes)
    return RunResources(channel, Budget(Decimal(repr(options.budget_usd)), prices))


def finish(environment: Environment) -> None:
    """End Locust after a headless run; a web page stays, for the next one."""
    options, runner = environment.parsed_options, environment.runner
    if runner is None:
        return
    if options is not None and options.headless:
        runner.quit()
    else:
        runner.stop()
