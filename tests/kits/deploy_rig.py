"""One rig for the life-cycle suite: a cloud's stand-in, the command line, and what is left in the account."""

from __future__ import annotations

import functools
import importlib.util
import multiprocessing
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.kits import botocore_files
from tests.paths import ROOT
from tests.standins import container_tool, wire

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext
    from multiprocessing.process import BaseProcess as Process

    from tests.standins.door import Door

# What is POSTed only to read, by service.
_READS = (
    *("ListRoles", "GetRole", "ListRoleTags", "DescribeLogGroups", "FilterLogEvents", "entries:list", "listKeys"),
    *("DescribeRepositories", "DescribeImages", "ListImages", "ListTagsForResource", "GetAuthorizationToken"),
)
CLOUDS = ("aws", "azure", "gcp")
WAYS_TO_DEPLOY = (*CLOUDS, "aws image")  # a cloud, and what it is given instead of a zip
SECRET_KEY = "stand-in/secret+key"


@dataclass
class Rig:
    """`cloud`'s stand-in at `url`; commands run in `folder` with the variables that lead to it.

    `door` is where its functions answer, where a test wants them to. `record` is what a recorder wrote down.
    """

    cloud: str
    standin: Any
    url: str
    folder: Path
    interruption: wire.Interruption
    variables: Mapping[str, str]
    extra: tuple[str, ...] = field(default=())
    door: Door | None = None
    record: Path = Path()

    def start(self, *arguments: str) -> Process:
        """Start `tripoint deploy …` in a process of its own, which the interruption strikes."""
        given = {"folder": self.folder, "variables": dict(self.variables), "arguments": ["deploy", *arguments]}
        process = _processes().Process(target=command_line, kwargs=given)
        process.start()
        self.interruption.pid = process.pid
        return process

    def run(self, *arguments: str) -> str:
        """Run `tripoint deploy …` to its end and return what it said; it has to succeed."""
        process = self.start(*arguments)
        process.join(120)
        said = (self.folder / "said").read_text()
        assert process.exitcode == 0, f"{arguments}: {said}"
        return said

    def compare(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `tripoint compare …` as a user does, with nobody to answer questions."""
        return self.user("compare", *arguments)

    def user(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `tripoint …` as a user does, with nobody to answer questions."""
        vendors = ("AWS_", "AZURE_", "GOOGLE_", "TRIPOINT_")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(vendors)}
        kept = {name: os.environ[name] for name in ("TRIPOINT_CACHE",) if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.folder,
            env={**environ, **kept, **self.variables, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def apply(self, *arguments: str) -> str:
        return self.run("apply", self.cloud, "--yes", *self.extra, *arguments)

    def left(self) -> list[str]:
        """What exists in the account."""
        if self.cloud != "aws":
            return list(self.standin.left())
        return _left_in_aws(self.url)

    def faults(self) -> list[str]:
        """What the vendors' own schemas refused."""
        return list(getattr(self.standin, "faults", []))


def command_line(*, folder: Path, variables: dict[str, str], arguments: list[str]) -> None:
    """The `tripoint` command in this process, with its output in the folder's file `said`."""
    from cli.main import main

    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))]:
        del os.environ[name]
    os.environ.update(variables)
    with Path("said").open("w", buffering=1) as said:
        sys.stdout = sys.stderr = said
        sys.argv = ["tripoint", *arguments]
        main()


@functools.cache
def _processes() -> ForkServerContext:
    """Processes that have the SDKs imported already: hundreds of them are started and killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.kits.deploy_preload"])
    return context


def _left_in_aws(url: str) -> list[str]:
    """Roles, functions, logs, buckets, APIs and image repositories, asked with boto3 and without any code of ours."""
    import boto3

    session: Any = boto3.Session("stand-in", "stand-in", region_name="us-east-1")

    def ask(service: str, operation: str, field: str, name: str) -> list[str]:
        client = session.client(service, endpoint_url=url)
        return [str(each[name]) for each in getattr(client, operation)()[field]]

    return [
        *ask("iam", "list_roles", "Roles", "RoleName"),
        *ask("lambda", "list_functions", "Functions", "FunctionName"),
        *ask("logs", "describe_log_groups", "logGroups", "logGroupName"),
        *ask("s3", "list_buckets", "Buckets", "Name"),
        *ask("apigatewayv2", "get_apis", "Items", "Name"),
        *ask("ecr", "describe_repositories", "repositories", "repositoryName"),
        *ask("apigateway", "get_rest_apis", "items", "name"),
    ]


def installed(cloud: str) -> None:
    """Skip, saying which extra to install, where a cloud's SDK or its stand-in is missing."""
    needed = {"aws": "moto", "gcp": "googleapiclient", "azure": "azure.mgmt.web"}[cloud]
    packages = {
        "aws": "'moto[apigatewayv2,awslambda,s3]'",
        "gcp": "'tripoint[gcp]' google-api-python-client",
        "azure": "'tripoint[azure]'",
    }
    try:
        found = importlib.util.find_spec(needed) is not None
        if cloud == "gcp":
            found = found and importlib.util.find_spec("google.cloud.functions_v2") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        pytest.skip(f"{needed} is not installed: pip install {packages[cloud]}")


