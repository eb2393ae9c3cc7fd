"""The end of a command that cannot do what was asked, without the usage that a wrong option would show."""

from __future__ import annotations

import click


class CommandRefused(click.ClickException):
    """Something is missing or does not fit; the message says what, and what to do."""

    exit_code = 2
