"""Price books: the shipped one, refreshed ones beside it, and what a refresh says and keeps."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.commands.prices import command
from loadtests.cost import bill, usage_of
from loadtests.cost.plans import free_grants
from loadtests.prices import library
from loadtests.prices.book import bundled_book
from loadtests.prices.download import Fetch, download
from loadtests.prices.rate import PriceError
from loadtests.prices.refresh import PriceSource, RefreshedBook, refresh
from loadtests.prices.regions import places
from loadtests.prices.run_prices import book_of_run, keep_book
from loadtests.prices.table import documents, refreshed_sentences
from tests.paths import ROOT

RECORDED = ROOT / "tests" / "golden" / "prices"
PAGES = {
    "AWSLambda/current/us-east-1": "aws_us_east_1.json",
    "skip=100": "azure_eastus_2.json",
    "armRegionName%20eq%20%27eastus": "azure_eastus_1.json",
    "pageToken": "google_2.json",
    "152E-C115-5142": "google_1.json",
}
ALL = {"aws": ["us-east-1"], "azure": ["eastus"], "gcp": ["us-central1", "europe-west3"]}


def source(fetch: Fetch) -> PriceSource:
    return PriceSource(fetch, "2026-12-24", grants=free_grants)


def recorded(address: str, /) -> dict[str, Any]:
    """The recorded answer that belongs to an address; no host is reachable for any other."""
    for part, name in PAGES.items():
        if part in address:
            found: dict[str, Any] = json.loads((RECORDED / name).read_text(encoding="utf-8"), parse_float=Decimal)
            return found
    raise PriceError(f"cannot reach {address.split('/')[2]}")


def refreshed(today: str = "2026-12-24", **keys: str) -> RefreshedBook:
    return refresh(library.book_document("2026-11-20"), ALL, PriceSource(recorded, today, keys, free_grants))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRIPOINT_PRICES", str(tmp_path / "prices"))
    return tmp_path / "prices"


def test_every_shipped_price_has_a_source_a_date_and_a_confidence() -> None:
    """A price that was added to a list after the list's date says so by its own."""
    book = bundled_book()
    assert set(book.clouds) >= {"aws", "azure", "gcp"}
    for prices in book.clouds.values():
        assert {"us", "eu"} <= set(prices.areas)
        for region in prices.regions.values():
            for rate in region.rates.values():
                assert rate.source
                assert date(2026, 1, 1) <= date.fromisoformat(rate.read) <= date.today()
                assert rate.confidence in {"H", "M", "L"}


@pytest.mark.usefixtures("folder")
def test_the_shipped_book_is_the_newest_where_none_was_refreshed() -> None:
    assert library.names() == ("2026-11-20",)
    assert library.open_book() == bundled_book()


def test_a_refresh_tells_each_price_that_changed_and_no_other() -> None:
    changes = {(change.cloud, change.price) for change in refreshed(gcp="key").changes}
    assert changes == {("aws", "duration.arm64"), ("azure", "flex-duration")}


def test_a_refresh_of_a_region_without_own_prices_ends_the_borrowing() -> None:
    document = library.book_document("2026-11-20")
    result = refresh(document, {"aws": ["us-east-1"]}, source(recorded))
    assert result.document["clouds"]["azure"] == document["clouds"]["azure"]
    found = refresh(document, {"azure": ["eastus"]}, source(recorded)).document["clouds"]["azure"]
    assert found["regions"]["eastus"]["sheets"] == ["eastus", "eastus 2026-12-24"]
    assert found["regions"]["westeurope"] == document["clouds"]["azure"]["regions"]["westeurope"]


def test_what_the_list_does_not_have_keeps_its_own_date(folder: Path) -> None:
    library.write_book(refreshed().document, folder)
    rows = {row["price"]: row for row in documents(library.open_book().of("aws"), "us-east-1", date(2026, 12, 25))}
    assert (rows["requests"]["read"], rows["requests"]["age_days"]) == ("2026-12-24", 1)
    assert (rows["snapshot-cache"]["read"], rows["snapshot-cache"]["age_days"]) == ("2026-11-20", 35)


def test_a_bill_follows_the_book_that_it_is_asked_with(folder: Path) -> None:
    library.write_book(refreshed().document, folder)
    usage = usage_of(1_000_000, 1000, 1024)
    old, new = (
        bill("aws", None, usage, architecture="arm64", free=False, book=library.open_book(name))
        for name in ("2026-11-20", None)
    )
    assert (old.prices_of, new.prices_of) == ("2026-11-20", "2026-12-24")
    assert old.usd - new.usd == 1_000_000 * (Decimal("0.0000133334") - Decimal("0.000013"))


