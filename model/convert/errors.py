"""Errors of a conversion. Each message names the value, the expectation and the next step."""

from __future__ import annotations


class ConvertError(ValueError):
    """A model cannot be converted as asked."""


class ToolMissing(ConvertError):
    """A package that this source or kind needs is not installed."""


def first_lines(error: BaseException, *, count: int = 2) -> str:
    """The beginning of a converter's message, which may go on for pages."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:count])[:300] or type(error).__name__
