"""REPORT lines as CloudWatch Logs have them, read into figures."""

from __future__ import annotations

import pytest

from adapters.aws.deployment.report_lines import parse, reports_in
from adapters.platform_report import PlatformReport

WARM = (
    "REPORT RequestId: 8f5c-1\tDuration: 20.10 ms\tBilled Duration: 21 ms\tMemory Size: 1769 MB\t"
    "Max Memory Used: 88 MB\t"
)


def test_a_warm_request_has_no_start() -> None:
    found = parse(WARM)
    assert found == PlatformReport(WARM, duration_ms=20.1, billed_ms=21, memory_mb=1769, used_mb=88)
    assert not found.is_first


def test_a_new_instance_says_how_long_it_initialised() -> None:
    found = parse(f"{WARM}Init Duration: 300.77 ms\t")
    assert found is not None
    assert (found.init_ms, found.restore_ms, found.is_first) == (300.77, None, True)


def test_a_restored_instance_says_how_long_that_took_and_what_of_it_is_billed() -> None:
    found = parse(f"{WARM}Restore Duration: 562.43 ms\tBilled Restore Duration: 118 ms\tXRAY TraceId: 1-66d9\t")
    assert found is not None
    assert (found.restore_ms, found.billed_restore_ms, found.init_ms) == (562.43, 118, None)
    assert (found.duration_ms, found.billed_ms, found.is_first) == (20.1, 21, True)


@pytest.mark.parametrize("separator", ["\t", " "])
def test_lines_are_found_among_others_by_request(separator: str) -> None:
    line = WARM.replace("\t", separator)
    other = line.replace("8f5c-1", "8f5c-2").replace("21 ms", "40 ms")
    found = reports_in(["START RequestId: 8f5c-1 Version: $LATEST", f"{line}\n", "a line of the function's", other])
    assert {name: each.billed_ms for name, each in found.items()} == {"8f5c-1": 21, "8f5c-2": 40}


def test_of_several_lines_of_one_request_the_last_counts() -> None:
    again = WARM.replace("21 ms", "99 ms")
    assert reports_in([WARM, again])["8f5c-1"].billed_ms == 99


@pytest.mark.parametrize("wrong", ["Duration: 20.10 ms", "Billed Duration: 21 ms", "Max Memory Used: 88 MB"])
def test_a_line_that_lacks_what_every_one_has_is_no_report(wrong: str) -> None:
    assert parse(WARM.replace(f"\t{wrong}", "")) is None
