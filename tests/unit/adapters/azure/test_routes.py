"""Routing by the functions' own metadata, as the Functions host does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.azure.local.routes import Route, compile_template, match, read_route, route_prefix


def route(
    template: str | None, *, name: str = "classify", prefix: str = "", methods: list[str] | None = None
) -> Route:
    binding = {"type": "httpTrigger", "name": "req", "authLevel": "ANONYMOUS"}
    binding |= {"route": template} if template is not None else {}
    raw = json.dumps(binding | ({"methods": methods} if methods else {}))
    found = read_route("id-1", name, ['{"type": "http", "name": "$return"}', raw], prefix=prefix)
    assert found is not None
    return found


def caught(template: str, path: str) -> dict[str, str] | None:
    found = match([route(template)], method="GET", path=path)
    return None if found is None else dict(found.parameters)


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("{*path}", "/", {}),
        ("{*path}", "/classify", {"path": "classify"}),
        ("{*path}", "/a/b%20c", {"path": "a/b c"}),
        ("{**path}", "/a/b", {"path": "a/b"}),
        ("{*path}", "/a/", {"path": "a/"}),
        ("{*path}", "//a", {"path": "/a"}),
        ("{*path}", "/admin/host/status", None),
        ("items/{id}", "/items/7", {"id": "7"}),
        ("items/{id}", "/items/7/", {"id": "7"}),
        ("items/{id}", "/items", None),
        ("items/{id}", "/items/7/8", None),
        ("items/{id:int}", "/items/7", {"id": "7"}),
        ("items/{id:int}", "/items/x", None),
        ("items/{id?}", "/items", {}),
        ("items/{id?}", "/items/x", {"id": "x"}),
        ("Items", "/items", {}),
        ("a.b", "/axb", None),
    ],
)
def test_a_template_catches_what_it_should(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert caught(template, path) == expected


def test_the_more_specific_route_goes_first_whatever_the_order() -> None:
    routes = [route(template, name=template) for template in ("{*path}", "items/{id}", "items/{id:int}", "items/new")]
    chosen = [match(routes, method="GET", path=path) for path in ("/items/new", "/items/7", "/items/x", "/other")]
    assert [each.route.name for each in chosen if each] == ["items/new", "items/{id:int}", "items/{id}", "{*path}"]


def test_a_wrong_method_finds_no_route() -> None:
    routes = [route("items", methods=["GET", "POST"])]
    assert match(routes, method="post", path="/items") is not None
    assert match(routes, method="DELETE", path="/items") is None


def test_without_a_route_the_functions_name_is_used_under_the_prefix() -> None:
    routes = [route(None, name="hello", prefix="api")]
    assert match(routes, method="GET", path="/api/hello") is not None
    assert match(routes, method="GET", path="/hello") is None


def test_a_function_that_no_http_request_triggers_has_no_route() -> None:
    assert read_route("id", "timer", ['{"type": "timerTrigger", "name": "t"}'], prefix="") is None


def test_parameter_name_level_and_methods_come_from_the_binding() -> None:
    found = route("x", methods=["get"])
    assert (found.parameter, found.auth_level, found.methods) == ("req", "anonymous", frozenset({"GET"}))


@pytest.mark.parametrize(("template", "word"), [("a/{id:float}", "float"), ("a/x{id}", "x{id}")])
def test_a_template_that_is_not_understood_is_told(template: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        compile_template(template)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"version": "2.0"}', "api"),
        ('{"extensions": {"http": {"routePrefix": ""}}}', ""),
        ('{"extensions": {"http": {"routePrefix": "/v1/"}}}', "v1"),
    ],
)
def test_the_prefix_is_read_from_host_json(tmp_path: Path, document: str, expected: str) -> None:
    (tmp_path / "host.json").write_text(document)
    assert route_prefix(tmp_path) == expected
