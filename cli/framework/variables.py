"""Environment variables of Tripoint: those that are no option, by purpose, and those that are mistyped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

from cli.framework.settings import PREFIX, EffectiveSetting, leaves, options_of

VARIABLES: dict[str, dict[str, str]] = {
    "The function, wherever it runs": {
        "TRIPOINT_MODEL": "Models, such as `clothes,pets`; the first is the default.",
        "TRIPOINT_MODELS": "The folder of your models; on a cloud, the folder that the bundle has them in.",
        "TRIPOINT_RUNTIME": "The runtime, such as `litert-direct`; without it the best one that is installed.",
        "TRIPOINT_POOL": "How many copies of the model work at once; without it, one for each processor.",
        "TRIPOINT_MAX_BODY_BYTES": "The largest request body, 10,000,000.",
        "TRIPOINT_MAX_PIXELS": "The largest photograph, 25,000,000.",
        "TRIPOINT_FETCH": '`off` refuses `{"url": …}`.',
        "TRIPOINT_FETCH_HOSTS": "Fetch from these hosts only.",
        "TRIPOINT_FETCH_PRIVATE": "`allow` fetches from private addresses too: on your own machine only.",
        "TRIPOINT_FETCH_TIMEOUT_S": "Seconds that a fetch may take, 10.",
        "TRIPOINT_PROCESS_START_S": "Set by a local cloud for each process: when it was started, in Unix seconds.",
        "TRIPOINT_LOG_LEVEL": "`debug`, `info`, `warning`, `error` or `off`.",
        "TRIPOINT_AUTH_LEVEL": "Azure's key level, `FUNCTION`; `ANONYMOUS` asks for none.",
        "TRIPOINT_GENERATION": "Set by `deploy` to force new instances.",
    },
    "This machine": {
        "TRIPOINT_DEBUG": "`1` shows tracebacks, as `--debug` does.",
        "TRIPOINT_PRICES": "The folder of refreshed price books.",
        "TRIPOINT_GOOGLE_KEY": "An API key of Google's Cloud Billing Catalog, for `tripoint prices --refresh`.",
        "TRIPOINT_CATALOGUE": "Another catalogue for `tripoint model pull`.",
        "TRIPOINT_CACHE": "Where wheels and unpacked bundles are kept.",
        "TRIPOINT_AWS_RUNTIME": "The folder of awslambdaric, where it is not in the environment.",
        "TRIPOINT_AZURE_RUNTIME": "The folder of Azure's Python runtime.",
        "TRIPOINT_AZURE_HOST": "`func` runs the local Azure under Azure Functions Core Tools.",
        "TRIPOINT_AZURE_FUNCTION_KEY": "The function key of the local Azure; requests without it are then refused.",
        "TRIPOINT_AZURE_MASTER_KEY": "The master key of the local Azure.",
        "NO_COLOR": "No colours on a terminal, whatever its value.",
    },
    "Deploying": {
        "TRIPOINT_GCP_ENDPOINT": "A stand-in for Google Cloud on 127.0.0.1; no credentials are sent.",
        "TRIPOINT_AZURE_ENDPOINT": "A stand-in for Azure on 127.0.0.1; no credentials are sent.",
    },
    "The locustfile, where `tripoint` does not start it": {
        "TRIPOINT_TARGETS": "`--targets`",
        "TRIPOINT_IMAGES": "`--images`",
        "TRIPOINT_RUN_DIR": "`--run-dir`",
        "TRIPOINT_SCENARIO": "`--scenario`",
        "TRIPOINT_SEED": "`--seed`",
        "TRIPOINT_RATE": "`--rate`",
        "TRIPOINT_TIMEOUT": "`--request-timeout`, in seconds",
    },
    "Tests and benchmarks": {
        "TRIPOINT_DATA": "Photographs, models and traces; tests that need them are skipped without it.",
        "TRIPOINT_LIVE": "Clouds whose real accounts the live tests may use, such as `aws`.",
        "TRIPOINT_RIE": "AWS's Lambda runtime interface emulator, for the tests that run under it.",
        "TRIPOINT_CHROMIUM": "The browser of the tests of web pages.",
    },
}


def documented() -> set[str]:
    """Return the names in VARIABLES."""
    return {name for group in VARIABLES.values() for name in group}


def unknown_variables(root: click.Context, names: Iterable[str]) -> list[EffectiveSetting]:
    """Return environment variables that begin with TRIPOINT_ and are unknown, with the nearest known one."""
    suspects = sorted(name for name in names if name.startswith(f"{PREFIX}_"))
    if not suspects:
        return []
    known = [*documented(), *_of_options(root)]
    return [_unknown(name, known) for name in suspects if name not in known]


def _of_options(root: click.Context) -> Iterable[str]:
    assert isinstance(root.command, click.Group)
    for _, command in leaves(root.command, root):
        yield from (str(option.envvar) for option in options_of(command))


def _unknown(name: str, known: list[str]) -> EffectiveSetting:
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else "docs/reference.md lists the known ones"
    return EffectiveSetting((), "", name, None, name, f"no setting has this variable: {advice}")
