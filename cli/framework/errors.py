"""Turn errors into one sentence with the next step: wrong use, and missing packages."""

from __future__ import annotations

import re
from importlib import metadata

import click

from cli.framework.settings import origin

_EXPECTED = (LookupError, ValueError, OSError, RuntimeError)
_FAULTS = (IndexError, KeyError, NotImplementedError, RecursionError)  # subclasses that are never raised for the user
_OWN = ("adapters", "bench", "cli", "core", "loadtests", "model")
_NAMED_OTHERWISE = {  # modules whose distribution has another name
    "PIL": "pillow",
    "grpc": "grpcio",
    "tensorflow": "tensorflow-cpu",
}


def format_click_error(error: click.ClickException) -> str:
    """Return what was wrong, where it was set, and which help tells more."""
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if not isinstance(error, click.UsageError) or context is None:
        return f"tripoint: {message}"
    if isinstance(error, click.NoSuchOption | click.NoSuchCommand):
        near = f" Did you mean {error.possibilities[0]!r}?" if error.possibilities else ""
        message = f"{error.message}{near}"
    where = origin(context, error.param) if isinstance(error, click.BadParameter) and error.param else "flag"
    said = f" ({where})" if where not in ("flag", "default") else ""
    stop = "" if not said and message[-1:] in ".?!" else "."
    return f"{context.command_path}: {message}{said}{stop} See `{context.command_path} --help`."


def format_expected_error(error: Exception) -> str:
    """Return the message of an error that is meant for the user, "" for a fault of Tripoint itself."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    ours = type(error).__module__.split(".")[0] in _OWN
    return str(error) if ours or (isinstance(error, _EXPECTED) and not isinstance(error, _FAULTS)) else ""


def format_missing_package(error: Exception) -> str:
    """Return which package to install for a missing module, "" for a module of Tripoint itself."""
    name = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if not name or name.split(".")[0] in _OWN:
        return ""
    extra = extra_of(name)
    what = f"'tripoint[{extra}]'" if extra else "--force-reinstall tripoint"
    return f"the package of {name!r} is not installed: pip install {what}; `tripoint doctor` shows what is missing"


def extra_of(module: str) -> str:
    """Return the extra of this project that installs `module`, "" when none does."""
    try:
        lines = metadata.requires("tripoint") or []
    except metadata.PackageNotFoundError:
        return ""
    wanted = _NAMED_OTHERWISE.get(module, module).lower().replace(".", "-").replace("_", "-")
    for line in lines:
        name = re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower()
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if extra and extra[1] != "dev" and f"{wanted}-".startswith(f"{name}-"):
            return extra[1]
    return ""
