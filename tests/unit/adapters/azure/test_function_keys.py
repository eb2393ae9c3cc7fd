"""Function keys."""

from __future__ import annotations

import pytest

from adapters.azure.local.function_keys import FunctionKeys, presented_key

KEYS = FunctionKeys(function="f-key", master="m-key")


@pytest.mark.parametrize(
    ("level", "key", "opens"),
    [
        ("anonymous", "", True),
        ("function", "f-key", True),
        ("function", "m-key", True),
        ("function", "", False),
        ("function", "f-ke", False),
        ("admin", "m-key", True),
        ("admin", "f-key", False),
    ],
)
def test_a_level_opens_to_its_keys_and_to_no_other(level: str, key: str, opens: bool) -> None:
    assert KEYS.open(level, key) is opens


def test_without_any_key_set_nothing_is_checked() -> None:
    assert FunctionKeys().open("admin", "")


def test_an_unset_key_does_not_open_for_an_empty_one() -> None:
    assert not FunctionKeys(function="f-key").open("admin", "")


def test_the_header_goes_before_the_query_and_its_case_does_not_matter() -> None:
    assert presented_key((("X-Functions-Key", "h"),), "code=q") == "h"
    assert presented_key((), "top_k=3&code=q%3D") == "q="
    assert presented_key((), "") == ""


def test_keys_are_read_from_the_settings() -> None:
    assert (
        FunctionKeys.from_settings({"TRIPOINT_AZURE_FUNCTION_KEY": "f-key", "TRIPOINT_AZURE_MASTER_KEY": "m-key"})
        == KEYS
    )
