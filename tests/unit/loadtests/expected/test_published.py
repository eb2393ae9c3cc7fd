"""The published series that ship, their file, and the script that makes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters import contract
from loadtests.expected import make
from loadtests.expected.published import FILE_NAME, PublishedSeries, published, series_of

DATA = os.environ.get("TRIPOINT_DATA")


def series(**changes: object) -> PublishedSeries:
    given = {"what": "cold", "plan": "p", "year": 2026, "n": 100, "source": "s", "licence": "MIT", "about": "a"}
    return PublishedSeries.from_document({**given, "quantiles": [0.25, 0.5, 0.75], "ms": [10, 20, 40], **changes})


@pytest.mark.parametrize("cloud", contract.clouds())
def test_every_clouds_series_say_what_they_are_and_from_whom(cloud: str) -> None:
    found = published(cloud)
    assert {each.what for each in found} >= {"cold", "warm"}
    for each in found:
        assert each.source
        assert each.licence
        assert each.about
        assert 2020 < each.year <= 2026


def test_lambdas_initialisation_is_told_by_python_package_and_architecture() -> None:
    found = series_of(published("aws"), "init", "on-demand", python="3.13", package="zip", architecture="x86_64")
    assert [each.n for each in found] == [7297]
    assert found[0].median_ms == pytest.approx(100.1, abs=0.2)
    assert found[0].at(0.95) == pytest.approx(134.4, abs=0.2)


def test_between_two_known_quantiles_lies_a_straight_line() -> None:
    assert series().at(0.6) == pytest.approx(28)
    assert series().grid().min() == 10


@pytest.mark.parametrize(
    ("changes", "year", "said"),
    [({"n": 29}, 2026, "too thin"), ({"year": 2018}, 2026, "too old"), ({"n": None}, 2026, None), ({}, 2030, None)],
)
def test_thin_and_old_series_give_no_figure(changes: dict[str, object], year: int, said: str | None) -> None:
    found = series(**changes).unusable(year)
    assert found is None if said is None else str(found).startswith(said)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"ms": [3, 2, 1]}, "ascending"), ({"quantiles": [0.5]}, "ascending"), ({"colour": 1}, "colour")],
)
def test_a_broken_series_is_refused_by_name(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        series(**changes)


def test_the_tables_are_made_of_what_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "lambda.csv"
    head = "day,runtime,package,architecture,memory_mb,memory_used_mb,mean_warm_ms,mean_cold_handler_ms,init_ms"
    rows = ["2026-01-01,python3.13,zip,arm64,128,30,1,1,10 30", "2026-01-02,python3.13,zip,arm64,512,30,1,1,20"]
    path.write_text("\n".join([head, *rows, "2026-01-02,python3.9,zip,arm64,512,30,1,1,99"]) + "\n")
    (table,) = make.init_tables(path)
    found = PublishedSeries.from_document(table)
    assert (found.python, found.architecture, found.n, found.median_ms) == ("3.13", "arm64", 3, 20)


def test_warm_answers_of_azure_and_google_are_not_cold_starts(tmp_path: Path) -> None:
    path = tmp_path / "cold.csv"
    lines = ["cloud,series,cold_start_s", "azure,python,0.05", "azure,python,1.5", "aws,python,0.14", "aws,docker,9"]
    path.write_text("\n".join(lines) + "\n")
    found = {cloud: table["n"] for cloud, table in make.cold_tables(path)}
    assert found == {"azure": 1, "aws": 1}


@pytest.mark.skipif(DATA is None, reason="TRIPOINT_DATA is not set: the published measurements are not at hand")
def test_what_ships_is_what_the_script_makes() -> None:
    for cloud, text in make.texts(Path(str(DATA)) / "simulation").items():
        assert text == (contract.load(cloud).folder / FILE_NAME).read_text(encoding="utf-8")
