"""Find the function that answers a request, by the routes, methods and access level of the functions' metadata.

Routing rules: learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger, "Customize the HTTP
endpoint", and ASP.NET Core's route templates, which it builds on (as of 2026-11-20).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

DEFAULT_PREFIX = "api"
_CONSTRAINTS = {
    "": r"[^/]+",
    "int": r"-?\d+",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9a-fA-F-]{36}",
    "bool": r"true|false",
}
_REST = 5  # the precedence of a catch-all, which takes everything to the end, a last slash too
_PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP-triggered function. `parameter` is the Python name of its request; no methods means all."""

    function_id: str
    name: str
    parameter: str
    auth_level: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    precedence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A route and what its parameters caught, percent-decoded."""

    route: Route
    parameters: Mapping[str, str]


def route_prefix(app_folder: Path) -> str:
    """`extensions.http.routePrefix` of host.json, "api" where it is not set."""
    document = json.loads((app_folder / "host.json").read_text(encoding="utf-8"))
    return str(document.get("extensions", {}).get("http", {}).get("routePrefix", DEFAULT_PREFIX)).strip("/")


def read_route(function_id: str, name: str, raw_bindings: Iterable[str], *, prefix: str) -> Route | None:
    """The route of one function; None when no HTTP request triggers it."""
    for raw in raw_bindings:
        binding = json.loads(raw)
        if str(binding.get("type", "")).lower() == "httptrigger":
            template = binding.get("route") or name
            pattern, precedence = compile_template(f"{prefix}/{template}".strip("/"))
            return Route(
                function_id=function_id,
                name=name,
                parameter=str(binding["name"]),
                auth_level=str(binding.get("authLevel", "function")).lower(),
                methods=frozenset(str(method).upper() for method in binding.get("methods") or ()),
                pattern=pattern,
                precedence=precedence,
            )
    return None


def compile_template(template: str) -> tuple[re.Pattern[str], tuple[int, ...]]:
    """A template such as `items/{id:int}/{*rest}` as a pattern over raw paths, with its precedence (lower first).

    Raises ValueError naming the segment that is not understood.
    """
    pattern, precedence = "", []
    for segment in filter(None, template.split("/")):
        found = _PARAMETER.fullmatch(segment)
        if found is None:
            if "{" in segment:
                raise ValueError(
                    f"route {template!r}: {segment!r} is none of text, {{name}}, {{name:int}}, {{*name}}"
                )
            pattern += "/" + re.escape(segment)
            precedence.append(1)
            continue
        group, precedence_of_it = _parameter_pattern(found, template)
        pattern += group
        precedence.append(precedence_of_it)
    ending = "" if precedence[-1:] == [_REST] else "/?"
    return re.compile(pattern + ending, re.IGNORECASE | re.DOTALL), tuple(precedence)


def _parameter_pattern(found: re.Match[str], template: str) -> tuple[str, int]:
    name, constraint = found["name"], found["constraint"] or ""
    if found["rest"]:
        return rf"(?:/(?P<{name}>.*))?", _REST
    if constraint not in _CONSTRAINTS:
        raise ValueError(f"route {template!r}: constraint {constraint!r} is none of {', '.join(_CONSTRAINTS)[2:]}")
    group = rf"/(?P<{name}>{_CONSTRAINTS[constraint]})"
    return (f"(?:{group})?" if found["optional"] else group), 2 if constraint else 3


def match(routes: Sequence[Route], *, method: str, path: str) -> Match | None:
    """The most specific route for a raw path without its query; None is a 404, for a wrong method too."""
    if path.lower().startswith("/admin/"):  # the host's own (Azure/azure-webjobs-sdk-extensions, WebJobsRouter.cs)
        return None
    for route in sorted(routes, key=lambda route: route.precedence):
        found = route.pattern.fullmatch(path)
        if found is not None and (not route.methods or method.upper() in route.methods):
            caught = {name: unquote(value) for name, value in found.groupdict().items() if value}
            return Match(route, caught)
    return None
