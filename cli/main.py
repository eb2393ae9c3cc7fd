"""The `tripoint` command: finds its subcommands, and turns errors into one sentence with the next step."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from cli.framework.groups import ModuleGroup
from cli.framework.help_overview import EXIT_CODES, write_overview

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP = ("-h", "--help")
_WORDS = "tripoint.words"


class Commands(ModuleGroup):
    """The whole command: `--debug` counts wherever it is typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = tuple(args)
        if wants_traceback(args, {}):
            args = ["--debug", *(word for word in args if word != "--debug")]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One screen of 80 columns and 24 lines."""
        write_overview(self, ctx, formatter)


@click.command(
    cls=Commands, package="cli.commands", epilog=EXIT_CODES, context_settings={"help_option_names": list(_HELP)}
)
@click.version_option(package_name="tripoint")
@click.option("--debug", is_flag=True, help="Show the traceback of an error; before or after the command.")
@click.pass_context
def tripoint(context: click.Context, debug: bool) -> None:
    """Which cloud, which plan, which memory size; at what cold start, latency and cost; and how sure are we?"""
    from cli.framework.settings_file import read_defaults

    context.obj = {"debug": debug}
    tolerant = context.invoked_subcommand in ("doctor", "completion") or set(_HELP) & set(context.meta[_WORDS])
    if not tolerant:
        context.default_map = read_defaults(tripoint, context)


def wants_traceback(words: Sequence[str], environ: dict[str, str] | os._Environ[str]) -> bool:
    """Whether `--debug` is among the options in `words`, or TRIPOINT_DEBUG is set."""
    options = words[: list(words).index("--")] if "--" in words else words
    return "--debug" in options or environ.get("TRIPOINT_DEBUG", "0").lower() not in ("", "0", "false", "no")


def main() -> None:
    """Entry point of the console script."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts its background jobs deaf to the first
        signal.signal(number, signal.default_int_handler)
    try:
        status = tripoint.main(prog_name="tripoint", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        raise SystemExit(130) from None
    except Exception as error:  # the entry boundary
        if wants_traceback(sys.argv[1:], os.environ):
            raise
        raise SystemExit(explain(error)) from None
    raise SystemExit(status if isinstance(status, int) else 0)


def explain(error: Exception) -> int:
    """Say in a sentence what went wrong and what to do next; return the exit code."""
    from cli.framework import errors

    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: the last flush must not fail
        return 128 + signal.SIGPIPE
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        click.echo(errors.format_click_error(error), err=True)
        return error.exit_code
    sentence = errors.format_missing_package(error) or errors.format_expected_error(error)
    if sentence:
        click.echo(f"tripoint: {sentence}", err=True)
    else:
        click.echo(f"tripoint: a fault of Tripoint itself, {error!r}: please report it, with the traceback", err=True)
        click.echo("that the same words with `--debug` show; what was measured is kept", err=True)
    return 2
