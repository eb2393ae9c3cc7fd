"""The same HTTP request becomes the same core request through both clouds' real runtimes."""

from __future__ import annotations

import asyncio
import json
import string
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.contract import HttpRequest
from tests.kits.runtime_instances import running

if TYPE_CHECKING:
    Decoded = Callable[[HttpRequest], list[dict[str, Any]]]

_ECHO = '''
import json


def echo(request):
    """What the core would have been given."""
    ours = {name: value for name, value in request.headers.items() if name.startswith("x-test")}
    return json.dumps({"method": request.method, "path": request.path, "query": dict(request.query), "headers": ours,
                       "body": request.body.hex()})
'''
_MAIN = """
import functions_framework
from adapters.gcp import translate
from echo import echo


@functions_framework.http
def classify(request):
    return echo(translate.decode(request))
"""
_FUNCTION_APP = """
import azure.functions as func
from adapters.azure import translate
from echo import echo

app = func.FunctionApp(http_auth_level="ANONYMOUS")


@app.route(route="{*path}", methods=list(func.HttpMethod))
def classify(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(echo(translate.decode(req)))
"""


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoded]:
    """Sends a request to an echo on each cloud; one instance of each serves them all."""
    bundle = tmp_path_factory.mktemp("decoding") / "bundle"
    bundle.mkdir()
    (bundle / "echo.py").write_text(_ECHO)
    (bundle / "main.py").write_text(_MAIN)
    (bundle / "function_app.py").write_text(_FUNCTION_APP)
    (bundle / "host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
    with _both(bundle) as ask:
        yield ask


@contextmanager
def _both(bundle: Path) -> Iterator[Decoded]:
    """The instances live in an event loop on a thread of its own, for hypothesis calls us without one."""
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.set_event_loop, loop).result()
        stack = AsyncExitStack()

        async def start() -> Sequence[Any]:
            return [await stack.enter_async_context(running(cloud, bundle)) for cloud in ("gcp", "azure")]

        async def ask(request: HttpRequest) -> list[dict[str, Any]]:
            answers = [await instance.exchange(request) for instance in instances]
            return [json.loads(answer.body) for answer in answers]

        instances = thread.submit(loop.run_until_complete, start()).result()
        try:
            yield lambda request: thread.submit(loop.run_until_complete, ask(request)).result()
        finally:
            thread.submit(loop.run_until_complete, stack.aclose()).result()
            thread.submit(loop.close).result()


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/classify?top_k=3",
        "/classify/",
        "//classify",
        "/a%20b%2Fc/%C3%A9?x=%C3%A9+y&x=2&empty=&bare",
        "/?a=1&a=2&=b&c=d=e&%26=%3D",
        "/%ff?x=%ff",
        "/x;y=1/@:!$&'()*+,",
        "/?" + "&".join(f"k{number}={number}" for number in range(200)),
    ],
)
def test_a_target_is_read_the_same(decoded: Decoded, target: str) -> None:
    gcp, azure = decoded(HttpRequest("GET", target, (("Host", "127.0.0.1"),)))
    assert gcp == azure


def test_a_target_is_read_as_it_should_be(decoded: Decoded) -> None:
    target = "/a%20b?x=1&x=2&y=a+b%2Bc"
    for each in decoded(HttpRequest("GET", target, (("Host", "127.0.0.1"),))):
        assert each["path"] == "/a b"
        assert each["query"] == {"x": "2", "y": "a b+c"}


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
# A line feed in a path gets the framework's own 404 (Werkzeug's routes do not match it).
SEGMENTS = TEXT.filter(lambda text: text not in {".", ".."} and "\n" not in text)
VALUES = st.text(string.ascii_letters + string.digits + " ;,=\"'", max_size=20).map(str.strip)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    segments=st.lists(SEGMENTS, max_size=4),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=4),
    values=st.lists(VALUES, max_size=3),
    body=st.binary(max_size=2000),
)
def test_any_request_is_read_the_same(
    decoded: Decoded, method: str, segments: list[str], query: list[tuple[str, str]], values: list[str], body: bytes
) -> None:
    path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    headers = [(f"X-Test-{number}", value) for number, value in enumerate(values)]
    target = f"{path}?{urlencode(query)}" if query else path
    gcp, azure = decoded(HttpRequest(method, target, (("Host", "127.0.0.1"), *headers), body))
    assert gcp == azure
    assert gcp["body"] == body.hex()
    assert gcp["method"] == method
