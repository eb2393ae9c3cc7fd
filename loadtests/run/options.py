"""The locustfile's own options, on the command line, in the environment, and on Locust's web page."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core import cpu_count
from loadtests.plan.scenarios import SCENARIOS
from loadtests.stats.stopping import StoppingRule

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser

NO_TARGETS = (
    "No targets: name a file of them with --targets or TRIPOINT_TARGETS "
    "(`tripoint serve all` starts local ones; docs/loadtests.md shows the format)."
)
NEVER_PRECISE = 1e-9  # a precision that no measurement reaches: only the limits stop the run
NO_IMAGES = "No images: name a folder of them with --images or TRIPOINT_IMAGES."


class OptionsError(Exception):
    """An option is missing or wrong; the message says which, and what to give."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    run_dir: Path | None
    targets: Path
    images: Path
    scenario: str
    seed: int
    rate: float | None
    timeout_s: float
    in_flight_max: int
    resume: bool
    rule: StoppingRule | None
    budget_usd: float | None
    keys_socket: int | None
    notes: Mapping[str, str]
    parent_pid: int | None
    live: bool
    command: str
    cpus: int

    def run_folder(self) -> Path:
        """The chosen folder, or a new one below `runs/` named by time and scenario."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        return self.run_dir or Path("runs") / f"{stamp}-{Path(self.scenario).stem}"


def add_arguments(parser: LocustArgumentParser) -> None:
    """Add the options to Locust's own; each can be set by an environment variable too."""
    parser.add_argument("--targets", env_var="TRIPOINT_TARGETS", default="", help="file of targets: JSON or TOML")
    parser.add_argument("--images", env_var="TRIPOINT_IMAGES", default="", help="folder of images to send")
    parser.add_argument("--run-dir", env_var="TRIPOINT_RUN_DIR", default="", help="folder of the run (default: new)")
    names = f"the load: {', '.join(SCENARIOS)}, or a TOML file"
    parser.add_argument("--scenario", env_var="TRIPOINT_SCENARIO", default="quick", help=names)
    parser.add_argument("--seed", env_var="TRIPOINT_SEED", type=int, default=1, help="of the schedule's randomness")
    parser.add_argument(
        "--rate", env_var="TRIPOINT_RATE", type=float, default=0.0, help="per target and second (0: by a short probe)"
    )
    parser.add_argument("--request-timeout", env_var="TRIPOINT_TIMEOUT", type=float, default=60.0, help="seconds")
    parser.add_argument("--in-flight-max", type=int, default=1024, help="per worker; beyond it requests are dropped")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run-dir")
    parser.add_argument(
        "--precision", type=float, default=0.0, help="stop when every warm p95 is known within this share (0: never)"
    )
    parser.add_argument("--requests-max", type=int, default=0, help="stop after so many requests (0: no limit)")
    parser.add_argument(
        "--budget-usd", type=float, default=0.0, help="stop before so much can be spent (0: no limit)"
    )
    keys = "inherited socket to who holds the keys of closed targets"
    parser.add_argument("--keys-socket", type=int, default=-1, include_in_web_ui=False, help=keys)
    parser.add_argument("--notes", default="{}", include_in_web_ui=False, help="JSON kept in the run's header")
    parser.add_argument("--parent-pid", type=int, default=0, include_in_web_ui=False, help="end when it is gone")
    parser.add_argument(
        "--live", action="store_true", include_in_web_ui=False, help="print the figures so far, as lines of JSON"
    )


def parse(parsed: Namespace) -> Options:
    """Options from Locust's parsed ones. Raises OptionsError in one sentence."""
    if not parsed.targets and not getattr(parsed, "worker", False):  # a worker is told by the master
        raise OptionsError(NO_TARGETS)
    if not parsed.images:
        raise OptionsError(NO_IMAGES)
    if parsed.rate < 0 or parsed.request_timeout <= 0 or parsed.in_flight_max <= 0:
        raise OptionsError("--rate must not be negative; --request-timeout and --in-flight-max must be positive.")
    if not 0 <= parsed.budget_usd < float("inf"):
        raise OptionsError(f"--budget-usd is {parsed.budget_usd}: expected an amount in USD, 0 for no limit.")
    if parsed.resume and not parsed.run_dir:
        raise OptionsError("--resume needs --run-dir: the folder of the run to go on with.")
    return Options(
        run_dir=Path(parsed.run_dir) if parsed.run_dir else None,
        targets=Path(parsed.targets),
        images=Path(parsed.images),
        scenario=parsed.scenario,
        seed=parsed.seed,
        rate=parsed.rate or None,
        timeout_s=parsed.request_timeout,
        in_flight_max=parsed.in_flight_max,
        resume=parsed.resume,
        rule=stopping_rule(parsed),
        budget_usd=parsed.budget_usd or None,
        keys_socket=parsed.keys_socket if parsed.keys_socket >= 0 else None,
        notes=json.loads(parsed.notes),
        parent_pid=parsed.parent_pid or None,
        live=parsed.live,
        command=shlex.join(["locust", *sys.argv[1:]]),
        cpus=cpu_count.count(),
    )


def stopping_rule(parsed: Namespace) -> StoppingRule | None:
    """The rule that may end the run early; None when nothing was asked for. Raises OptionsError."""
    if not (parsed.precision or parsed.requests_max):
        return None
    try:
        return StoppingRule(precision=parsed.precision or NEVER_PRECISE, requests_max=parsed.requests_max or None)
    except ValueError as error:
        raise OptionsError(f"The stopping rule makes no sense: {error}.") from error