def standin_of(cloud: str) -> Any:
    """A fresh account."""
    if cloud == "aws":
        from tests.standins.aws import Aws

        botocore_files.read_once()
        return Aws()
    if cloud == "gcp":
        from tests.standins.google import Google

        return Google(polls=1)
    from tests.standins.azure import Azure

    return Azure()


@contextmanager
def rig(cloud: str, folder: Path, **interrupted: Any) -> Iterator[Rig]:
    """A fresh account on the stand-in of `cloud`; "aws image" deploys an image, with a recorder as container tool."""
    cloud, _, form = cloud.partition(" ")
    installed(cloud)
    standin = standin_of(cloud)
    interruption = wire.Interruption(ignore=lambda line: line.endswith(_READS), **interrupted)
    folder.mkdir(parents=True, exist_ok=True)
    with wire.serving(wire.interruptible(standin, interruption)) as url:
        variables = {
            "aws": {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "stand-in", "AWS_SECRET_ACCESS_KEY": SECRET_KEY},
            "gcp": {"TRIPOINT_GCP_ENDPOINT": url},
            "azure": {"TRIPOINT_AZURE_ENDPOINT": url},
        }[cloud]
        made = Rig(cloud, standin, url, folder, interruption, variables)
        if form:
            made.extra = ("--format", form)
            made.record = container_tool.install(folder / "tools", "docker")
            variables["PATH"] = os.pathsep.join((str(made.record.parent), os.environ["PATH"]))
        try:
            yield made
        finally:
            if cloud == "aws":
                _forget(url)


@contextmanager
def open_rig(cloud: str, folder: Path, *, front: str = "") -> Iterator[Rig]:
    """As `rig`, and what is deployed answers behind the cloud's own lock; `front` "rest-api" is AWS's.

    Lambda's REPORT lines come a bit late.
    """
    from tests.standins.door import Door, function_key, id_token, sigv4

    with rig(cloud, folder) as made, ExitStack() as exits:
        standin, issuer = made.standin, None
        if cloud == "aws":
            service = "execute-api" if front else "lambda"
            lock = sigv4("stand-in", SECRET_KEY, region="us-east-1", service=service)
        elif cloud == "gcp":
            from tests.standins.issuer import Issuer

            issuer = Issuer()
            key_file = folder / "measurer.json"
            key_file.write_text(issuer.key_file(exits.enter_context(wire.serving(issuer))))
            made.variables = {**made.variables, "GOOGLE_APPLICATION_CREDENTIALS": str(key_file)}
            lock = id_token(issuer.public_key, lambda: str(standin.door))
        else:
            from tests.standins.azure import KEY

            lock = function_key(KEY)
        made.door = Door(cloud, folder, lambda name: standin.deployed(), lock, issuer)
        exits.callback(made.door.close)
        if front:
            _open_gateway(made, front)
        elif cloud == "aws":
            _open_addresses(made, exits)
        else:
            url = exits.enter_context(wire.serving(made.door))
            standin.door = url.removeprefix("http://") if cloud == "azure" else url
            standin.changed = made.door.retire
        yield made


def _open_gateway(made: Rig, front: str) -> None:
    """The one function answers below its API's address."""
    door = made.door
    assert door is not None

    def changed(name: str) -> None:
        door.retire()

    door.front, door.below = front, r"/_aws/execute-api/[a-z0-9]+"
    made.standin.gateway, made.standin.changed = door, changed


def _open_addresses(made: Rig, exits: ExitStack) -> None:
    """Each function URL has an address of its own, and its answers leave REPORT lines."""
    from tests.standins.cloudwatch import Lines

    assert made.door is not None
    standin, lines = made.standin, Lines(made.url)
    made.door.deployed, made.door.memory_of = standin.of_function, standin.sizes_mb.get
    made.door.answered, standin.door, standin.changed = lines, made.door.address, made.door.retire
    exits.callback(lines.close)


def _forget(url: str) -> None:
    """moto keeps one account per process: empty it for the next test."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=20):
        pass
