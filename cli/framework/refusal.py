"""The error of a command that cannot run, shown without usage."""

from __future__ import annotations

import click


class CommandRefused(click.ClickException):
    """Something is missing or does not fit; the message says what, and the next step."""

    exit_code = 2
