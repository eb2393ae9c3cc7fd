"""The `tripoint` command: finds its subcommands, and turns errors into one sentence with the next step."""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.framework.groups import ModuleGroup
from cli.framework.help_overview import EXIT_CODES, write_overview

_HELP = ("-h", "--help")
_WORDS = "tripoint.words"
_PIPE_CLOSED = 128 + signal.SIGPIPE  # as a shell reports a program that this signal ended


class Commands(ModuleGroup):
    """The group of all commands; `--debug` counts wherever it is typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = tuple(args)
        if wants_traceback(args, {}):
            args = ["--debug", *(word for word in args if word != "--debug")]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help on one screen of 80 columns and 24 lines."""
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
    """Return whether `--debug` is among the options in `words`, or TRIPOINT_DEBUG is set."""
    options = words[: list(words).index("--")] if "--" in words else words
    return "--debug" in options or environ.get("TRIPOINT_DEBUG", "0").lower() not in ("", "0", "false", "no")


def main() -> None:
    """Entry point of the console script."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        try:
            status = _exit_code()
        finally:
            if sys.stdout is not None:  # it is None where the caller has closed it
                sys.stdout.flush()  # a flush that fails at the interpreter's exit would change the exit code
    except BrokenPipeError:
        if not _close_pipes():
            raise
        status = _PIPE_CLOSED
    raise SystemExit(status)


def _exit_code() -> int:
    """Run the typed command and return its exit code. Raises BrokenPipeError when nobody reads the output."""
    try:
        status = _run()
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return 130
    except Exception as error:  # the entry boundary
        if isinstance(error, BrokenPipeError) and _closed_streams():
            raise
        if wants_traceback(sys.argv[1:], os.environ):
            raise
        return explain(error)
    return status if isinstance(status, int) else 0


def _run() -> object:
    """Run the typed command. Click and rich answer a closed pipe with exit code 1; raise BrokenPipeError instead."""
    streams = sys.stdout, sys.stderr
    try:
        return tripoint.main(prog_name="tripoint", standalone_mode=False)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # rich
            raise ended.__context__ from None
        if sys.stdout is not streams[0]:  # click puts a wrapper in its place, which hides the error
            sys.stdout, sys.stderr = streams
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
        raise


def _closed_streams() -> list[int]:
    """Return the file numbers of standard output and error whose reader has left.

    rich puts the null device in place of standard output when it finds the reader gone, so that one counts too.
    """
    numbers = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream is not None]
    poll = select.poll()
    for number in numbers:
        poll.register(number, 0)  # the end of the reader is reported without asking for it
    ended = [number for number, event in poll.poll(0) if event & (select.POLLERR | select.POLLHUP)]
    null = Path(os.devnull).stat()
    output = [] if sys.stdout is None else [sys.stdout.fileno()]
    return ended + [number for number in output if os.path.samestat(os.fstat(number), null)]


def _close_pipes() -> bool:
    """Put the null device in place of closed pipes, so that the last flush succeeds; return whether there was one."""
    closed = _closed_streams()
    for number in closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return bool(closed)


def explain(error: Exception) -> int:
    """Say in a sentence what went wrong and what to do next; return the exit code."""
    from cli.framework import errors

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
        click.echo("that the same command with `--debug` shows; measured samples are kept", err=True)
    return 2