def test_an_old_book_is_never_overwritten(folder: Path) -> None:
    first, second, third = (library.write_book(refreshed("2026-11-20").document, folder) for _ in range(3))
    assert [path.stem for path in (first, second, third)] == ["2026-11-20.2", "2026-11-20.3", "2026-11-20.4"]
    before = first.read_bytes()
    library.write_book(refreshed("2026-12-24").document, folder)
    assert first.read_bytes() == before
    assert library.names()[-1] == "2026-12-24"


def test_books_of_one_day_are_in_the_order_of_their_numbers(folder: Path) -> None:
    for _ in range(11):
        library.write_book(refreshed("2026-12-24").document, folder)
    assert library.names()[-2:] == ("2026-12-24.10", "2026-12-24.11")


def test_a_cloud_that_needs_a_key_is_left_as_it_was_without_one() -> None:
    result = refreshed()
    assert any("TRIPOINT_GOOGLE_KEY" in note for note in result.notes)
    assert result.document["clouds"]["gcp"]["date"] == "2026-11-20"
    assert not result.failures


def test_one_unreachable_list_does_not_stop_the_others() -> None:
    wanted = {"aws": ["eu-west-1"], "azure": ["eastus"]}
    result = refresh(library.book_document("2026-11-20"), wanted, source(recorded))
    assert result.failures == ["aws: cannot reach pricing.us-east-1.amazonaws.com"]
    assert len(result.read) == 1


def test_a_list_of_another_form_is_told_and_not_guessed_at() -> None:
    def changed(address: str, /) -> dict[str, Any]:
        return {"Items": [{"armRegionName": "eastus", "type": "Consumption"}]}

    result = refresh(library.book_document("2026-11-20"), {"azure": ["eastus"]}, source(changed))
    assert "another form than expected" in result.failures[0]


def test_a_list_without_the_region_is_told() -> None:
    document = library.book_document("2026-11-20")
    result = refresh(document, {"gcp": ["mars-1"]}, PriceSource(lambda _: {"skus": []}, "2026-12-24", {"gcp": "key"}))
    assert "no price for region 'mars-1'" in result.failures[0]


def test_paging_without_an_end_is_stopped() -> None:
    def endless(address: str, /) -> dict[str, Any]:
        return {"Items": [], "NextPageLink": address}

    result = refresh(library.book_document("2026-11-20"), {"azure": ["eastus"]}, source(endless))
    assert "paging does not end" in result.failures[0]


def test_one_catalogue_is_fetched_once_for_all_regions() -> None:
    asked: list[str] = []

    def counting(address: str, /) -> dict[str, Any]:
        asked.append(address)
        return recorded(address)

    wanted = {"gcp": ["us-central1", "europe-west1", "europe-west3"]}
    refresh(library.book_document("2026-11-20"), wanted, PriceSource(counting, "2026-12-24", {"gcp": "key"}))
    assert len(asked) == 2


def test_a_free_grant_that_differs_from_the_plans_rule_is_told() -> None:
    def generous(address: str, /) -> dict[str, Any]:
        page = recorded(address)
        for item in page["Items"]:
            if item["meterName"] == "Standard Execution Time" and item["retailPrice"]:
                item["tierMinimumUnits"] = Decimal(500_000)
        return page

    result = refresh(library.book_document("2026-11-20"), {"azure": ["eastus"]}, source(generous))
    assert "azure/consumption: the list has 500000 free duration, the plan's rule 400000" in result.notes
    assert not any("free requests" in note for note in result.notes)


def test_a_new_region_is_named_with_its_cloud() -> None:
    book = bundled_book()
    assert places(book, (), ("aws/eu-north-1", "eu")) == {
        "aws": ("eu-north-1", "eu-central-1"),
        "azure": ("westeurope",),
        "gcp": ("europe-west1",),
    }
    with pytest.raises(PriceError, match="a new one is named cloud/region"):
        places(book, ("aws",), ("eastus",))


