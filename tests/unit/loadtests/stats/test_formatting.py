from __future__ import annotations

import pytest

from loadtests.stats.estimate import Estimate
from loadtests.stats.formatting import format_estimate, format_interval, format_number, format_p, format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (1.0, "1.00"),
        (9.9999999, "10.0"),
        (12.345, "12.3"),
        (99.96, "100"),
        (1234.5, "1,234"),
        (-5.678, "-5.68"),
    ],
)
def test_numbers_have_three_significant_digits_and_no_exponent(value: float, text: str) -> None:
    assert format_number(value) == text


def test_an_estimate_reads_with_its_interval_or_without_one_or_with_its_reason() -> None:
    whole, bare = Estimate(n=9, value=12.1, lo=10.4, hi=13.9), Estimate(n=9, value=12.1)
    missing = Estimate(n=9, reason="not estimable (n=9, needs 72)")
    assert [format_estimate(each) for each in (whole, bare, missing)] == ["12.1 [10.4, 13.9]", "12.1", missing.reason]
    assert [format_value(each) for each in (whole, bare, missing)] == ["12.1", "12.1", "-"]
    assert [format_interval(each) for each in (whole, bare, missing)] == ["10.4-13.9", "", "n=9"]


def test_p_values_are_short() -> None:
    assert [format_p(p) for p in (0.0, 0.00099, 0.0123, 0.5, 1.0)] == [
        "p < 0.001",
        "p < 0.001",
        "p = 0.012",
        "p = 0.5",
        "p = 1",
    ]
