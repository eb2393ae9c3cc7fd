"""Downloads from a web server on loopback: resumed, cut short, moved, refused; kept only with the right checksum."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.bundle.model_lookup import RegistryError
from model.registry import catalogue, pulling
from model.registry.download import Download, Unreachable
from tests.kits import registry as kit

CONTENT = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Site:
    """What the server does, and what it was asked."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.etag: str | None = '"one"'
        self.cut_after: list[int] = []  # bytes of each of the next answers, then the connection breaks
        self.status: int | None = None
        self.target: str | None = None
        self.ranges = True
        self.asked: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""


@contextmanager
def serve(site: Site) -> Iterator[None]:
    """Run it on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append({name.lower(): value for name, value in self.headers.items()})
            site.paths.append(self.path)
            if site.target is not None and "moved" not in self.path:
                self.send_response(302)
                self.send_header("location", site.target)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            self._send(self._first())

        def _first(self) -> int:
            asked = self.headers.get("range", "")
            same = self.headers.get("if-range") == site.etag
            return int(asked.removeprefix("bytes=").rstrip("-")) if asked and same and site.ranges else 0

        def _send(self, first: int) -> None:
            beyond = first >= len(site.content) > 0
            self.send_response(site.status or (416 if beyond else 206 if first else 200))
            if first and not beyond:
                self.send_header("content-range", f"bytes {first}-{len(site.content) - 1}/{len(site.content)}")
            body = b"" if beyond else site.content[first:]
            self.send_header("content-length", str(len(body)))
            if site.etag:
                self.send_header("etag", site.etag)
            self.end_headers()
            self.wfile.write(body[: site.cut_after.pop(0)] if site.cut_after else body)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}/model.tflite"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A running site; no proxy of the environment comes between."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Site()
    with serve(made):
        yield made


def test_a_file_is_fetched_whole_and_told_on_the_way(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = Download(site.url, tmp_path, told=lambda done, total: seen.append((done, total))).run()
    assert found.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert site.asked[0]["accept-encoding"] == "identity"


def test_a_download_that_breaks_off_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.cut_after = [100_000, 100_000]
    assert Download(site.url, tmp_path).run().read_bytes() == CONTENT
    first, second, third = (int(asked.get("range", "bytes=0-")[6:-1]) for asked in site.asked)
    assert first == 0 < second <= 100_000
    assert second < third <= 200_000
    assert site.asked[1]["if-range"] == '"one"'


def test_the_next_command_goes_on_too(site: Site, tmp_path: Path) -> None:
    site.cut_after = [90_000, 70_000, 20_000]
    with pytest.raises(Unreachable, match="broke off"):
        Download(site.url, tmp_path).run()
    assert Download(site.url, tmp_path).run().read_bytes() == CONTENT
    assert site.asked[-1]["range"] not in (None, "bytes=0-")


def test_a_file_that_changed_meanwhile_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.cut_after = [90_000, 0, 0]
    with pytest.raises(Unreachable):
        Download(site.url, tmp_path).run()
    site.etag, site.content = '"two"', CONTENT[::-1]
    assert Download(site.url, tmp_path).run().read_bytes() == CONTENT[::-1]


def test_a_file_that_became_shorter_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.cut_after = [90_000, 0, 0]
    with pytest.raises(Unreachable):
        Download(site.url, tmp_path).run()
    site.content = CONTENT[:500]
    assert Download(site.url, tmp_path).run().read_bytes() == CONTENT[:500]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_nothing_is_pieced_together(etag: str | None, site: Site, tmp_path: Path) -> None:
    site.etag, site.cut_after = etag, [90_000]
    assert Download(site.url, tmp_path).run().read_bytes() == CONTENT
    assert all("range" not in asked for asked in site.asked)


def test_a_server_that_ignores_the_range_is_listened_to_from_the_start(site: Site, tmp_path: Path) -> None:
    site.ranges, site.cut_after = False, [90_000]
    assert Download(site.url, tmp_path).run().read_bytes() == CONTENT


def test_what_is_whole_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    Download(site.url, tmp_path).run()
    Download(site.url, tmp_path).run()
    assert len(site.asked) == 1


@pytest.mark.parametrize("target", ["/moved/model.tflite", "moved.tflite"])
def test_redirects_are_followed(target: str, site: Site, tmp_path: Path) -> None:
    site.target = target
    assert Download(site.url, tmp_path).run().read_bytes() == CONTENT
    assert len(site.paths) == 2


@pytest.mark.parametrize("target", ["http://example.com/moved.tflite", "file:///etc/passwd", "ftp://127.0.0.1/moved"])
def test_a_redirect_away_from_https_is_not_followed(target: str, site: Site, tmp_path: Path) -> None:
    site.target = target
    with pytest.raises(RegistryError, match="is not https"):
        Download(site.url, tmp_path).run()


def test_an_endless_redirect_ends(site: Site, tmp_path: Path) -> None:
    site.target = "/model.tflite"
    with pytest.raises(RegistryError, match="leads on more than 5 times"):
        Download(site.url, tmp_path).run()


@pytest.mark.parametrize(("status", "step"), [(404, "may have moved"), (403, "may have moved"), (503, "try again")])
def test_a_refusal_says_its_status_and_the_way_out(status: int, step: str, site: Site, tmp_path: Path) -> None:
    site.status = status
    with pytest.raises(RegistryError, match=rf"answered {status} .*{step}.*--from FILE"):
        Download(site.url, tmp_path).run()
    assert len(site.asked) == 1


def test_more_than_was_announced_in_the_catalogue_is_not_read(site: Site, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="has 256000 bytes, expected at most 1000"):
        Download(site.url, tmp_path, limit_bytes=1000).run()


def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_without_an_answer_the_host_and_the_ways_out_are_named(site: Site, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{closed_port()}/m.tflite"
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 cannot be reached .*go online.*HTTPS_PROXY.*--from FILE"):
        Download(url, tmp_path).run()


def test_the_proxy_of_the_environment_is_used_and_a_dead_one_is_named(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", site.url.removesuffix("/model.tflite"))
    dead = closed_port()
    elsewhere = f"http://localhost:{dead}/model.tflite"  # only the proxy answers
    assert Download(elsewhere, tmp_path / "one").run().read_bytes() == CONTENT
    assert site.paths == [elsewhere]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{dead}")
    with pytest.raises(
        Unreachable, match=r"proxy of the environment does not lead to localhost.*correct HTTPS_PROXY"
    ):
        Download(elsewhere, tmp_path / "two").run()


# Offers: checksums.


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRIPOINT_MODELS", str(tmp_path / "models"))
    (tmp_path / "target").mkdir()
    return tmp_path / "models"


def offer(site: Site, **changes: Any) -> catalogue.Offer:
    fields: dict[str, Any] = {"sha256": DIGEST, "bytes": len(CONTENT)} | changes
    return catalogue.Offer("m", "M", "CC0", "page", site.url, **fields)


def obtain(folder: Path, wanted: catalogue.Offer, **more: Any) -> Path:
    given = {"accepted": None, "source": None} | more
    return pulling.obtain(wanted, folder / "target", told=lambda done, total: None, **given)


def test_a_file_with_the_checksum_of_the_catalogue_is_taken(site: Site, tmp_path: Path) -> None:
    found = obtain(tmp_path, offer(site))
    assert (found.name, found.read_bytes()) == ("model.tflite", CONTENT)


def test_another_file_is_refused_and_not_kept(site: Site, tmp_path: Path, models: Path) -> None:
    site.content = CONTENT[::-1]
    with pytest.raises(RegistryError, match=f"the catalogue says {DIGEST}.*was not kept"):
        obtain(tmp_path, offer(site))
    assert not list((models / ".downloads").iterdir())
    assert not list((tmp_path / "target").iterdir())


def test_a_file_that_nobody_vouches_for_is_accepted_once_and_then_held_to_it(site: Site, tmp_path: Path) -> None:
    unknown = offer(site, sha256=None, bytes=None)
    with pytest.raises(pulling.Unvouched, match=f"256000 bytes and sha256 {DIGEST}.*--accept-sha256 {DIGEST}"):
        obtain(tmp_path, unknown)
    obtain(tmp_path, unknown, accepted=DIGEST)
    assert len(site.asked) == 1, "the file was there already"
    pulling.forget(unknown)
    obtain(tmp_path, unknown)
    pulling.forget(unknown)
    site.content = CONTENT[::-1]
    with pytest.raises(RegistryError, match=f"accepted was {DIGEST}"):
        obtain(tmp_path, unknown)


def test_a_wrong_acceptance_is_refused_and_not_remembered(site: Site, tmp_path: Path) -> None:
    unknown = offer(site, sha256=None, bytes=None)
    with pytest.raises(RegistryError, match="accepted was 000"):
        obtain(tmp_path, unknown, accepted="0" * 64)
    assert catalogue.pinned(site.url) is None


def test_nobody_can_talk_the_catalogue_out_of_its_checksum(site: Site, tmp_path: Path) -> None:
    site.content = CONTENT[::-1]
    with pytest.raises(RegistryError, match="the catalogue says"):
        obtain(tmp_path, offer(site), accepted=hashlib.sha256(site.content).hexdigest())


def test_a_file_fetched_by_other_means_is_held_to_the_same_checksum(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "by-hand.tflite"
    file.write_bytes(CONTENT)
    assert obtain(tmp_path, offer(site), source=file).read_bytes() == CONTENT
    file.write_bytes(b"x")
    with pytest.raises(RegistryError, match=r"by-hand\.tflite has sha256"):
        obtain(tmp_path, offer(site), source=file)
    assert file.exists()
    assert site.asked == []


def test_labels_are_held_to_their_checksum_too(site: Site, tmp_path: Path) -> None:
    site.content = "\n".join(kit.COLOURS).encode()
    right = hashlib.sha256(site.content).hexdigest()
    told = lambda done, total: None  # noqa: E731
    found = pulling.obtain_labels(offer(site, labels_url=site.url, labels_sha256=right), tmp_path, told=told)
    assert found is not None
    with pytest.raises(RegistryError, match="the catalogue says 000"):
        pulling.obtain_labels(offer(site, labels_url=site.url, labels_sha256="0" * 64), tmp_path, told=told)
    assert pulling.obtain_labels(offer(site), tmp_path, told=told) is None


def test_pins_that_cannot_be_read_are_told(models: Path) -> None:
    models.mkdir()
    (models / "pins.json").write_text("{")
    with pytest.raises(RegistryError, match="accept checksums anew"):
        catalogue.pinned("https://example.com")
    (models / "pins.json").write_text(json.dumps({"https://example.com": DIGEST}))
    assert catalogue.pinned("https://example.com") == DIGEST