def test_a_book_that_cannot_be_read_names_its_file_and_the_remedy(folder: Path) -> None:
    folder.mkdir()
    (folder / "2026-12-24.json").write_text("{", encoding="utf-8")
    with pytest.raises(PriceError, match=r"2026-12-24.json is not JSON.*refresh again"):
        library.open_book()
    (folder / "2026-12-24.json").write_text("{}", encoding="utf-8")
    with pytest.raises(PriceError, match="expected 1; remove it or refresh again"):
        library.open_book()


def test_an_unknown_book_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(PriceError, match="there are 2026-11-20"):
        library.open_book("1999-01-01")


@pytest.mark.usefixtures("folder")
def test_the_command_writes_a_new_book_and_shows_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.prices.download.download", recorded)
    words = ["--refresh", "--region", "us-east-1", "--region", "eastus"]
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "azure eastus flex-duration: 0.000026 -> 0.000025 USD" in result.stdout
    assert "is written" in result.stdout
    assert len(library.names()) == 2


@pytest.mark.usefixtures("folder")
def test_the_command_without_a_network_writes_nothing_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(address: str, /) -> dict[str, Any]:
        raise PriceError("cannot reach it: refreshing prices needs the network")

    monkeypatch.setattr("loadtests.prices.download.download", unreachable)
    result = CliRunner().invoke(command, ["--refresh"])
    assert "no price was read" in str(result.exception)
    assert "needs the network" in str(result.exception)
    assert library.names() == ("2026-11-20",)


@pytest.mark.usefixtures("folder")
def test_a_refresh_that_partly_fails_writes_what_it_read_and_exits_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.prices.download.download", recorded)
    result = CliRunner().invoke(command, ["--refresh", "--cloud", "azure", "--region", "us"])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(command, ["--refresh", "--region", "eastus", "--region", "eu-west-1"])
    assert result.exit_code == 1
    assert "cannot reach" in result.stderr
    assert len(library.names()) == 3


@pytest.mark.usefixtures("folder")
def test_the_command_shows_prices_with_age_and_source() -> None:
    result = CliRunner().invoke(command, ["--region", "eu"], catch_exceptions=False)
    for words in ("aws eu-central-1", "what is missing here is eastus's", "Sources:", "Cloud Billing Catalog"):
        assert words in result.stdout
    answer = json.loads(CliRunner().invoke(command, ["--json", "--cloud", "gcp"], catch_exceptions=False).stdout)
    assert {row["region"] for row in answer["prices"]} == {"us-central1"}
    assert all(isinstance(row["age_days"], int) and row["source"] for row in answer["prices"])


def test_sentences_say_when_no_price_changed() -> None:
    result = RefreshedBook({}, read=["aws us-east-1: 6 prices"])
    assert list(refreshed_sentences(result)) == ["read aws us-east-1: 6 prices", "no price changed"]


def test_a_run_keeps_the_prices_that_it_was_costed_with(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    assert book_of_run(run).date == "2026-11-20"  # nothing kept yet: the newest
    path = keep_book(run)
    before = path.read_bytes()
    library.write_book(refreshed().document, folder)
    assert book_of_run(run).date == "2026-11-20"
    assert book_of_run(run, "2026-12-24").date == "2026-12-24"
    assert keep_book(run).read_bytes() == before
    assert book_of_run(run) == library.open_book("2026-11-20")


class Vendor(BaseHTTPRequestHandler):
    """A host that answers by path: a list, a refusal, and something else."""

    def do_GET(self) -> None:
        status = 403 if "refuse" in self.path else 200
        body = b'{"price": 0.0000166667}' if "list" in self.path else b"<html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def vendor() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Vendor) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_page_is_fetched_with_its_numbers_as_they_are_written(vendor: str) -> None:
    assert download(f"{vendor}/list")["price"] == Decimal("0.0000166667")


def test_a_refusal_names_the_host_and_never_the_key(vendor: str) -> None:
    with pytest.raises(PriceError, match=r"answered 403.*check the key") as refused:
        download(f"{vendor}/refuse?key=s3cret")
    assert "s3cret" not in str(refused.value)


def test_an_answer_that_is_no_list_is_refused(vendor: str) -> None:
    with pytest.raises(PriceError, match="sent no price list"):
        download(f"{vendor}/page")


def test_a_host_that_cannot_be_reached_is_named_without_the_key() -> None:
    with HTTPServer(("127.0.0.1", 0), Vendor) as server:
        port = server.server_port
    with pytest.raises(PriceError, match="needs the network") as refused:
        download(f"http://127.0.0.1:{port}/list?key=s3cret")
    assert "s3cret" not in str(refused.value)
