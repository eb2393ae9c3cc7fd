"""Joins the parts of a run to Locust's events."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import locust
from locust.runners import MasterRunner, WorkerRunner

from loadtests.conductor import Conductor, RunFailed
from loadtests.options import OptionsError, add_arguments, parse
from loadtests.pictures import PicturesError, read_pictures
from loadtests.planning import Plan, PlanError, make_plan
from loadtests.player import Player
from loadtests.store import FILE_NAME, Store
from loadtests.targets import TargetsError, read_targets

if TYPE_CHECKING:
    from locust.env import Environment

LOG = logging.getLogger(__name__)
EVENTS: Any = locust.events  # Locust's hooks carry no types


def register() -> None:
    """Listen to Locust's events; called once by the locustfile."""
    EVENTS.init_command_line_parser.add_listener(lambda parser, **_: add_arguments(parser))
    EVENTS.init.add_listener(set_up)


def set_up(environment: Environment, **_: Any) -> None:
    """Give this process its part: a worker plays, a master conducts, a single process does both."""
    try:
        options = parse(environment.parsed_options or Namespace())
    except OptionsError as error:
        print(f"tripoint: {error}", file=sys.stderr)
        sys.exit(2)
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        player = Player(environment, images=options.images)
        EVENTS.quitting.add_listener(lambda **_: player.stop())
    if not isinstance(runner, WorkerRunner):
        conductor = Conductor(
            environment,
            open_run=lambda: open_run(environment),
            ended=lambda: finish(environment),
            parent_pid=options.parent_pid,
        )
        EVENTS.test_start.add_listener(lambda **_: conductor.start())
        EVENTS.test_stopping.add_listener(lambda **_: conductor.interrupt("stopped before the schedule's end"))
        EVENTS.quitting.add_listener(lambda **_: conductor.interrupt("interrupted"))


def open_run(environment: Environment) -> tuple[Plan, Store]:
    """Plan the run and make its store; the web page may have changed the options. Raises RunFailed."""
    try:
        options = parse(environment.parsed_options or Namespace())
        targets, pictures = read_targets(options.targets), read_pictures(options.images)
        plan = make_plan(options, targets, pictures)
    except (OptionsError, TargetsError, PicturesError, PlanError) as error:
        raise RunFailed(str(error)) from error
    store = Store.create(options.run_folder() / FILE_NAME, plan.header)
    store.plan(plan.arrivals)
    store.append(plan.probes)
    LOG.info("samples are kept in %s", store.path)
    return plan, store


def finish(environment: Environment) -> None:
    """End Locust after a headless run; a web page stays, for the next one."""
    options, runner = environment.parsed_options, environment.runner
    if runner is None:
        return
    if options is not None and options.headless:
        runner.quit()
    else:
        runner.stop()
